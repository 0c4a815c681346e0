"""Classes of a table. Labels are compared as exact numbers or as texts, never as float64, which holds no integer beyond 2^53."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.cells import list_names, shorten
from mtjlearn.datasets.dataset import DatasetError, Table, Task

MAX_GUESSED_CLASSES = 20
"""Whole numbers with more distinct values than these are taken for a regression's targets."""

_NUMBERED = re.compile(r"y\d+")
"""A target's name in a file that has none."""
LEADING_ZERO = re.compile(r"[+-]?0\d")
"""What makes a number a code, which differs from the same number written otherwise."""


def guess_task(table: Table) -> Task:
    """What the targets are, where nobody says: texts and few whole numbers are classes."""
    if table.targets.dtype.kind == "U":
        return "classification"
    if table.targets.shape[1] > 1 or not np.all(table.targets == np.rint(table.targets)):
        return "regression"
    limit = max(2, min(MAX_GUESSED_CLASSES, table.targets.shape[0] // 5))
    if np.unique(table.targets).size > limit:
        return "regression"
    return "classification" if len({exact_number(text) for text in _distinct(table)[0]}) <= limit else "regression"


def from_one_hot(table: Table) -> Table:
    """A table whose targets are a column for each class, one of them 1 and the others 0, as classes; another as it is."""
    targets = table.targets
    if targets.ndim != 2 or targets.shape[1] < 2 or not np.isin(targets, (0, 1)).all() or not (targets.sum(axis=1) == 1).all():
        return table
    columns = targets.shape[1]
    named = not all(_NUMBERED.fullmatch(name) for name in table.target_names)
    which = list_names([shorten(name) for name in table.target_names], 5) if named else f"classes 0 to {columns - 1}"
    note = f"the {columns} target columns are one-hot: {which}; --task regression learns them as numbers"
    numbers = np.argmax(targets, axis=1)
    classes = np.array(table.target_names)[numbers] if named else numbers.astype(np.float64)[:, None]
    return replace(table, targets=classes, target_names=("class",), written=None, notes=(*table.notes, note))


def classes_of(table: Table) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
    """Class number of each sample, shape (samples,), the classes' names, and what is to be said of them.

    Raises:
        DatasetError: several target columns, or a single class.
    """
    if table.targets.ndim == 2 and table.targets.shape[1] > 1:
        raise DatasetError(f"{table.name} has {table.targets.shape[1]} target columns; classes need a single one")
    texts, numbers = _distinct(table)
    notes: list[str] = []
    if table.targets.dtype.kind == "U":
        names = texts
    else:
        names, notes = _named(table.target, texts)
    order = sorted(set(names), key=_by_text if table.targets.dtype.kind == "U" else _by_value)
    if len(order) == 1:
        raise DatasetError(f"{table.name}: every row of {table.target} is {shorten(order[0])}; learning needs two classes")
    position = {name: index for index, name in enumerate(order)}
    return np.array([position[name] for name in names], dtype=np.int64)[numbers], tuple(order), notes


def _distinct(table: Table) -> tuple[list[str], NDArray[np.int64]]:
    """The different targets as texts, and which of them each sample has."""
    if table.written is None:
        values, numbers = np.unique(table.targets.ravel(), return_inverse=True)
        return [str(value) for value in values.tolist()], numbers.reshape(-1).astype(np.int64)
    texts = sorted(set(table.written))
    position = {text: index for index, text in enumerate(texts)}
    return texts, np.fromiter((position[text] for text in table.written), np.int64, len(table.written))


def _named(target: str, texts: list[str]) -> tuple[list[str], list[str]]:
    """A name for each of the texts of numbers: those of the same number have the same, but for codes such as 01."""
    same: dict[str, list[str]] = {}
    for text in texts:
        same.setdefault(exact_number(text), []).append(text)
    several = [group for group in same.values() if len(group) > 1]
    if any(LEADING_ZERO.match(text) for text in texts):
        notes = [f"{_quoted(group)} of {target} are different classes, though the same number" for group in several]
        return texts, notes
    notes = [f"{_quoted(group)} of {target} are the same number and one class" for group in several]
    return [exact_number(text) for text in texts], notes


def _quoted(texts: list[str]) -> str:
    return list_names([shorten(text) for text in texts], 5)


def exact_number(text: str) -> str:
    """The number of a text, written alike wherever it is the same number."""
    number = Decimal(text)
    whole = number.to_integral_value()
    return str(int(whole)) if number == whole else format(number.normalize(), "f") if abs(number.adjusted()) < 30 else str(number)


def _by_value(name: str) -> tuple[Decimal, str]:
    return Decimal(name), name


def _by_text(name: str) -> tuple[Decimal, str]:
    return Decimal(0), name
