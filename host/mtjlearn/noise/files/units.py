"""Units in headings and options: what a column holds, and how much of a volt or a second one of it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNITS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "codes": 1.0}
"""What a person can say of a file's values, and how many volts one is; codes stay codes."""
_VOLTS = {
    **dict.fromkeys(("v", "volt", "volts"), "V"),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), "mV"),
    **dict.fromkeys(("uv", "µv", "μv", "microvolt", "microvolts"), "uV"),
}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
}
_TIMES = ("time", "t", "x", "x-axis", "timestamp")
_NUMBERS = ("number", "sample", "sequence")
VALUES = ("values", "value", "codes", "code", "volts", "voltage", "noise")
"""Headings of a column of samples, the likeliest first."""
_BRACKETS = re.compile(r"^(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*$")
_SUFFIX = re.compile(r"^(.+?)[_ ](s|ms|us|µs|ns|V|mV|uV|µV)$")
_CHANNEL = re.compile(r"^((?:CH|CHAN|MATH)\d+)(V|mV|uV|µV)$")


@dataclass(frozen=True)
class Column:
    """A column of a text file.

    Args:
        title: as it is written.
        name: in lower case, without its unit.
        unit: as it is written; "" if the heading states none.
    """

    title: str
    name: str
    unit: str

    @classmethod
    def of(cls, title: str) -> Column:
        """Takes a heading apart: ``Time (s)``, ``Voltage [mV]``, ``time_ms``, ``CH1(V)``, ``CH1V``, ``mV``."""
        text = title.strip().strip("\"'").strip()
        for pattern in (_BRACKETS, _CHANNEL, _SUFFIX):
            found = pattern.match(text)
            if found and (found[1] or pattern is _BRACKETS):
                return cls(text, found[1].strip().lower(), found[2])
        name = text.lower()
        bare = name in ("second", "seconds", "volt", "volts") or (name in _VOLTS and text != text.lower())
        return cls(text, name, text if bare else "")

    @property
    def time(self) -> bool:
        """Whether it is the time of each sample."""
        return seconds(self.unit) is not None or (self.name in _TIMES and self.unit.lower() != "sequence")

    @property
    def number(self) -> bool:
        """Whether it counts the samples."""
        return self.name in _NUMBERS or self.unit.lower() == "sequence"

    @property
    def codes(self) -> bool:
        """Whether it says that it holds codes."""
        return self.name in ("code", "codes") or self.unit.lower() in ("code", "codes")


def seconds(unit: str) -> float | None:
    """How many seconds one of this unit is; None if it is not a time."""
    return _SECONDS.get(_plain(unit))


def voltage(unit: str) -> str | None:
    """The name in :data:`UNITS` of this unit; None if it is not a voltage."""
    return _VOLTS.get(_plain(unit))


def is_unit(text: str) -> bool:
    """Whether a cell under a heading states a unit."""
    return seconds(text) is not None or voltage(text) is not None or _plain(text) in ("a", "ma", "w", "value", "sequence", "db", "")


def _plain(unit: str) -> str:
    return unit.strip().strip("()[]\"'").strip().lower()
