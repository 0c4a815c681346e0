"""What a point of a sweep is, and the text that identifies it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from mtjlearn.errors import UserError

Scalar = bool | int | float | str | None
Point = Mapping[str, Scalar]

SEED = "seed"
RESERVED = ("status", "error", "seconds", "command")
"""Columns of the results that are neither parameters nor numbers of the task."""


class SweepError(UserError):
    """A sweep that cannot be run, resumed or read; the text says what to do."""


def normalise(points: Iterable[Mapping[str, Any]]) -> list[dict[str, Scalar]]:
    """The points as plain values; one that appears twice is kept once.

    Args:
        points: each with the same parameters.

    Raises:
        SweepError: there are none, they differ in their parameters, or a value is not a bool, finite number, text or None.
    """
    found: dict[str, dict[str, Scalar]] = {}
    names: list[str] = []
    for given in points:
        point = {name: _scalar(name, value) for name, value in given.items()}
        if not found:
            names = list(point)
            if reserved := [name for name in names if name in RESERVED]:
                raise SweepError(f"a parameter cannot be called {reserved[0]}, which is a column of the results; rename it")
        if point.keys() != set(names):
            differ = ", ".join(sorted(point.keys() ^ set(names)))
            raise SweepError(f"all points of a sweep have the same parameters; these differ in {differ}")
        found.setdefault(key_of(point), {name: point[name] for name in names})
    if not found:
        raise SweepError("a sweep without points computes nothing; give at least one value to each parameter")
    return list(found.values())


def key_of(point: Point) -> str:
    """The point as canonical text: the same for equal values, whatever their order."""
    return canonical(point)


def name_of(task: Any) -> str:
    """Module and name of a task, by which a sweep knows it again.

    Raises:
        SweepError: it is not a function of a module.
    """
    name = f"{getattr(task, '__module__', '')}:{getattr(task, '__qualname__', '<')}"
    if "<" in name:
        raise SweepError("a task is a function of a module, defined with def and not inside another function")
    return name


def canonical(value: Any) -> str:
    """JSON without blanks, names sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """16 hexadecimal digits that identify a value in terms of JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def _scalar(name: str, value: Any) -> Scalar:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if not isinstance(name, str) or not name:
        raise SweepError(f"a parameter's name is a text, not {name!r}")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise SweepError(f"{name} = {value!r}: a parameter is a bool, a finite number, a text or None")
