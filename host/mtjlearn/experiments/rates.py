"""Why the default learning rates are what they are: steps to a target, and what is learned in the end, at several rates.

A training has the defaults of ``mtjlearn train`` (network, loss, epochs, falling rate) except for the learning rate. The C learner
of this process trains it, fed by a simulated sMTJ with four fresh codes for each step, as a virtual board's clock does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.inprocess import Learner
from mtjlearn.network import FRACTION_BITS, LOSS_BITS, NOISE_BUFFER, Loss
from mtjlearn.noise import PRESETS, SimulatedAdc
from mtjlearn.schedule import halving
from mtjlearn.training.defaults import default_plan
from mtjlearn.training.plan import CODES_PER_STEP, Plan

SEEDS = 20
ACCURACY = {"digits": 0.9}
"""Training accuracy that counts as learned, where it is not ACCURATE."""
ACCURATE = 0.95
RESIDUE = 0.1
"""Share of the targets' variance that a squared error must reach."""
_REFERENCE = 1.1
_LOOKS = 30

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class RateTask:
    """What is learned.

    Args:
        data: name of a built-in dataset.
        rates: learning rates times the number of units, which are compared.
        loss: loss function; None: the default of the data.
        sizes: of the network; None: the default of the data.
    """

    data: str
    rates: tuple[float, ...]
    loss: Loss | None = None
    sizes: tuple[int, ...] | None = None

    def plan(self, seed: int) -> Plan:
        """Of a training with the default rate."""
        return default_plan(self.data, seed=seed, loss=self.loss, sizes=self.sizes, board="inprocess", reference=False)


TASKS = (
    RateTask("teacher", (0.2, 0.3, 0.4)),
    RateTask("xor", (0.2, 0.4, 0.8), Loss.SQUARED, (2, 4, 1)),
    RateTask("xor", (0.5, 2.0, 4.0)),
    RateTask("iris", (0.5, 2.0, 4.0)),
    RateTask("wine", (0.5, 2.0, 4.0)),
    RateTask("breast-cancer", (0.2, 0.8, 2.0)),
    RateTask("digits", (2.0, 4.0, 8.0)),
)
"""The built-in datasets: slower than the default, the default, and what comes next."""


@dataclass(frozen=True)
class Trained:
    """One training.

    Args:
        steps: until the target was reached; infinite if it never was.
        loss: mean training loss at the end.
        score: on the test part at the end: accuracy, or 1 - mean squared error over variance.
        saturations: values that reached their limit, per step.
    """

    steps: float
    loss: float
    score: float
    saturations: float


@dataclass(frozen=True)
class Rates:
    """Trainings of a task at one rate.

    Args:
        task: what was learned.
        network: its sizes.
        rate: learning rate times the number of units.
        default: whether this is what a training has unless asked otherwise.
        runs: one for each seed.
    """

    task: RateTask
    network: str
    rate: float
    default: bool
    runs: tuple[Trained, ...]

    def median(self, name: str) -> float:
        """Median over the seeds of a figure of :class:`Trained`."""
        return float(np.median([getattr(run, name) for run in self.runs]))

    @property
    def score(self) -> float:
        """Mean score on the test part."""
        return float(np.mean([run.score for run in self.runs]))

    @property
    def reached(self) -> int:
        """Seeds that reached the target."""
        return sum(np.isfinite(run.steps) for run in self.runs)


def compare_rates(tasks: Sequence[RateTask] = TASKS, *, seeds: int = SEEDS, progress: Progress | None = None) -> list[Rates]:
    """Trains every task at each of its rates.

    Args:
        tasks: what is learned.
        seeds: trainings at each rate; a seed has the same split, first weights, order of samples and noise at every rate.
        progress: called with (trainings done, trainings in all, what runs next).
    """
    total = seeds * sum(len(task.rates) for task in tasks)
    found: list[Rates] = []
    for task in tasks:
        plans = [task.plan(seed) for seed in range(seeds)]
        network = plans[0].network
        for rate in task.rates:
            runs: list[Trained] = []
            for plan in plans:
                if progress is not None:
                    progress(len(found) * seeds + len(runs), total, f"{task.data} {network.name}, eta N = {rate:g}")
                runs.append(train(plan, rate / network.units))
            default = math.isclose(rate, network.learning_rate * network.units)
            found.append(Rates(task, network.name, rate, default, tuple(runs)))
    return found


def train(plan: Plan, eta: float) -> Trained:
    """One training with a learning rate of its own."""
    network, data = replace(plan.network, learning_rate=eta), plan.quantised
    adc = SimulatedAdc(PRESETS["recording"], reference=_REFERENCE, seed=plan.seed)
    learner = Learner(network)
    learner.put_codes(adc.read(NOISE_BUFFER)[0])
    reached = _target(plan)
    steps, learned = 0, math.inf
    for epoch in range(plan.epochs):
        interruption.check()
        learner.set_rates(eta * halving(epoch, plan.epochs), network.decorrelation_rate)
        order = plan.order(epoch)
        codes = adc.read(CODES_PER_STEP * len(order))[0].reshape(-1, CODES_PER_STEP)
        looks = min(_LOOKS, len(order)) if math.isinf(learned) else 1
        for part in np.array_split(np.arange(len(order)), looks):
            learner.train(data.x_train, data.t_train, order[part], codes[part])
            steps += len(part)
            if math.isinf(learned) and reached(learner):
                learned = steps
    loss, _ = learner.evaluate(data.x_train, data.t_train)
    return Trained(learned, mean_loss(loss, len(data.x_train)), _score(plan, learner), learner.counters.saturations / steps)


def mean_loss(total: int, samples: int) -> float:
    """Mean of losses from their sum in units of 2^-24."""
    return math.ldexp(total, -LOSS_BITS) / samples


def _target(plan: Plan) -> Callable[[Learner], bool]:
    """Whether a learner has learned the training part."""
    x, targets = plan.quantised.x_train, plan.quantised.t_train
    if plan.network.loss is Loss.SQUARED:
        limit = RESIDUE * _variance(targets)
        return lambda learner: mean_loss(learner.evaluate(x, targets)[0], len(x)) <= limit
    least = ACCURACY.get(plan.data, ACCURATE) * len(x)
    return lambda learner: learner.evaluate(x, targets)[1] >= least


def _score(plan: Plan, learner: Learner) -> float:
    x, targets = plan.quantised.x_test, plan.quantised.t_test
    loss, right = learner.evaluate(x, targets)
    return right / len(x) if plan.dataset.classes is not None else 1 - mean_loss(loss, len(x)) / _variance(targets)


def _variance(targets: NDArray[np.int16]) -> float:
    """Of targets in Q3.12, summed over the outputs."""
    return float(np.var(targets / float(1 << FRACTION_BITS), axis=0).sum())
