"""What files share: finding columns, and refusing cells that are not finite numbers, by row and column."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.dataset import Array, DatasetError, Task

LIMIT = 1e100
"""Largest magnitude accepted: far beyond any data, and its square is still finite."""

COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
"""A number with a decimal comma."""
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
"""A number whose commas may separate thousands."""


def shorten(text: str, limit: int = 40) -> str:
    """The text in quotes, cut to ``limit`` characters."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def list_names(names: Sequence[str], limit: int = 20) -> str:
    """Names joined by commas, the first ``limit`` of them."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def parse_number(text: str) -> float | None:
    """The number a cell holds, NaN and infinities included; None if it holds none."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def find_target(path: Path, names: Sequence[str], target: str | int | None) -> int:
    """Index of the target column, given by name or by number, counted from 1.

    Raises:
        DatasetError: if there is none, or no other column is left for the inputs; it lists the columns.
    """
    columns = f"its columns are {list_names(names)}"
    if target is None:
        raise DatasetError(f"{path}: name the column to predict with --target; {columns}")
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise DatasetError(f"{path} has two columns named {shorten(double)}; rename one")
    if len(names) < 2:
        raise DatasetError(f"{path} has a single column; it needs inputs and a target (separated by , ; or tabs)")
    return find_column(path, names, target)


def find_column(path: Path, names: Sequence[str], column: str | int) -> int:
    """Index of a column, given by name or by number, counted from 1.

    Raises:
        DatasetError: if there is none; it lists the columns.
    """
    if isinstance(column, str) and column in names:
        return names.index(column)
    number = column_number(column)
    if number is None:
        close = difflib.get_close_matches(str(column), names, 1)
        hint = f"; did you mean {shorten(close[0])}? " if close else "; "
        raise DatasetError(f"{path} has no column {shorten(str(column))}{hint}its columns are {list_names(names)}")
    if not 1 <= number <= len(names):
        raise DatasetError(f"{path} has no column number {number}; it has 1 to {len(names)}: {list_names(names)}")
    return number - 1


def column_number(target: str | int | None) -> int | None:
    """The target as a column number, if it is one."""
    if isinstance(target, int):
        return target
    return int(target) if target is not None and target.isascii() and target.isdigit() else None


def refuse(path: Path, row: int, column: str, what: str) -> NoReturn:
    """Raises the error about one cell."""
    raise DatasetError(f"{path}: row {row}, column {shorten(column)} {what}; correct the cell or remove the row")


def check_number(path: Path, row: int, column: str, text: str) -> float:
    """The finite number of a cell given as text.

    Raises:
        DatasetError: if it is empty, no number, NaN, infinite or beyond :data:`LIMIT`.
    """
    if not text:
        refuse(path, row, column, "is empty")
    number = parse_number(text)
    if number is None:
        refuse(path, row, column, f"is not a number: {shorten(text)}{_about_commas(text)}")
    if not abs(number) <= LIMIT:
        refuse(path, row, column, _why_not(number))
    return number


def check_numbers(path: Path, values: Array, names: Sequence[str]) -> Array:
    """The values, shape (rows, columns), if all are finite; rows are counted from 1.

    Raises:
        DatasetError: naming the first cell that is NaN, infinite or beyond :data:`LIMIT`.
    """
    bad = np.argwhere(~(np.abs(values) <= LIMIT))
    if bad.size:
        row, column = (int(index) for index in bad[0])
        refuse(path, row + 1, names[column], _why_not(float(values[row, column])))
    return values


def check_targets(path: Path, rows: Sequence[int], column: str, cells: Sequence[str], task: Task | None) -> NDArray[Any]:
    """Targets given as text: float64, shape (rows, 1), if all are numbers, else class names, shape (rows,).

    Raises:
        DatasetError: naming the first cell that is empty, NaN or infinite, or is text where the others are fractions
            or the task is a regression.
    """
    numbers = {cell: parse_number(cell) for cell in set(cells)}
    is_text = any(number is None for number in numbers.values())
    fractions = any(number is not None and math.isfinite(number) and not number.is_integer() for number in numbers.values())
    as_numbers = task == "regression" or not is_text or (fractions and task is None)
    # A number that is refused is also refused among texts.
    strange = {cell for cell, number in numbers.items() if (as_numbers if number is None else not abs(number) <= LIMIT)} | {""}
    if not strange.isdisjoint(numbers):
        row, cell = next((row, cell) for row, cell in zip(rows, cells, strict=True) if cell in strange)
        check_number(path, row, column, cell)
    if as_numbers:
        return np.array([numbers[cell] for cell in cells], dtype=np.float64)[:, None]
    return np.array(cells, dtype=np.str_)


def _about_commas(text: str) -> str:
    if THOUSANDS.fullmatch(text):
        return " (the comma may be a decimal one or separate thousands; write numbers with a point, or without separators)"
    if "," in text and any(mark.isdigit() for mark in text):
        return " (write all numbers of the file with a decimal point, or all with a decimal comma and semicolons between the cells)"
    return ""


def _why_not(number: float) -> str:
    if np.isnan(number):
        return "is not a number (NaN)"
    return "is infinite" if np.isinf(number) else f"is too large: {number:g}"
