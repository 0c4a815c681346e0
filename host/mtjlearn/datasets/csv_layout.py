"""What CSV files have around their numbers: comments, a line that names the separator, units, decimal commas, a last separator.

Python's own guess (csv.Sniffer) takes letters for separators; here each habit is recognised by a rule of its own, and what no
rule knows stays as it is, to be refused by row and column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtjlearn.datasets.cells import COMMA_NUMBER, THOUSANDS, list_names, parse_number, shorten
from mtjlearn.datasets.dataset import DatasetError

_SEPARATOR_LINE = re.compile(r'"?sep=(.|\\t)"?', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_MISSING = {"", "na", "n/a", "nan", "null", "none", "nil", "missing", "?", "-", "--"}
"""Cells that stand for a missing value, not for a unit."""


@dataclass
class Layout:
    """Rows of cells without the blanks around them.

    Args:
        lines: of each row, as a text editor numbers them.
        records: the rows, the heading too.
        notes: what was read in another way than it is written.
    """

    lines: list[int]
    records: list[list[str]]
    notes: list[str] = field(default_factory=list)


def read_layout(path: Path) -> Layout:
    """Reads the rows of a CSV file.

    Raises:
        DatasetError: it is empty, not UTF-8, or its quotation marks do not match.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not text in UTF-8; save it as CSV UTF-8") from None
    skipped, comments, separator, body = split_head(text)
    layout = _records(path, body, skipped, separator)
    if not layout.records:
        raise DatasetError(f"{path} is empty")
    if comments:
        _take_heading_from_comment(layout, skipped, comments[-1], separator)
    _leave_out_comments(layout)
    _cut_last_separators(layout.records)
    if separator != ",":
        _read_decimal_commas(layout)
    return layout


def cut_units(layout: Layout, first: int, inputs: Collection[int], names: Sequence[str]) -> None:
    """Takes a row of units under the heading away: text in each input, above a row with a number in each."""
    if first != 1 or len(layout.records) < 3:
        return
    units = [layout.records[1][index] for index in inputs]
    is_text = all(parse_number(unit) is None for unit in units) and not all(unit.lower() in _MISSING for unit in units)
    if is_text and all(parse_number(layout.records[2][index]) is not None for index in inputs):
        layout.notes.append(f"row {layout.lines[1]} holds units ({list_names([u for u in units if u], 5)}) and is ignored")
        del layout.lines[1], layout.records[1]


def split_head(text: str) -> tuple[int, list[str], str, str]:
    """Lines in front of the rows, the comments among them, the separator, and the text behind them."""
    skipped, comments, separator = 0, [], ""
    rest = text
    while rest:
        line, _, behind = rest.partition("\n")
        bare = line.strip()
        named = _SEPARATOR_LINE.fullmatch(bare)
        if named and not separator:
            separator = "\t" if named[1] == "\\t" else named[1]
        elif bare.startswith("#"):
            comments.append(bare)
        elif bare:
            break
        skipped, rest = skipped + 1, behind
    head = _QUOTED.sub("", rest.partition("\n")[0])
    return skipped, comments, separator or max(",;\t", key=head.count), rest


def _records(path: Path, text: str, skipped: int, separator: str) -> Layout:
    layout = Layout([], [])
    line = skipped + 1
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for record in reader:
            if any(cell.strip() for cell in record):
                layout.lines.append(line)
                layout.records.append([cell.strip() for cell in record])
            line = skipped + reader.line_num + 1
    except (csv.Error, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: row {line} is not a CSV ({error}); check its quotation marks") from None
    return layout


def _take_heading_from_comment(layout: Layout, line: int, comment: str, separator: str) -> None:
    """The heading may be a comment itself, as numpy.savetxt writes it: as many cells as the numbers below it."""
    cells = [cell.strip() for cell in comment.lstrip("#").split(separator)]
    first = layout.records[0]
    if len(cells) == len(first) > 1 and any(parse_number(cell) is not None for cell in first):
        layout.lines.insert(0, line)
        layout.records.insert(0, cells)


def _leave_out_comments(layout: Layout) -> None:
    """Comments between and behind the rows: they begin with # and have other cells than the first row."""
    width = len(layout.records[0])
    kept = [index for index, record in enumerate(layout.records) if len(record) == width or not record[0].startswith("#")]
    layout.lines = [layout.lines[index] for index in kept]
    layout.records = [layout.records[index] for index in kept]


def _cut_last_separators(records: list[list[str]]) -> None:
    """A separator behind the last cell, in the rows, in the heading, or in both, makes no column."""
    shortest = min(len(record) for record in records)
    longer = [record for record in records if len(record) > shortest]
    if all(len(record) == shortest + 1 and not record[-1] for record in longer):
        for record in longer:
            del record[-1]
    while len(records[0]) > 1 and all(len(record) == len(records[0]) and not record[-1] for record in records):
        for record in records:
            del record[-1]


def _read_decimal_commas(layout: Layout) -> None:
    """Turns 0,5 into 0.5 if the file has such numbers, none with a point, and not all could be thousands (1,500)."""
    cells = [cell for record in layout.records for cell in record if "," in cell]
    numbers = [cell for cell in cells if COMMA_NUMBER.fullmatch(cell)]
    sure = next((cell for cell in numbers if not THOUSANDS.fullmatch(cell)), None)
    points = any("." in cell and parse_number(cell) is not None for record in layout.records for cell in record)
    if sure is None or points:
        return
    for record in layout.records:
        record[:] = [cell.replace(",", ".") if COMMA_NUMBER.fullmatch(cell) else cell for cell in record]
    layout.notes.append(f"numbers have a decimal comma: {shorten(sure)} is read as {sure.replace(',', '.')}")
