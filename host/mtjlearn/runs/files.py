"""Reads what a run directory holds, without writing to it; see :mod:`mtjlearn.runs`."""

from __future__ import annotations

import errno
import io
import itertools
import json
import re
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import UserError
from mtjlearn.npz import read_npz

State = Literal["running", "finished", "interrupted", "failed"]

CONFIG = "config.toml"
META = "meta.json"
METRICS = "metrics.jsonl"
WEIGHTS = "weights.npz"
START = "start.npz"
LINK_LOG = "link.log"
LOCK = "lock"

_STATES = ("running", "finished", "interrupted", "failed")
_META_TYPES: dict[str, type] = {"command": str, "name": str, "seed": int, "started": str, "result": dict}
_MOST_WEIGHTS = 2**29
"""Bytes of a checkpoint, unpacked: twice what the paper's largest network has with its matrices and Adam's moments."""
_STATE = "state"
_WHOLE = "whole"
_MOST_SETTINGS = 2**16
"""Bytes of config.toml and of meta.json, at most: twenty times what they have."""
_MOST_DOTS = 100
MOST_METRICS = 2**29
"""Bytes of metrics.jsonl, at most: millions of records."""
_MOST_NUMBER = 2**63
_MOST_NESTED = 32
_NOT_MEASURED = frozenset({"step", "epoch", "time"})


class RunError(UserError, RuntimeError):
    """A run directory that cannot be used; the text names the file and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """Progress of a training, all of one moment: what a resumed run starts from.

    Args:
        epoch: complete epochs.
        samples: samples of the epoch under way that the board acknowledged.
        steps: training steps since the start.
        weights: all parameters in the order of shared/numerics.md, section 1, int16 or int32 as the network stores
            them, shape (parameters,); float64 of a reference that learns alone.
        matrices: decorrelation matrices, int16 Q1.14, shape (values,); empty if no layer decorrelates.
        random_state: state of the board's random generator, 1 .. 2^32 - 1; 0 if unknown.
        state: what else a reference that learns alone has learned: float matrices, an optimiser's moments.
        whole: the file of the checkpoint that the board itself saved at this moment; empty if it saved none.
    """

    epoch: int
    samples: int
    steps: int
    weights: NDArray[Any]
    matrices: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    random_state: int = 0
    state: tuple[NDArray[Any], ...] = ()
    whole: bytes = b""

    def __repr__(self) -> str:
        return f"<Checkpoint after {self.steps:,} steps ({self.epoch} epochs): {self.weights.size:,} {self.weights.dtype} weights>"

    @property
    def is_float(self) -> bool:
        """Whether it is of a reference that learns alone."""
        return self.weights.dtype.kind == "f"

    def pack(self) -> bytes:
        """The content of weights.npz."""
        buffer = io.BytesIO()
        progress = np.array([self.epoch, self.samples, self.steps, self.random_state], dtype=np.int64)
        arrays: dict[str, Any] = {f"{_STATE}{number}": array for number, array in enumerate(self.state)}
        if self.whole:
            arrays[_WHOLE] = np.frombuffer(self.whole, np.uint8)
        np.savez(buffer, weights=self.weights, matrices=self.matrices, progress=progress, **arrays)
        return buffer.getvalue()


def read_config(path: Path) -> dict[str, Any]:
    """What was asked of the run in this directory.

    Raises:
        RunError: if config.toml is missing or damaged.
    """
    try:
        text = _read(path / CONFIG).decode()
        # The parser's time grows with the third power of a key's parts.
        if max(piece.count(".") for piece in re.split(r"[\n=,]", text)) > _MOST_DOTS:
            raise RunError(f"{path / CONFIG} is damaged (a key of more than {_MOST_DOTS} parts); start a new run")
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"{path / CONFIG} is damaged ({error}); start a new run") from None


def read_meta(path: Path) -> dict[str, Any]:
    """What meta.json holds.

    Raises:
        RunError: if it is missing or damaged.
    """
    meta = parse_object(_read(path / META))
    if meta is None:
        raise RunError(f"{path / META} is damaged (not an object in JSON); start a new run")
    if meta.get("state") not in _STATES:
        raise RunError(f"{path / META} is damaged (no state); start a new run")
    for key, kind in _META_TYPES.items():
        if not isinstance(meta.get(key), kind):
            raise RunError(f"{path / META} is damaged (no {key}); start a new run")
    return meta


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of metrics.jsonl, oldest first; a torn last line is passed over.

    A resumed run goes back to its checkpoint and repeats the steps after it: what was recorded of them before is left
    out. Records of the reference (names beginning with ``reference_``) stay, it is not resumed, unless it learns alone.

    Raises:
        RunError: if another line than the last is damaged.
    """
    try:
        check_file(path / METRICS, MOST_METRICS)
        lines = (path / METRICS).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path / METRICS} cannot be read: {error.strerror or error}") from None
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines[:-1], 1):
        record = parse_object(line)
        if record is None:
            raise RunError(f"{path / METRICS} is damaged in line {number}; remove that line")
        if record.get("event") == "resumed":
            alone = record.get("reference") is True
            records = [earlier for earlier in records if not _is_undone(earlier, record.get("step", 0), alone)]
        records.append(record)
    return records


def read_checkpoint(path: Path, name: str = WEIGHTS) -> Checkpoint | None:
    """The last checkpoint of the run in this directory; None if there is none yet.

    Args:
        path: the run directory.
        name: of the file; start.npz has what the run began with.

    Raises:
        RunError: if the file is damaged.
    """
    try:
        check_file(path / name, _MOST_WEIGHTS)
        content = read_npz(path / name, _MOST_WEIGHTS)
        weights, matrices, progress = (content[name] for name in ("weights", "matrices", "progress"))
        epoch, samples, steps, random_state = (int(value) for value in progress)
        matrices = matrices.astype(np.int16)
        names = itertools.takewhile(content.__contains__, (f"{_STATE}{number}" for number in itertools.count()))
        state = tuple(content[name].copy() for name in names)
        whole = content[_WHOLE].astype(np.uint8).tobytes() if _WHOLE in content else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path / name} cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, OverflowError):
        advice = "remove it to train from the start" if name == WEIGHTS else "start a new run"
        raise RunError(f"{path / name} is damaged; {advice}") from None
    return Checkpoint(epoch, samples, steps, weights.copy(), matrices, random_state, state, whole)


def parse_object(text: bytes) -> dict[str, Any] | None:
    """An object in JSON; None if it is none, or holds what no run writes: integers beyond 64 bits, half characters, deep nesting.

    NaN and infinities by name, which JSON does not have, are None.
    """
    try:
        found = _DECODER.decode(text.decode())
        if b"\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
        shallow = text.count(b"[") + text.count(b"{") <= _MOST_NESTED or _is_shallow(found, _MOST_NESTED)
        return found if isinstance(found, dict) and shallow else None
    except (ValueError, RecursionError):
        return None


def check_file(path: Path, most: int | None = None) -> None:
    """Refuses what cannot be read as a file: a pipe would wait for a writer.

    Raises:
        FileNotFoundError: there is nothing.
        OSError: it is not a file.
        RunError: it has too many bytes, if there is a limit.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    if most is not None and status.st_size > most:
        raise RunError(f"{path} has {status.st_size:,} bytes, and at most {most:,} are read; it is damaged, or not of a run")


def _whole(text: str) -> int:
    number = int(text)
    if not -_MOST_NUMBER <= number < _MOST_NUMBER:
        raise ValueError(f"{text[:20]}... is too large")
    return number


_DECODER = json.JSONDecoder(parse_int=_whole, parse_constant=lambda name: None)


def _is_shallow(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)


def _is_undone(record: dict[str, Any], step: Any, alone: bool) -> bool:
    at = record.get("step")
    if "event" in record or not isinstance(at, int) or not isinstance(step, int) or at <= step:
        return False
    return alone or any(not name.startswith("reference_") for name in record.keys() - _NOT_MEASURED)


def _read(path: Path) -> bytes:
    try:
        check_file(path)
        with path.open("rb") as file:
            content = file.read(_MOST_SETTINGS + 1)
    except FileNotFoundError:
        raise RunError(f"{path.parent} is not a run: {path.name} is missing") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > _MOST_SETTINGS:
        raise RunError(f"{path} is damaged (more than {_MOST_SETTINGS:,} bytes); start a new run")
    return content
