"""What learns behind an estimator: the float reference, or a board (a virtual one inside this process is the ``core``).

A learner continues from parameters and gives new ones, and keeps nothing in between, so that estimators can be copied and stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.board import Board
from mtjlearn.datasets import dequantise, epoch_order, quantise_values
from mtjlearn.discovery import open_board
from mtjlearn.fixedpoint import clean_outputs
from mtjlearn.network import Loss, Network
from mtjlearn.noise import Gaussian
from mtjlearn.reference import Reference
from mtjlearn.schedule import ScheduleName, factors, stretches
from mtjlearn.virtual.boards import board_options

CODES_PER_STEP = 4
"""Noise codes a step on a virtual board's clock, as in trainings."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """What was learned.

    Args:
        weights: of each layer, (units, fan-in + 1), the bias last: float64, or the device's int16 or int32.
        matrices: of each decorrelated layer, (fan-in, fan-in): float64, or int16.
    """

    weights: list[NDArray[Any]]
    matrices: list[NDArray[Any]]


class Learner(Protocol):
    """Trains a network on scaled inputs."""

    def learn(
        self,
        network: Network,
        start: Parameters | None,
        x: Float,
        target: NDArray[Any],
        *,
        epochs: int,
        schedule: ScheduleName,
        seed: int,
    ) -> Parameters:
        """Trains some epochs.

        Args:
            network: what learns.
            start: where it begins; None: with the network's own first weights.
            x: inputs in standard deviations, (samples, inputs).
            target: class numbers (samples,), or scaled targets (samples, outputs).
            epochs: passes over the samples.
            schedule: how the learning rate falls meanwhile.
            seed: of their order and of simulated noise.
        """

    def outputs(self, network: Network, parameters: Parameters, x: Float) -> Float:
        """Outputs without noise, (samples, outputs)."""


class ReferenceLearner:
    """The float reference, with Gaussian noise (eq. 2)."""

    def learn(
        self,
        network: Network,
        start: Parameters | None,
        x: Float,
        target: NDArray[Any],
        *,
        epochs: int,
        schedule: ScheduleName,
        seed: int,
    ) -> Parameters:
        """See :class:`Learner`."""
        noise = Gaussian(network.sigma, seed=seed)
        reference = self._reference(network, start, noise)
        for _ in range(epochs):
            interruption.check()
            reference.train(
                x,
                target,
                1,
                order=lambda epoch: epoch_order(seed, epoch, len(x)),
                schedule=lambda epoch: factors(schedule, epoch, epochs, len(x)),
            )
        matrices = [matrix[0] for matrix in reference.matrices if matrix is not None]
        return Parameters([rows[0] for rows in reference.weights], matrices)

    def outputs(self, network: Network, parameters: Parameters, x: Float) -> Float:
        """See :class:`Learner`."""
        noise = Gaussian(network.sigma)
        found: Float = self._reference(network, parameters, noise).predict(x)[0]
        return found

    @staticmethod
    def _reference(network: Network, start: Parameters | None, noise: Gaussian) -> Reference:
        reference = Reference(network, noise=noise, weights=None if start is None else [rows[None] for rows in start.weights])
        if start is not None:
            own = [matrix for matrix in reference.matrices if matrix is not None]
            for matrix, kept in zip(own, start.matrices, strict=True):
                matrix[0] = kept
        return reference


class BoardLearner:
    """A board: its name, or one that is open. Predictions are computed here, with the same result to the last bit."""

    def __init__(self, board: str | Board | None) -> None:
        self._board = board

    def learn(
        self,
        network: Network,
        start: Parameters | None,
        x: Float,
        target: NDArray[Any],
        *,
        epochs: int,
        schedule: ScheduleName,
        seed: int,
    ) -> Parameters:
        """See :class:`Learner`."""
        fixed = quantise_values(x)
        targets = target[:, None].astype(np.int16) if network.loss is Loss.CROSS_ENTROPY else quantise_values(target)
        with self._opened(seed) as board:
            board.configure(network)
            if start is not None:
                board.set_weights(start.weights)
                if start.matrices:
                    board.set_matrices(start.matrices)
            for epoch in range(epochs):
                interruption.check()
                order = epoch_order(seed, epoch, len(x))
                for first, last, factor in stretches(schedule, epoch, epochs, len(x)):
                    board.set_rates(network.learning_rate * factor)
                    board.train(fixed[order[first:last]], targets[order[first:last]])
            matrices = board.matrices() if any(network.decorrelate) else []
            return Parameters(list(board.weights()), list(matrices))

    def outputs(self, network: Network, parameters: Parameters, x: Float) -> Float:
        """See :class:`Learner`."""
        squares = iter(parameters.matrices)
        matrices = [next(squares).astype(np.int64) if flag else None for flag in network.decorrelate]
        weights = [rows.astype(np.int64) for rows in parameters.weights]
        fixed = quantise_values(x).astype(np.int64)
        return dequantise(clean_outputs(weights, matrices, network.weight_format, fixed, network.shift))

    @contextmanager
    def _opened(self, seed: int) -> Iterator[Board]:
        if isinstance(self._board, Board):
            yield self._board
            return
        known = board_options(self._board)
        clock: dict[str, Any] = {"virtual_clock": CODES_PER_STEP, "seed": seed + 1}
        options = {name: value for name, value in clock.items() if name in known}
        with open_board(self._board, **options) as board:
            yield board
