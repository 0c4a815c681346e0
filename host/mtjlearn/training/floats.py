"""The float reference of a training: same split, order, schedule and initial weights, noise of a simulated junction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import Dataset, dequantise, epoch_order, quantise
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, WEIGHT32_BITS, Loss, WeightFormat
from mtjlearn.noise import PRESETS, Gaussian, NoiseSource, RingBuffer, SimulatedAdc
from mtjlearn.reference import Reference, Rule
from mtjlearn.schedule import constant, halving
from mtjlearn.training.plan import Plan

CODES_PER_STEP = 4
ADC_RATE = 9615.0
ADC_REFERENCE = 1.1


@dataclass(frozen=True)
class FloatRun:
    """What the reference reached.

    Args:
        losses: mean training loss of each epoch, shape (epochs,).
        outputs: clean outputs on the test part, shape (samples, outputs).
    """

    losses: NDArray[np.float64]
    outputs: NDArray[np.float64]


def train_reference(
    plan: Plan, dataset: Dataset, progress: Callable[[int, int, float], None] | None = None
) -> FloatRun:
    """Trains the reference as the plan says.

    Args:
        progress: told samples done, samples in all, mean loss since last told.
    """
    network = plan.network
    start = FixedNetwork(network)
    bits = WEIGHT32_BITS if network.weight_format is WeightFormat.INT32 else FRACTION_BITS
    reference = Reference(
        network,
        Rule.ANP if plan.on_board else Rule(plan.rule),
        noise=_noise(plan, start) if plan.rule != "bp" else None,
        weights=[np.ldexp(layer.astype(np.float64), -bits) for layer in start.weights],
    )
    quantised = quantise(dataset, network)
    classes = network.loss is Loss.CROSS_ENTROPY
    targets = quantised.t_train[:, 0].astype(np.int64) if classes else dequantise(quantised.t_train)
    schedule = halving if plan.falling else constant
    samples = len(dataset.x_train)
    report = None if progress is None else lambda done, total, loss: progress(done, total, float(loss[0]))
    history = reference.train(
        dataset.x_train,
        targets,
        plan.epochs,
        order=lambda epoch: epoch_order(plan.seed, epoch, samples),
        schedule=lambda epoch: schedule(epoch, plan.epochs),
        progress=report,
    )
    return FloatRun(history.losses[:, 0], reference.predict(dataset.x_test)[0])


def _noise(plan: Plan, start: FixedNetwork) -> NoiseSource:
    """The device's noise buffer, fed by a simulated junction; Gaussian for the rule np, which measures its noise."""
    if plan.rule == "np":
        return Gaussian(plan.network.sigma, seed=plan.seed)
    junction = PRESETS[plan.virtual.get("preset", "recording")]
    adc = SimulatedAdc(junction, rate=ADC_RATE, reference=ADC_REFERENCE, seed=plan.seed)
    return RingBuffer(adc.read, plan.network.sigma, start.random_state, CODES_PER_STEP)
