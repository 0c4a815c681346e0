"""Forward passes (shared/numerics.md, section 4).

Layer inputs are (R, fan-in + 1, passes), the last row 4096 for the bias; activations are (R, units, passes). A layer
whose input is the same in all passes has one column, which broadcasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..network import WeightFormat
from .arithmetic import ONE, IntArray, round_shift, sat16


@dataclass(frozen=True)
class Passes:
    """What forward passes leave behind, one entry a layer."""

    inputs: list[IntArray]
    """(R, fan-in + 1, 1 or passes), decorrelated where configured."""
    activations: list[IntArray]
    """(R, units, passes), before the leaky ReLU."""


def readable(rows: IntArray, weight_format: WeightFormat) -> IntArray:
    """Stored parameters as a forward pass reads them, Q3.12."""
    return rows >> 16 if weight_format is WeightFormat.INT32 else rows


def pre_activation(rows: IntArray, inputs: IntArray, counts: IntArray | None = None) -> IntArray:
    """``z`` in Q3.12 from readable rows (R, units, fan-in + 1) and inputs (R, fan-in + 1, passes)."""
    return sat16(round_shift(rows @ inputs, 12), counts)


def leaky_relu(activations: IntArray, slope: int = 7) -> IntArray:
    """Slope 1 above 0, 2^-slope below, rounded towards 0."""
    return np.where(activations >= 0, activations, -((-activations) >> slope))


def decorrelated(matrix: IntArray, inputs: IntArray, counts: IntArray | None = None) -> IntArray:
    """``xbar`` from R (R, n, n) in Q1.14 and inputs (R, n, passes)."""
    return sat16(round_shift(matrix @ inputs, 14), counts)


def with_bias(inputs: IntArray) -> IntArray:
    """(R, n, passes) -> (R, n + 1, passes), the bias's input 4096 last."""
    replicas, count, passes = inputs.shape
    extended = np.full((replicas, count + 1, passes), ONE, dtype=np.int64)
    extended[:, :count] = inputs
    return extended


def forward(
    weights: Sequence[IntArray],
    matrices: Sequence[IntArray | None],
    weight_format: WeightFormat,
    samples: IntArray,
    noise: IntArray | None = None,
    counts: IntArray | None = None,
    slope: int = 7,
) -> Passes:
    """All passes of a step at once.

    Args:
        weights: stored parameters of each layer, (R, units, fan-in + 1).
        matrices: (R, fan-in, fan-in), or None for a layer that does not decorrelate.
        weight_format: of the stored parameters.
        samples: (R, inputs).
        noise: (R, N, passes) for all units in order; None for one clean pass.
        counts: (R,) saturation counters.
        slope: s of the leaky ReLU, whose slope is 2^-s.
    """
    layer_inputs: list[IntArray] = []
    activations: list[IntArray] = []
    inputs = samples[:, :, None]
    unit = 0
    for rows, matrix in zip(weights, matrices, strict=True):
        if activations:
            inputs = leaky_relu(activations[-1], slope)
        if matrix is not None:
            inputs = decorrelated(matrix, inputs, counts)
        layer_inputs.append(with_bias(inputs))
        a = pre_activation(readable(rows, weight_format), layer_inputs[-1], counts)
        if noise is not None:
            units = rows.shape[1]
            a = sat16(a + noise[:, unit : unit + units], counts)
            unit += units
        activations.append(a)
    return Passes(layer_inputs, activations)


def clean_outputs(
    weights: Sequence[IntArray],
    matrices: Sequence[IntArray | None],
    weight_format: WeightFormat,
    samples: IntArray,
    slope: int = 7,
) -> IntArray:
    """Outputs of many samples at once, without noise: (samples, outputs) for samples (samples, inputs).

    Args:
        weights: stored parameters of each layer, (units, fan-in + 1).
        matrices: (fan-in, fan-in), or None for a layer that does not decorrelate.
        weight_format: of the stored parameters.
        samples: in Q3.12.
        slope: s of the leaky ReLU, whose slope is 2^-s.
    """
    signal = samples.T[None]
    for layer, (rows, matrix) in enumerate(zip(weights, matrices, strict=True)):
        if layer:
            signal = leaky_relu(signal, slope)
        if matrix is not None:
            signal = decorrelated(matrix[None], signal)
        signal = pre_activation(readable(rows, weight_format)[None], with_bias(signal))
    outputs: IntArray = signal[0].T
    return outputs
