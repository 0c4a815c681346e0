"""Grids of parameters, and the short notation for their values.

``.1,.05`` is a list, ``0.1*2^-0:20`` a geometric sequence with a given ratio, ``log:1e-4:1:9`` values of equal ratio between two
ends, ``lin:0:1:5`` values of equal distance, ``0:5`` the integers 0 to 4.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mtjlearn.sweeps.points import SEED, Scalar, SweepError, normalise

MOST_VALUES = 100_000
"""Values of a range, at most: a typing error should not fill the memory."""
NOTATION = "a list .1,.05, a range 0:5, 0.1*2^-0:20, lin:0:1:5 or log:1e-4:1:9"

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_INTEGERS = re.compile(r"([+-]?\d+):([+-]?\d+)(?::([+-]?\d+))?")
_POWERS = re.compile(rf"(?:({_NUMBER})\*)?({_NUMBER})\^(-?)(\d+):(\d+)")
_BETWEEN = re.compile(rf"(lin|log):({_NUMBER}):({_NUMBER})(?::(\d+))?")
_DIGITS = 12
"""Significant digits of computed values: 0.1 * 2^-1 is 0.05, and is the same point as a 0.05 that was typed."""


def grid(parameters: Mapping[str, Iterable[Any]], seeds: Iterable[int] | None = None) -> list[dict[str, Scalar]]:
    """All combinations of values; the last parameter changes fastest, the seed fastest of all.

    Args:
        parameters: the values of each parameter.
        seeds: values of the parameter ``seed``; None: the points have none, unless it is among the parameters.

    Raises:
        SweepError: as :func:`mtjlearn.sweeps.points.normalise`.
    """
    axes = {name: [values] if isinstance(values, str) else list(values) for name, values in parameters.items()}
    if seeds is not None:
        if SEED in axes:
            raise SweepError("seed is among the parameters and given as seeds; give it once")
        axes[SEED] = list(seeds)
    return normalise(dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))


def parse_values(text: str) -> list[str]:
    """The values that a short notation stands for, as text: what they mean is the parameter's affair.

    Args:
        text: parts separated by commas, each a value or a range. ``0:5`` and ``0:10:2`` are integers without the end, as in
            Python; ``0.1*2^-0:20`` is 0.1 * 2^-k for k = 0 to 19, ``2^3:6`` is 2^k for k = 3 to 5; ``lin:a:b:n`` and
            ``log:a:b:n`` are n values from a to b, both ends included.

    Raises:
        SweepError: a range is empty, too long, or cannot be.
    """
    values: list[str] = []
    for part in text.split(","):
        values += _expand(part.strip())
    if not values or "" in values:
        raise SweepError(f"{text!r} has an empty value; give {NOTATION}")
    return list(dict.fromkeys(values))


def parse_interval(text: str) -> tuple[float, float, bool] | None:
    """Ends of ``log:1e-4:1`` or ``lin:0:1`` and whether it is logarithmic; None if the text is not an interval.

    Raises:
        SweepError: it has a number of values, or its ends cannot be.
    """
    match = _BETWEEN.fullmatch(text)
    if match is None:
        return None
    kind, low, high, count = match.groups()
    if count is not None:
        raise SweepError(f"{text!r}: a search chooses values itself; omit the number, as in {kind}:{low}:{high}")
    _check_ends(text, kind, float(low), float(high))
    return float(low), float(high), kind == "log"


def _expand(part: str) -> Sequence[str]:
    if match := _INTEGERS.fullmatch(part):
        first, end, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if step == 0:
            raise SweepError(f"{part!r}: the step is 0")
        return [str(value) for value in _bounded(part, range(first, end, step))]
    if match := _POWERS.fullmatch(part):
        factor, base, sign, low, high = match.groups()
        powers = _bounded(part, range(int(low), int(high)))
        try:
            return [_text(float(factor or 1) * float(base) ** (-k if sign else k)) for k in powers]
        except (OverflowError, ZeroDivisionError):
            raise SweepError(f"{part!r} leads beyond what a float can hold; use smaller exponents") from None
    if match := _BETWEEN.fullmatch(part):
        kind, low, high, count = match.groups()
        if count is None:
            raise SweepError(f"{part!r} lacks the number of values, as in {kind}:{low}:{high}:9; only --search does without")
        return _between(part, kind, float(low), float(high), int(count))
    return [part]


def _between(part: str, kind: str, low: float, high: float, count: int) -> list[str]:
    _check_ends(part, kind, low, high)
    steps = _bounded(part, range(count))
    if count == 1:
        raise SweepError(f"{part!r}: both ends are included, so that there are at least 2 values")
    shares = [step / (count - 1) for step in steps]
    if kind == "lin":
        return [_text(low + share * (high - low)) for share in shares]
    return [_text(low * (high / low) ** share) for share in shares]


def _check_ends(part: str, kind: str, low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        raise SweepError(f"{part!r}: the first end is below the second")
    if kind == "log" and low <= 0:
        raise SweepError(f"{part!r}: a logarithmic range begins above 0")


def _bounded(part: str, steps: range) -> range:
    if not 0 < len(steps) <= MOST_VALUES:
        raise SweepError(f"{part!r} stands for {len(steps):,} values; 1 to {MOST_VALUES:,} are possible")
    return steps


def _text(value: float) -> str:
    if not math.isfinite(value):
        raise OverflowError
    return f"{value:.{_DIGITS}g}"
