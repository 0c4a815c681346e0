"""Whose file this is, and which of its columns are times and samples, in which units.

Makers of oscilloscopes, as their instruments export CSV files: where they write units and the sample interval differs, and
some write times with too few digits, so that the interval is only in the heading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from mtjlearn.noise.files.head import Head, as_number, right_of_heading
from mtjlearn.noise.files.units import VALUES, Column, is_unit, seconds, voltage
from mtjlearn.noise.recording import RecordingError

_INCREMENT = re.compile(r"tInc\s*=\s*([-+0-9.eE]+)")
_RATE = re.compile(r"sample rate:\s*([0-9.eE+-]+)\s*([kMG]?)Hz", re.IGNORECASE)
_BRACKETED = re.compile(r"\(.+\)$")
_KILO = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6, "G": 1e9, "g": 1e9}


@dataclass(frozen=True)
class Layout:
    """Where the samples are.

    Args:
        name: of the layout, for people.
        value: index of the column of samples.
        title: its heading's name in lower case.
        unit: ``V``, ``mV``, ``uV`` or ``codes``; None: nothing says it.
        time: index of the column of times; None: there is none.
        time_scale: seconds per unit of that column.
        number: index of a column that counts samples.
        interval: seconds per sample, as stated.
        announced: samples that the file says it has.
    """

    name: str
    value: int
    title: str
    unit: str | None
    time: int | None = None
    time_scale: float = 1.0
    number: int | None = None
    interval: float | None = None
    announced: int | None = None


def recognise(head: Head, column: str | None) -> Layout:
    """The layout of a text file.

    Args:
        head: what stands before its samples.
        column: name of the column of samples that a person asks for.

    Raises:
        RecordingError: it is not clear which column has the samples, or it has something else than codes or volts.
    """
    if right_of_heading(head.first):
        columns = [Column("", "", "")] * 3 + [
            Column("", "time", head.text("horizontal units")),
            Column(head.text("source"), "", ""),
        ]
        name, value, time = "Tektronix TDS", 4, 3
    else:
        columns = _columns(head)
        name = _maker(head, columns)
        value = _value_column(columns, head.width, column)
        time = next((place for place, found in enumerate(columns) if found.time and place != value), -1)
    number = next((place for place, found in enumerate(columns) if found.number and place != value), None)
    announced = head.number("record length")
    return Layout(
        name=name or "text",
        value=value,
        title=columns[value].name if columns else "",
        unit=_unit(head, columns[value], value, name) if columns else None,
        time=None if time < 0 else time,
        time_scale=1.0 if time < 0 else _time_scale(columns[time].unit or head.text("horizontal units")),
        number=None if name else number,
        interval=_interval(head),
        announced=None if announced is None else round(announced),
    )


def _columns(head: Head) -> list[Column]:
    """The columns' headings, with their units from the row below where there is one; none without a heading."""
    if not head.rows:
        return []
    last = head.rows[-1]
    if len(head.rows) > 1 and all(is_unit(cell) for cell in last[: head.width]):
        above = head.rows[-2]
        if above[0].lower() == "source" or Column.of(above[0]).time or all(_BRACKETED.match(unit) for unit in last):
            titles = above[: head.width] + [""] * (head.width - len(above))
            return [Column(title, Column.of(title).name, unit.strip("()")) for title, unit in zip(titles, last, strict=False)]
    if any(as_number(cell) is not None for cell in last[1 : head.width]):
        return []
    extras = [cell for cell in last[head.width :] if not _INCREMENT.match(cell) and not cell.startswith("t0")]
    if len(last) < head.width or extras:
        raise RecordingError(f"has {head.width} columns under a heading of {len(last)}")
    return [Column.of(title) for title in last[: head.width]]


def _maker(head: Head, columns: list[Column]) -> str:
    """Whose layout it is; "" if it is nobody's."""
    row = [cell.lower() for cell in (head.rows[-2] if len(head.rows) > 1 else [])]
    titles = [column.title.lower().replace(" ", "") for column in columns]
    first = titles[0] if titles else ""
    channel = any(re.match(r"ch(an)?\d", title) for title in titles[1:])
    if any("digilent waveforms" in comment.lower() for comment in head.comments):
        return "Digilent WaveForms"
    if "analog:" in " ".join(head.stated.get("record length", [])).lower() or row[:1] == ["source"]:
        return "Siglent"
    if {"waveform type", "firmware version"} & head.stated.keys() or (first == "time" and "sample interval" in head.stated):
        return "Tektronix MDO"
    if "increment" in row or (first == "x" and channel) or (first == "time(s)" and channel):
        return "Rigol"
    if first == "x-axis":
        return "Keysight"
    if len(head.rows) > 1 and all(_BRACKETED.match(cell) for cell in head.rows[-1]):
        return "PicoScope"
    return "Saleae" if first == "time[s]" and titles[1:2] and titles[1].startswith("channel") else ""


def _value_column(columns: list[Column], width: int, asked: str | None) -> int:
    if asked is not None:
        found = [place for place, column in enumerate(columns) if asked.lower() in (column.title.lower(), column.name)]
        if not found:
            has = ", ".join(column.title for column in columns) or "no heading"
            raise RecordingError(f"has no column {asked!r}: it has {has}")
        return found[0]
    if width == 1:
        return 0
    others = [place for place, column in enumerate(columns) if not column.time and not column.number]
    others = [place for place in others if columns[place].title] or others
    if len(others) == 1:
        return others[0]
    known = [place for name in VALUES for place in others if columns[place].name == name]
    known += [place for place in others if voltage(columns[place].unit)] if not known else []
    if len(known) == 1 or (known and columns[known[0]].name in VALUES):
        return known[0]
    if others:
        names = ", ".join(columns[place].title for place in others)
        raise RecordingError(f"has several columns of samples: name one of {names} with --column")
    raise RecordingError("has several columns; give it a heading with a column 'values', 'codes' or 'volts'")


def _unit(head: Head, column: Column, value: int, name: str) -> str | None:
    stated = column.unit
    if not stated or stated.lower() == "value":
        listed = head.stated.get("vertical units", [])
        place = value - 1 if not right_of_heading(head.first) else 0
        stated = (listed[place] if 0 <= place < len(listed) else head.text("vertical units")).rpartition(":")[2].strip()
    if column.codes:
        return "codes"
    if not stated:
        return "V" if name in ("Saleae", "Digilent WaveForms") else None
    unit = voltage(stated)
    if unit is None:
        raise RecordingError(f"the column {column.title!r} is in {stated}: choose a voltage with --column")
    return unit


def _time_scale(unit: str) -> float:
    scale = seconds(unit) if unit else 1.0
    if scale is None:
        raise RecordingError(f"its times are in {unit}: use s, ms, us or ns")
    return scale


def _interval(head: Head) -> float | None:
    """Seconds per sample, as the file states it."""
    found = head.number("sample interval")
    rate = head.number("sample rate")
    if found is None and rate:
        found = 1 / rate
    for comment in head.comments:
        told = _RATE.search(comment)
        if told and float(told[1]) > 0:
            found = 1 / (float(told[1]) * _KILO[told[2]])
    for above, below in pairwise([[], *head.rows[-2:]]):
        titles = [cell.lower() for cell in above]
        if "increment" in titles and titles.index("increment") < len(below):
            found = as_number(below[titles.index("increment")], head.comma)
    for cell in head.rows[-1] if head.rows else []:
        told = _INCREMENT.search(cell)
        found = as_number(told[1]) if told else found
    return found if found is not None and found > 0 else None
