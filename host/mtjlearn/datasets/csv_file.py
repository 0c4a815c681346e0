"""Reads CSV files. Rows are named as a text editor numbers its lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from mtjlearn.datasets.cells import check_number, check_targets, column_number, find_target, parse_number
from mtjlearn.datasets.dataset import DatasetError, Table, Task

_T = TypeVar("_T")


def read_csv(path: Path, target: str | int | None, task: Task | None) -> Table:
    """Reads a CSV file (UTF-8; separated by commas, semicolons or tabs, whichever the first line has most of).

    The first row holds the column names. Only where ``target`` is a column number, counted from 1, it may be missing:
    the first row is then data if all its cells, the target's aside, are numbers. Empty lines are passed over.

    Raises:
        DatasetError: as :func:`mtjlearn.datasets.load` says.
    """
    lines, records = _records(path)
    names, first = _header(path, records[0], target)
    index = find_target(path, names, target)
    if first == len(records):
        raise DatasetError(f"{path} has column names and no rows")
    for line, record in zip(lines, records, strict=True):
        if len(record) != len(names):
            raise DatasetError(f"{path}: row {line} has {len(record)} cells where the first has {len(names)}")
    lines, records = lines[first:], records[first:]
    features = [
        [check_number(path, line, name, cell) for name, cell in _without(index, zip(names, record, strict=True))]
        for line, record in zip(lines, records, strict=True)
    ]
    targets = check_targets(path, lines, names[index], [record[index] for record in records], task)
    return Table(path.stem, np.array(features), tuple(_without(index, names)), targets, (names[index],))


def _records(path: Path) -> tuple[list[int], list[list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not text in UTF-8; save it as CSV UTF-8") from None
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    lines: list[int] = []
    records: list[list[str]] = []
    line = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                lines.append(line)
                records.append([cell.strip() for cell in record])
            line = reader.line_num + 1
    except csv.Error as error:
        raise DatasetError(f"{path}: row {line} is no CSV ({error}); check its quotation marks") from None
    if not records:
        raise DatasetError(f"{path} is empty")
    return lines, records


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
