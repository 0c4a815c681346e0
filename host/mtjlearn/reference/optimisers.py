"""Optimisers: what is done with an update. Each changes a layer's weights in place, large ones part by part.

They use operators alone, so that NumPy's arrays and the tensors of other libraries serve alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from mtjlearn.reference.backend import Array, parts


class Optimiser(Protocol):
    """Applies updates to the weights of all layers."""

    def apply(self, weights: list[Array], updates: list[Array], rate: float) -> None:
        """Descends: ``updates`` estimate the gradient and have the weights' shapes; they may be overwritten."""
        ...

    def state(self) -> list[Array]:
        """What it has learned besides the weights, for a checkpoint; the arrays themselves, not copies."""
        ...

    def restore(self, state: Sequence[Array], weights: Sequence[Array]) -> None:
        """Takes over what :meth:`state` gave for these weights.

        Raises:
            ValueError: it belongs to other weights, or to another optimiser.
        """
        ...


class Sgd:
    """``W <- W - eta dW`` (section II A), as on the device."""

    def apply(self, weights: list[Array], updates: list[Array], rate: float) -> None:
        """See :class:`Optimiser`."""
        for rows, update in zip(weights, updates, strict=True):
            for some, change in parts(rows, update):
                change *= rate
                some -= change

    def state(self) -> list[Array]:
        """See :class:`Optimiser`."""
        return []

    def restore(self, state: Sequence[Array], weights: Sequence[Array]) -> None:
        """See :class:`Optimiser`."""
        if state:
            raise ValueError("plain SGD has no state")


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
            self._moments = [(_zeros(rows), _zeros(rows)) for rows in weights]
        self._steps += 1
        # Both bias corrections are in two numbers, so that no pass through the weights is spent on them.
        root = (1 - self.beta2**self._steps) ** 0.5
        scale, epsilon = rate * root / (1 - self.beta1**self._steps), self.epsilon * root
        for rows, update, (mean, square) in zip(weights, updates, self._moments, strict=True):
            for some, changes, means, squares in parts(rows, update, mean, square):
                self._apply(some, changes, means, squares, scale, epsilon)

    def _apply(self, rows: Array, update: Array, mean: Array, square: Array, scale: float, epsilon: float) -> None:
        mean *= self.beta1
        update *= 1 - self.beta1
        mean += update
        update *= update
        update *= (1 - self.beta2) / (1 - self.beta1) ** 2
        square *= self.beta2
        square += update
        step = _root(square, update)
        step += epsilon
        step = _quotient(mean, step)
        step *= scale
        rows -= step

    def state(self) -> list[Array]:
        """See :class:`Optimiser`."""
        return [np.array([self._steps], dtype=np.float64), *(array for pair in self._moments for array in pair)]

    def restore(self, state: Sequence[Array], weights: Sequence[Array]) -> None:
        """See :class:`Optimiser`."""
        fitting = [array.shape for array in state[1:]] == [rows.shape for rows in weights for _ in range(2)]
        if not state or state[0].shape != (1,) or not (fitting or (len(state) == 1 and state[0][0] == 0)):
            raise ValueError("this is not the state of Adam for these weights")
        self._steps = int(state[0][0])
        self._moments = []
        if fitting:
            self._moments = [(_zeros(rows), _zeros(rows)) for rows in weights]
            for pair, saved in zip(self._moments, zip(state[1::2], state[2::2], strict=True), strict=True):
                for own, array in zip(pair, saved, strict=True):
                    own[...] = array


def _root(values: Array, out: Array) -> Array:
    """The square root; NumPy writes it into an array that is there already."""
    return np.sqrt(values, out=out) if isinstance(values, np.ndarray) else values**0.5


def _quotient(values: Array, divisor: Array) -> Array:
    """The quotient; NumPy writes it over the divisor."""
    return np.divide(values, divisor, out=divisor) if isinstance(values, np.ndarray) else values / divisor


def _zeros(like: Array) -> Array:
    zeros = like + 0
    zeros[...] = 0
    return zeros
