"""What a board learns autonomously: order of samples, built-in tasks, curve (shared/numerics.md, section 11)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .draws import xorshift32

CURVE_PLACES = 16
_MANTISSA = 11
_ONE = 4096


class Generator:
    """A random generator of section 2 on plain numbers.

    Args:
        state: its first state, 1 .. 2^32 - 1.
    """

    def __init__(self, state: int) -> None:
        self.state = state

    def draw(self) -> int:
        """The next 32 random bits."""
        self.state = int(xorshift32(np.array(self.state, dtype=np.int64)))
        return self.state


def epoch_order(generator: Generator, samples: int) -> NDArray[np.int64]:
    """Indices of one epoch's samples in their order, shape (samples,): a permutation."""
    m = 1
    while m < samples:
        m *= 2
    draw = generator.draw()
    a, c = (draw % m & ~3) | 1, (draw >> 16) % m | 1
    x = (generator.draw() >> 16) % m
    order: list[int] = []
    while len(order) < samples:
        x = (a * x + c) % m
        if x < samples:
            order.append(x)
    return np.array(order, dtype=np.int64)


def xor_samples() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Inputs, shape (4, 2), and targets, shape (4, 1), of the XOR task, Q3.12."""
    bits = np.array([[index & 1, index >> 1] for index in range(4)])
    return -_ONE + 2 * _ONE * bits, np.where(bits[:, :1] != bits[:, 1:], _ONE, -_ONE)


def teacher_inputs(generator: Generator, samples: int, inputs: int) -> NDArray[np.int64]:
    """Random inputs for the teacher, shape (samples, inputs), Q3.12 in -1 .. 1."""
    upper = np.array([generator.draw() >> 16 for _ in range(samples * inputs)], dtype=np.uint16).reshape(samples, inputs)
    return upper.astype(np.int16).astype(np.int64) >> 3


def encode_point(loss: int) -> int:
    """A loss as a point of the curve."""
    exponent = max(0, loss.bit_length() - _MANTISSA)
    return exponent << _MANTISSA | loss >> exponent


def decode_point(point: int) -> int:
    """The loss that a point of the curve stands for, units of 2^-24."""
    return (point & ((1 << _MANTISSA) - 1)) << (point >> _MANTISSA)


def curve(losses: Iterable[int], interval: int) -> tuple[int, list[int]]:
    """The curve of these losses.

    Args:
        losses: of pass 1 of each step, units of 2^-24.
        interval: steps of a point at first.

    Returns:
        The interval at the end, and the encoded points.
    """
    points: list[int] = []
    total = count = 0
    for loss in losses:
        total, count = total + int(loss), count + 1
        if count < interval:
            continue
        points.append(encode_point(total // count))
        total = count = 0
        if len(points) == CURVE_PLACES:
            pairs = zip(points[::2], points[1::2], strict=True)
            points = [encode_point((decode_point(one) + decode_point(other)) // 2) for one, other in pairs]
            interval *= 2
    return interval, points
