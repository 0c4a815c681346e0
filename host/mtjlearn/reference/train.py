"""The float reference: trains R replicas of a network at once, online or in batches, and evaluates them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.network import Network
from mtjlearn.noise.sources import NoiseSource
from mtjlearn.reference.backend import Array, Backend, Precision
from mtjlearn.reference.compiled import is_compiled, train_compiled
from mtjlearn.reference.data import Order, checked_dataset, checked_inputs
from mtjlearn.reference.decorrelation import update_matrix, update_offset
from mtjlearn.reference.draws import along_batches, blocks, training_noise
from mtjlearn.reference.losses import Target, correct, losses
from mtjlearn.reference.network import Matrices, Start, given_weights, identity_matrices, initial_weights
from mtjlearn.reference.optimisers import Optimiser, Sgd
from mtjlearn.reference.output_error import PROBE_EVERY, exact_output, feedback, feedback_matrices
from mtjlearn.reference.reading import Reading, ReadingName, reading_of
from mtjlearn.reference.results import Evaluation, History, Progress, Schedule
from mtjlearn.reference.rules import (
    Model,
    Rule,
    Signals,
    activity_node_perturbation,
    backpropagation,
    node_perturbation,
    updates,
)
from mtjlearn.reference.tensors import backend

_BLOCK = 64
"""Samples whose data and noise are gathered at once: enough to make gathering cheap, few enough to stay in cache."""
_LARGE = 2**14
"""Parameters from which a product may be worth several threads."""


class Reference:
    """R replicas of a network that learn in real numbers what a device learns in integers.

    Sizes, loss, rates, sigma, normalised step, antithetic second pass and decorrelation are the network's; its number formats
    and rounding do not matter here, and no limit of a device holds. One online step of ANP is the device's: passes, update of W,
    then of R from the first pass. The antithetic option concerns anp and anp-exact; feedback is always antithetic. anp-exact and
    feedback have noise at hidden units alone.

    Args:
        network: what is trained.
        rule: learning rule; None: the network's.
        noise: source for all rules but BP, scaled to the network's sigma; its replicas must be those trained.
        weights: initial parameters, one (R, units, fan-in + 1) a layer; None draws them.
        replicas: R, if weights are drawn.
        seed: of the drawn weights; None uses the network's.
        optimiser: of the weights; None is plain SGD, as on the device.
        slope: of the hidden units' leaky ReLU; None is the network's, or that of a reading which has its own.
        dtype: ``float64``, or ``float32``, which is twice as fast.
        reading: ``paper``, ``code`` (what the authors' code does), or a mixture; see :class:`mtjlearn.reference.Reading`.
        start: how weights are drawn, ``lecun`` or ``torch`` (:func:`mtjlearn.reference.initial_weights`); None is the reading's.
        pairs: pairs of noisy passes for each sample, of ANP with a single layer; the update is their mean.
        centring: decorrelated inputs are centred too, ``xbar = R x + b``; None is the reading's.
        device: a device of torch, e.g. ``cpu`` or ``cuda``; None computes with NumPy.
        namespace: another namespace of the array API standard to compute with.
        threads: of linear algebra while this reference works; None leaves the library's own setting.
        compiled: online steps of ANP with SGD in float64 are compiled C where it was built
            (:mod:`mtjlearn.reference.compiled`); False computes them with NumPy, too.

    Raises:
        UserError: if torch is not installed, or lacks the device.
        ValueError: if the weights do not fit, the rule lacks noise, the noise serves another number of replicas, or an option
            has no such value.
    """

    def __init__(
        self,
        network: Network,
        rule: Rule | None = None,
        noise: NoiseSource | None = None,
        *,
        weights: Sequence[ArrayLike] | None = None,
        replicas: int = 1,
        seed: int | None = None,
        optimiser: Optimiser | None = None,
        slope: float | None = None,
        dtype: Precision = "float64",
        reading: ReadingName | Reading = "paper",
        start: Start | None = None,
        centring: bool | None = None,
        pairs: int = 1,
        device: str | None = None,
        namespace: ModuleType | None = None,
        threads: int | None = 1,
        compiled: bool = True,
    ) -> None:
        read = reading_of(reading, slope=slope, start=start, centring=centring)
        leak = 2.0**-network.shift if read.slope is None else read.slope
        if weights is None:
            layers = initial_weights(network.sizes, replicas, network.seed if seed is None else seed, read.start)
        else:
            layers = given_weights(network.sizes, weights)
        self.replicas = len(layers[0])
        rule = Rule(network.rule) if rule is None else rule
        if rule.noisy_passes and noise is None:
            raise ValueError(f"{rule.value} learns from noise; give it a noise source")
        if rule.noisy_passes and noise is not None and noise.replicas != self.replicas:
            raise ValueError(f"the noise serves {noise.replicas} replicas, but {self.replicas} are trained")
        if rule is Rule.NP and network.sigma == 0:
            raise ValueError("np divides by the noise's variance; give the network a sigma above 0")
        if pairs < 1 or (pairs > 1 and (rule is not Rule.ANP or network.layers > 1)):
            raise ValueError(f"{pairs} pairs of noisy passes are not possible: only anp with a single layer has more than one")
        self.network = network
        self.rule = rule
        self.pairs = pairs
        self.reading = replace(read, slope=leak)
        self.epochs = 0
        self.threads = threads if network.parameters >= _LARGE else None
        self._backend = backend(dtype, device, namespace)
        self._noise = noise
        self._optimiser = Sgd() if optimiser is None else optimiser
        matrices = identity_matrices(network.sizes, network.decorrelate, self.replicas, self._backend)
        offsets = [None if matrix is None else self._backend.zeros(matrix.shape[:2]) for matrix in matrices]
        self._model = Model(
            network.sizes,
            network.loss,
            [self._backend.array(rows) for rows in layers],
            matrices,
            leak,
            offsets if read.centring else None,
            self._backend,
        )
        self._offsets = self._model.offsets or [None] * network.layers
        self._feedback = feedback_matrices(self._model, self.replicas) if rule is Rule.FEEDBACK else []
        self._steps = 0
        self._updates = [self._backend.empty(rows.shape) for rows in layers]
        self._compiled = compiled and self._online_anp() and is_compiled()

    def _online_anp(self) -> bool:
        """Whether online steps are those that a board makes, in real numbers."""
        plain = type(self._optimiser) is Sgd and type(self._backend) is Backend and self._backend.name == "float64"
        return plain and self.rule is Rule.ANP and self.pairs == 1 and self.reading.guarded and not self._model.offsets

    @property
    def weights(self) -> list[Array]:
        """Parameters of each layer, (R, units, fan-in + 1), the bias last; the arrays that learn, not copies."""
        return self._model.weights

    @property
    def matrices(self) -> Matrices:
        """Decorrelation matrix of each layer's input, (R, n, n), or None; the arrays that learn, not copies."""
        return self._model.matrices

    @property
    def offsets(self) -> Matrices:
        """What centres each layer's decorrelated input, b of ``xbar = R x + b``, (R, n), or None; the arrays that learn."""
        return self._offsets

    @property
    def feedback(self) -> list[Array]:
        """Feedback matrix of each hidden layer, (R, units, outputs), of the rule feedback; the arrays that learn, not copies."""
        return self._feedback

    def state(self) -> list[NDArray[Any]]:
        """What is learned besides the weights, for a checkpoint: matrices, offsets, feedback, and what the optimiser keeps."""
        learned = (*self._besides_weights(), *self._optimiser.state())
        return [array if isinstance(array, np.ndarray) else self._backend.numpy(array) for array in learned]

    def restore(self, state: Sequence[NDArray[Any]]) -> None:
        """Takes over what :meth:`state` gave; the weights are set apart from it.

        Raises:
            ValueError: it belongs to another network, or to another optimiser.
        """
        others = self._besides_weights()
        own, rest = state[: len(others)], state[len(others) :]
        if [tuple(array.shape) for array in own] != [tuple(array.shape) for array in others]:
            raise ValueError(f"this is not the state of {self.network.name} with its decorrelated layers and its rule")
        first, *moments = rest or [np.zeros(0)]
        self._optimiser.restore([first, *map(self._backend.array, moments)] if rest else [], self.weights)
        for array, saved in zip(others, own, strict=True):
            array[...] = self._backend.array(saved)

    def _besides_weights(self) -> list[Array]:
        return [array for array in (*self.matrices, *self.offsets, *self.feedback) if array is not None]

    def step(self, x: ArrayLike, target: ArrayLike, rate: float | None = None) -> Signals:
        """One training step.

        Args:
            x: inputs of a batch, (B, n0) for all replicas or (R, B, n0).
            target: targets (B, outputs), or classes (B,); or with R in front.
            rate: learning rate; None uses the network's.

        Returns:
            The rule's signals; ``losses`` (R, B) are those before the update.
        """
        inputs, targets = checked_dataset(self.network, self.replicas, x, target)
        samples = inputs.shape[1]
        order = np.arange(samples)
        data = [self._backend.gather(self._backend.data(each), order) for each in (inputs, targets)]
        noise = self._draw(samples, samples)
        eta = self.network.learning_rate if rate is None else rate
        with self._backend.limit_threads(self.threads):
            return self._step(*self._replicated(*data), noise, eta)

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
            ValueError: if the data do not fit the network, or the schedule has factors for another number of samples.
            NoiseError: if the noise source ends.
        """
        inputs, targets = checked_dataset(self.network, self.replicas, x, target)
        samples = inputs.shape[1]
        if batch < 1:
            raise ValueError(f"a batch has at least one sample, not {batch}")
        data = [self._backend.data(each) for each in (inputs, targets)]
        mean = np.zeros((epochs, self.replicas))
        skipped = np.zeros(self.replicas, dtype=np.int64)
        for epoch in range(epochs):
            factors = np.broadcast_to(1.0 if schedule is None else schedule(self.epochs), samples)
            rates = self.network.learning_rate * factors.astype(np.float64)
            indices = np.arange(samples) if order is None else np.asarray(order(self.epochs))
            with self._backend.limit_threads(self.threads):
                for part in blocks(samples, _block(batch)):
                    chosen = indices[..., part]
                    x, target = (self._backend.gather(each, chosen) for each in data)
                    loss, skips = self._train_block(x, target, batch, rates[part])
                    mean[epoch] += loss
                    skipped += skips
                    if progress is not None:
                        progress(epoch * samples + part.stop, epochs * samples, loss / chosen.shape[-1])
            self.epochs += 1
        return History(mean / samples, skipped)

    def pass_over(self, epochs: int, samples: int, batch: int = 1) -> None:
        """Counts epochs as done that were trained elsewhere, and takes the noise that they took."""
        self._steps += epochs * -(-samples // batch)
        for _ in range(epochs):
            for part in blocks(samples, _block(batch)):
                self._draw(part.stop - part.start, batch)
        self.epochs += epochs

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Outputs for (M, n0) or (R, M, n0) inputs: (R, M, outputs). Without noise, unless the reading says otherwise."""
        inputs = checked_inputs(self.network, self.replicas, x)
        outputs = []
        with self._backend.limit_threads(self.threads):
            for part in blocks(inputs.shape[1], 4 * _BLOCK):
                count = part.stop - part.start
                values = self._backend.broadcast(self._backend.array(inputs[:, part]), (self.replicas, count, inputs.shape[2]))
                noise = None
                if self.reading.noisy_evaluation and self._noise is not None and self.rule.noisy_passes:
                    noise = self._backend.array(along_batches(self._noise, self.network.sizes, 1, count, count))
                outputs.append(self._backend.numpy(self._model.passes(values, noise).outputs[:, 0, ...]))
        return np.concatenate(outputs, axis=1)

    def evaluate(self, x: ArrayLike, target: ArrayLike) -> Evaluation:
        """Loss and accuracy of :meth:`predict`; shapes as in :meth:`train`."""
        inputs, targets = checked_dataset(self.network, self.replicas, x, target)
        outputs = self.predict(inputs).astype(np.float64, copy=False)
        loss = losses(self.network.loss, outputs, targets).mean(axis=1)
        return Evaluation(loss, correct(self.network.loss, outputs, targets).mean(axis=1))

    def _replicated(self, x: Array, target: Target) -> tuple[Array, Target]:
        """Samples (S, 1 or R, ...) as real numbers or classes of all replicas, (R, S, ...)."""
        real = self._backend
        classes = target.ndim == 2
        both = real.array(x), target if classes else real.array(target)
        shape = (x.shape[0], self.replicas)
        x, target = (real.swap(real.broadcast(each, (*shape, *each.shape[2:])), 0, 1) for each in both)
        return x, target

    def _train_block(self, x: Array, target: Target, batch: int, rates: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Trains on samples (S, 1 or R, ...) in batches; summed losses and skipped samples, (R,)."""
        noise = self._draw(x.shape[0], batch)
        loss = np.zeros(self.replicas)
        skipped = np.zeros(self.replicas, dtype=np.int64)
        if self._compiled and batch == 1 and noise is not None:
            for part in _of_one_rate(rates):
                rate, own = float(rates[part.start]), noise[:, :, part, :]
                found = train_compiled(self.network, self._model, x[part], target[part], own, rate)
                loss += found[0]
                skipped += found[1]
            return loss, skipped
        x, target = self._replicated(x, target)
        for part in blocks(x.shape[1], batch):
            signals = self._step(
                x[:, part, ...],
                target[:, part, ...],
                None if noise is None else noise[:, :, part, :],
                float(rates[part.start]),
            )
            loss += self._backend.numpy(signals.losses).sum(axis=1)
            skipped += self._backend.numpy(signals.skipped).sum(axis=1)
        return loss, skipped

    def _draw(self, samples: int, batch: int) -> Array | None:
        """Noise of all noisy passes for these samples, (R, P, samples, N)."""
        if self._noise is None or not self.rule.noisy_passes or (self.rule.exact_output and self.network.layers == 1):
            return None
        exact, sizes = self.rule.exact_output, self.network.sizes
        mirrored = self.rule is Rule.FEEDBACK or (self.rule in (Rule.ANP, Rule.ANP_EXACT) and self.network.antithetic)
        along = batch if self.reading.along_batch else None
        passes = self.rule.noisy_passes * self.pairs
        noisy = sizes[:-1] if exact else sizes
        return self._backend.array(training_noise(self._noise, noisy, passes, samples, mirrored=mirrored, along=along))

    def _step(self, x: Array, target: Target, noise: Array | None, rate: float) -> Signals:
        model, network, real = self._model, self.network, self._backend
        self._steps += 1
        with real.quiet():
            if self.rule is Rule.ANP_EXACT:
                signals = exact_output(model, x, target, noise)
            elif self.rule is Rule.FEEDBACK:
                probe = self._steps % PROBE_EVERY == 1
                signals = feedback(model, x, target, noise if probe else None, self._feedback)
            elif noise is None:
                signals = backpropagation(model, x, target)
            elif self.rule is Rule.NP:
                signals = node_perturbation(model, x, target, noise, network.sigma)
            else:
                signals = activity_node_perturbation(model, x, target, noise, self.reading.guarded)
            changes = updates(signals, model.sizes, network.normalised, sums=self.reading.sums, out=self._updates, backend=real)
            self._optimiser.apply(model.weights, changes, rate)
            for matrix, offset, x in zip(model.matrices, self._offsets, signals.inputs, strict=True):
                if matrix is not None:
                    update_matrix(matrix, x[..., :-1], network.decorrelation_rate, real)
                if offset is not None:
                    update_offset(offset, x[..., :-1], network.decorrelation_rate, self.reading.centring_sums, real)
        return signals


def _of_one_rate(rates: NDArray[np.float64]) -> list[slice]:
    """Parts with the same rate at each sample."""
    changes = np.flatnonzero(rates[1:] != rates[:-1]) + 1
    return [slice(start, end) for start, end in pairwise([0, *changes.tolist(), len(rates)])]


def _block(batch: int) -> int:
    return batch * max(1, _BLOCK // batch)
