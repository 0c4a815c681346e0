"""Which columns of a file are inputs: those asked for, or all but the target and an index that counts the rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.datasets.cells import column_number, find_column, find_target, list_names, shorten
from mtjlearn.datasets.dataset import DatasetError

_INDEX = re.compile(r"Unnamed: 0(\.\d+)*|__index_level_\d+__")
"""What pandas calls an index that it wrote, or read back, as a column."""


@dataclass(frozen=True)
class Columns:
    """What was asked of a file's columns.

    Args:
        drop: columns that are not inputs, by name or by number from 1; several may stand in one text, joined by commas.
        features: the columns that are inputs, likewise; none: all that are left.
        keep_index: an index is an input, as in runs of version 0.1.0.
        categorical: inputs that hold categories, likewise: one input for each value.
    """

    drop: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    keep_index: bool = False
    categorical: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """Columns of a file, counted from 0.

    Args:
        targets: the targets, in the order in which they were named.
        inputs: the inputs, in the order of the file.
        categorical: those of the inputs that hold categories.
        notes: what was ignored without having been asked for.
    """

    targets: tuple[int, ...]
    inputs: tuple[int, ...]
    categorical: frozenset[int]
    notes: tuple[str, ...]


def choose(path: Path, names: Sequence[str], target: str | int | None, wanted: Columns, indexes: Collection[int]) -> Chosen:
    """Finds the targets and the inputs; ``indexes`` are the columns that an index is in.

    Raises:
        DatasetError: no such column, or no input is left.
    """
    targets = find_targets(path, names, target)
    inputs, found = choose_inputs(path, names, wanted, indexes, targets)
    categorical = _find_all(path, names, wanted.categorical)
    strange = next((names[index] for index in sorted(categorical) if index not in inputs), None)
    if strange is not None:
        raise DatasetError(f"{path}: {shorten(strange)} is in --categorical and not an input; remove it from there")
    notes = [
        f"column {index + 1} ({_heading(names[index], index)}) is an index and is ignored; to learn from it, name all inputs "
        "with --features"
        for index in found
    ]
    return Chosen(targets, inputs, frozenset(categorical), tuple(notes))


def choose_inputs(
    path: Path, names: Sequence[str], wanted: Columns, indexes: Collection[int] = (), targets: Collection[int] = ()
) -> tuple[tuple[int, ...], list[int]]:
    """The inputs, and the index columns that were ignored.

    Raises:
        DatasetError: no such column, or no input is left.
    """
    features = _find_all(path, names, wanted.features)
    dropped = _find_all(path, names, wanted.drop)
    for option, columns in (("--features", features), ("--drop", dropped)):
        both = next((index for index in targets if index in columns), None)
        if both is not None:
            raise DatasetError(f"{path}: {shorten(names[both])} is {_a_target(targets)}; remove it from {option}")
    twice = [names[index] for index in features if index in dropped]
    if twice:
        raise DatasetError(f"{path}: {shorten(twice[0])} is in --features and in --drop; remove it from one")
    left = [index for index in range(len(names)) if index not in targets and index not in dropped]
    if features:
        return tuple(index for index in left if index in features), []
    found = [] if wanted.keep_index else [index for index in left if index in indexes]
    inputs = tuple(index for index in left if index not in found)
    if not inputs:
        raise DatasetError(f"{path}: no input remains of its columns {list_names(names)}; omit a --drop, or use --features")
    return inputs, found


def find_targets(path: Path, names: Sequence[str], target: str | int | None) -> tuple[int, ...]:
    """Indexes of the target columns: a name or a number, or several in one text, joined by commas.

    Raises:
        DatasetError: there is no such column, one is named twice, or no other column is left for the inputs.
    """
    if not isinstance(target, str) or "," not in target or target in names:
        return (find_target(path, names, target),)
    found = tuple(find_target(path, names, part) for part in _parts(names, target))
    double = next((names[index] for index in found if found.count(index) > 1), None)
    if double is not None:
        raise DatasetError(f"{path}: --target names {shorten(double)} twice; name it once")
    if len(found) == len(names):
        raise DatasetError(f"{path}: every column is a target; it needs inputs, too")
    return found


def _a_target(targets: Collection[int]) -> str:
    return "the target" if len(targets) == 1 else "a target"


def index_columns(headings: Sequence[str]) -> set[int]:
    """Columns whose heading is an index's: pandas' names, and empty headings in front of others."""
    leading = next((index for index, heading in enumerate(headings) if heading), len(headings))
    named = {index for index, heading in enumerate(headings) if _INDEX.fullmatch(heading)}
    return named | set(range(leading)) if leading + 1 < len(headings) else named


def _heading(name: str, index: int) -> str:
    return "without a heading" if name == f"column {index + 1}" else shorten(name)


def _find_all(path: Path, names: Sequence[str], texts: Iterable[str]) -> set[int]:
    single = [part for text in texts for part in _parts(names, text)]
    return {find_column(path, names, part) for part in single}


def _parts(names: Sequence[str], text: str) -> list[str]:
    """A column's name, or several joined by commas."""
    if text in names or column_number(text) is not None:
        return [text]
    return [part.strip() for part in text.split(",")]
