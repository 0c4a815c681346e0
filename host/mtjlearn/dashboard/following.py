"""Reads a run directory while another process writes to it: what is new of its metrics, its weights when they change.

A training on a board has the port to itself, and its run directory is where others can see what it does.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.dashboard.series import Series
from mtjlearn.network import FRACTION_BITS, WEIGHT32_BITS
from mtjlearn.runs import RunError, read_checkpoint, read_config, read_meta, read_metrics
from mtjlearn.runs.files import LOCK, META, METRICS, MOST_METRICS, WEIGHTS, check_file, parse_object
from mtjlearn.runs.storage import is_locked

CURVES = ("loss", "test_accuracy", "test_loss", "reference_loss", "reference_test_accuracy", "evaluation_loss", "accuracy")
"""Names of metrics that are curves."""
MOST_CELLS = 4096
"""Cells of a heat map, at most; neighbouring weights of larger layers are averaged."""
_RATED = 8
"""Records whose rate is averaged."""
_EVENTS = 20


class Follower:
    """A run directory.

    Args:
        path: of the run, which need not be complete yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        """What could not be read."""
        self._stamps: dict[str, tuple[int, int, int]] = {}
        self._meta: dict[str, Any] = {}
        self._config: dict[str, Any] = {}
        self._layers: list[dict[str, Any]] = []
        self._begin()

    def _begin(self) -> None:
        self._offset = 0
        self._last: dict[str, Any] = {}
        self._curves: dict[str, Series] = {}
        self._events: list[dict[str, Any]] = []
        self._rates: list[tuple[int, float]] = []

    @property
    def running(self) -> bool:
        """Whether a process works on it."""
        return self._meta.get("state") == "running" and is_locked(self.path / LOCK)

    def update(self) -> None:
        """Reads what is new."""
        self.problem = None
        for name, read in ((META, self._read_meta), (METRICS, self._read_metrics), (WEIGHTS, self._read_weights)):
            stamp = _stamp(self.path / name)
            if stamp is None or stamp == self._stamps.get(name):
                continue
            try:
                read()
            except RunError as error:
                self.problem = str(error)
            except OSError as error:  # a directory that is removed meanwhile
                self.problem = f"{self.path / name} cannot be read: {error.strerror or error}"
            else:
                self._stamps[name] = stamp

    def view(self) -> dict[str, Any]:
        """What a page shows of it, weights aside."""
        state = self._meta.get("state", "running")
        running = self.running
        rate = self._rate()
        total, step = self._total(), self._last.get("step", 0)
        left = (total - step) / rate if running and rate and total and step <= total else None
        board = self._meta.get("board")
        board = board if isinstance(board, dict) else {}
        return {
            "run": self.path.name,
            "command": self._meta.get("command", ""),
            "name": self._meta.get("name", self.path.name),
            "seed": self._meta.get("seed"),
            "started": self._meta.get("started", ""),
            "state": "interrupted" if state == "running" and not running else state,
            "error": self._meta.get("error"),
            "board": board.get("name"),
            "port": board.get("url"),
            "rule": self._config.get("rule"),
            "sizes": self._sizes(),
            "epochs": self._config.get("epochs"),
            "step": step,
            "epoch": self._last.get("epoch"),
            "total": total,
            "rate": rate,
            "left": left,
            "skipped": self._last.get("skipped"),
            "saturations": self._last.get("saturations"),
            "result": self._meta.get("result", {}),
            "events": self._events,
            "curves": {name: series.points for name, series in self._curves.items()},
            "problem": self.problem,
        }

    def layers(self) -> list[dict[str, Any]]:
        """The weights of each layer at the last checkpoint, the bias in the last column.

        Returns:
            For each layer ``rows`` and ``columns`` of the heat map, ``values`` row by row, ``units`` and ``inputs`` of the layer,
            ``least`` and ``most`` weight, and ``saturated``, the number of weights at an end of the format.
        """
        return self._layers

    def _read_meta(self) -> None:
        self._meta = read_meta(self.path)
        self._config = self._config or read_config(self.path)

    def _read_metrics(self) -> None:
        """The lines after those that are known; all again if a resumed run went back to its checkpoint, or the file is another."""
        check_file(self.path / METRICS, MOST_METRICS)
        with (self.path / METRICS).open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        complete = new[: new.rfind(b"\n") + 1]
        records = [parse_object(line) for line in complete.split(b"\n")[:-1]]
        if self._offset > (self.path / METRICS).stat().st_size or any(r is None or r.get("event") == "resumed" for r in records):
            self._begin()
            size = (self.path / METRICS).stat().st_size
            records = list(read_metrics(self.path))
            self._offset = size
        else:
            self._offset += len(complete)
        for record in records:
            if record is not None:
                self._take(record)

    def _take(self, record: dict[str, Any]) -> None:
        step = record.get("step")
        if not isinstance(step, int):
            return
        if "event" in record:
            self._events = [*self._events, record][-_EVENTS:]
            return
        for name in CURVES:
            if isinstance(record.get(name), int | float):
                self._curves.setdefault(name, Series()).add(step, record[name])
        if isinstance(record.get("seconds"), float):
            done = step - self._last.get("step", 0)
            self._rates = [*self._rates, (done, record["seconds"])][-_RATED:]
        if step >= self._last.get("step", 0):
            self._last = {**self._last, **record}

    def _read_weights(self) -> None:
        checkpoint = read_checkpoint(self.path)
        sizes = self._sizes()
        if checkpoint is None or sizes is None:
            return
        shapes = [(units, inputs + 1) for inputs, units in pairwise(sizes)]
        ends = np.cumsum([rows * columns for rows, columns in shapes])
        if checkpoint.weights.ndim != 1 or ends[-1] != checkpoint.weights.size:
            raise RunError(f"{self.path / WEIGHTS} does not hold the weights of this run's network")
        parts = np.split(checkpoint.weights, ends[:-1])
        self._layers = [_layer(part.reshape(shape)) for part, shape in zip(parts, shapes, strict=True)]

    def _sizes(self) -> list[int] | None:
        network = self._config.get("network")
        sizes = network.get("sizes") if isinstance(network, dict) else None
        known = isinstance(sizes, list) and len(sizes) > 1 and all(isinstance(size, int) and size > 0 for size in sizes)
        return sizes if known else None

    def _rate(self) -> float | None:
        seconds = sum(taken for _, taken in self._rates)
        return sum(done for done, _ in self._rates) / seconds if seconds > 0 else None

    def _total(self) -> int | None:
        total = self._meta.get("total_steps")
        return total if isinstance(total, int) and total > 0 else None


def _layer(weights: NDArray[Any]) -> dict[str, Any]:
    units, inputs = weights.shape
    if weights.dtype.kind == "f":
        real, saturated = weights.astype(np.float64), 0
    else:
        ends = np.iinfo(weights.dtype)
        real = weights / 2.0 ** (FRACTION_BITS if weights.dtype.itemsize == 2 else WEIGHT32_BITS)
        saturated = int(np.sum((weights >= ends.max) | (weights <= -ends.max)))
    shown = _shrunk(real)
    return {
        "rows": shown.shape[0],
        "columns": shown.shape[1],
        "values": np.round(shown, 3).ravel().tolist(),
        "units": units,
        "inputs": inputs - 1,
        "least": float(real.min()),
        "most": float(real.max()),
        "saturated": saturated,
    }


def _shrunk(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of blocks, so that at most MOST_CELLS are left."""
    while values.size > MOST_CELLS:
        axis = int(values.shape[1] >= values.shape[0])
        starts = np.arange(0, values.shape[axis], 2)
        counts = np.minimum(2, values.shape[axis] - starts)
        sums = np.add.reduceat(values, starts, axis=axis)
        values = sums / (counts if axis else counts[:, None])
    return values


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
