"""The float64 reference: trains R replicas of a network at once, online or in batches, and evaluates them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.network import Loss, Network
from mtjlearn.noise.sources import NoiseSource
from mtjlearn.reference.decorrelation import update_matrix
from mtjlearn.reference.losses import Target, correct, losses
from mtjlearn.reference.network import SLOPE, Array, Matrices, given_weights, identity_matrices, initial_weights
from mtjlearn.reference.optimisers import Optimiser, Sgd
from mtjlearn.reference.rules import (
    Model,
    Rule,
    Signals,
    activity_node_perturbation,
    backpropagation,
    node_perturbation,
    updates,
)

Order = Callable[[int], NDArray[np.int64]]
"""Order of the samples in an epoch (0, 1, ...): indices (M,) for all replicas or (R, M)."""
Schedule = Callable[[int], float]
"""Factor on the learning rate in an epoch (0, 1, ...)."""
Progress = Callable[[int, int, Array], None]
"""Called now and then with: samples trained, samples to train in all, mean training loss since the last call, (R,)."""

_BLOCK = 64
"""Samples whose data and noise are gathered at once: enough to make gathering cheap, few enough to stay in cache."""


@dataclass(frozen=True)
class History:
    """What training recorded.

    Args:
        losses: mean training loss of each epoch, (epochs, R): of the first pass with ANP, of the clean pass otherwise.
        skipped: samples that gave no update, (R,).
    """

    losses: Array
    skipped: NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Clean test results of each replica, (R,): mean loss and fraction classified right."""

    loss: Array
    accuracy: Array


def shuffled(seeds: int | Sequence[int], samples: int) -> Order:
    """An order drawn again for each epoch, from the seed and the epoch alone.

    Args:
        seeds: one for all replicas, or one for each.
        samples: number of samples M.
    """

    def permutation(seed: int, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((seed, epoch)).permutation(samples)

    def order(epoch: int) -> NDArray[np.int64]:
        if isinstance(seeds, int):
            return permutation(seeds, epoch)
        return np.stack([permutation(seed, epoch) for seed in seeds])

    return order


class Reference:
    """R replicas of a network that learn in float64 what a device learns in integers.

    Sizes, loss, rates, sigma, normalised step, antithetic second pass and decorrelation are the network's; its number
    formats and rounding do not matter here. One online step of ANP is the device's: passes, update of W, then of R from
    the first pass. The antithetic option concerns ANP alone.

    Args:
        network: what is trained.
        rule: learning rule.
        noise: source for NP and ANP, scaled to the network's sigma; its replicas must be those trained.
        weights: initial parameters, one (R, units, fan-in + 1) a layer; None draws them.
        replicas: R, if weights are drawn.
        seed: of the drawn weights; None uses the network's.
        optimiser: of the weights; None is plain SGD, as on the device.
        slope: of the hidden units' leaky ReLU.

    Raises:
        ValueError: if the weights do not fit, the rule lacks noise, or the noise serves another number of replicas.
    """

    def __init__(
        self,
        network: Network,
        rule: Rule = Rule.ANP,
        noise: NoiseSource | None = None,
        *,
        weights: Sequence[ArrayLike] | None = None,
        replicas: int = 1,
        seed: int | None = None,
        optimiser: Optimiser | None = None,
        slope: float = SLOPE,
    ) -> None:
        if weights is None:
            layers = initial_weights(network.sizes, replicas, network.seed if seed is None else seed)
        else:
            layers = given_weights(network.sizes, weights)
        self.replicas = len(layers[0])
        if rule.noisy_passes and noise is None:
            raise ValueError(f"{rule.value} learns from noise; give it a noise source")
        if rule.noisy_passes and noise is not None and noise.replicas != self.replicas:
            raise ValueError(f"the noise serves {noise.replicas} replicas, but {self.replicas} are trained")
        matrices = identity_matrices(network.sizes, network.decorrelate, self.replicas)
        self.network = network
        self.rule = rule
        self.epochs = 0
        self._noise = noise
        self._optimiser = Sgd() if optimiser is None else optimiser
        self._model = Model(network.sizes, network.loss, layers, matrices, slope)

    @property
    def weights(self) -> list[Array]:
        """Parameters of each layer, (R, units, fan-in + 1), the bias last; the arrays that learn, not copies."""
        return self._model.weights

    @property
    def matrices(self) -> Matrices:
        """Decorrelation matrix of each layer's input, (R, n, n), or None; the arrays that learn, not copies."""
        return self._model.matrices

    def state(self) -> list[Array]:
        """What is learned besides the weights, for a checkpoint: matrices, and what the optimiser keeps; not copies."""
        return [*(matrix for matrix in self.matrices if matrix is not None), *self._optimiser.state()]

    def restore(self, state: Sequence[Array]) -> None:
        """Takes over what :meth:`state` gave; the weights are set apart from it.

        Raises:
            ValueError: it belongs to another network, or to another optimiser.
        """
        matrices = [matrix for matrix in self.matrices if matrix is not None]
        own, rest = state[: len(matrices)], state[len(matrices) :]
        if [array.shape for array in own] != [matrix.shape for matrix in matrices]:
            raise ValueError(f"this is not the state of {self.network.name} with its decorrelated layers")
        self._optimiser.restore(rest, self.weights)
        for matrix, array in zip(matrices, own, strict=True):
            matrix[...] = array

    def step(self, x: ArrayLike, target: ArrayLike, rate: float | None = None) -> Signals:
        """One training step.

        Args:
            x: inputs of a batch, (B, n0) for all replicas or (R, B, n0).
            target: targets (B, outputs), or classes (B,); or with R in front.
            rate: learning rate; None uses the network's.

        Returns:
            The rule's signals; ``losses`` (R, B) are those before the update.
        """
        inputs, targets = self._dataset(x, target)
        shape = (self.replicas, *inputs.shape[1:])
        wanted = np.broadcast_to(targets, (self.replicas, *targets.shape[1:]))
        noise = self._draw(inputs.shape[1])
        eta = self.network.learning_rate if rate is None else rate
        return self._step(np.broadcast_to(inputs, shape), wanted, noise, eta)

    def train(
        self,
        x: ArrayLike,
        target: ArrayLike,
        epochs: int,
        *,
        batch: int = 1,
        order: Order | None = None,
        schedule: Schedule | None = None,
        progress: Progress | None = None,
    ) -> History:
        """Trains for some epochs; called again, it continues with the next epoch.

        A replica that diverges shows it by infinite or undefined losses and does not disturb the others.

        Args:
            x: inputs, (M, n0) for all replicas or (R, M, n0).
            target: targets (M, outputs), or classes (M,); or with R in front.
            epochs: how many times all M samples are used.
            batch: samples per step; 1 is online learning, as on the device.
            order: of the samples in each epoch; None leaves them as they are.
            schedule: factor on the learning rate.
            progress: see :data:`Progress`.

        Raises:
            ValueError: if the data do not fit the network.
            NoiseError: if the noise source ends.
        """
        inputs, targets = self._dataset(x, target)
        samples = inputs.shape[1]
        if batch < 1:
            raise ValueError(f"a batch has at least one sample, not {batch}")
        block = batch * max(1, _BLOCK // batch)
        mean = np.zeros((epochs, self.replicas))
        skipped = np.zeros(self.replicas, dtype=np.int64)
        for epoch in range(epochs):
            factor = 1.0 if schedule is None else schedule(self.epochs)
            rate = self.network.learning_rate * factor
            indices = np.arange(samples) if order is None else np.asarray(order(self.epochs))
            for start in range(0, samples, block):
                chosen = indices[..., start : start + block]
                loss, skips = self._train_block(_gather(inputs, chosen), _gather(targets, chosen), batch, rate)
                mean[epoch] += loss
                skipped += skips
                if progress is not None:
                    count = chosen.shape[-1]
                    progress(epoch * samples + start + count, epochs * samples, loss / count)
            self.epochs += 1
        return History(mean / samples, skipped)

    def pass_over(self, epochs: int, samples: int, batch: int = 1) -> None:
        """Counts epochs as done that were trained elsewhere, and takes the noise that they took."""
        block = batch * max(1, _BLOCK // batch)
        for _ in range(epochs):
            for start in range(0, samples, block):
                self._draw(min(block, samples - start))
        self.epochs += epochs

    def predict(self, x: ArrayLike) -> Array:
        """Outputs without noise for (M, n0) or (R, M, n0) inputs: (R, M, outputs)."""
        inputs = self._inputs(x)
        parts = []
        for start in range(0, inputs.shape[1], 4 * _BLOCK):
            part = inputs[:, start : start + 4 * _BLOCK]
            shape = (self.replicas, *part.shape[1:])
            parts.append(self._model.passes(np.broadcast_to(part, shape), None).outputs[:, 0])
        return np.concatenate(parts, axis=1)

    def evaluate(self, x: ArrayLike, target: ArrayLike) -> Evaluation:
        """Loss and accuracy without noise; shapes as in :meth:`train`."""
        inputs, targets = self._dataset(x, target)
        outputs = self.predict(inputs)
        loss = losses(self.network.loss, outputs, targets).mean(axis=1)
        return Evaluation(loss, correct(self.network.loss, outputs, targets).mean(axis=1))

    def _train_block(self, x: Array, target: Target, batch: int, rate: float) -> tuple[Array, NDArray[np.int64]]:
        """Trains on samples (S, R, ...) in batches; summed losses and skipped samples, (R,)."""
        count = x.shape[0]
        shape = (count, self.replicas)
        x = np.broadcast_to(x, (*shape, *x.shape[2:]))
        target = np.broadcast_to(target, (*shape, *target.shape[2:]))
        noise = self._draw(count)
        loss = np.zeros(self.replicas)
        skipped = np.zeros(self.replicas, dtype=np.int64)
        for low in range(0, count, batch):
            part = slice(low, low + batch)
            signals = self._step(
                x[part].swapaxes(0, 1),
                target[part].swapaxes(0, 1),
                None if noise is None else noise[:, :, part],
                rate,
            )
            loss += signals.losses.sum(axis=1)
            skipped += signals.skipped.sum(axis=1)
        return loss, skipped

    def _draw(self, samples: int) -> Array | None:
        """Noise of all noisy passes for these samples, (R, P, samples, N)."""
        passes = self.rule.noisy_passes
        if self._noise is None or not passes:
            return None
        mirrored = self.rule is Rule.ANP and self.network.antithetic
        units = self.network.units
        drawn = 1 if mirrored else passes
        values = self._noise.draw(drawn * units, samples).reshape(samples, self.replicas, drawn, units)
        if mirrored:
            values = np.concatenate([values, -values], axis=2)
        return values.transpose(1, 2, 0, 3)

    def _step(self, x: Array, target: Target, noise: Array | None, rate: float) -> Signals:
        model = self._model
        with np.errstate(over="ignore", invalid="ignore"):
            if noise is None:
                signals = backpropagation(model, x, target)
            elif self.rule is Rule.NP:
                signals = node_perturbation(model, x, target, noise, self.network.sigma)
            else:
                signals = activity_node_perturbation(model, x, target, noise)
            changes = updates(signals, model.sizes, self.network.normalised)
            self._optimiser.apply(model.weights, changes, rate)
            for matrix, xbar in zip(model.matrices, signals.inputs, strict=True):
                if matrix is not None:
                    update_matrix(matrix, xbar[..., :-1], self.network.decorrelation_rate)
        return signals

    def _inputs(self, x: ArrayLike) -> Array:
        """Inputs as (1 or R, M, n0)."""
        inputs = np.asarray(x, dtype=np.float64)
        inputs = inputs[None] if inputs.ndim == 2 else inputs
        if inputs.ndim != 3 or len(inputs) not in (1, self.replicas) or inputs.shape[2] != self.network.sizes[0]:
            raise ValueError(
                f"inputs of shape {np.shape(x)} do not fit {self.network.name} with {self.replicas} replicas; "
                f"they must be (samples, {self.network.sizes[0]})"
            )
        return inputs

    def _dataset(self, x: ArrayLike, target: ArrayLike) -> tuple[Array, Target]:
        """Inputs as (1 or R, M, n0), targets as (1 or R, M, outputs) or (1 or R, M)."""
        inputs = self._inputs(x)
        classes = self.network.loss is Loss.CROSS_ENTROPY
        targets: Target = np.asarray(target, dtype=np.int64 if classes else np.float64)
        sample: tuple[int, ...] = () if classes else (self.network.sizes[-1],)
        targets = targets[None] if targets.ndim == 1 + len(sample) else targets
        if targets.shape[1:] != (inputs.shape[1], *sample) or len(targets) not in (1, self.replicas):
            wanted = ", ".join(["samples", *map(str, sample)])
            raise ValueError(f"targets of shape {np.shape(target)} do not fit {self.network.name}: need ({wanted})")
        if classes and targets.size and not (targets.min() >= 0 and targets.max() < self.network.sizes[-1]):
            raise ValueError(f"classes must be 0 .. {self.network.sizes[-1] - 1} for {self.network.name}")
        return inputs, targets


def _gather(data: Target, chosen: NDArray[np.int64]) -> Target:
    """Samples of data (1 or R, M, ...) chosen by (S,) or (R, S), samples first: (S, 1 or R, ...)."""
    index = chosen.T if chosen.ndim == 2 else chosen[:, None]
    gathered: Target = data[0][index] if len(data) == 1 else data[np.arange(len(data)), index]
    return gathered
