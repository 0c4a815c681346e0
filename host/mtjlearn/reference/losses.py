"""Losses of outputs of any leading shape (..., outputs), and their gradients.

Targets broadcast against the outputs: (..., outputs) for the squared loss, classes (...) for cross-entropy.
"""

from __future__ import annotations

from mtjlearn.network import Loss
from mtjlearn.reference.backend import NUMPY, Array, Backend

Target = Array
"""Real targets, or whole numbers for classes."""


def losses(loss: Loss, outputs: Array, target: Target, backend: Backend = NUMPY) -> Array:
    """Loss of each sample, shape (...): ``sum (y - t)^2``, or cross-entropy of the softmax in natural logarithms."""
    xp = backend.xp
    if loss is Loss.SQUARED:
        error = outputs - target
        error *= error
        return backend.sums(error)
    shifted = outputs - xp.max(outputs, axis=-1, keepdims=True)
    chosen = backend.sums(xp.where(_hot(shifted, target, backend), shifted, xp.zeros_like(shifted)))
    return xp.log(backend.sums(xp.exp(shifted))) - chosen


def gradient(loss: Loss, outputs: Array, target: Target, backend: Backend = NUMPY) -> Array:
    """Gradient of each sample's loss by the outputs, (..., outputs)."""
    xp = backend.xp
    if loss is Loss.SQUARED:
        return 2 * (outputs - target)
    exponentials = xp.exp(outputs - xp.max(outputs, axis=-1, keepdims=True))
    shares = exponentials / xp.sum(exponentials, axis=-1, keepdims=True)
    return xp.where(_hot(outputs, target, backend), shares - 1, shares)


def correct(loss: Loss, outputs: Array, target: Target, backend: Backend = NUMPY) -> Array:
    """Whether each sample is classified right, (...), as the device counts it (shared/numerics.md, section 5)."""
    xp = backend.xp
    if loss is Loss.CROSS_ENTROPY:
        return xp.argmax(outputs, axis=-1) == target
    if outputs.shape[-1] == 1:
        return ((outputs >= 0) == (target >= 0))[..., 0]
    return xp.argmax(outputs, axis=-1) == xp.argmax(target, axis=-1)


def _hot(outputs: Array, target: Target, backend: Backend) -> Array:
    """Which output is that of the sample's class."""
    return backend.range(outputs.shape[-1]) == target[..., None]
