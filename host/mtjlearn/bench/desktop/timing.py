"""How fast: training steps in this process, the integer model in NumPy, and samples streamed to a board over its line.

Every figure is the median of several repeats, with their extremes: other work on the computer makes single ones slow.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mtjlearn.bench.phases import PHASES, REPEATS
from mtjlearn.bench.workload import SAMPLES, Workload
from mtjlearn.board import Board
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.inprocess import DEFINITIONS, Learner
from mtjlearn.inprocess.loader import Library
from mtjlearn.network import NOISE_BUFFER

MODEL_SIZES = (2, 2, 2, 1)
MODEL_REPLICAS = 100
PHASE_REPEATS = 101

_MODEL_STEPS = 200
_ROUND_TRIPS = 50
_STREAM_SECONDS = 0.4
_STEP_SECONDS = 0.04

_phases = Library(DEFINITIONS + "void phases_take(double *nanos);", "mtjlearn-phases")


@dataclass(frozen=True)
class Spread:
    """Median and extremes of repeats."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of at least one repeat."""
        return cls(statistics.median(values), min(values), max(values))


def time_step(load: Workload, *, repeats: int = REPEATS, seconds: float = _STEP_SECONDS) -> Spread:
    """Nanoseconds of a training step of the C learner in this process.

    The noise buffer is filled once; what a board does besides learning (converter, frames) is not in it.

    Args:
        load: network and samples.
        repeats: measurements.
        seconds: about how long each one takes.

    Raises:
        NotBuiltError: if the C parts were not built.
    """
    learner = Learner(load.network)
    learner.put_codes(load.codes(NOISE_BUFFER))
    x, target = load.samples()

    def run(steps: int) -> float:
        order = np.arange(steps, dtype=np.uint32) % len(x)
        begun = time.perf_counter()
        learner.train(x, target, order)
        return time.perf_counter() - begun

    run(len(x))
    steps = max(1, round(seconds * len(x) / run(len(x))))
    return Spread.of([1e9 * run(steps) / steps for _ in range(repeats)])


def time_phases(load: Workload, *, repeats: int = PHASE_REPEATS) -> dict[str, float]:
    """Nanoseconds of a training step and of its parts (mtjlearn.bench.phases.PHASES), in this process.

    From a build whose parts are timed: means over all samples, of the repeat whose step is the median. What the clock costs
    is taken off, but being timed slows a step of 0.1 us by some nanoseconds: for the whole step time_step() is exact.

    Args:
        load: network and samples.
        repeats: measurements.

    Raises:
        NotBuiltError: the linker of this computer cannot make that build.
    """
    ffi, lib = _phases.load()
    learner = Learner(load.network, _phases)
    learner.put_codes(load.codes(NOISE_BUFFER))
    x, target = load.samples()
    nanos = ffi.new("double[4]")
    rows = []
    for repeat in range(repeats + 1):
        learner.train(x, target)
        lib.phases_take(nanos)
        if repeat:  # the first one warms up
            step, draw, normalise, update = (value / len(x) for value in nanos)
            rows.append((step, draw, step - draw - normalise - update, normalise, update))
    return dict(zip(PHASES, sorted(rows)[repeats // 2], strict=True))


def time_model(load: Workload, replicas: int, *, repeats: int = REPEATS, steps: int = _MODEL_STEPS) -> Spread:
    """Training steps per second of the integer model in NumPy, those of all replicas together.

    Args:
        load: network and samples.
        replicas: independent networks that learn in lockstep.
        repeats: measurements.
        steps: lockstep steps in each.
    """
    model = FixedNetwork(load.network, range(1, replicas + 1))
    model.put_codes(load.codes(NOISE_BUFFER))
    x, target = load.samples()

    def run() -> float:
        begun = time.perf_counter()
        for step in range(steps):
            model.train(x[step % len(x)], target[step % len(x)])
        return steps * replicas / (time.perf_counter() - begun)

    run()
    return Spread.of([run() for _ in range(repeats)])


def time_stream(board: Board, load: Workload, *, repeats: int = REPEATS, seconds: float = _STREAM_SECONDS) -> Spread:
    """Samples per second that a board trains while they are streamed to it, end to end: all are acknowledged.

    The board is configured with the network, which replaces the one it had.

    Args:
        board: which.
        load: network and samples; the noise is the board's own.
        repeats: measurements.
        seconds: about how long each one takes.

    Raises:
        BoardError: as Board.configure() and Board.train().
    """
    board.configure(load.network)
    x, target = load.samples()

    def run(count: int) -> float:
        order = np.arange(count) % len(x)
        samples, targets = x[order], target[order]
        begun = time.perf_counter()
        board.train(samples, targets)
        return count / (time.perf_counter() - begun)

    # The first stretch may wait until the noise buffer is full; the second shows how much fits into the time.
    run(SAMPLES)
    count = max(1, round(seconds * run(SAMPLES)))
    return Spread.of([run(count) for _ in range(repeats)])


def time_round_trip(board: Board, *, repeats: int = _ROUND_TRIPS) -> Spread:
    """Seconds from a question for STATUS to its answer."""

    def run() -> float:
        begun = time.perf_counter()
        board.status()
        return time.perf_counter() - begun

    run()
    return Spread.of([run() for _ in range(repeats)])
