"""Reads rows to predict for: the inputs of a model by name, in any order of columns, with or without a target among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjlearn import interruption
from mtjlearn.datasets import builtin
from mtjlearn.datasets.categories import columns_of, encode_known
from mtjlearn.datasets.cells import check_number, check_numbers, list_names, parse_number, shorten
from mtjlearn.datasets.csv_layout import cut_units, read_layout
from mtjlearn.datasets.dataset import Array, Category, DatasetError
from mtjlearn.datasets.files import category_cells, read_parquet_columns
from mtjlearn.datasets.limits import CSV_BYTES, check_memory
from mtjlearn.npz import NpzError, read_npz

_NUMBERED = re.compile(r"column (\d{1,6})")
"""The name of an input that came from a file without column names."""


@dataclass(frozen=True)
class Features:
    """Rows of inputs.

    Args:
        values: in the data's units, finite, shape (rows, inputs).
        notes: what a person should know about them, one sentence each.
    """

    values: Array
    notes: tuple[str, ...] = ()


def read_features(name_or_path: str | Path, inputs: Sequence[str], categories: Sequence[Category] = ()) -> Features:
    """Reads the inputs of these names from a file or a built-in dataset.

    A CSV file without column names, and the array ``x`` of an NPZ file, must have the inputs in their order. Other columns
    are ignored, which a note says.

    Args:
        name_or_path: name of a built-in dataset, or path of a file.
        inputs: their names, in the order in which they are wanted.
        categories: columns that were made one input for each of their values.

    Raises:
        DatasetError: no such file or column, a cell that is not a finite number, or a category that was not learned; it names
            the column that is missing.
    """
    name = str(name_or_path)
    if name in builtin.BUILTIN:
        return _builtin(name, inputs)
    path = Path(name_or_path)
    suffix = path.suffix.lower()
    try:
        size = path.stat().st_size
        if suffix in (".csv", ".tsv"):
            check_memory(path, size * CSV_BYTES)
            return _csv(path, columns_of(inputs, categories), categories)
        if suffix == ".npz":
            return _npz(path, inputs)
        if suffix in (".parquet", ".pq"):
            return _parquet(path, columns_of(inputs, categories), categories)
    except FileNotFoundError:
        raise DatasetError(f"there is no file {path} and no such dataset (built in: {', '.join(builtin.BUILTIN)})") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise DatasetError(f"{path} does not fit into this computer's memory; keep fewer rows or columns") from None
    raise DatasetError(f"{path} has a format that cannot be read; save it as .csv, .npz or .parquet")


def _builtin(name: str, inputs: Sequence[str]) -> Features:
    if name == "teacher":
        raise DatasetError("the teacher's data are another set for each seed; predict for a file")
    table = builtin.table(name, 0, ())
    columns = _find(Path(name), table.feature_names, inputs)
    return Features(table.features[:, columns])


def _csv(path: Path, inputs: Sequence[str], categories: Sequence[Category]) -> Features:
    layout = read_layout(path)
    heading = layout.records[0]
    bare = all(parse_number(cell) is not None for cell in heading) and not set(inputs) <= set(heading)
    columns = _places(path, len(heading), inputs) if bare else _find(path, heading, inputs)
    first = 0 if bare else 1
    for line, record in zip(layout.lines, layout.records, strict=True):
        if len(record) != len(heading):
            raise DatasetError(f"{path}: row {line} has {len(record)} cells, the first has {len(heading)}")
    known = {category.column: category for category in categories}
    numeric = [place for place, name in enumerate(inputs) if name not in known]
    cut_units(layout, first, [columns[place] for place in numeric], heading)
    lines, records = layout.lines[first:], layout.records[first:]
    values = []
    for line, record in zip(lines, records, strict=True):
        interruption.check()
        values.append([check_number(path, line, inputs[place], record[columns[place]]) for place in numeric])
    numbers = np.array(values, dtype=np.float64).reshape(len(records), len(numeric))
    parts = [
        numbers[:, [numeric.index(place)]]
        if name not in known
        else encode_known(path, known[name], [record[columns[place]] for record in records], lines)
        for place, name in enumerate(inputs)
    ]
    notes = list(layout.notes)
    if bare:
        notes.append(f"{path} has no column names: inputs are columns {list_names([str(column + 1) for column in columns], 8)}")
    without = layout.lines[-1] - layout.lines[0] + 1 - len(layout.lines)
    if without:
        notes.append(
            f"{path}: lines that are not rows (blank, comments, units), {without} of them: predictions count rows, not lines"
        )
    ignored = () if bare else _ignored(heading, columns)
    return Features(_side_by_side(parts, len(records)), (*notes, *ignored))


def _npz(path: Path, inputs: Sequence[str]) -> Features:
    try:
        content = read_npz(path)
    except NpzError as error:
        raise DatasetError(f"{path} is damaged or not an NPZ file of plain arrays ({error}); write it with numpy.savez") from None
    x = content.get("x")
    if x is None or x.ndim != 2 or x.dtype.kind not in "biuf" or x.shape[1] != len(inputs):
        found = "none" if x is None else f"{x.dtype} of shape {x.shape}"
        raise DatasetError(f"{path} needs an array x of numbers, shape (rows, {len(inputs)}); it has {found}")
    return Features(check_numbers(path, x.astype(np.float64), inputs))


def _parquet(path: Path, inputs: Sequence[str], categories: Sequence[Category]) -> Features:
    names, read = read_parquet_columns(path)
    columns = _find(path, names, inputs)
    known = {category.column: category for category in categories}
    parts: list[Array] = []
    rows = 0
    for name, column in zip(inputs, columns, strict=True):
        cells = read(column)
        rows = len(cells)
        if name in known:
            parts.append(encode_known(path, known[name], category_cells(path, name, cells), range(1, rows + 1)))
        elif cells.dtype.kind == "U":
            raise DatasetError(f"{path}: column {shorten(name)} holds text; turn it into numbers")
        else:
            parts.append(check_numbers(path, cells[:, None], [name]))
    return Features(_side_by_side(parts, rows), _ignored(names, columns))


def _side_by_side(parts: Sequence[Array], rows: int) -> Array:
    joined: Array = np.concatenate(parts, axis=1) if parts else np.zeros((rows, 0))
    return joined


def _places(path: Path, columns: int, inputs: Sequence[str]) -> list[int]:
    """Where each input is among columns without names: by the numbers that a file without names gave the model, or in order."""
    numbers = [int(match[1]) if (match := _NUMBERED.fullmatch(name)) else 0 for name in inputs]
    if all(1 <= number <= columns for number in numbers):
        return [number - 1 for number in numbers]
    if columns != len(inputs):
        raise DatasetError(
            f"{path} has no column names and {columns} columns; the model has {len(inputs)} inputs: write names into the first row"
        )
    return list(range(columns))


def _find(path: Path, names: Sequence[str], inputs: Sequence[str]) -> list[int]:
    """Where each input is among the columns."""
    missing = [name for name in inputs if name not in names]
    if missing:
        extra = [name for name in names if name not in inputs]
        others = f"; it has {list_names(extra, 8)} instead" if extra else ""
        plural = "s" if len(missing) > 1 else ""
        raise DatasetError(f"{path} has no column{plural} {list_names([shorten(name) for name in missing], 8)}{others}")
    double = next((name for name in inputs if list(names).count(name) > 1), None)
    if double is not None:
        raise DatasetError(f"{path} has two columns named {shorten(double)}; rename one")
    return [list(names).index(name) for name in inputs]


def _ignored(names: Sequence[str], columns: Sequence[int]) -> tuple[str, ...]:
    others = [shorten(name) for index, name in enumerate(names) if index not in columns]
    if not others:
        return ()
    return (f"{list_names(others, 5)} {'is' if len(others) == 1 else 'are'} not among the model's inputs and ignored",)
