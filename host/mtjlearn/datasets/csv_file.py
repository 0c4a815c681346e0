"""Reads CSV files. Rows are named as a text editor numbers its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjlearn.datasets.categories import Column, encode
from mtjlearn.datasets.cells import check_number, check_targets, column_number, list_names, parse_number, shorten
from mtjlearn.datasets.columns import Chosen, Columns, choose, index_columns
from mtjlearn.datasets.csv_layout import cut_units, read_layout
from mtjlearn.datasets.csv_plain import read_plain
from mtjlearn.datasets.dataset import Array, DatasetError, Table, Task
from mtjlearn.datasets.limits import CSV_BYTES, PLAIN_CSV_BYTES, check_memory

_ALL = Columns()


def read_csv(path: Path, target: str | int | None, task: Task | None, columns: Columns = _ALL) -> Table:
    """Reads a CSV file (UTF-8; separated by commas, semicolons or tabs, whichever the first line has most of).

    The first row holds the column names. Only where ``target`` is a column number, counted from 1, it may be missing:
    the first row is then data if all its cells, the target's aside, are numbers. Empty lines are passed over; what else
    stands around the numbers in files is in :mod:`mtjlearn.datasets.csv_layout`.

    Raises:
        DatasetError: as :func:`mtjlearn.datasets.load` says.
    """
    found = _read_in_bulk(path, target, task, columns) or _read_by_cell(path, target, columns)
    names, chosen = found.names, found.chosen
    cells: list[Column] = [
        found.texts[index] if index in chosen.categorical else found.numbers[:, found.numeric.index(index)]
        for index in chosen.inputs
    ]
    encoded = encode(path, [names[index] for index in chosen.inputs], cells, found.lines)
    single = len(chosen.targets) == 1
    targets = [
        found.fractions[:, None]
        if found.fractions is not None
        else check_targets(path, found.lines, names[index], found.texts[index], task if single else "regression")
        for index in chosen.targets
    ]
    return Table(
        path.stem,
        encoded.features,
        encoded.names,
        targets[0] if single else np.column_stack(targets),
        tuple(names[index] for index in chosen.targets),
        written=tuple(found.texts[chosen.targets[0]]) if single and found.fractions is None else None,
        rows=found.lines,
        notes=(*found.notes, *chosen.notes, *encoded.notes),
        categories=encoded.categories,
    )


@dataclass(frozen=True)
class _Rows:
    """Columns of a file.

    Args:
        names: of all columns.
        chosen: which of them are inputs and targets.
        numeric: the inputs that are numbers.
        numbers: these, shape (rows, inputs).
        texts: the cells of the other inputs and of the targets.
        fractions: a target that is certainly a regression's, shape (rows,), whose texts do not matter.
        lines: of each row, as a text editor numbers them.
        notes: what was read in another way than it is written.
    """

    names: list[str]
    chosen: Chosen
    numeric: tuple[int, ...]
    numbers: Array
    texts: Mapping[int, Sequence[str]]
    lines: Sequence[int]
    notes: Sequence[str] = ()
    fractions: Array | None = None


def _choose(
    path: Path, heading: Sequence[str], target: str | int | None, columns: Columns
) -> tuple[list[str], int, Chosen, tuple[int, ...]]:
    """The column names, how many rows they take, what is asked of the columns, and the inputs that are numbers."""
    names, first = _header(path, heading, target)
    chosen = choose(path, names, target, columns, index_columns(heading) if first else ())
    return names, first, chosen, tuple(index for index in chosen.inputs if index not in chosen.categorical)


def _read_in_bulk(path: Path, target: str | int | None, task: Task | None, columns: Columns) -> _Rows | None:
    """The columns of a plain file; None of another, or of one that holds something to be refused."""
    plain = read_plain(path)
    if plain is None:
        return None
    check_memory(path, path.stat().st_size * PLAIN_CSV_BYTES)
    names, first, chosen, numeric = _choose(path, plain.heading, target, columns)
    fractions = chosen.targets[0] if len(chosen.targets) == 1 and task != "classification" else None
    rows = plain.read(first, numeric, {*chosen.targets, *chosen.categorical}, fractions)
    if rows is None:
        return None
    return _Rows(names, chosen, numeric, rows.numbers, rows.texts, rows.lines, (), rows.fractions)


def _read_by_cell(path: Path, target: str | int | None, columns: Columns) -> _Rows:
    """The columns of any file, each cell looked at."""
    check_memory(path, path.stat().st_size * CSV_BYTES)
    layout = read_layout(path)
    names, first, chosen, numeric = _choose(path, layout.records[0], target, columns)
    if first == len(layout.records):
        raise DatasetError(f"{path} has column names and no rows")
    widths = {len(record) for record in layout.records[first:]}
    if first and widths == {len(names) + 1}:
        raise DatasetError(f"{path} has {len(names)} column names, but every row has {len(names) + 1} cells; add the missing name")
    for line, record in zip(layout.lines, layout.records, strict=True):
        if len(record) != len(names):
            raise DatasetError(f"{path}: row {line} has {len(record)} cells, the first has {len(names)}")
    cut_units(layout, first, numeric, names)
    lines, records = layout.lines[first:], layout.records[first:]
    _refuse_texts(path, names, numeric, records)
    numbers = np.array(
        [
            [check_number(path, line, names[index], record[index]) for index in numeric]
            for line, record in zip(lines, records, strict=True)
        ]
    ).reshape(len(records), len(numeric))
    texts = {index: [record[index] for record in records] for index in {*chosen.targets, *chosen.categorical}}
    return _Rows(names, chosen, numeric, numbers, texts, lines, layout.notes)


def _refuse_texts(path: Path, names: Sequence[str], numeric: Sequence[int], records: Sequence[Sequence[str]]) -> None:
    """Refuses a column that holds nothing but texts, a few of them again and again: it is likely one of categories."""
    for index in numeric:
        values = {record[index] for record in records}
        if len(values) < len(records) and all(_is_word(value) for value in values):
            name = shorten(names[index])
            some = list_names([shorten(value) for value in sorted(values)], 3)
            raise DatasetError(
                f"{path}: column {name} is not a number in any row: {some}; if these are categories, name it with --categorical, "
                "else exclude it with --drop"
            )


def _is_word(text: str) -> bool:
    """Whether a cell is neither empty, nor a number, nor one that is written with commas."""
    return bool(text) and parse_number(text) is None and not ("," in text and any(mark.isdigit() for mark in text))


def _header(path: Path, first: Sequence[str], target: str | int | None) -> tuple[list[str], int]:
    """The column names and how many rows they take."""
    parts = [target] if not isinstance(target, str) or target in first else [part.strip() for part in target.split(",")]
    numbers = [column_number(part) for part in parts]
    if None not in numbers:
        inputs = [cell for column, cell in enumerate(first, 1) if cell and column not in numbers]
        if inputs and all(parse_number(cell) is not None for cell in inputs):
            return [f"column {column + 1}" for column in range(len(first))], 0
    elif target is not None and not set(parts) <= set(first) and any(parse_number(cell) is not None for cell in first):
        raise DatasetError(f"{path} has no column names in its first row; add them or give --target a column number")
    return [name or f"column {column + 1}" for column, name in enumerate(first)], 1
