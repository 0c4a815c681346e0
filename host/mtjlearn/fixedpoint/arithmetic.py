"""Integer primitives on NumPy arrays of any shape (shared/numerics.md, section 1)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

INT16_LIMIT = 32767
INT32_LIMIT = 2**31 - 1
UINT32_LIMIT = 2**32 - 1
ONE = 4096
"""1.0 in Q3.12: the input of every bias."""


def integers(values: npt.ArrayLike) -> IntArray:
    """Whole numbers as int64.

    Raises:
        TypeError: if the values are not integers (a fraction would be cut off silently).
    """
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"integers are needed here, not {array.dtype}; quantise the values first")
    return array.astype(np.int64, copy=False)


def limited(value: IntArray, low: int, high: int, counts: IntArray | None = None) -> IntArray:
    """``value`` limited to ``low`` .. ``high``.

    Args:
        value: any shape; with ``counts`` its first axis is the replica.
        low: smallest result.
        high: largest result.
        counts: (R,) saturation counters; each value that changes adds one to its replica's counter, in place.
    """
    result: IntArray = np.minimum(np.maximum(value, low), high)
    if counts is not None:
        changed = result != value
        if np.count_nonzero(changed):  # of a few values several times as fast as any()
            counts += changed.reshape(len(counts), -1).sum(axis=1)
    return result


def sat16(value: IntArray, counts: IntArray | None = None) -> IntArray:
    """``sat16``: limited to -32767 .. 32767; ``counts`` as in :func:`limited`."""
    return limited(value, -INT16_LIMIT, INT16_LIMIT, counts)


def sat32(value: IntArray, counts: IntArray | None = None) -> IntArray:
    """``sat32``: limited to -(2^31 - 1) .. 2^31 - 1; ``counts`` as in :func:`limited`."""
    return limited(value, -INT32_LIMIT, INT32_LIMIT, counts)


def round_shift(value: IntArray, shift: IntArray | int) -> IntArray:
    """``round(value, shift)``: ``value / 2^shift`` to the nearest integer, halves up; ``shift`` 0 or more."""
    result: IntArray = (value + (np.left_shift(1, shift) >> 1)) >> shift
    return result


def bit_length(value: IntArray) -> IntArray:
    """``bits(value)`` of values 0 .. 2^63 - 1."""
    # Clearing every bit below a set bit keeps the length and leaves "10..." on top: rounding to double cannot carry
    # into another bit.
    return np.frexp((value & ~(value >> 1)).astype(np.float64))[1].astype(np.int64)


def norm16(value: IntArray, bits: IntArray | None = None) -> IntArray:
    """``norm16(value)`` of ``value > 0``: its 16-bit mantissa, 2^15 .. 2^16 - 1 (section 6); ``bits``: its bit length, if known."""
    shift = 16 - (bit_length(value) if bits is None else bits)
    return (value << np.maximum(shift, 0)) >> np.maximum(-shift, 0)


def isqrt(value: IntArray) -> IntArray:
    """``isqrt(value)`` of values >= 0."""
    roots = [math.isqrt(int(each)) for each in np.ravel(value)]
    return np.array(roots, dtype=np.int64).reshape(np.shape(value))
