"""What in a table is likely a mistake though every cell is a number: said in a note, as nobody but the user can know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.cells import list_names, shorten
from mtjlearn.datasets.dataset import Array, Table

SENTINELS = (-99, 99, -999, 999, -9999, 9999, -99999, 99999, -32768, 32767, -2147483648, 2147483647)
"""Numbers that loggers and spreadsheets write where a value is missing."""
SQUEEZED = 20.0
"""An outlier is said if a column's standard deviation shrinks by this factor without it: the other values then learn as nothing."""
_FAREST = 0.01
"""Share of a column's values that may be outliers, at least one."""
_MOST_NAMED = 5


def suspicions(table: Table, regression: bool) -> list[str]:
    """One sentence for each column that counts its rows, holds a sentinel or an outlier, or gives the target away."""
    made = {name for category in table.categories for name in category.inputs}
    numeric = [(column, name) for column, name in enumerate(table.feature_names) if name not in made]
    notes = [note for column, name in numeric for note in _of_column(table, table.features[:, column], name)]
    if regression:
        for column, name in enumerate(table.target_names):
            notes += _outlying(table, table.targets[:, column], name)
    notes += _given_away(table)
    return notes if len(notes) <= _MOST_NAMED else [*notes[:_MOST_NAMED], f"and {len(notes) - _MOST_NAMED} notes of this kind more"]


def _of_column(table: Table, values: Array, name: str) -> Iterator[str]:
    if _counts(values):
        yield f"{shorten(name)} counts the rows: if it is an index and no measurement, omit it with --drop {name}"
    yield from _outlying(table, values, name)


def _counts(values: Array) -> bool:
    """Whether the values are consecutive whole numbers, in any order."""
    ordered = np.sort(values)
    return bool(
        values.size > 2 and ordered[0] == np.rint(ordered[0]) and np.array_equal(np.diff(ordered), np.ones(values.size - 1))
    )


def _outlying(table: Table, values: Array, name: str) -> Iterator[str]:
    sentinel = next((number for number in SENTINELS if _is_sentinel(values, number)), None)
    if sentinel is not None:
        where = np.flatnonzero(values == sentinel)
        rest = values[values != sentinel]
        rows = (
            f"row {table.row(int(where[0]))}" if where.size == 1 else f"{where.size} rows, the first row {table.row(int(where[0]))}"
        )
        yield (
            f"{shorten(name)} is {sentinel} in {rows}, and {rest.min():g} to {rest.max():g} elsewhere: "
            "if that stands for a missing value, correct or remove these rows"
        )
        return
    far = _outlier(values)
    if far is not None:
        others = np.delete(values, far)
        yield (
            f"row {table.row(far)}, column {shorten(name)} is {values[far]:g} and squeezes the others "
            f"({others.min():g} to {others.max():g}) together: correct the cell or remove the row"
        )


def _is_sentinel(values: Array, number: int) -> bool:
    """Whether the number lies below or above all other values, by more than half of their range."""
    here = values == number
    rest = values[~here]
    if not here.any() or rest.size == 0 or rest.min() == rest.max():
        return False
    gap = max(rest.min() - number, number - rest.max())
    return bool(gap > (rest.max() - rest.min()) / 2)


def _outlier(values: Array) -> int | None:
    """Index of the value farthest out, if the few values farthest out make up nearly all of the deviation."""
    largest = float(np.abs(values).max())
    scaled = values / (largest or 1.0)
    distance = np.abs(scaled - np.median(scaled))
    few = max(1, int(_FAREST * values.size))
    rest = scaled[np.argsort(distance, kind="stable")[:-few]]
    if rest.size < 2 or rest.min() == rest.max():
        return None
    return int(np.argmax(distance)) if scaled.std() > SQUEEZED * rest.std() else None


def _given_away(table: Table) -> list[str]:
    """A target of 0 and 1 that is one of several columns of which exactly one is 1."""
    if table.targets.dtype.kind == "U" or table.targets.shape[1] != 1 or not np.isin(table.targets, (0, 1)).all():
        return []
    taken: NDArray[np.float64] = table.targets[:, 0]
    members: list[str] = []
    for column, name in enumerate(table.feature_names):
        values = table.features[:, column]
        if values.any() and np.isin(values, (0, 1)).all() and not (values * taken).any():
            taken = taken + values
            members.append(name)
    if not members or not taken.all() or not table.targets.any():
        return []
    named = list_names([shorten(name) for name in members], _MOST_NAMED)
    return [f"{named} and {table.target} are one-hot, so the inputs give the target away: leave them out with --drop"]
