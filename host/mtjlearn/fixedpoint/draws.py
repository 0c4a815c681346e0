"""Random numbers: generator, draws, initial weights, dither words (shared/numerics.md, sections 2 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np

from ..network import NOISE_BUFFER, WeightFormat
from .arithmetic import IntArray, isqrt, round_shift

DITHER_STEP = 40503
"""What the dither word advances by after every use, mod 2^16."""
DITHER_NEAREST = 32768
"""The dither word of rounding to nearest: always a half."""
STRIDE_ENDINGS = np.array([1, 3, 7, 9], dtype=np.int64)
"""Last decimal digits of numbers coprime with 10, and so with 200."""

State = TypeVar("State", int, IntArray)
"""Of one generator, or of several."""
_FEW = 16
"""Generators whose states are faster as numbers of Python than as an array."""


def xorshift32(state: State) -> State:
    """The next state of each 32-bit generator, which is also its output; states are never 0."""
    state = state ^ ((state << 13) & 0xFFFFFFFF)
    state = state ^ (state >> 17)
    return state ^ ((state << 5) & 0xFFFFFFFF)


def xorshift32_draws(state: IntArray, count: int) -> IntArray:
    """The next ``count`` states of generators (R,): (count, R)."""
    if len(state) <= _FEW:
        one_by_one = [list(accumulate(range(count), lambda each, _: xorshift32(each), initial=first)) for first in state.tolist()]
        return np.array(one_by_one, dtype=np.int64).T[1:]
    draws = np.empty((count, len(state)), dtype=np.int64)
    for row in draws:
        row[:] = state = xorshift32(state)
    return draws


@dataclass(frozen=True)
class DrawParameters:
    """What one draw decides for a training step; each field has the shape of the draw."""

    start: IntArray
    """Position of the first noise value in the ring, 0 .. 199."""
    stride: IntArray
    """Distance to the next one, coprime with 200."""
    dither: IntArray
    """First dither word, 0 .. 65535."""


def draw_parameters(draw: IntArray) -> DrawParameters:
    """Start, stride and dither from one 32-bit draw."""
    k = (((draw >> 16) & 255) * 5) >> 4
    return DrawParameters(
        start=((draw >> 24) * NOISE_BUFFER) >> 8,
        stride=10 * (k >> 2) + STRIDE_ENDINGS[k & 3],
        dither=draw & 65535,
    )


def noise_positions(draw: DrawParameters, count: int) -> IntArray:
    """Ring positions of a step's first ``count`` noise values, all different: (R, count)."""
    return (draw.start[:, None] + np.arange(count) * draw.stride[:, None]) % NOISE_BUFFER


def initial_limit(fan_in: int) -> int:
    """``limit_l`` of initial weights, sqrt(3 / fan-in) in Q3.12."""
    return int(isqrt(np.array(3 * 2**24 // fan_in)))


def initial_weights(state: IntArray, sizes: tuple[int, ...], weight_format: WeightFormat) -> tuple[list[IntArray], IntArray]:
    """Draws the parameters of all layers, biases 0.

    Args:
        state: (R,) generator states.
        sizes: inputs, then units of each layer.
        weight_format: of the returned integers.

    Returns:
        Per layer (R, units, fan-in + 1), and the states after the last draw.
    """
    layers = []
    for fan_in, units in pairwise(sizes):
        rows = np.zeros((len(state), units, fan_in + 1), dtype=np.int64)
        for unit in range(units):
            for source in range(fan_in):
                state = xorshift32(state)
                rows[:, unit, source] = state >> 16
        rows -= (rows >> 15) << 16  # two's complement
        rows = round_shift(rows * initial_limit(fan_in), 15)
        layers.append(rows << 16 if weight_format is WeightFormat.INT32 else rows)
    return layers, state


def dither_words(first: IntArray, count: int) -> IntArray:
    """The ``count`` words used one after the other, beginning with ``first``: (R, count) for ``first`` (R,)."""
    return (first[:, None] + DITHER_STEP * np.arange(count, dtype=np.int64)) & 65535


def dither(word: IntArray, bits: IntArray | int) -> IntArray:
    """``dith(bits)``: a word of 16 bits as ``bits`` random bits, ``bits`` 0 .. 30."""
    result: IntArray = (word << bits) >> 16
    return result
