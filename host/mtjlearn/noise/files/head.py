"""The lines of a text file before its samples, taken apart: what is stated, what the columns are called, where samples begin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from mtjlearn.noise.recording import RecordingError

MOST_LINES = 300
"""Lines that a heading may have."""
_STATED = 40
"""Lines next to whose samples a Tektronix TDS may state something."""
_OVER_RANGE = ("∞", "-∞")


@dataclass
class Head:
    """What stands before the samples.

    Args:
        delimiter: between columns; None: blanks.
        comma: numbers have a decimal comma.
        lines: that come before the first samples.
        first: cells of the first samples' line.
        stated: what the heading states, by its name in lower case: the cells after the name.
        rows: cells of the lines that are neither blank nor comments.
        comments: lines with a ``#``, without it.
    """

    delimiter: str | None
    comma: bool
    lines: int
    first: list[str]
    stated: dict[str, list[str]] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def number(self, *names: str) -> float | None:
        """The first number that is stated under one of these names."""
        for name in names:
            for cell in self.stated.get(name, ()):
                value = as_number(cell.rpartition(":")[2], self.comma)
                if value is not None:
                    return value
        return None

    def text(self, name: str) -> str:
        """The first text that is stated under a name; "" if there is none."""
        return next((cell.rpartition(":")[2].strip() for cell in self.stated.get(name, ()) if cell), "")

    @property
    def width(self) -> int:
        """Columns of the samples."""
        return len(self.first)


def read_head(lines: list[str]) -> Head:
    """Takes the first lines of a file apart.

    Args:
        lines: of the file, from its start.

    Raises:
        RecordingError: no line has samples.
    """
    for number, line in enumerate(lines[:MOST_LINES]):
        if not line.strip() or line.startswith("#"):
            continue
        kind = _kind(line)
        if kind is not None:
            return _taken_apart(lines, number, *kind)
    text = next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
    raise RecordingError(f"holds no samples{f': no line has numbers alone; it begins with {text[:40]!r}' if text else ''}")


def _kind(line: str) -> tuple[str | None, bool] | None:
    """Delimiter and decimal comma of a line of samples; None: it has none."""
    for delimiter, comma in ((",", False), (";", False), ("\t", False), (None, False), (";", True), ("\t", True)):
        row = cells(line, delimiter)
        if row and (all(not cell or as_number(cell, comma) is not None for cell in row) or _starts_tds(row, comma)):
            return delimiter, comma
    return None


def _starts_tds(row: list[str], comma: bool) -> bool:
    """Whether samples stand to the right of what the file states, from its first line on (Tektronix TDS)."""
    return right_of_heading(row) and all(as_number(cell, comma) is not None for cell in row[3:5])


def right_of_heading(row: list[str]) -> bool:
    """Whether this is the first line of a file with samples to the right of its heading."""
    return len(row) == 5 and row[0].lower() == "record length"


def _taken_apart(lines: list[str], number: int, delimiter: str | None, comma: bool) -> Head:
    head = Head(delimiter, comma, number, cells(lines[number], delimiter))
    if right_of_heading(head.first):
        rows = [cells(line, delimiter) for line in lines[number : number + _STATED]]
        head.stated = {row[0].lower(): row[1:3] for row in rows if row and row[0]}
    for line in lines[:number]:
        if line.startswith("#"):
            head.comments.append(line[1:].strip())
            continue
        row = cells(line, delimiter)
        if row:
            head.rows.append(row)
            head.stated.setdefault(row[0].lower(), row[1:])
    return head


def cells(line: str, delimiter: str | None) -> list[str]:
    """A line's cells without quotes and blanks; empty ones at its end are omitted."""
    row = [cell.strip().strip("\"'").strip() for cell in line.strip().split(delimiter)]
    while row and not row[-1]:
        row.pop()
    return row


def as_number(text: str, comma: bool = False) -> float | None:
    """A cell's number; infinite where an oscilloscope says that its range was left; None if it is not a number."""
    text = text.strip()
    if text in _OVER_RANGE:
        return math.inf
    try:
        return float(text.replace(",", ".") if comma else text)
    except ValueError:
        return None
