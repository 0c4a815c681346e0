"""Input columns that hold categories: each value becomes an input of its own, which is 1 where it is and 0 elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjlearn.datasets.cells import list_names, parse_number, refuse, shorten
from mtjlearn.datasets.dataset import Array, Category, DatasetError
from mtjlearn.datasets.labels import LEADING_ZERO, exact_number

MOST_CATEGORIES = 32
"""Of a column: a network has few inputs, and a category of a single row teaches nothing."""
_LONGEST = 200
"""Letters of an input's name, as in models."""

Column = Array | Sequence[str]
"""Numbers, shape (rows,), or a text for each row."""


@dataclass(frozen=True)
class Encoded:
    """Columns as inputs.

    Args:
        features: shape (rows, inputs).
        names: of the inputs; of a category's ``column=value``.
        categories: the columns that were encoded.
        notes: what was made of which column, one sentence each.
    """

    features: Array
    names: tuple[str, ...]
    categories: tuple[Category, ...]
    notes: tuple[str, ...]


def spelled(text: str) -> str:
    """A category as it is compared: 1 and 1.0 are the same, 01 is a code of its own."""
    number = parse_number(text)
    return text if number is None or not math.isfinite(number) or LEADING_ZERO.match(text) else exact_number(text)


def encode(path: Path, names: Sequence[str], columns: Sequence[Column], rows: Sequence[int]) -> Encoded:
    """Makes inputs of columns.

    Args:
        path: of the file, for messages.
        names: of the columns.
        columns: each numbers, or texts that are categories.
        rows: what the file calls each row.

    Raises:
        DatasetError: too many categories, an empty cell, or names that cannot be told apart.
    """
    inputs: list[Array] = []
    found: list[str] = []
    categories: list[Category] = []
    notes: list[str] = []
    for name, column in zip(names, columns, strict=True):
        if isinstance(column, np.ndarray) and column.dtype.kind == "f":
            inputs.append(column)
            found.append(name)
            continue
        known = {cell: spelled(cell) for cell in set(column)}
        texts = [known[cell] for cell in column]
        values = tuple(sorted(set(texts), key=_order))
        if "" in values:
            refuse(path, rows[texts.index("")], name, "is empty")
        if len(values) > MOST_CATEGORIES:
            raise DatasetError(
                f"{path}: column {shorten(name)} has {len(values):,} categories, and at most {MOST_CATEGORIES} become inputs; "
                "merge some, or exclude it with --drop"
            )
        category = Category(name, values, len(found))
        if any(len(each) > _LONGEST for each in category.inputs):
            raise DatasetError(f"{path}: column {shorten(name)} has a category of more than {_LONGEST} letters; shorten it")
        inputs += [np.array([text == value for text in texts], dtype=np.float64) for value in values]
        found += category.inputs
        categories.append(category)
        listed = list_names([shorten(value) for value in values], 8)
        notes.append(f"{shorten(name)} has {len(values)} categories, each an input: {listed}")
    double = next((name for name in found if found.count(name) > 1), None)
    if double is not None:
        raise DatasetError(f"{path}: two inputs would be named {shorten(double)}; rename a column")
    return Encoded(np.column_stack(inputs), tuple(found), tuple(categories), tuple(notes))


def columns_of(inputs: Sequence[str], categories: Sequence[Category]) -> list[str]:
    """The columns of a file that inputs come from, in the order of the inputs."""
    encoded = {category.first: category for category in categories}
    found, place = [], 0
    while place < len(inputs):
        category = encoded.get(place)
        found.append(inputs[place] if category is None else category.column)
        place += 1 if category is None else len(category.values)
    return found


def encode_known(path: Path, category: Category, cells: Sequence[str], rows: Sequence[int]) -> Array:
    """A column's inputs, shape (rows, values of the category).

    Raises:
        DatasetError: a cell is empty, or holds a category that was not learned.
    """
    texts = [spelled(cell) for cell in cells]
    for row, text in zip(rows, texts, strict=True):
        if not text:
            refuse(path, row, category.column, "is empty")
        if text not in category.values:
            known = list_names([shorten(value) for value in category.values], 8)
            raise DatasetError(
                f"{path}: row {row}, column {shorten(category.column)} is {shorten(text)}, which was not learned; "
                f"known are {known}; correct the cell, or train with such rows"
            )
    return np.array([[text == value for value in category.values] for text in texts], dtype=np.float64)


def _order(text: str) -> tuple[bool, float, str]:
    """Numbers by value, then texts by letter."""
    number = parse_number(text)
    is_number = number is not None and math.isfinite(number)
    return not is_number, number if number is not None and is_number else 0.0, text
