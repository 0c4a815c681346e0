"""What the rules anp-exact and feedback add to a step (shared/numerics.md, section 13)."""

from __future__ import annotations

import numpy as np

from ..network import Loss
from .arithmetic import INT16_LIMIT, ONE, UINT32_LIMIT, IntArray, bit_length, limited, norm16, round_shift, sat16
from .losses import softmax_terms

PROBE_EVERY = 4
"""Steps from one probe of the feedback to the next."""
_MU_BITS = 1
"""Mu is 2^-1."""


def output_error(loss: Loss, outputs: IntArray, targets: IntArray) -> IntArray:
    """``e`` in Q3.12, (R, units): what the output layer has too much of.

    Args:
        loss: of the network.
        outputs: of pass 1, (R, units).
        targets: (R, target count).
    """
    if loss is Loss.SQUARED:
        return limited(outputs - targets, -INT16_LIMIT, INT16_LIMIT)
    terms = softmax_terms(outputs)
    total = terms.sum(axis=1)
    reciprocal = (2**31 - 1) // norm16(total)
    error = round_shift((terms >> 9) * reciprocal[:, None], (bit_length(total) - 6)[:, None])
    error[np.arange(len(error)), targets[:, 0]] -= ONE
    return error


def rate_factor(loss: Loss, rate: int) -> tuple[int, int]:
    """``g`` and ``E`` of the delta rule for eta in Q4.28, not 0: -g 2^E is eta, or 2 eta with the squared error (gradient 2e)."""
    bits = rate.bit_length()
    return -(int(norm16(np.array(rate, dtype=np.int64))) >> 1), bits - (42 if loss is Loss.SQUARED else 43)


def hidden_signal(feedback: IntArray, error: IntArray, given: IntArray, slope: int, counts: IntArray) -> IntArray:
    """What takes the place of a hidden layer's da, (R, units), in Q3.12.

    Args:
        feedback: B, (R, units, outputs) in Q3.12.
        error: (R, outputs).
        given: what the layer gave on in pass 1, (R, units).
        slope: s of the leaky ReLU.
        counts: (R,) saturation counters.
    """
    signal = sat16(round_shift(((feedback * error[:, None, :]) >> 8).sum(axis=2), 4), counts)
    small = np.where(signal >= 0, signal >> slope, -(-signal >> slope))
    return np.where(given < 0, small, signal)


def update_feedback(feedback: IntArray, change: IntArray, output_change: IntArray, counts: IntArray) -> IntArray:
    """B after a probe: ``B + mu dx (dy - B' dx)' / ||dx||^2``.

    Args:
        feedback: B, (R, units, outputs) in Q3.12.
        change: dx, (R, units).
        output_change: dy, (R, outputs).
        counts: (R,) saturation counters.
    """
    energy = np.clip((change * change).sum(axis=1), 1, UINT32_LIMIT)
    shift = np.maximum(bit_length(energy - 1) - 12 + _MU_BITS, 1)
    expected = round_shift(((feedback * change[:, :, None]) >> 8).sum(axis=1), 4)
    rest = sat16(output_change - expected, counts)
    return sat16(feedback + round_shift(change[:, :, None] * rest[:, None, :], shift[:, None, None]), counts)
