"""Recordings in text files, read in blocks of some megabytes: columns of numbers and exports of oscilloscopes."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.files.head import MOST_LINES, Head, as_number, cells, read_head
from mtjlearn.noise.files.layouts import Layout, recognise
from mtjlearn.noise.files.stream import Part, RecordingStream, settled_unit
from mtjlearn.noise.files.timeline import Timeline
from mtjlearn.noise.files.units import UNITS
from mtjlearn.noise.recording import RecordingError

Array = NDArray[np.float64]

BLOCK = 2**22
"""Characters that are read at once."""
_LONGEST = 2**16
"""Characters that a line may have."""
_NEIGHBOURS = 100
"""Lines that a last one without an end is compared with."""


class _TextFile:
    """A text file, its layout, and how its lines become samples."""

    def __init__(self, path: Path, unit: str | None, column: str | None) -> None:
        self.path = path
        self.encoding = _encoding(path)
        with path.open(encoding=self.encoding, errors="replace") as file:
            first = [line for lines in islice(_lines(file), 2) for line in lines]
        self.head: Head = read_head(first)
        self.layout: Layout = recognise(self.head, column)
        self.point = "," if self.head.comma else "."
        table = self._table(first[self.head.lines :], self.head.lines, last=path.stat().st_size < BLOCK)
        if self.layout.unit is not None and unit not in (None, self.layout.unit):
            raise RecordingError(f"states that its samples are in {self.layout.unit}; omit --unit")
        found = unit or self.layout.unit
        self.unit = settled_unit(found, table[:, 0], self.layout.title)
        self.scale = 1.0 if found is None else UNITS[found]
        self._first = table

    def timeline(self) -> Timeline:
        """Of the file, from its first samples."""
        if self.layout.time is None:
            return Timeline(np.zeros(0), self.layout.interval)
        return Timeline(self._first[:, 1] * self.layout.time_scale, self.layout.interval)

    def parts(self, notes: list[str]) -> Iterator[Part]:
        """All samples, from the start."""
        timeline, counted, samples, line = self.timeline(), -np.inf, 0, self.head.lines
        size = self.path.stat().st_size
        shortest = 0
        for lines, read in self._samples():
            table = self._table(lines, line, read >= size)
            if read >= size and len(lines) == 1 and len(lines[0]) < shortest - (self.point not in lines[0]):
                _add(notes, f"the last line, {lines[0][:40]!r}, is short and has no end: it may have been cut off, and is ignored")
                continue
            shortest = min((len(text) for text in lines[-_NEIGHBOURS:] if text.strip()), default=0)
            line += len(lines)
            if not table.size:
                continue
            holes: tuple[int, ...] = ()
            if self.layout.time is not None:
                holes = timeline.holes(table[:, 1] * self.layout.time_scale)
            elif self.layout.number is not None:
                jumps = np.diff(table[:, 1], prepend=table[0, 1] - 1 if samples == 0 else counted) != 1
                holes, counted = tuple(np.flatnonzero(jumps).tolist()), float(table[-1, 1])
            samples += len(table)
            yield Part(table[:, 0] * self.scale, holes, min(1.0, read / max(size, 1)))
        announced = self.layout.announced
        if announced is not None and announced != samples:
            _add(notes, f"the file announces {announced:,} samples and has {samples:,}: it may have been cut off")

    def _samples(self) -> Iterator[tuple[list[str], int]]:
        """Lines with samples, and the bytes read until then."""
        skip = self.head.lines
        with self.path.open("rb") as raw, io.TextIOWrapper(raw, self.encoding, errors="replace") as file:
            for lines in _lines(file):
                yield lines[skip:], raw.tell()
                skip = max(0, skip - len(lines))

    def _table(self, lines: list[str], before: int, last: bool) -> Array:
        """Samples, and times or numbers if there are any, shape (samples, 1 or 2).

        Args:
            lines: of the file.
            before: lines of the file before them.
            last: they are its last ones.
        """
        layout, head = self.layout, self.head
        wanted = [layout.value, *[place for place in (layout.time, layout.number) if place is not None][:1]]
        rows = [line for line in lines if line.strip() and not line.startswith("#")]
        if not rows:
            return np.zeros((0, len(wanted)))
        read = [row.replace(",", ".") for row in rows] if head.comma else rows
        try:
            return np.loadtxt(read, delimiter=head.delimiter, usecols=wanted, ndmin=2, quotechar='"')
        except ValueError as error:
            raise RecordingError(self._why(lines, wanted, before, last) or f"cannot be read as numbers: {error}") from None

    def _why(self, lines: list[str], wanted: list[int], before: int, last: bool) -> str | None:
        """The first line that is not of numbers, and what is wrong with it."""
        end = max((place for place, line in enumerate(lines) if line.strip()), default=0)
        for place, line in enumerate(lines):
            row = cells(line, self.head.delimiter)
            if not row or line.startswith("#"):
                continue
            number = f"line {before + place + 1:,}"
            cut = ", the last: it was cut off; remove that line, or export the recording again" if last and place == end else ""
            if max(wanted) >= len(row):
                return f"has {len(row)} of {self.head.width} columns in {number}{cut}"
            for cell in (row[column] for column in wanted):
                value = as_number(cell, self.head.comma)
                if value is None:
                    return f"cannot be read as numbers: {number} has {cell[:40]!r}{cut}"
                if np.isinf(value) and not cell.lstrip("-+").lower().startswith("inf"):
                    return f"{number} has {cell!r}: the signal left the instrument's range; choose a larger one and record again"
        return None


def _add(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)


def _lines(file: io.TextIOBase | io.TextIOWrapper) -> Iterator[list[str]]:
    """The lines of a file, some thousand at once.

    Raises:
        RecordingError: a line without end: the file is not text.
    """
    rest = ""
    while block := file.read(BLOCK):
        *lines, rest = (rest + block).split("\n")
        if len(rest) > _LONGEST or any(len(line) > _LONGEST for line in lines[:MOST_LINES]):
            raise RecordingError("is not text: a line has no end")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2**16)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        raise RecordingError("is not text: it has bytes that are zero")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def open_text(path: Path, rate: float | None, unit: str | None, column: str | None) -> RecordingStream:
    """A text file as a stream of samples; see :func:`mtjlearn.noise.files.open_recording`."""
    file = _TextFile(path, unit, column)
    found = file.timeline().rate
    notes: list[str] = []
    name = file.layout.name
    return RecordingStream(path, name, found if found is not None else rate, _stored(file.unit), lambda: file.parts(notes), notes)


def _stored(unit: str | None) -> str | None:
    return unit if unit in (None, "codes") else "V"
