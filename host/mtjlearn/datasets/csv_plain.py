"""Reads a plain CSV file in bulk: column names, then rows of as many cells, one a line; numbers with a point, no quotation marks.

Nearly every large file is one. Rows become columns of numbers as they are read, so that memory holds no text besides the targets.
What is not plain, a cell to be refused included, is left to :mod:`mtjlearn.datasets.csv_layout`, which looks at every cell.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

import numpy as np

from mtjlearn import interruption
from mtjlearn.datasets.cells import LIMIT, parse_number
from mtjlearn.datasets.csv_layout import split_head
from mtjlearn.datasets.dataset import Array

_ROWS = 20_000
"""Rows that are read at once."""
_HEAD_LINES = 64
"""Lines in front of the rows, at most."""


class PlainCsv:
    """The heading of a plain CSV file.

    Args:
        path: of the file.
        separator: between cells.
        row: the first one.
        line: of the first row, as a text editor numbers it.
    """

    def __init__(self, path: Path, separator: str, row: str, line: int) -> None:
        self.line = line
        self._path = path
        self._separator = separator
        self.heading = self._cells(row)
        """The cells of the first row, without blanks around them."""

    def read(self, first: int, numeric: Sequence[int], texts: Collection[int], fractions: int | None) -> PlainRows | None:
        """All rows, or None if the file is not plain.

        Args:
            first: rows that the column names take, 0 or 1.
            numeric: columns of numbers.
            texts: columns that are wanted as they are written.
            fractions: the column among ``texts`` that is a column of numbers if one of them is a fraction.
        """
        rows = PlainRows(self.line + first, tuple(numeric), {index: [] for index in texts}, fractions)
        with suppress(UnicodeDecodeError, _NotPlain), self._path.open(encoding="utf-8-sig") as file:
            head = list(islice(file, self.line))
            if len(head) < self.line or self._cells(head[-1]) != self.heading:
                raise _NotPlain  # another file has taken its place
            for lines in _chunks(chain(head[-1:], file) if first == 0 else file):
                interruption.check()
                rows.take(lines, self._separator, len(self.heading))
            return rows.finished()
        return None

    def _cells(self, row: str) -> list[str]:
        return [cell.strip() for cell in row.split(self._separator)]


class _NotPlain(Exception):
    """A file that is to be read cell by cell."""


class PlainRows:
    """Columns of a plain CSV file."""

    def __init__(self, line: int, numeric: tuple[int, ...], texts: dict[int, list[str]], fractions: int | None) -> None:
        self.texts = texts
        """The cells of columns that are wanted as they are written."""
        self.fractions: Array | None = None
        """The numbers of the column that was found to hold fractions; its texts are then not kept."""
        self._fractions = fractions
        self._line = line
        self._numeric = numeric
        self._parts: list[Array] = []
        self._targets: list[Array] = []
        self._count = 0

    @property
    def numbers(self) -> Array:
        """The columns of numbers, shape (rows, columns)."""
        return self._parts[0]

    @property
    def lines(self) -> range:
        """Each row's line, as a text editor numbers it."""
        return range(self._line, self._line + self._count)

    def take(self, lines: list[str], separator: str, width: int) -> None:
        """Adds rows.

        Raises:
            _NotPlain: they are not.
        """
        text = "".join(lines)
        if _is_strange(text, separator) or len(max(lines, key=len)) > csv.field_size_limit():
            raise _NotPlain
        rows = [line.split(separator) for line in lines]
        if set(map(len, rows)) != {width}:
            raise _NotPlain
        columns = list(zip(*rows, strict=True))
        read = _numbers_if_plain if "_" in text else _numbers
        part = np.empty((len(rows), len(self._numeric)))
        for place, index in enumerate(self._numeric):
            part[:, place] = read(columns[index])
        self._parts.append(part)
        for index, cells in self.texts.items():
            found = [sys.intern(cell.strip()) for cell in columns[index]]
            if "" in found:
                raise _NotPlain
            cells += found
        self._take_fractions(columns, read)
        self._count += len(rows)

    def _take_fractions(self, columns: Sequence[Sequence[str]], read: Callable[[Sequence[str]], Array]) -> None:
        """Turns texts into numbers from the first fraction on, unless a cell that is not a number was before it."""
        index = self._fractions
        if index is None:
            return
        if self.fractions is not None:
            self._targets.append(read(columns[index]))
            return
        cells = self.texts[index]
        try:
            values = read(cells[self._count :])
        except _NotPlain:
            self._fractions = None
            return
        if not np.array_equal(values, np.rint(values)):
            self._targets += [_numbers(cells[: self._count]), values]
            self.fractions = values
            del self.texts[index]

    def finished(self) -> PlainRows:
        """These rows, complete.

        Raises:
            _NotPlain: there are none, or the column of fractions is constant, whose texts then matter.
        """
        if not self._count:
            raise _NotPlain
        self._parts = [_joined(self._parts, self._count)]
        if self.fractions is not None:
            self.fractions = np.concatenate(self._targets)
            if self.fractions.min() == self.fractions.max():
                raise _NotPlain
        return self


def read_plain(path: Path) -> PlainCsv | None:
    """The heading of a file that begins as a plain one; None if it does not.

    Raises:
        OSError: it cannot be read.
    """
    with suppress(UnicodeDecodeError), path.open(encoding="utf-8-sig") as file:
        head = "".join(islice(file, _HEAD_LINES))
        skipped, comments, separator, rest = split_head(head)
        row = rest.partition("\n")[0]
        plain = PlainCsv(path, separator, row, skipped + 1)
        if not comments and plain.heading[-1] and not _is_strange(row, separator) and len(row) <= csv.field_size_limit():
            return plain
    return None


def _is_strange(text: str, separator: str) -> bool:
    """Whether there are quotation marks, or commas that may be decimal ones."""
    return '"' in text or "\0" in text or (separator != "," and "," in text)


def _chunks(file: Iterator[str]) -> Iterator[list[str]]:
    """Lines, many at once, without blank ones behind the last."""
    lines = list(islice(file, _ROWS))
    while lines:
        following = list(islice(file, _ROWS))
        if not following:
            while lines and not lines[-1].strip():
                lines.pop()
        if lines:
            yield lines
        lines = following


def _numbers(cells: Sequence[str]) -> Array:
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        raise _NotPlain from None
    if not (np.abs(values) <= LIMIT).all():
        raise _NotPlain
    return values


def _numbers_if_plain(cells: Sequence[str]) -> Array:
    """As _numbers, of cells of which some may be written as only Python writes numbers."""
    if any("_" in cell and parse_number(cell) is None for cell in cells):
        raise _NotPlain
    return _numbers(cells)


def _joined(parts: list[Array], rows: int) -> Array:
    """The parts one below the other; each is released as it is copied."""
    joined = np.empty((rows, parts[0].shape[1]))
    parts.reverse()
    start = 0
    while parts:
        part = parts.pop()
        joined[start : start + len(part)] = part
        start += len(part)
    return joined
