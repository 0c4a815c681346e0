"""Metrics of runs for other programs: a table as CSV or Parquet, or events for TensorBoard."""

from __future__ import annotations

import csv
import io
import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from mtjlearn import interruption
from mtjlearn.comparison.read import ComparisonError, TrainingRun
from mtjlearn.errors import install_extra
from mtjlearn.runs.storage import describe, drafted, write_atomic

Kind = Literal["csv", "parquet", "tensorboard"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ABOUT = ("run", "command", "data", "net", "rule", "board", "seed")
_KNOWN = (
    *("event", "step", "epoch", "loss", "test_loss", "test_accuracy"),
    *("reference_loss", "reference_test_accuracy", "skipped", "saturations", "seconds"),
)
"""Columns of records, in this order; others follow by name."""
_WHOLE = frozenset({"seed", "step", "epoch", "skipped", "saturations"})
_TAGS = {
    "loss": "board/loss",
    "test_loss": "board/test_loss",
    "test_accuracy": "board/test_accuracy",
    "skipped": "board/skipped",
    "saturations": "board/saturations",
    "reference_loss": "reference/loss",
    "reference_test_accuracy": "reference/test_accuracy",
}
EVENTS = "events.out.tfevents.mtjlearn"
"""The file of a run's events; TensorBoard knows it by the word in the middle."""


def export_runs(runs: Sequence[TrainingRun], kind: Kind, out: Path) -> list[Path]:
    """Writes what runs recorded.

    Args:
        runs: of trainings, each once.
        kind: csv or parquet, a row for each record of each run; or tensorboard, an event file for each run.
        out: the file; for tensorboard the folder that each run's folder is made in. What is there is replaced.

    Returns:
        The files that were written.

    Raises:
        ComparisonError: a file cannot be written, an optional part is missing, or two runs have the same name.
    """
    if kind == "tensorboard":
        return _export_events(runs, out)
    rows = [row for run in runs for row in _rows(run)]
    names = [*_ABOUT, *(name for name in _KNOWN if any(name in row for row in rows))]
    names += sorted({name for row in rows for name in row} - set(names))
    _written(out, lambda: write_atomic(out, _csv(names, rows)) if kind == "csv" else _write_parquet(names, rows, out))
    return [out]


def _rows(run: TrainingRun) -> list[dict[str, Any]]:
    settings = run.settings
    sizes = settings.get("network.sizes")
    about = {
        "run": run.name,
        "command": run.command,
        "data": run.data,
        "net": "-".join(map(str, sizes)) if isinstance(sizes, list) else None,
        "rule": settings.get("rule"),
        "board": settings.get("board"),
        "seed": run.seed,
    }
    return [{**about, **{name: value for name, value in record.items() if _is_cell(value)}} for record in run.records]


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([row.get(name) for name in names] for row in rows)
    return text.getvalue().encode()


def _write_parquet(names: Sequence[str], rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ComparisonError(f"writing {out} needs pyarrow; run: {install_extra('parquet')}") from None
    columns = {name: _column([row.get(name) for row in rows], name) for name in names}
    table = pyarrow.table({name: pyarrow.array(values, type=getattr(pyarrow, kind)()) for name, (values, kind) in columns.items()})
    with drafted(out) as draft:
        parquet.write_table(table, draft)


def _column(values: Sequence[Any], name: str) -> tuple[list[Any], str]:
    """The values in one type, and its name in pyarrow."""
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present) or not present:
        return [None if value is None else str(value) for value in values], "string"
    if name in _WHOLE and all(type(value) is int for value in present):
        return list(values), "int64"
    return [None if value is None else float(value) for value in values], "float64"


def _export_events(runs: Sequence[TrainingRun], out: Path) -> list[Path]:
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        raise ComparisonError(f"events for TensorBoard need tensorboardX; run: {install_extra('tensorboard')}") from None
    names = [run.name for run in runs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ComparisonError(f"two runs are named {double}; export them into folders of their own with --out")
    paths = []
    for run in runs:
        interruption.check()
        path = out / run.name / EVENTS
        _written(path, lambda run=run, path=path: _write_events(run, path))  # type: ignore[misc]
        paths.append(path)
    return paths


def _write_events(run: TrainingRun, path: Path) -> None:
    """Writes a run's events, each with the time of its record: when the run started, and what it has trained for since."""
    from tensorboardX import SummaryWriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".events-", dir=path.parent) as folder:
        writer = SummaryWriter(logdir=folder)
        passed = 0.0
        for record in run.records:
            seconds, step = record.get("seconds"), record.get("step")
            passed += float(seconds) if isinstance(seconds, int | float) else 0.0
            for name, tag in _TAGS.items():
                value = record.get(name)
                if isinstance(value, int | float) and math.isfinite(value) and isinstance(step, int):
                    writer.add_scalar(tag, value, step, walltime=run.started + passed)
        writer.close()
        (written,) = Path(folder).iterdir()
        os.replace(written, path)


def _written(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise ComparisonError(describe(path, error)) from None
