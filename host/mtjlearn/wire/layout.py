"""How a message becomes a payload and back: fixed little-endian fields, then at most one open field.

The messages themselves are generated (messages.py); each names its fixed fields in the notation of ``struct``, the
ranges that are narrower than the type, and its open field.
"""

from __future__ import annotations

import functools
import re
import struct
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

_LIMITS = {
    "B": (0, 2**8 - 1),
    "H": (0, 2**16 - 1),
    "I": (0, 2**32 - 1),
    "Q": (0, 2**64 - 1),
    "h": (-(2**15), 2**15 - 1),
    "i": (-(2**31), 2**31 - 1),
}


class MessageError(ValueError):
    """A payload that does not fit its message type."""


@functools.cache
def _fixed(kind: type[Layout]) -> tuple[tuple[str, bool, int, int], ...]:
    """A message's fixed fields: name, whether it is text, and the smallest and largest value, or length of the text."""
    codes = re.findall(r"\d*[A-Za-z]", kind.LAYOUT.format)
    names = (field.name for field in fields(kind))
    return tuple(
        (name, True, 0, int(code[:-1])) if code[-1] == "s" else (name, False, *kind.BOUNDS.get(name, _LIMITS.get(code, (0, 0))))
        for name, code in zip(names, codes, strict=False)
    )


@functools.cache
def _whole_numbers(dtype: str) -> tuple[int, int]:
    """Smallest and largest value of an open field's numbers."""
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _text(value: bytes) -> str:
    """Printable, whatever the sender wrote: a terminal must not take it for a command."""
    text = value.rstrip(b"\0").decode("ascii", "replace")
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


@dataclass(frozen=True, eq=False)
class Layout:
    """What all messages have in common. Two are equal when they are of one class and all their fields are."""

    TYPE: ClassVar[int]
    NAME: ClassVar[str]
    LAYOUT: ClassVar[struct.Struct]
    """The fixed fields."""
    BOUNDS: ClassVar[dict[str, tuple[int, int]]] = {}
    """Smallest and largest value of fields that do not take everything their type holds."""
    TAIL: ClassVar[tuple[str, str]] = ("", "")
    """Name and dtype of the open field; an empty dtype means bytes."""
    LIMIT: ClassVar[int]
    """Bytes of the largest payload."""

    def pack(self) -> bytes:
        """The payload.

        Raises:
            ValueError: naming the message and the field that is out of range.
        """
        tail = self._pack_tail(getattr(self, self.TAIL[0])) if self.TAIL[0] else b""
        fixed = [
            self._pack_text(name, getattr(self, name), high) if is_text else self._in_range(name, getattr(self, name), low, high)
            for name, is_text, low, high in _fixed(type(self))  # type: ignore[arg-type]  # a class has a hash, its instances none
        ]
        size = self.LAYOUT.size + len(tail)
        if size > self.LIMIT:
            raise ValueError(f"{self.NAME}: {size} bytes are more than {self.LIMIT}; split {self.TAIL[0]}")
        return self.LAYOUT.pack(*fixed) + tail

    def _in_range(self, name: str, value: int, low: int, high: int) -> int:
        if not low <= value <= high:
            raise ValueError(f"{self.NAME}: {name} is {value}, outside {low} .. {high}")
        return value

    def _pack_text(self, name: str, value: str, most: int) -> bytes:
        if not value.isascii() or len(value) > most:
            raise ValueError(f"{self.NAME}: {name} accepts at most {most} ASCII characters")
        return value.encode("ascii")

    def _pack_tail(self, value: bytes | npt.NDArray[Any]) -> bytes:
        name, dtype = self.TAIL
        if not dtype:
            return bytes(value)
        array = np.asarray(value)
        if array.size == 0:
            return b""
        low, high = _whole_numbers(dtype)
        if array.dtype.kind not in "iu" or array.min() < low or array.max() > high:
            raise ValueError(f"{self.NAME}: {name} accepts whole numbers {low} .. {high}")
        return array.astype(dtype).tobytes()

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """The message with this payload; arrays are read-only.

        Values are not checked against their ranges: the sender may speak another version. See strange().

        Raises:
            MessageError: the payload's length does not fit.
        """
        name, dtype = cls.TAIL
        size = cls.LAYOUT.size
        rest = len(payload) - size
        if rest < 0 or (rest and not name) or (dtype and rest % np.dtype(dtype).itemsize):
            expected = f"{size} and more" if name else f"{size}"
            raise MessageError(f"{cls.NAME}: a payload of {len(payload)} bytes instead of {expected}")
        values: list[Any] = [_text(value) if isinstance(value, bytes) else value for value in cls.LAYOUT.unpack_from(payload)]
        if name:
            values.append(np.frombuffer(payload, dtype, offset=size) if dtype else bytes(payload[size:]))
        return cls(*values)

    def strange(self) -> str:
        """The first field outside its range, in words; empty if there is none."""
        found = ((name, getattr(self, name), low, high) for name, (low, high) in self.BOUNDS.items())
        return next((f"{name} {value} in {self.NAME}" for name, value, low, high in found if not low <= value <= high), "")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout) or type(other) is not type(self):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]
