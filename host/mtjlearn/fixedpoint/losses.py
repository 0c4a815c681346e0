"""Losses and their tables (shared/numerics.md, sections 5 and 9).

Outputs are (R, units) or (R, units, passes): axis 1 is reduced, a trailing axis stays.
"""

from __future__ import annotations

import math

import numpy as np

from ..network import Loss
from .arithmetic import INT32_LIMIT, BoolArray, IntArray, bit_length, limited, round_shift, sat16

LOG2_E = 1549082005
"""log2(e) in Q.30."""
LN_2 = 744261118
"""ln(2) in Q.30."""
EXP2NEG = np.array([round(2**20 * (1 - i / 128 - 2 ** (-i / 64))) for i in range(67)], dtype=np.int64)
LOG2 = np.array([round(2**19 * (math.log2(1 + i / 64) - i / 64)) for i in range(67)], dtype=np.int64)


def interpolate(table: IntArray, f: IntArray) -> IntArray:
    """Second-order interpolation of a table at ``f`` in Q.20, 0 .. 2^20; 16 times the table's unit."""
    i = f >> 14
    t = f & 16383
    q = (t * (16384 - t)) >> 15
    here, following = table[i], table[i + 1]
    d1 = following - here
    d2 = table[i + 2] - 2 * following + here
    value: IntArray = 16 * here + round_shift(d1 * t - d2 * q, 10)
    return value


def exp2neg(f: IntArray) -> IntArray:
    """2^-f in Q.24 for ``f`` in Q.20, 0 .. 2^20."""
    return 2**24 - 8 * f - interpolate(EXP2NEG, f)


def log2table(f: IntArray) -> IntArray:
    """log2(1 + f) in Q.24 for ``f`` in Q.20, 0 .. 2^20."""
    return 16 * f + 2 * interpolate(LOG2, f)


def squared_loss(outputs: IntArray, targets: IntArray, counts: IntArray | None = None) -> IntArray:
    """Sum of squared errors over axis 1 in Q7.24, at most 2^31 - 1; targets broadcast against outputs."""
    error = sat16(outputs - targets, counts)
    return limited((error * error).sum(axis=1), 0, INT32_LIMIT, counts)


def softmax_terms(outputs: IntArray) -> IntArray:
    """The exponential of each output minus the largest on axis 1, in Q.24."""
    u = ((outputs.max(axis=1)[:, None] - outputs) * LOG2_E + 2**21) >> 22
    whole = u >> 20
    terms: IntArray = np.where(whole > 24, 0, round_shift(exp2neg(u & (2**20 - 1)), np.minimum(whole, 24)))
    return terms


def cross_entropy_loss(outputs: IntArray, classes: IntArray) -> IntArray:
    """Softmax cross-entropy over axis 1 in Q7.24; classes (R,)."""
    largest = outputs.max(axis=1)
    total = softmax_terms(outputs).sum(axis=1)
    n = bit_length(total) - 25
    f = round_shift(total - (1 << (24 + n)), 4 + n)
    log2 = n * 2**24 + log2table(f)
    loss: IntArray = round_shift(log2 * LN_2, 30) + (largest - outputs[np.arange(len(outputs)), classes]) * 4096
    return loss


def is_correct(loss: Loss, outputs: IntArray, targets: IntArray) -> BoolArray:
    """Whether each replica's classification is right: outputs (R, units), targets (R, target count) -> (R,)."""
    if loss is Loss.CROSS_ENTROPY:
        wanted = targets[:, 0]
    elif outputs.shape[1] == 1:
        single: BoolArray = (outputs[:, 0] >= 0) == (targets[:, 0] >= 0)
        return single
    else:
        wanted = targets.argmax(axis=1)
    several: BoolArray = outputs.argmax(axis=1) == wanted
    return several
