"""Every field of every message: packed at its limits, refused beyond them by its name, and the open field to the last byte."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from mtjlearn.wire import messages

KINDS = list(messages.MESSAGES.values())
BITS = {"B": (8, False), "H": (16, False), "I": (32, False), "Q": (64, False), "h": (16, True), "i": (32, True)}


def smallest(kind: type[Any]) -> Any:
    """A message of this kind without an open field, whose numbers are the smallest."""
    values: dict[str, Any] = {}
    codes = re.findall(r"\d*[A-Za-z]", kind.LAYOUT.format)
    for field, code in zip(fields(kind), codes, strict=False):
        values[field.name] = "" if code[-1] == "s" else limits(kind, field.name, code)[0]
    if kind.TAIL[0]:
        values[kind.TAIL[0]] = np.zeros(0, kind.TAIL[1]) if kind.TAIL[1] else b""
    return kind(**values)


def limits(kind: type[Any], name: str, code: str) -> tuple[int, int]:
    bits, is_signed = BITS[code]
    whole = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    return kind.BOUNDS.get(name, whole)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)
def test_numbers_and_texts(kind: type[Any]) -> None:
    message = smallest(kind)
    codes = re.findall(r"\d*[A-Za-z]", kind.LAYOUT.format)
    for field, code in zip(fields(kind), codes, strict=False):
        if code[-1] == "s":
            most = int(code[:-1])
            whole = replace(message, **{field.name: "a" * most})
            assert kind.unpack(whole.pack()) == whole
            for wrong in ("a" * (most + 1), "\u00e9"):
                with pytest.raises(ValueError, match=f"^{kind.NAME}: {field.name} accepts at most {most} ASCII characters$"):
                    replace(message, **{field.name: wrong}).pack()
            continue
        low, high = limits(kind, field.name, code)
        for value in (low, high):
            whole = replace(message, **{field.name: value})
            assert kind.unpack(whole.pack()) == whole
        for value in (low - 1, high + 1):
            with pytest.raises(ValueError, match=f"^{kind.NAME}: {field.name} is {value}, outside {low} .. {high}$"):
                replace(message, **{field.name: value}).pack()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.TAIL[0]], ids=lambda kind: kind.NAME)
def test_the_open_field(kind: type[Any]) -> None:
    name, dtype = kind.TAIL
    room = kind.LIMIT - kind.LAYOUT.size
    size = np.dtype(dtype).itemsize if dtype else 1
    for count in (0, room // size, room // size + 1):
        value = np.ones(count, dtype) if dtype else bytes(count)
        message = replace(smallest(kind), **{name: value})
        if count <= room // size:
            assert kind.unpack(message.pack()) == message
        else:
            with pytest.raises(ValueError, match=f"are more than {kind.LIMIT}; split {name}$"):
                message.pack()
    if dtype:
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        for number in (int(least), int(most)):
            assert getattr(kind.unpack(replace(smallest(kind), **{name: np.array([number])}).pack()), name).tolist() == [number]
        for number in (int(least) - 1, int(most) + 1):
            with pytest.raises(ValueError, match=f"^{kind.NAME}: {name} accepts whole numbers {least} .. {most}$"):
                replace(smallest(kind), **{name: np.array([number])}).pack()
        with pytest.raises(ValueError, match="whole numbers"):
            replace(smallest(kind), **{name: np.array([1.0])}).pack()
