"""Reads CSV files. Rows are named as a text editor numbers its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from mtjlearn.datasets.cells import check_number, check_targets, column_number, parse_number
from mtjlearn.datasets.columns import Columns, choose, index_columns
from mtjlearn.datasets.csv_layout import cut_units, read_layout
from mtjlearn.datasets.dataset import DatasetError, Table, Task

_T = TypeVar("_T")
_ALL = Columns()


def read_csv(path: Path, target: str | int | None, task: Task | None, columns: Columns = _ALL) -> Table:
    """Reads a CSV file (UTF-8; separated by commas, semicolons or tabs, whichever the first line has most of).

    The first row holds the column names. Only where ``target`` is a column number, counted from 1, it may be missing:
    the first row is then data if all its cells, the target's aside, are numbers. Empty lines are passed over; what else
    stands around the numbers in files is in :mod:`mtjlearn.datasets.csv_layout`.

    Raises:
        DatasetError: as :func:`mtjlearn.datasets.load` says.
    """
    layout = read_layout(path)
    heading = layout.records[0]
    names, first = _header(path, heading, target)
    chosen = choose(path, names, target, columns, index_columns(heading) if first else ())
    if first == len(layout.records):
        raise DatasetError(f"{path} has column names and no rows")
    widths = {len(record) for record in layout.records[first:]}
    if first and widths == {len(names) + 1}:
        raise DatasetError(f"{path} has {len(names)} column names, but every row has {len(names) + 1} cells; add the missing name")
    for line, record in zip(layout.lines, layout.records, strict=True):
        if len(record) != len(names):
            raise DatasetError(f"{path}: row {line} has {len(record)} cells, the first has {len(names)}")
    cut_units(layout, first, chosen.inputs, names)
    lines, records = layout.lines[first:], layout.records[first:]
    features = [
        [check_number(path, line, names[index], record[index]) for index in chosen.inputs]
        for line, record in zip(lines, records, strict=True)
    ]
    written = tuple(record[chosen.target] for record in records)
    return Table(
        path.stem,
        np.array(features),
        tuple(names[index] for index in chosen.inputs),
        check_targets(path, lines, names[chosen.target], written, task),
        (names[chosen.target],),
        written=written,
        rows=tuple(lines),
        notes=(*layout.notes, *chosen.notes),
    )


def _header(path: Path, first: Sequence[str], target: str | int | None) -> tuple[list[str], int]:
    """The column names and how many rows they take."""
    number = column_number(target)
    if number is not None:
        inputs = [cell for cell in _without(number - 1, first) if cell]
        if inputs and all(parse_number(cell) is not None for cell in inputs):
            return [f"column {column + 1}" for column in range(len(first))], 0
    elif target is not None and target not in first and any(parse_number(cell) is not None for cell in first):
        raise DatasetError(f"{path} has no column names in its first row; add them or give --target a column number")
    return [name or f"column {column + 1}" for column, name in enumerate(first)], 1


def _without(index: int, items: Iterable[_T]) -> Iterator[_T]:
    return (item for position, item in enumerate(items) if position != index)
