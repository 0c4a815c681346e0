"""The float reference of a training: same split, order, schedule and initial weights, noise of a simulated junction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.datasets import Augmentation, Quantised, dequantise
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, WEIGHT32_BITS, Loss, Network, NetworkError, WeightFormat
from mtjlearn.noise import PRESETS, Gaussian, NoiseSource, RingBuffer, SimulatedAdc, SimulatedSmtj
from mtjlearn.reference import Adam, Reference, Rule
from mtjlearn.runs import Checkpoint, RunError
from mtjlearn.runs.files import WEIGHTS
from mtjlearn.training.plan import CODES_PER_STEP, Plan
from mtjlearn.training.scores import is_evaluated, score

ADC_RATE = 9615.0
ADC_REFERENCE = 1.1


@dataclass(frozen=True)
class FloatRun:
    """What the reference reached.

    Args:
        losses: mean training loss of each epoch trained in this go, shape (epochs,).
        outputs: clean outputs on the test part, shape (samples, outputs).
        accuracies: on the test part, by the epoch (1, 2, ...) after which it was evaluated; empty unless asked for.
    """

    losses: NDArray[np.float64]
    outputs: NDArray[np.float64]
    accuracies: Mapping[int, float] = field(default_factory=dict)


class FloatKeeper(Protocol):
    """Keeps what a reference that learns alone has reached."""

    def start(self) -> Checkpoint | None:
        """Where to resume; None: at the start."""

    def keep(self, loss: float, checkpoint: Callable[[], Checkpoint], accuracy: float | None) -> None:
        """Called after each epoch: its mean loss, what makes a checkpoint of that moment, the test accuracy if it was evaluated."""


def train_reference(
    plan: Plan,
    progress: Callable[[int, int, float], None] | None = None,
    keeper: FloatKeeper | None = None,
    *,
    start: Checkpoint | None = None,
    evaluate: bool = False,
) -> FloatRun:
    """Trains the reference as the plan says. A resumed training gives exactly what an uninterrupted one does.

    Args:
        plan: what to do.
        progress: called with samples done, samples in all, mean loss since the last call.
        keeper: keeps each epoch.
        start: what it begins with that another training has learned, in floats, unless the keeper has more.
        evaluate: the test part now and then, as a board's training does; not where that would take noise from the training.
    """
    reference = _reference(plan)
    dataset = plan.dataset
    samples = len(dataset.x_train)
    targets = float_targets(plan.quantised, plan.network)
    augmentation = Augmentation.of(dataset, plan.seed) if plan.floats.augment else None
    checkpoint = (None if keeper is None else keeper.start()) or start
    if checkpoint is not None:
        _go_on_from(checkpoint, reference, samples, plan.floats.batch)

    def tell(done: int, total: int, loss: NDArray[np.float64]) -> None:
        if progress is not None:
            progress(reference.epochs * samples + done, plan.epochs * samples, float(loss[0]))

    losses: list[float] = []
    accuracies: dict[int, float] = {}
    evaluate = evaluate and dataset.classes is not None and not reference.reading.noisy_evaluation
    while reference.epochs < plan.epochs:
        x = dataset.x_train if augmentation is None else augmentation.epoch(dataset.x_train, plan.total_epoch(reference.epochs))
        history = reference.train(
            x,
            targets,
            1,
            batch=plan.floats.batch,
            order=plan.order,
            schedule=plan.rate_factors,
            progress=tell,
        )
        losses.append(float(history.losses[0, 0]))
        accuracy = None
        if evaluate and is_evaluated(reference.epochs, plan.epochs):
            accuracy, _ = score(dataset, reference.predict(dataset.x_test)[0])
        if accuracy is not None:
            accuracies[reference.epochs] = accuracy
        if keeper is not None:
            keeper.keep(losses[-1], partial(_checkpoint, reference, samples), accuracy)
    return FloatRun(np.array(losses), reference.predict(dataset.x_test)[0], accuracies)


def _reference(plan: Plan) -> Reference:
    """The reference of a plan, before its first step; with the device's start weights where a device can have the network."""
    start, floats = _device_start(plan), plan.floats
    return Reference(
        plan.network,
        Rule.ANP if plan.rule == "danp" else Rule(plan.rule),
        noise=_noise(plan, start) if plan.rule != "bp" else None,
        weights=None if start is None else float_weights(start),
        optimiser=Adam() if floats.optimiser == "adam" else None,
        dtype=floats.dtype,
        reading=floats.reading,
        centring=floats.centring or None,
    )


def _device_start(plan: Plan) -> FixedNetwork | None:
    """The device's start; None where no device can learn the network, or the authors' code draws its own weights."""
    if plan.floats.reading == "code":
        return None
    try:
        return FixedNetwork(plan.network)
    except NetworkError:
        return None


def _checkpoint(reference: Reference, samples: int) -> Checkpoint:
    weights = np.concatenate([layer.ravel() for layer in reference.weights])
    state = tuple(array.copy() for array in reference.state())
    return Checkpoint(reference.epochs, 0, reference.epochs * samples, weights, state=state)


def _go_on_from(checkpoint: Checkpoint, reference: Reference, samples: int, batch: int) -> None:
    expected = sum(layer.size for layer in reference.weights)
    try:
        if not checkpoint.is_float or checkpoint.weights.size != expected:
            raise ValueError
        reference.restore(checkpoint.state)
    except ValueError:
        raise RunError(f"{WEIGHTS} does not belong to this network; remove it to train from the start") from None
    ends = np.cumsum([layer.size for layer in reference.weights])[:-1].tolist()
    for layer, part in zip(reference.weights, np.split(checkpoint.weights, ends), strict=True):
        layer[...] = part.reshape(layer.shape)
    for _ in range(checkpoint.epoch):
        interruption.check()
        reference.pass_over(1, samples, batch)


def float_weights(model: FixedNetwork) -> list[NDArray[np.float64]]:
    """The weights of an integer model as real numbers, a layer's shape (replicas, units, fan-in + 1)."""
    bits = WEIGHT32_BITS if model.network.weight_format is WeightFormat.INT32 else FRACTION_BITS
    return [np.ldexp(layer.astype(np.float64), -bits) for layer in model.weights]


def float_targets(data: Quantised, network: Network) -> NDArray[np.int64] | NDArray[np.float64]:
    """Targets of the training part for the reference: classes, shape (samples,), or real numbers, shape (samples, outputs)."""
    if network.loss is Loss.CROSS_ENTROPY:
        return data.t_train[:, 0].astype(np.int64)
    return dequantise(data.t_train)


def simulated_adc(preset: str, replicas: int, seed: int) -> SimulatedAdc:
    """The converter of a virtual board as it comes, with its junction."""
    return SimulatedAdc(PRESETS[preset], replicas, rate=ADC_RATE, reference=ADC_REFERENCE, seed=seed)


def _noise(plan: Plan, start: FixedNetwork | None) -> NoiseSource:
    """The device's noise buffer, fed by a simulated junction, where a device can have the network.

    Larger ones have a simulated junction at each unit, as in the paper's figure 4; the authors' code adds its voltages as they
    are. The rule np measures its noise and gets Gaussian values.
    """
    network = plan.network
    if plan.rule == "np":
        return Gaussian(network.sigma, seed=plan.noise_seed)
    if start is None:
        sigma = None if plan.floats.reading == "code" else network.sigma
        return SimulatedSmtj(sigma, "per_node", network.units, seed=plan.noise_seed)
    adc = simulated_adc(plan.virtual.get("preset", "recording"), 1, plan.noise_seed)
    return RingBuffer(adc.read, network.sigma, start.random_state, CODES_PER_STEP)
