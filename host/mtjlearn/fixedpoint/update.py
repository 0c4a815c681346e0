"""Global factor, weight update and decorrelation update (shared/numerics.md, sections 6 to 8)."""

from __future__ import annotations

import numpy as np

from ..network import WeightFormat
from .arithmetic import BoolArray, IntArray, bit_length, norm16, round_shift, sat16, sat32
from .draws import dither

COARSEST, MIDDLE, FINEST = 8, 16, 24
"""Fraction bits that a row's coefficient may have."""
MAX_SHIFT = 30
"""A coefficient that would need a longer shift is below the resolution."""


def global_factor(loss_difference: IntArray, energy: IntArray, eta_units: int) -> tuple[IntArray, IntArray]:
    """``g`` and ``E`` with eta N dL / S = -g 2^E.

    Args:
        loss_difference: dL in Q.24, not 0.
        energy: S, the sum of da^2 in Q.24, not 0.
        eta_units: eta N in Q.28, not 0.
    """
    size = np.abs(loss_difference)
    eta_bits = eta_units.bit_length()
    eta_mantissa = eta_units << 16 >> eta_bits
    size_bits, energy_bits = bit_length(np.stack((size, energy)))
    q = (norm16(size, size_bits) * 2**15) // norm16(energy, energy_bits)
    p = q * eta_mantissa
    p_bits = bit_length(p)
    g = p >> (p_bits - 15)
    exponent = p_bits + size_bits - energy_bits + eta_bits - 74
    return np.where(loss_difference > 0, -g, g), exponent


def step_exponent(inputs: IntArray) -> IntArray:
    """``h``: the smallest power of two that is at least 1 + ||x||^2; inputs (R, n) without the bias."""
    return bit_length(2**24 + (inputs * inputs).sum(axis=1) - 1) - 24


def block_exponent(h: IntArray | int, exponent: IntArray, largest: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Fraction bits ``s`` and shift ``k`` of a layer's coefficients.

    Args:
        h: step exponent.
        exponent: E.
        largest: D, the bit length of the layer's largest da in size.

    Returns:
        ``s``, ``k``, and whether the step had to be shortened.
    """
    room = 12 + h - exponent
    s = np.where(room - FINEST >= largest, FINEST, np.where(room - MIDDLE >= largest, MIDDLE, COARSEST))
    shortened: BoolArray = room - COARSEST < largest
    return s, np.where(shortened, largest, room - s), shortened


def coefficient(g: IntArray, da: IntArray, word: IntArray, k: IntArray) -> IntArray:
    """``c`` of each row: g da with ``s`` fraction bits, below 2^15 in size; ``k`` at most 30."""
    result: IntArray = (g * da + dither(word, k)) >> k
    return result


def update_int16(weights: IntArray, product: IntArray, word: IntArray, s: IntArray, counts: IntArray | None = None) -> IntArray:
    """New int16 weights; ``product`` is c x with s + 12 fraction bits."""
    return sat16(weights + ((product + dither(word, s)) >> s), counts)


def update_int32(weights: IntArray, product: IntArray, word: IntArray, s: IntArray, counts: IntArray | None = None) -> IntArray:
    """New int32 weights; ``product`` is c x with s + 12 fraction bits."""
    widened = product << np.maximum(16 - s, 0)
    return sat32(weights + np.where(s == FINEST, (product + dither(word, 8)) >> 8, widened), counts)


def update_layer(
    weights: IntArray,
    weight_format: WeightFormat,
    g: IntArray,
    exponent: IntArray,
    inputs: IntArray,
    da: IntArray,
    words: IntArray,
    normalised: bool,
    active: BoolArray,
    counts: IntArray,
) -> IntArray:
    """New parameters of one layer.

    Args:
        weights: (R, units, fan-in + 1).
        weight_format: of ``weights``.
        g: (R,) global factor's mantissa.
        exponent: (R,) its exponent E.
        inputs: (R, fan-in + 1) of pass 1, with the bias.
        da: (R, units).
        words: (R, units (fan-in + 2)) dither words in order of use.
        normalised: whether the step is divided by 1 + ||x||^2.
        active: (R,) false where the step is skipped.
        counts: (R,) saturation counters.
    """
    h = step_exponent(inputs[:, :-1]) if normalised else 0
    s, k, shortened = block_exponent(h, exponent, bit_length(np.abs(da).max(axis=1)))
    counts += shortened & active
    words = words.reshape(da.shape[0], da.shape[1], -1)
    c = coefficient(g[:, None], da, words[:, :, 0], np.minimum(k, MAX_SHIFT)[:, None])
    # A coefficient of 0 leaves every parameter as it is, whatever its dither word.
    c = np.where((active & (k <= MAX_SHIFT))[:, None], c, 0)
    update = update_int32 if weight_format is WeightFormat.INT32 else update_int16
    return update(weights, c[:, :, None] * inputs[:, None, :], words[:, :, 1:], s[:, None, None], counts)


def update_matrix(matrix: IntArray, xbar: IntArray, rate: int, words: IntArray, counts: IntArray | None = None) -> IntArray:
    """New decorrelation matrices.

    Args:
        matrix: (R, n, n) in Q1.14.
        xbar: (R, n) decorrelated input of pass 1.
        rate: eps in Q4.28, 128 .. 4194304.
        words: (R, n (n + 1)) dither words in order of use.
        counts: (R,) saturation counters.
    """
    replicas, n = xbar.shape
    bits = rate.bit_length()
    mantissa = rate << (15 - bits) if bits <= 15 else rate >> (bits - 15)
    k = 37 - bits
    words = words.reshape(replicas, n, n + 1)
    u = round_shift(xbar[:, None, :] @ matrix, 14)
    c = -((xbar * mantissa + dither(words[:, :, 0], k)) >> k)
    others = sat16(u - round_shift(xbar[:, :, None] * matrix, 14), counts)
    return sat16(matrix + ((c[:, :, None] * others + dither(words[:, :, 1:], 16)) >> 16), counts)
