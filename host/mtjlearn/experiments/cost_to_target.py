"""What it costs a chip to learn: cycles until a target, restarts included, for the rules of lib/anp and for backpropagation.

Cost = cycles of a step x steps. The steps of each rule are counted on a simulated chip (:mod:`mtjlearn.bench.chip.cost`); the same
program learns on this computer from many starts. A start that fails costs, too: who gives up after K steps and begins again pays,
on average, the steps of all starts over the number of those that learned within K. Rate and K are chosen on some seeds, with the
least expected steps, and measured on others.

All rules begin with the same weights (shared/numerics.md, section 2) and learn online, in a new order each epoch, with leaky hidden
units and the same loss. The noise is one simulated recording; each start reads it from another place on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.chip.cost import PROGRAMS, STEPS, Begin, Desktop, Goal, Program, Shape, count
from mtjlearn.datasets import load, quantise
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, Loss, Network
from mtjlearn.noise import PRESETS, SimulatedAdc

SEEDS = 200
"""Starts that are measured."""
TUNING = 100
"""Other starts, on which the rate is chosen."""
CODES_PER_STEP = 2
"""Noise codes that arrive in the Uno's shortest step of ANP; longer steps get more, which changes nothing measurable."""
_CODES = 2**18
_REFERENCE = 1.1
RATES = tuple(round(0.02 * 2 ** (k / 2), 4) for k in range(15))
"""Learning rates, of which a rule tries those in its range."""

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Task:
    """What is learned.

    Args:
        name: of the data.
        network: what learns.
        target: mean squared error (one output) or share of right classes of the training part.
        most: steps after which a start has failed.
        every: steps between two looks.
        chips: that have room for it.
        share: of the starts, one in this many; a large network learns fewer times.
    """

    name: str
    network: Shape
    target: float
    most: int
    every: int
    chips: tuple[str, ...] = ("uno-sim", "m4-sim")
    share: int = 1

    def goal(self) -> Goal:
        """The samples and the target."""
        if self.name == "xor":
            x = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.int16) << np.int16(FRACTION_BITS)
            t = np.array([[-1], [1], [1], [-1]], np.int16) << np.int16(FRACTION_BITS)
        else:
            loss = Loss.CROSS_ENTROPY if self.network.cross_entropy else Loss.SQUARED
            data = quantise(load(self.name, seed=0), Network(self.network.sizes, loss=loss))
            x, t = data.x_train, data.t_train
        return Goal(x, t, self.target, self.most, self.every)


TASKS = (
    Task("xor", Shape((2, 3, 1), cross_entropy=False), 0.1, 1000, 1),
    Task("iris", Shape((4, 8, 3), cross_entropy=False), 0.95, 2000, 5),
    Task("iris", Shape((4, 8, 3), cross_entropy=True), 0.95, 2000, 5),
    Task("wine", Shape((13, 8, 3), cross_entropy=False), 0.95, 1000, 5),
    Task("wine", Shape((13, 8, 3), cross_entropy=True), 0.95, 1000, 5),
    Task("digits", Shape((64, 32, 10), cross_entropy=True), 0.9, 20_000, 50, chips=("m4-sim",), share=10),
)

PEERS = {
    "GiorgosXou NeuralNetworks 4.1.9, float": {
        "leaky ReLU": {"uno-sim": {"xor": 14_546, "iris": 55_198}, "m4-sim": {"xor": 1_026, "iris": 3_107}},
        "sigmoid": {"uno-sim": {"xor": 26_758, "iris": 105_118}},
    },
    "AIfES 2.2.0, float": {
        "leaky ReLU": {"uno-sim": {"xor": 40_814, "iris": 151_203}, "m4-sim": {"xor": 4_162, "iris": 12_335}},
        "sigmoid": {"uno-sim": {"xor": 67_492, "iris": 220_718}},
    },
    "genann, float": {"sigmoid": {"uno-sim": {"xor": 23_541, "iris": 94_291}}},
}
"""Published libraries: a step of backpropagation with the squared error, by activation of the hidden units, chip and task. Measured
once, with the same compilers and simulators, outside of this repository; genann was patched so that it runs on an AVR."""


@dataclass(frozen=True)
class Cost:
    """A rule on a task.

    Args:
        task: what was learned.
        program: the rule.
        rate: learning rate.
        patience: steps after which a start is given up.
        steps: of each start until the target; infinite where it was not reached.
        cycles: mean cycles (uno-sim) or instructions (m4-sim) of a step, by chip.
    """

    task: Task
    program: Program
    rate: float
    patience: float
    steps: Floats
    cycles: Mapping[str, float]

    @property
    def median(self) -> float:
        """Median steps of all starts."""
        return float(np.median(self.steps))

    @property
    def learned(self) -> float:
        """Share of starts that reach the target at all."""
        return float(np.isfinite(self.steps).mean())

    @property
    def expected(self) -> float:
        """Expected steps with restarts."""
        return with_restarts(self.steps, self.patience)

    def total(self, chip: str) -> float:
        """Expected cycles or instructions until the target, with restarts."""
        return self.expected * self.cycles[chip]


def with_restarts(steps: Floats, patience: float) -> float:
    """Expected steps if a start is given up after this many: those of all starts over the number of those that learned."""
    learned = np.count_nonzero(steps <= patience)
    return float(np.minimum(steps, patience).sum() / learned) if learned else float("inf")


def best_patience(steps: Floats) -> float:
    """Steps after which giving up is cheapest; infinite if no start learned."""
    candidates = np.unique(steps[np.isfinite(steps)])
    return float(min(candidates, key=lambda patience: with_restarts(steps, patience), default=np.inf))


def cost_to_target(
    tasks: Sequence[Task] = TASKS,
    programs: Sequence[Program] = PROGRAMS,
    *,
    chips: Sequence[str] = ("uno-sim", "m4-sim"),
    seeds: int = SEEDS,
    tuning: int = TUNING,
    rates: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> list[Cost]:
    """Measures every rule on every task.

    Args:
        tasks: what is learned.
        programs: the rules.
        chips: where steps are counted.
        seeds: starts that are measured.
        tuning: other starts for every rate.
        rates: learning rates that are tried; None: those of RATES that suit the rule.
        progress: called with (rules done, rules in all, what runs next).

    Raises:
        ToolMissing, FirmwareError: a compiler or a simulator is missing.
        BenchError: a program does not compile or does not run.
    """
    report = progress or (lambda _done, _total, _note: None)
    codes = SimulatedAdc(PRESETS["recording"], reference=_REFERENCE, seed=1).read(_CODES)[0]
    found: list[Cost] = []
    for task in tasks:
        trials = tuning // task.share
        starts = _starts(task, seeds // task.share + trials)
        learned: dict[tuple[object, ...], _Learned] = {}
        for program in (each for each in programs if set(each.chips) & set(task.chips)):
            report(len(found), len(tasks) * len(programs), f"{task.name} {program.name}")
            arithmetic = (program.source, program.floats, program.flags)  # what chips compile otherwise gives the same bits
            if arithmetic not in learned:
                learned[arithmetic] = _learn(task, program, starts, codes, trials, rates or rates_of(program))
            best = learned[arithmetic]
            counted = [chip for chip in chips if chip in program.chips and chip in task.chips]
            cycles = _cycles(task, program, starts, best.rate, counted, trials)
            found.append(Cost(task, program, best.rate, best.patience, best.steps, cycles))
    return found


def rates_of(program: Program) -> tuple[float, ...]:
    """The learning rates that are tried with a rule."""
    lowest, highest = program.rates
    return tuple(rate for rate in RATES if lowest <= rate <= highest)


@dataclass(frozen=True)
class _Starts:
    """Samples, first weights (starts, parameters), and orders (starts, steps)."""

    goal: Goal
    weights: NDArray[np.int16]
    orders: NDArray[np.uint16]

    def begins(self, task: Task, rate: float, part: slice) -> list[Begin]:
        seeds = range(1, len(self.weights) + 1)[part]
        return [Begin(task.network, row, rate, seed) for row, seed in zip(self.weights[part], seeds, strict=True)]


def _starts(task: Task, count: int) -> _Starts:
    goal = task.goal()
    rows = FixedNetwork(Network(task.network.sizes), range(1, count + 1)).weights
    weights = np.concatenate([layer.reshape(count, -1) for layer in rows], axis=1).astype(np.int16)
    epochs, samples = -(-task.most // len(goal.x)), len(goal.x)
    generator = np.random.default_rng(1)
    orders = generator.permuted(np.tile(np.arange(samples, dtype=np.uint16), (count * epochs, 1)), axis=1)
    return _Starts(goal, weights, orders.reshape(count, -1)[:, : task.most])


@dataclass(frozen=True)
class _Learned:
    """The best rate of a program, when it gives up, and steps on fresh starts."""

    rate: float
    patience: float
    steps: Floats


def _learn(
    task: Task, program: Program, starts: _Starts, codes: NDArray[np.uint16], tuning: int, rates: Sequence[float]
) -> _Learned:
    desktop = Desktop(program, task.network)

    def learn(rate: float, part: slice) -> Floats:
        return desktop.learn(starts.goal, starts.begins(task, rate, part), starts.orders[part], codes, CODES_PER_STEP)

    tried = {rate: learn(rate, slice(0, tuning)) for rate in rates}
    rate = min(tried, key=lambda value: with_restarts(tried[value], best_patience(tried[value])))
    return _Learned(rate, best_patience(tried[rate]), learn(rate, slice(tuning, None)))


def _cycles(task: Task, program: Program, starts: _Starts, rate: float, chips: Sequence[str], tuning: int) -> dict[str, float]:
    """Mean of a step by chip, on the first of the fresh starts."""
    begin = starts.begins(task, rate, slice(tuning, tuning + 1))[0]
    order = starts.orders[tuning, :STEPS]
    x, targets = starts.goal.x[order], starts.goal.targets[order]
    return {chip: float(np.mean(count(program, chip, begin, x, targets)[0])) for chip in chips}
