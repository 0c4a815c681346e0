"""Losses of outputs of any leading shape (..., outputs), and their gradients.

Targets broadcast against the outputs: (..., outputs) for the squared loss, classes (...) for cross-entropy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.network import Loss
from mtjlearn.reference.network import Array

Target = NDArray[Any]


def losses(loss: Loss, outputs: Array, target: Target) -> Array:
    """Loss of each sample, shape (...): ``sum (y - t)^2``, or cross-entropy of the softmax in natural logarithms."""
    if loss is Loss.SQUARED:
        error = outputs - target
        error *= error
        return np.asarray(np.add.reduce(error, axis=-1))
    shifted = outputs - np.maximum.reduce(outputs, axis=-1, keepdims=True)
    chosen = _chosen(shifted, target)
    return np.asarray(np.log(np.add.reduce(np.exp(shifted), axis=-1)) - chosen)


def gradient(loss: Loss, outputs: Array, target: Target) -> Array:
    """Gradient of each sample's loss by the outputs, (..., outputs)."""
    if loss is Loss.SQUARED:
        return 2 * (outputs - target)
    exponentials = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    hot = np.arange(outputs.shape[-1]) == np.asarray(target)[..., None]
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True) - hot)


def correct(loss: Loss, outputs: Array, target: Target) -> NDArray[np.bool_]:
    """Whether each sample is classified right, (...), as the device counts it (shared/numerics.md, section 5)."""
    if loss is Loss.CROSS_ENTROPY:
        return np.asarray(outputs.argmax(axis=-1) == target)
    if outputs.shape[-1] == 1:
        return np.asarray((outputs >= 0) == (target >= 0))[..., 0]
    return np.asarray(outputs.argmax(axis=-1) == np.asarray(target).argmax(axis=-1))


def _chosen(values: Array, target: Target) -> Array:
    """The value of each sample's class, shape (...)."""
    *leading, outputs = values.shape
    samples = np.arange(0, values.size, outputs).reshape(leading)
    return np.asarray(values.take(samples + target))
