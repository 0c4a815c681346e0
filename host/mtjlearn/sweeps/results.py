"""What a sweep has found: a row per run, in memory and as one Parquet file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjlearn.errors import install_extra
from mtjlearn.runs.storage import describe, write_atomic
from mtjlearn.sweeps.measure import FAILED
from mtjlearn.sweeps.points import RESERVED, Point, SweepError, key_of
from mtjlearn.sweeps.store import Description, read_description, read_records

RESULTS = "results.parquet"


@dataclass(frozen=True)
class Results:
    """Rows of a sweep.

    Args:
        directory: of the sweep.
        parameters: columns that the points gave.
        numbers: columns that the task computed; a run that failed has None there.
        rows: one per finished run: parameters, numbers, ``status`` (``ok``, ``failed``), ``error``, ``seconds``.
        missing: points that are not computed yet.
        computed: runs computed in this call.
        damaged: lines of the journal that are damaged and were ignored.
    """

    directory: Path
    parameters: list[str]
    numbers: list[str]
    rows: list[dict[str, Any]]
    missing: int = 0
    computed: int = 0
    damaged: int = 0

    @property
    def path(self) -> Path:
        """The Parquet file."""
        return self.directory / RESULTS

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Rows of the runs that failed."""
        return [row for row in self.rows if row["status"] == FAILED]

    def column(self, name: str) -> list[Any]:
        """A column's values, of the runs that did not fail."""
        return [row[name] for row in self.rows if row["status"] != FAILED]


def gather(
    directory: Path,
    description: Description,
    records: Mapping[str, Mapping[str, Any]],
    points: Sequence[Point],
    **more: int,
) -> Results:
    """The rows of these points, in their order."""
    found = [(point, records[key]) for point in points if (key := key_of(point)) in records]
    numbers = list(dict.fromkeys(name for _, record in found for name in record["numbers"]))
    rows = [
        {
            **{name: point[name] for name in description.parameters},
            **{name: record["numbers"].get(name) for name in numbers},
            **{name: record[name] for name in ("status", "error", "seconds")},
        }
        for point, record in found
    ]
    return Results(directory, description.parameters, numbers, rows, missing=len(points) - len(rows), **more)


def read_results(directory: str | Path) -> Results:
    """What a sweep has found so far, from its journal, so that it can be read while the sweep runs.

    Raises:
        SweepError: it is not a sweep, or is damaged.
    """
    directory = Path(directory)
    description = read_description(directory)
    records, damaged = read_records(directory, description)
    return gather(directory, description, records, in_order(description), damaged=damaged)


def in_order(description: Description) -> list[dict[str, Any]]:
    """The points sorted by their values: the same order, whenever which was added or computed."""

    def rank(point: Mapping[str, Any]) -> list[tuple[int, float, str]]:
        values = (point[name] for name in description.parameters)
        return [(0, v, "") if isinstance(v, int | float) else (v is not None, 0.0, str(v)) for v in values]

    return sorted(description.points, key=rank)


def write_results(results: Results, settings: Mapping[str, Any], command: Callable[[Point], str] | None = None) -> None:
    """Writes the Parquet file, replaced as a whole.

    The file's metadata has an entry ``mtjlearn``: JSON with the names of ``parameters`` and ``numbers``, and the ``settings``.

    Args:
        results: rows.
        settings: what all runs share.
        command: gives a row's column ``command``.

    Raises:
        SweepError: pyarrow is missing, or the file cannot be written.
    """
    pyarrow, parquet = _pyarrow()
    columns: dict[str, Any] = {}
    for name in [*results.parameters, *results.numbers, "status", "error", "seconds"]:
        columns[name] = _array(pyarrow, [row[name] for row in results.rows])
    if command is not None:
        points = [{name: row[name] for name in results.parameters} for row in results.rows]
        columns["command"] = pyarrow.array([command(point) for point in points], pyarrow.string())
    about = {"parameters": results.parameters, "numbers": results.numbers, "settings": settings}
    table = pyarrow.table(columns).replace_schema_metadata({"mtjlearn": json.dumps(about)})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    try:
        write_atomic(results.path, buffer.getvalue())
    except OSError as error:
        raise SweepError(describe(results.path, error)) from None


def check_pyarrow() -> None:
    """Called before anything is computed.

    Raises:
        SweepError: pyarrow is missing.
    """
    _pyarrow()


def refuse_reserved(parameters: Sequence[str], numbers: Mapping[str, Any]) -> None:
    """A task may not return what is a column already.

    Raises:
        SweepError: it does.
    """
    if twice := [name for name in numbers if name in (*parameters, *RESERVED)]:
        raise SweepError(f"the task returns {twice[0]}, which is a column already; rename it")


def _array(pyarrow: Any, values: list[Any]) -> Any:
    try:
        array = pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        # Values of several kinds, such as a number and a word.
        return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())
    return array.cast(pyarrow.string()) if pyarrow.types.is_null(array.type) else array


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SweepError(f"a sweep's results are a Parquet file, which needs pyarrow: {install_extra('sweep')}") from None
    return pyarrow, parquet
