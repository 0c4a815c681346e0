"""Optimisers: what is done with an update. Each changes a layer's weights in place."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mtjlearn.reference.network import Array


class Optimiser(Protocol):
    """Applies updates to the weights of all layers."""

    def apply(self, weights: list[Array], updates: list[Array], rate: float) -> None:
        """Descends: ``updates`` estimate the gradient and have the weights' shapes; they may be overwritten."""
        ...


class Sgd:
    """``W <- W - eta dW`` (section II A), as on the device."""

    def apply(self, weights: list[Array], updates: list[Array], rate: float) -> None:
        """See :class:`Optimiser`."""
        for rows, update in zip(weights, updates, strict=True):
            update *= rate
            rows -= update


class Adam:
    """Adam with bias correction; the defaults are those of appendix A. One object serves one network."""

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self._steps = 0
        self._moments: list[tuple[Array, Array]] = []

    def apply(self, weights: list[Array], updates: list[Array], rate: float) -> None:
        """See :class:`Optimiser`."""
        if not self._moments:
            self._moments = [(np.zeros_like(rows), np.zeros_like(rows)) for rows in weights]
        self._steps += 1
        scale = rate / (1 - self.beta1**self._steps)
        correction = 1 / (1 - self.beta2**self._steps)
        for rows, update, (mean, square) in zip(weights, updates, self._moments, strict=True):
            mean *= self.beta1
            mean += (1 - self.beta1) * update
            square *= self.beta2
            square += (1 - self.beta2) * np.square(update)
            rows -= scale * mean / (np.sqrt(square * correction) + self.epsilon)
