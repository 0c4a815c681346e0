"""A network of integers and its training step, for independent replicas at once (shared/numerics.md, section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..network import Loss, Network, Rounding, WeightFormat, check_device
from .arithmetic import INT16_LIMIT, INT32_LIMIT, UINT32_LIMIT, BoolArray, IntArray, integers, limited, sat16
from .draws import (
    DITHER_NEAREST,
    DITHER_STEP,
    DrawParameters,
    dither_words,
    draw_parameters,
    initial_weights,
    noise_positions,
    xorshift32,
)
from .forward import Passes, forward, leaky_relu
from .losses import cross_entropy_loss, is_correct, squared_loss
from .noise import NoiseRing
from .rules import PROBE_EVERY, hidden_signal, output_error, rate_factor, update_feedback
from .update import global_factor, update_layer, update_matrix


@dataclass(frozen=True)
class _Cause:
    """What changes the weights of a layer: G = -g 2^exponent and a signal (R, units), in the replicas that are active."""

    layer: int
    g: IntArray
    exponent: IntArray
    signal: IntArray
    active: BoolArray


class FixedNetwork:
    """R replicas of a network, each with its own seed, noise and samples, that learn in lockstep.

    Args:
        network: sizes, loss, formats, options and rates.
        seeds: first generator state of each replica, 1 .. 2^32 - 1; None uses the network's own seed, one replica.

    Raises:
        NetworkError: if no device can learn the network.
        ValueError: if there is no seed or one is out of range.
    """

    def __init__(self, network: Network, seeds: Sequence[int] | None = None) -> None:
        check_device(network)
        seeds = (network.seed,) if seeds is None else tuple(seeds)
        if not seeds or not all(1 <= seed < 2**32 for seed in seeds):
            raise ValueError("seeds must be one or more numbers of 1 .. 4294967295")
        self.network = network
        self.replicas = len(seeds)
        self._weights, self._state = initial_weights(np.array(seeds, dtype=np.int64), network.sizes, network.weight_format)
        self._matrices = [
            np.tile(16384 * np.eye(fan_in, dtype=np.int64), (self.replicas, 1, 1)) if flag else None
            for fan_in, flag in zip(network.sizes, network.decorrelate, strict=False)
        ]
        self._noise = NoiseRing(self.replicas, network.sigma_q, network.noise_std_q)
        self._feedback = [
            np.zeros((self.replicas, units, network.sizes[-1]), dtype=np.int64)
            for units in network.sizes[1:-1]
            if network.rule == "feedback"
        ]
        self._words = [units * (fan_in + 2) for fan_in, units in pairwise(network.sizes)]
        self.steps = 0
        """Training steps so far."""
        self.skipped: IntArray = np.zeros(self.replicas, dtype=np.int64)
        """Steps without a weight update, (R,)."""
        self.saturations: IntArray = np.zeros(self.replicas, dtype=np.int64)
        """Values limited in training steps, (R,)."""
        self.loss_sum: IntArray = np.zeros(self.replicas, dtype=np.int64)
        """Sum of the steps' losses in Q.24, (R,)."""
        self.last_loss: IntArray = np.zeros(self.replicas, dtype=np.int64)
        """Loss of the last step in Q7.24, (R,)."""

    @property
    def weights(self) -> list[npt.NDArray[np.int16] | npt.NDArray[np.int32]]:
        """A copy of each layer's parameters as stored, int16 or int32: (R, units, fan-in + 1), the bias last."""
        if self.network.weight_format is WeightFormat.INT32:
            return [rows.astype(np.int32) for rows in self._weights]
        return [rows.astype(np.int16) for rows in self._weights]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Replaces all parameters; each (R, units, fan-in + 1), or (units, fan-in + 1) for all replicas.

        Raises:
            ValueError: if a shape does not fit or a value is outside its format.
        """
        limit = INT32_LIMIT if self.network.weight_format is WeightFormat.INT32 else INT16_LIMIT
        if len(weights) != len(self._weights):
            raise ValueError(f"{self.network.name} has {len(self._weights)} layers of weights, not {len(weights)}")
        self._weights = [_fitting(new, old.shape, limit, "weights") for new, old in zip(weights, self._weights, strict=True)]

    @property
    def matrices(self) -> list[npt.NDArray[np.int16] | None]:
        """A copy of each layer's decorrelation matrix, int16 (R, n, n), or None."""
        return [None if matrix is None else matrix.astype(np.int16) for matrix in self._matrices]

    def set_matrices(self, matrices: Sequence[npt.ArrayLike | None]) -> None:
        """Replaces all decorrelation matrices; each (R, n, n) or (n, n) for all replicas, None where there is none.

        Raises:
            ValueError: if a shape does not fit or a value is outside int16.
        """
        flags = tuple(matrix is not None for matrix in matrices)
        if flags != self.network.decorrelate:
            raise ValueError(f"matrices are needed for exactly these layers: {self.network.decorrelate}")
        self._matrices = [
            None if new is None or old is None else _fitting(new, old.shape, INT16_LIMIT, "matrices")
            for new, old in zip(matrices, self._matrices, strict=True)
        ]

    @property
    def feedback(self) -> list[npt.NDArray[np.int16]]:
        """A copy of each hidden layer's feedback B, int16 Q3.12: (R, units, outputs); of the rule feedback only."""
        return [each.astype(np.int16) for each in self._feedback]

    @property
    def random_state(self) -> IntArray:
        """Generator states, (R,)."""
        return self._state

    @property
    def deviation(self) -> IntArray:
        """200 times the codes' standard deviation as calibrated, (R,); 0 before the first step."""
        return self._noise.deviation

    def set_rates(self, learning_rate: float, decorrelation_rate: float) -> None:
        """Changes the rates from the next step on.

        Raises:
            NetworkError: if a rate is out of range.
        """
        self.network = replace(self.network, learning_rate=learning_rate, decorrelation_rate=decorrelation_rate).for_device()

    def put_codes(self, codes: npt.ArrayLike) -> None:
        """Puts ADC codes into the noise ring: (n,) for all replicas or (R, n), oldest first."""
        self._noise.put(codes)

    def predict(self, x: npt.ArrayLike) -> IntArray:
        """Outputs without noise, Q3.12: x (n0,) or (R, n0) -> (R, n_out)."""
        return self._clean(self._samples(x))

    def evaluate(self, x: npt.ArrayLike, target: npt.ArrayLike) -> tuple[IntArray, BoolArray]:
        """Loss in Q7.24 and whether the classification is right, both (R,), without noise and without learning."""
        targets = self._targets(target)
        outputs = self._clean(self._samples(x))
        losses = self._losses(outputs[:, :, None], targets, None)
        return losses[:, 0], is_correct(self.network.loss, outputs, targets)

    def train(self, x: npt.ArrayLike, target: npt.ArrayLike) -> IntArray:
        """One training step.

        Args:
            x: inputs in Q3.12, (n0,) for all replicas or (R, n0).
            target: (T,) or (R, T): outputs in Q3.12, or with cross-entropy the class alone.

        Returns:
            The loss of pass 1 in Q7.24, (R,).

        Raises:
            NoiseError: before the ring has been filled, or when its codes hardly vary.
            ValueError: if a shape or value does not fit.
        """
        samples, targets = self._samples(x), self._targets(target)
        self._noise.calibrate()
        self._state = xorshift32(self._state)
        draw = draw_parameters(self._state)
        passes = forward(
            self._weights,
            self._matrices,
            self.network.weight_format,
            samples,
            self._noise_pairs(draw),
            self.saturations,
            self.network.shift,
        )
        outputs = passes.activations[-1]
        # A step by feedback has one loss, though its probes have two passes.
        losses = self._losses(outputs[:, :, :1] if self.network.rule == "feedback" else outputs, targets, self.saturations)
        if self.network.rule == "feedback":
            causes = self._by_feedback(passes, output_error(self.network.loss, outputs[:, :, 0], targets))
        else:
            causes = self._by_noise(passes, losses[:, 0] - losses[:, 1], targets)
        self._learn(draw.dither, [each[:, :, 0] for each in passes.inputs], causes)
        self.steps += 1
        self.last_loss = losses[:, 0]
        self.loss_sum += self.last_loss
        return self.last_loss

    def _losses(self, outputs: IntArray, targets: IntArray, counts: IntArray | None) -> IntArray:
        """Losses (R, passes) of outputs (R, units, passes)."""
        if self.network.loss is Loss.CROSS_ENTROPY:
            return cross_entropy_loss(outputs, targets[:, 0])
        return squared_loss(outputs, targets[:, :, None], counts)

    def _noise_pairs(self, draw: DrawParameters) -> IntArray | None:
        """Noise of all units in both passes, (R, N, 2); None for a step of one clean pass."""
        feedback = self.network.rule == "feedback"
        if feedback and self.steps % PROBE_EVERY:
            return None
        units = self.network.noisy_units
        negated = self.network.antithetic or feedback
        values = self._noise.values(noise_positions(draw, units if negated else 2 * units), self.saturations)
        pairs = np.zeros((self.replicas, self.network.units, 2), dtype=np.int64)
        pairs[:, :units, 0] = values[:, :units]
        pairs[:, :units, 1] = -values if negated else values[:, units:]
        return pairs

    def _by_noise(self, passes: Passes, loss_difference: IntArray, targets: IntArray) -> list[_Cause]:
        """ANP (section 6) of all layers; with anp-exact of the hidden ones, and the delta rule of the last."""
        exact = self.network.rule == "anp-exact"
        changes = [sat16(a[:, :, 0] - a[:, :, 1], self.saturations) for a in passes.activations]
        noisy = changes[:-1] if exact else changes
        energy = limited(
            sum(((da * da).sum(axis=1) for da in noisy), np.zeros_like(loss_difference)), 0, UINT32_LIMIT, self.saturations
        )
        active = (energy != 0) & (loss_difference != 0)
        if noisy:
            self.skipped += ~active
        causes: list[_Cause] = []
        eta_units = self.network.learning_rate_q * self.network.noisy_units
        if eta_units:
            g, exponent = global_factor(np.where(active, loss_difference, 1), np.where(active, energy, 1), eta_units)
            causes = [_Cause(layer, g, exponent, da, active) for layer, da in enumerate(noisy)]
        if not exact:
            return causes
        return causes + self._delta(len(noisy), output_error(self.network.loss, passes.activations[-1][:, :, 0], targets))

    def _by_feedback(self, passes: Passes, error: IntArray) -> list[_Cause]:
        """A probe of the feedback, if this is one; then every layer's signal (section 13)."""
        causes = []
        last = len(self._weights) - 1
        probe = passes.activations[-1].shape[2] == 2
        dy = [sat16(a[:, :, 0] - a[:, :, -1], self.saturations) for a in passes.activations][-1]
        for layer, a in enumerate(passes.activations[:-1]):
            given = leaky_relu(a, self.network.shift)
            if probe:
                dx = sat16(given[:, :, 0] - given[:, :, 1], self.saturations)
                self._feedback[layer] = update_feedback(self._feedback[layer], dx, dy, self.saturations)
            signal = hidden_signal(self._feedback[layer], error, given[:, :, 0], self.network.shift, self.saturations)
            causes += self._delta(layer, signal)
        return causes + self._delta(last, error)

    def _delta(self, layer: int, signal: IntArray) -> list[_Cause]:
        """The delta rule: a layer learns from its own signal with eta itself."""
        if self.network.learning_rate_q == 0:
            return []
        g, exponent = rate_factor(self.network.loss, self.network.learning_rate_q)
        every = np.ones(self.replicas, dtype=np.bool_)
        return [_Cause(layer, np.full(self.replicas, g), np.full(self.replicas, exponent), signal, every)]

    def _learn(self, word: IntArray, inputs: list[IntArray], causes: list[_Cause]) -> None:
        """Updates weights, then matrices."""
        for cause in causes:
            count = self._words[cause.layer]
            self._weights[cause.layer] = update_layer(
                self._weights[cause.layer],
                self.network.weight_format,
                cause.g,
                cause.exponent,
                inputs[cause.layer],
                cause.signal,
                self._dither(word, count),
                self.network.normalised,
                cause.active,
                self.saturations,
            )
            word = word + np.where(cause.active, count, 0) * DITHER_STEP
        for layer, matrix in enumerate(self._matrices):
            if matrix is not None:
                n = matrix.shape[1]
                words = self._dither(word, n * (n + 1))
                self._matrices[layer] = update_matrix(
                    matrix, inputs[layer][:, :-1], self.network.decorrelation_rate_q, words, self.saturations
                )
                word = word + n * (n + 1) * DITHER_STEP

    def _dither(self, first: IntArray, count: int) -> IntArray:
        """The step's next dither words, (R, count)."""
        if self.network.rounding is Rounding.STOCHASTIC:
            return dither_words(first, count)
        return np.full((self.replicas, count), DITHER_NEAREST, dtype=np.int64)

    def _clean(self, samples: IntArray) -> IntArray:
        passes = forward(self._weights, self._matrices, self.network.weight_format, samples, slope=self.network.shift)
        return passes.activations[-1][:, :, 0]

    def _samples(self, x: npt.ArrayLike) -> IntArray:
        return _fitting(x, (self.replicas, self.network.sizes[0]), INT16_LIMIT, "inputs")

    def _targets(self, target: npt.ArrayLike) -> IntArray:
        targets = _fitting(target, (self.replicas, self.network.target_count), INT16_LIMIT, "targets")
        if self.network.loss is Loss.CROSS_ENTROPY and (targets.min() < 0 or targets.max() >= self.network.sizes[-1]):
            raise ValueError(f"classes are 0 .. {self.network.sizes[-1] - 1}")
        return targets


def _fitting(values: npt.ArrayLike, shape: tuple[int, ...], limit: int, what: str) -> IntArray:
    """Integers of the shape, or of the shape without its replica axis, within the limit."""
    array = integers(values)
    if array.shape not in (shape, shape[1:]):
        raise ValueError(f"{what} must have shape {shape} or {shape[1:]}, not {array.shape}")
    if np.abs(array).max() > limit:
        raise ValueError(f"{what} must be -{limit} .. {limit}")
    # A copy: the caller may change its array while this network still uses it.
    fitted = np.empty(shape, dtype=np.int64)
    fitted[...] = array
    return fitted
