"""The float reference of a training: same split, order, schedule and initial weights, noise of a simulated junction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import Dataset, Quantised, dequantise, epoch_order, quantise
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, WEIGHT32_BITS, Loss, Network, WeightFormat
from mtjlearn.noise import PRESETS, Gaussian, NoiseSource, RingBuffer, SimulatedAdc
from mtjlearn.reference import Reference, Rule
from mtjlearn.training.plan import CODES_PER_STEP, Plan

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


def train_reference(plan: Plan, dataset: Dataset, progress: Callable[[int, int, float], None] | None = None) -> FloatRun:
    """Trains the reference as the plan says.

    Args:
        plan: what to do.
        dataset: the plan's.
        progress: told samples done, samples in all, mean loss since last told.
    """
    start = FixedNetwork(plan.network)
    reference = Reference(
        plan.network,
        Rule.ANP if plan.on_board else Rule(plan.rule),
        noise=_noise(plan, start) if plan.rule != "bp" else None,
        weights=float_weights(start),
    )
    samples = len(dataset.x_train)
    history = reference.train(
        dataset.x_train,
        float_targets(quantise(dataset, plan.network), plan.network),
        plan.epochs,
        order=lambda epoch: epoch_order(plan.seed, epoch, samples),
        schedule=plan.rate_factor,
        progress=None if progress is None else lambda done, total, loss: progress(done, total, float(loss[0])),
    )
    return FloatRun(history.losses[:, 0], reference.predict(dataset.x_test)[0])


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


def _noise(plan: Plan, start: FixedNetwork) -> NoiseSource:
    """The device's noise buffer, fed by a simulated junction; Gaussian for the rule np, which measures its noise."""
    if plan.rule == "np":
        return Gaussian(plan.network.sigma, seed=plan.seed)
    adc = simulated_adc(plan.virtual.get("preset", "recording"), 1, plan.seed)
    return RingBuffer(adc.read, plan.network.sigma, start.random_state, CODES_PER_STEP)
