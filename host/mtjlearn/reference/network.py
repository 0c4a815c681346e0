"""Weights and forward passes of R replicas of a fully connected network, float64.

Shapes: R replicas, P passes, B samples, n inputs, u units of a layer, N units of all layers. Parameters of a layer are
(R, u, n + 1), the bias last, its input being 1; a decorrelation matrix is (R, n, n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Matrices = list[Array | None]

SLOPE = 1 / 128
"""Slope of the leaky ReLU for negative pre-activations, as on the device."""


@dataclass(frozen=True)
class Passes:
    """What P forward passes leave behind.

    Args:
        inputs: each layer's input, decorrelated if configured, with the bias's 1 last: (R, P, B, n + 1); the first
            layer's is the same in all passes and has P = 1.
        activities: pre-activations of all layers, noise included: (R, P, B, N).
        outputs: activities of the last layer, (R, P, B, outputs).
    """

    inputs: list[Array]
    activities: Array
    outputs: Array


def layer_slices(sizes: Sequence[int]) -> list[slice]:
    """Where each layer's units are among all N units."""
    return [slice(low, high) for low, high in pairwise(accumulate(sizes[1:], initial=0))]


def initial_weights(sizes: Sequence[int], replicas: int, seed: int) -> list[Array]:
    """Random weights, uniform with variance 1 / fan-in, and biases 0; each (replicas, units, fan-in + 1)."""
    generator = np.random.default_rng(seed)
    layers: list[Array] = []
    for fan_in, units in pairwise(sizes):
        limit = np.sqrt(3 / fan_in)
        rows = np.zeros((replicas, units, fan_in + 1))
        rows[..., :-1] = generator.uniform(-limit, limit, (replicas, units, fan_in))
        layers.append(rows)
    return layers


def given_weights(sizes: Sequence[int], weights: Sequence[ArrayLike]) -> list[Array]:
    """A float64 copy of parameters, one (R, units, fan-in + 1) or (units, fan-in + 1) a layer.

    Raises:
        ValueError: if a shape does not fit the sizes, or the replicas differ.
    """
    layers = [np.array(rows, dtype=np.float64, order="C") for rows in weights]
    layers = [rows[None] if rows.ndim == 2 else rows for rows in layers]
    shapes = [rows.shape[1:] for rows in layers]
    expected = [(units, fan_in + 1) for fan_in, units in pairwise(sizes)]
    if shapes != expected or len({rows.shape[0] for rows in layers}) != 1:
        found = [rows.shape for rows in layers]
        raise ValueError(f"weights of shapes {found} do not fit layers of (replicas, units, inputs + 1) = {expected}")
    return layers


def identity_matrices(sizes: Sequence[int], decorrelate: Sequence[bool], replicas: int) -> Matrices:
    """Initial decorrelation matrices: the identity where a layer's input is decorrelated, else None."""
    return [
        np.tile(np.eye(fan_in), (replicas, 1, 1)) if flag else None for fan_in, flag in zip(sizes[:-1], decorrelate, strict=True)
    ]


def leaky_relu(a: Array, slope: float = SLOPE) -> Array:
    """``a`` where it is not negative, else ``slope a``, with a slope of 0 .. 1."""
    return np.maximum(a, slope * a)


def forward(weights: list[Array], matrices: Matrices, x: Array, noise: Array | None, slope: float = SLOPE) -> Passes:
    """All passes at once (eq. 2); the first layer's product is computed once for all of them.

    Args:
        weights: parameters of each layer.
        matrices: decorrelation matrix of each layer's input, or None.
        x: inputs, (R, B, n0).
        noise: added to the pre-activations, (R, P, B, N); None for one clean pass.
        slope: of the leaky ReLU.
    """
    replicas, batch, _ = x.shape
    units = sum(rows.shape[1] for rows in weights)
    activities = np.zeros((replicas, 1, batch, units)) if noise is None else noise.copy()
    inputs: list[Array] = []
    signal = x[:, None]
    outputs = activities
    high = 0
    for rows, matrix in zip(weights, matrices, strict=True):
        if matrix is not None:
            signal = _product(signal, matrix)
        extended = np.empty((*signal.shape[:-1], signal.shape[-1] + 1))
        extended[..., :-1] = signal
        extended[..., -1] = 1
        inputs.append(extended)
        low, high = high, high + rows.shape[1]
        outputs = activities[..., low:high]
        outputs += _product(extended, rows)
        if high < units:
            signal = leaky_relu(outputs, slope)
    return Passes(inputs, activities, outputs)


def _product(x: Array, matrix: Array) -> Array:
    """``matrix x`` of each replica for x of (R, P, B, n), as one matrix product a replica."""
    replicas, passes, batch, fan_in = x.shape
    product: Array = np.matmul(x.reshape(replicas, passes * batch, fan_in), matrix.swapaxes(1, 2))
    return product.reshape(replicas, passes, batch, matrix.shape[1])
