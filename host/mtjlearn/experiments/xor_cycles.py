"""How many processor cycles a chip needs until XOR is learned: ANP in integers against backpropagation.

A network 2-3-1 learns XOR, inputs and targets +-1, online, one sample a step, all four in a new order each epoch. A run ends when
the clean mean squared error over the four is at most a tenth of the targets' variance. Both rules start from the same weights,
drawn as shared/numerics.md, section 2, says: uniform with variance 1 / fan-in, biases 0.

* ANP is the integer model, bit for bit what a chip computes, fed by a simulated sMTJ; its steps cost what a board measured.
* Backpropagation is plain and in float64; its steps cost what the cheapest published library takes for one on the same chip:
  27,174 cycles on an ATmega328P for 2-3-1 (GiorgosXou NeuralNetworks 4.1.9 in float, sigmoid units, one online step, measured
  in a simulator).

Each rule has its best fixed learning rate of a list. A run that has not got there counts as infinitely long in the median.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, NOISE_BUFFER, Network
from mtjlearn.noise import PRESETS, SimulatedAdc
from mtjlearn.reference import Reference, Rule

SIZES = (2, 3, 1)
SEEDS = 100
TARGET = 0.1
"""Mean squared error at which XOR counts as learned, as a share of the targets' variance, which is 1."""
PEER_CYCLES = 27_174
"""One online step of backpropagation for 2-3-1 on an ATmega328P in the cheapest library that was measured."""
PEER = "the float library NeuralNetworks 4.1.9 by GiorgosXou"
"""That library."""
ANP_RATES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
BP_RATES = (0.02, 0.03, 0.05, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.15)
MOST_STEPS = 2000
ADC_RATE = 9615.0
"""Codes per second of the Uno's converter."""
CLOCK = 16e6
"""Cycles per second of the Uno."""

X = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) << FRACTION_BITS
"""Inputs in Q3.12, shape (4, 2)."""
T = np.array([[-1], [1], [1], [-1]]) << FRACTION_BITS
"""Targets in Q3.12, shape (4, 1)."""

_ONE = float(1 << FRACTION_BITS)
_REFERENCE = 1.1

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Runs:
    """One rule at one learning rate.

    Args:
        rate: learning rate.
        steps: training steps until XOR was learned, one for each seed; infinite where it was not.
    """

    rate: float
    steps: Floats

    @property
    def median(self) -> float:
        """Median steps over all seeds."""
        return float(np.median(self.steps))

    @property
    def reached(self) -> int:
        """Seeds that learned XOR."""
        return int(np.isfinite(self.steps).sum())


@dataclass(frozen=True)
class Race:
    """Both rules at their best rates, and all that was tried.

    Args:
        anp: runs of the chip's rule, one for each rate.
        bp: runs of backpropagation.
        step_cycles: cycles of one ANP step on the chip.
        peer_cycles: cycles of one step of backpropagation.
    """

    anp: list[Runs]
    bp: list[Runs]
    step_cycles: float
    peer_cycles: float = PEER_CYCLES

    @property
    def best_anp(self) -> Runs:
        """The rate with the fewest steps."""
        return min(self.anp, key=lambda runs: runs.median)

    @property
    def best_bp(self) -> Runs:
        """The rate with the fewest steps."""
        return min(self.bp, key=lambda runs: runs.median)

    @property
    def anp_cycles(self) -> float:
        """Median cycles until the chip has learned XOR."""
        return self.best_anp.median * self.step_cycles

    @property
    def bp_cycles(self) -> float:
        """Median cycles that backpropagation would take."""
        return self.best_bp.median * self.peer_cycles

    @property
    def break_even_cycles(self) -> float:
        """What a step of backpropagation may cost at most to be as cheap as ANP."""
        return self.anp_cycles / self.best_bp.median

    @property
    def advantage(self) -> float:
        """How many times faster ANP is; below 1 it is slower."""
        return self.bp_cycles / self.anp_cycles


def race(
    step_cycles: float,
    *,
    seeds: int = SEEDS,
    anp_rates: Sequence[float] = ANP_RATES,
    bp_rates: Sequence[float] = BP_RATES,
    most_steps: int = MOST_STEPS,
    progress: Progress | None = None,
) -> Race:
    """Runs both rules at all rates.

    Args:
        step_cycles: cycles of one ANP step of 2-3-1 on the chip; also says how many noise codes arrive in a step.
        seeds: runs of each; run s has the generator state s + 1 and the order of samples of seed s.
        anp_rates: learning rates tried with ANP (normalised step).
        bp_rates: learning rates tried with backpropagation.
        most_steps: a run that takes longer has not learned XOR.
        progress: called with (rates done, rates in all, what runs next).
    """
    order = _order(seeds, most_steps)
    total = len(anp_rates) + len(bp_rates)
    found: dict[str, list[Runs]] = {"anp": [], "bp": []}
    for number, (rule, rate) in enumerate([*(("anp", rate) for rate in anp_rates), *(("bp", rate) for rate in bp_rates)]):
        if progress is not None:
            progress(number, total, f"{rule} {rate:g}")
        steps = anp_steps(rate, order, step_cycles * ADC_RATE / CLOCK) if rule == "anp" else bp_steps(rate, order)
        found[rule].append(Runs(rate, steps))
    if progress is not None:
        progress(total, total, "done")
    return Race(found["anp"], found["bp"], step_cycles)


def anp_steps(rate: float, order: NDArray[np.int64], codes_per_step: float) -> Floats:
    """Steps of the integer model until XOR is learned.

    Args:
        rate: learning rate.
        order: samples, shape (replicas, steps).
        codes_per_step: noise codes that arrive during a step, on average.

    Returns:
        Steps, shape (replicas,); infinite where the order ended first.
    """
    replicas, steps = order.shape
    model = FixedNetwork(Network(SIZES, learning_rate=rate), range(1, replicas + 1))
    adc = SimulatedAdc(PRESETS["recording"], replicas, reference=_REFERENCE, seed=1)
    model.put_codes(adc.read(NOISE_BUFFER))

    def step(number: int) -> Floats:
        fresh = int((number + 1) * codes_per_step) - int(number * codes_per_step)
        if fresh:
            model.put_codes(adc.read(fresh))
        model.train(X[order[:, number]], T[order[:, number]])
        errors = [(model.predict(x) - t)[:, 0] / _ONE for x, t in zip(X, T, strict=True)]
        mean: Floats = np.mean(np.square(errors), axis=0)
        return mean

    return _until_learned(step, replicas, steps)


def bp_steps(rate: float, order: NDArray[np.int64]) -> Floats:
    """Steps of plain online backpropagation in float64 from the same weights; arguments and result as anp_steps()."""
    replicas, steps = order.shape
    network = Network(SIZES, learning_rate=rate, normalised=False)
    weights = [layer / _ONE for layer in FixedNetwork(network, range(1, replicas + 1)).weights]
    model = Reference(network, Rule.BP, weights=weights)
    x, t = X / _ONE, T / _ONE

    def step(number: int) -> Floats:
        chosen = order[:, number, None]
        model.step(x[chosen], t[chosen])
        mean: Floats = np.mean(np.square(model.predict(x) - t)[:, :, 0], axis=1)
        return mean

    with np.errstate(over="ignore", invalid="ignore"):  # a rate that is too large diverges, and that is its result
        return _until_learned(step, replicas, steps)


def _until_learned(step: Callable[[int], Floats], replicas: int, steps: int) -> Floats:
    found = np.full(replicas, np.inf)
    for number in range(steps):
        learned = step(number) <= TARGET
        found[learned & np.isinf(found)] = number + 1
        if np.isfinite(found).all():
            break
    return found


def _order(seeds: int, steps: int) -> NDArray[np.int64]:
    """A new permutation of the four samples each epoch, shape (seeds, steps)."""
    epochs = -(-steps // len(X))
    generators = [np.random.default_rng(seed) for seed in range(seeds)]
    return np.array([np.concatenate([generator.permutation(len(X)) for _ in range(epochs)])[:steps] for generator in generators])
