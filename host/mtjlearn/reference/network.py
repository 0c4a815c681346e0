"""Weights and forward passes of R replicas of a fully connected network.

Shapes: R replicas, P passes, B samples, n inputs, u units of a layer, N units of all layers. Parameters of a layer are
(R, u, n + 1), the bias last, its input being 1; a decorrelation matrix is (R, n, n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.reference.backend import NUMPY, Array, Backend

Matrices = list[Array | None]
Start = Literal["lecun", "torch"]
"""How first weights are drawn; see :func:`initial_weights`."""

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


def initial_weights(sizes: Sequence[int], replicas: int, seed: int, start: Start = "lecun") -> list[NDArray[np.float64]]:
    """Random first weights, each (replicas, units, fan-in + 1).

    Args:
        sizes: inputs, then units of each layer.
        replicas: R.
        seed: of the generator.
        start: ``lecun``: uniform with variance 1 / fan-in, and biases 0, as on a device; ``torch``: weights and biases uniform in
            +-1 / sqrt(fan-in), as a layer of torch starts (variance 1 / (3 fan-in)), and as the authors' networks do.

    Raises:
        ValueError: if there is no such start.
    """
    if start not in get_args(Start):
        raise ValueError(f"there is no start {start!r}; use {' or '.join(get_args(Start))}")
    generator = np.random.default_rng(seed)
    layers = []
    for fan_in, units in pairwise(sizes):
        limit = np.sqrt((3 if start == "lecun" else 1) / fan_in)
        rows = np.zeros((replicas, units, fan_in + 1))
        rows[..., :-1] = generator.uniform(-limit, limit, (replicas, units, fan_in))
        if start == "torch":
            rows[..., -1] = generator.uniform(-limit, limit, (replicas, units))
        layers.append(rows)
    return layers


def given_weights(sizes: Sequence[int], weights: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
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


def identity_matrices(sizes: Sequence[int], decorrelate: Sequence[bool], replicas: int, backend: Backend = NUMPY) -> Matrices:
    """Initial decorrelation matrices: the identity where a layer's input is decorrelated, else None."""
    return [
        backend.array(np.tile(np.eye(fan_in, dtype=backend.name), (replicas, 1, 1))) if flag else None
        for fan_in, flag in zip(sizes[:-1], decorrelate, strict=True)
    ]


def leaky_relu(a: Array, slope: float = SLOPE, backend: Backend = NUMPY) -> Array:
    """``a`` where it is not negative, else ``slope a``, with a slope of 0 .. 1."""
    return backend.xp.maximum(a, slope * a)


def forward(
    weights: list[Array],
    matrices: Matrices,
    x: Array,
    noise: Array | None,
    slope: float = SLOPE,
    *,
    offsets: Matrices | None = None,
    backend: Backend = NUMPY,
) -> Passes:
    """All passes at once (eq. 2); the first layer's product is computed once for all of them.

    Args:
        weights: parameters of each layer.
        matrices: decorrelation matrix of each layer's input, or None.
        x: inputs, (R, B, n0).
        noise: added to the pre-activations, (R, P, B, N); None for one clean pass.
        slope: of the leaky ReLU.
        offsets: what centres each layer's decorrelated input, (R, n) or None; None for none at all.
        backend: where to compute.
    """
    replicas, batch, _ = x.shape
    units = sum(rows.shape[1] for rows in weights)
    activities = backend.zeros((replicas, 1, batch, units)) if noise is None else backend.copy(noise)
    inputs: list[Array] = []
    # Samples of all passes are rows of one product a replica; before the first layer the passes do not differ.
    signal = x
    outputs = activities
    high = 0
    for layer, (rows, matrix) in enumerate(zip(weights, matrices, strict=True)):
        count, fan_in = signal.shape[1:]
        shared = layer == 0 and matrix is None and backend.shared(x)
        extended = backend.empty((1 if shared else replicas, count, fan_in + 1))
        values = extended[..., :-1]
        if matrix is None:
            values[...] = signal[:1, ...] if shared else signal
        else:
            backend.product(signal, matrix, values)
        offset = None if offsets is None else offsets[layer]
        if offset is not None:
            values += offset[:, None, :]
        extended[..., -1] = 1
        low, high = high, high + rows.shape[1]
        product = (backend.shared_product if shared else backend.product)(extended, rows)
        if shared:
            extended = backend.broadcast(extended, (replicas, count, fan_in + 1))
        inputs.append(backend.reshape(extended, (replicas, count // batch, batch, fan_in + 1)))
        outputs = activities[..., low:high]
        outputs += backend.reshape(product, (replicas, count // batch, batch, high - low))
        if high < units:
            signal = backend.reshape(leaky_relu(outputs, slope, backend), (replicas, -1, high - low))
    return Passes(inputs, activities, outputs)
