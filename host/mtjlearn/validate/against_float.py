"""The integers against the float reference: do they learn as well? Paired runs from the same weights with the same noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import Dataset, dequantise, epoch_order, load, quantise
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.inprocess import Learner
from mtjlearn.network import (
    EXACT_RATES,
    LOSS_BITS,
    NOISE_BUFFER,
    Loss,
    Network,
    RuleName,
    WeightFormat,
    device_rule,
)
from mtjlearn.noise import RingBuffer, stored_codes
from mtjlearn.reference import Reference
from mtjlearn.schedule import constant, halving
from mtjlearn.training.defaults import DECORRELATION_RATE
from mtjlearn.training.floats import float_targets, float_weights, simulated_adc
from mtjlearn.training.plan import CODES_PER_STEP

BOOTSTRAPS = 10_000

EXACT_SHARE = 1 / 32
"""Of the usual rate of anp-exact and feedback: with all of it XOR's loss ends below the resolution of int16 weights."""

Schedule = Callable[[int, int], float]
"""Factor on the learning rate in an epoch of this many."""


@dataclass(frozen=True)
class Task:
    """What a comparison trains: a built-in dataset and how.

    Args:
        dataset: its name.
        sizes: of the network.
        loss: loss function.
        factor: eta N, the factor of the global step.
        epochs: passes through the training part.
        falling: whether the rate falls towards the end. XOR can be solved exactly: with a falling rate its loss ends below
            the resolution of int16 weights (about 2e-5), where the ratio measures the format and not the learning.
    """

    dataset: str
    sizes: tuple[int, ...]
    loss: Loss
    factor: float
    epochs: int
    falling: bool = True


TASKS = {
    "teacher-student": Task("teacher", (2, 2, 2, 1), Loss.SQUARED, 0.2, 12),
    "xor": Task("xor", (2, 4, 1), Loss.SQUARED, 0.2, 120, falling=False),
    "iris": Task("iris", (4, 8, 3), Loss.SQUARED, 0.3, 100),
    "digits": Task("digits", (64, 10), Loss.CROSS_ENTROPY, 2.0, 10),
}
"""The four tasks; ``digits`` is shortened to one layer and few epochs unless ``full``."""
REPLICAS = {
    "default": {"teacher-student": 100, "xor": 100, "iris": 100, "digits": 50},
    "full": dict.fromkeys(TASKS, 100),
}
"""Seeds compared: what is slow has fewer unless ``full``."""
FULL_DIGITS = Task("digits", (64, 32, 10), Loss.CROSS_ENTROPY, 1.0, 30)
"""At twice this rate the logits reach the limit of +-8, which the float run does not have (docs/design.md)."""


@dataclass(frozen=True)
class Comparison:
    """Paired final losses of integers and floats.

    Args:
        ratio: median over replicas of the integer run's final loss divided by the float run's.
        ci95: its 95 % bootstrap interval.
        replicas: seeds compared.
        fixed: median final loss of the integer runs (clean, on the training part).
        reference: the same of the float runs.
    """

    ratio: float
    ci95: tuple[float, float]
    replicas: int
    fixed: float
    reference: float

    @property
    def figures(self) -> dict[str, Any]:
        """The result in short, as commands print it."""
        return {"ratio": self.ratio, "ci95": list(self.ci95), "replicas": self.replicas}


def compare(
    task: str,
    rule: RuleName,
    replicas: int,
    *,
    weight_format: WeightFormat = WeightFormat.INT16,
    full: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Trains ``replicas`` networks with seeds 0, 1, ... in integers (C, in this process) and in floats.

    Both start from the same weights, see the same samples in the same order and the same ADC codes through the same
    noise buffer; only the arithmetic differs.

    Args:
        task: a name of :data:`TASKS`.
        rule: one of boards.
        replicas: how many seeds.
        weight_format: of the integer runs.
        full: digits with a hidden layer.
        progress: called with the share done, 0 .. 1.
    """
    plan = FULL_DIGITS if full and task == "digits" else TASKS[task]
    layers = len(plan.sizes) - 1
    networks = [
        Network(
            plan.sizes,
            loss=plan.loss,
            weight_format=weight_format,
            antithetic=rule in EXACT_RATES,
            learning_rate=EXACT_RATES[rule][plan.loss] * EXACT_SHARE if rule in EXACT_RATES else plan.factor / sum(plan.sizes[1:]),
            rule=device_rule(rule),
            decorrelate=(rule == "danp",) * layers,
            decorrelation_rate=DECORRELATION_RATE if rule == "danp" else 0.0,
            seed=seed + 1,
        )
        for seed in range(replicas)
    ]
    data = [load(plan.dataset, seed=seed) for seed in range(replicas)]
    samples = len(data[0].x_train)
    orders = np.stack([[epoch_order(seed, epoch, samples) for epoch in range(plan.epochs)] for seed in range(replicas)])
    codes = simulated_adc("recording", replicas, 0).read(NOISE_BUFFER + plan.epochs * samples * CODES_PER_STEP)

    schedule = halving if plan.falling else constant
    fixed = np.empty(replicas)
    for seed, (network, dataset) in enumerate(zip(networks, data, strict=True)):
        fixed[seed] = _train_integers(network, dataset, orders[seed], codes[seed], schedule)
        if progress is not None:
            progress(0.3 * (seed + 1) / replicas)
    report = None if progress is None else lambda done, total, _loss: progress(0.3 + 0.7 * done / total)
    reference = _train_floats(networks, data, orders, codes, schedule, report)

    ratios = fixed / reference
    generator = np.random.default_rng(0)
    medians = np.median(ratios[generator.integers(0, replicas, (BOOTSTRAPS, replicas))], axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return Comparison(
        float(np.median(ratios)), (float(low), float(high)), replicas, float(np.median(fixed)), float(np.median(reference))
    )


def _train_integers(
    network: Network, dataset: Dataset, orders: NDArray[np.int64], codes: NDArray[np.uint16], schedule: Schedule
) -> float:
    quantised = quantise(dataset, network)
    learner = Learner(network)
    learner.put_codes(codes[:NOISE_BUFFER])
    epochs, samples = orders.shape
    fresh = codes[NOISE_BUFFER:].reshape(epochs, samples, CODES_PER_STEP)
    for epoch in range(epochs):
        learner.set_rates(network.learning_rate * schedule(epoch, epochs), network.decorrelation_rate)
        learner.train(quantised.x_train, quantised.t_train, orders[epoch], fresh[epoch])
    total, _ = learner.evaluate(quantised.x_train, quantised.t_train)
    return math.ldexp(total, -LOSS_BITS) / int(samples)


def _train_floats(
    networks: list[Network],
    data: list[Dataset],
    orders: NDArray[np.int64],
    codes: NDArray[np.uint16],
    schedule: Schedule,
    progress: Callable[[int, int, NDArray[np.float64]], None] | None,
) -> NDArray[np.float64]:
    start = FixedNetwork(networks[0], [network.seed for network in networks])
    noise = RingBuffer(stored_codes(codes), networks[0].sigma, start.random_state, CODES_PER_STEP)
    reference = Reference(networks[0], noise=noise, weights=float_weights(start))
    epochs = orders.shape[1]
    quantised = [quantise(dataset, network) for dataset, network in zip(data, networks, strict=True)]
    # The device's samples as real numbers: clipping rare extremes is a matter of the data, not of the arithmetic.
    x = np.stack([dequantise(part.x_train) for part in quantised])
    targets = np.stack([float_targets(part, networks[0]) for part in quantised])
    reference.train(
        x,
        targets,
        epochs,
        order=lambda epoch: orders[:, epoch],
        schedule=lambda epoch: schedule(epoch, epochs),
        progress=progress,
    )
    loss: NDArray[np.float64] = reference.evaluate(x, targets).loss
    return loss
