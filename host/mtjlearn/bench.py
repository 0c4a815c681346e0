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
from numpy.typing import NDArray

from mtjlearn.board import Board
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.inprocess import Learner
from mtjlearn.network import FRACTION_BITS, NOISE_BUFFER, Loss, Network
from mtjlearn.noise import PRESETS, SimulatedAdc

STEP_SIZES = ((2, 2, 2, 1), (2, 3, 1), (2, 4, 1), (4, 8, 3), (16, 16, 10), (64, 32, 10))
"""Networks whose training steps are measured: int16 weights, squared error."""
MODEL_SIZES = (2, 2, 2, 1)
MODEL_REPLICAS = 100
STREAM_SIZES = (4, 8, 3)
"""Network whose samples are streamed: iris."""
REPEATS = 7

_LEARNING_RATE = 2.0**-10
_REFERENCE = 1.1
_SAMPLES = 256
_MODEL_STEPS = 200
_ROUND_TRIPS = 50
_STREAM_SECONDS = 0.4
_STEP_SECONDS = 0.04

Samples = tuple[NDArray[np.int16], NDArray[np.int16]]


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


def step_network(sizes: tuple[int, ...], loss: Loss = Loss.SQUARED) -> Network:
    """What is measured: a plain ANP network with int16 weights."""
    return Network(sizes, loss=loss, learning_rate=_LEARNING_RATE)


def time_step(network: Network, *, repeats: int = REPEATS, seconds: float = _STEP_SECONDS) -> Spread:
    """Nanoseconds of a training step of the C learner in this process.

    The noise buffer is filled once; what a board does besides learning (converter, frames) is not in it.

    Args:
        network: which.
        repeats: measurements.
        seconds: about how long each one takes.

    Raises:
        NotBuiltError: if the C parts were not built.
    """
    learner = Learner(network)
    learner.put_codes(_codes(1)[0])
    x, target = _samples(network)

    def run(steps: int) -> float:
        order = np.arange(steps, dtype=np.uint32) % len(x)
        begun = time.perf_counter()
        learner.train(x, target, order)
        return time.perf_counter() - begun

    run(len(x))
    steps = max(1, round(seconds * len(x) / run(len(x))))
    return Spread.of([1e9 * run(steps) / steps for _ in range(repeats)])


def time_model(network: Network, replicas: int, *, repeats: int = REPEATS, steps: int = _MODEL_STEPS) -> Spread:
    """Training steps a second of the integer model in NumPy, those of all replicas together.

    Args:
        network: which.
        replicas: independent networks that learn in lockstep.
        repeats: measurements.
        steps: lockstep steps in each.
    """
    model = FixedNetwork(network, range(1, replicas + 1))
    model.put_codes(_codes(replicas))
    x, target = _samples(network)
    target = target.reshape(len(target), -1)

    def run() -> float:
        begun = time.perf_counter()
        for step in range(steps):
            model.train(x[step % len(x)], target[step % len(x)])
        return steps * replicas / (time.perf_counter() - begun)

    run()
    return Spread.of([run() for _ in range(repeats)])


def time_stream(board: Board, network: Network, *, repeats: int = REPEATS, seconds: float = _STREAM_SECONDS) -> Spread:
    """Samples a second that a board trains while they are streamed to it, end to end: all are acknowledged.

    The board is configured with the network, which replaces the one it had.

    Args:
        board: which.
        network: what it learns with; its noise is the board's own.
        repeats: measurements.
        seconds: about how long each one takes.

    Raises:
        BoardError: as Board.configure() and Board.train().
    """
    board.configure(network)
    x, target = _samples(network)

    def run(count: int) -> float:
        order = np.arange(count) % len(x)
        samples, targets = x[order], target[order]
        begun = time.perf_counter()
        board.train(samples, targets)
        return count / (time.perf_counter() - begun)

    # The first stretch may wait until the noise buffer is full; the second tells how much fits into the time.
    run(_SAMPLES)
    count = max(1, round(seconds * run(_SAMPLES)))
    return Spread.of([run(count) for _ in range(repeats)])


def time_round_trip(board: Board, *, repeats: int = _ROUND_TRIPS) -> Spread:
    """Seconds from a question for STATUS to its answer."""

    def run() -> float:
        begun = time.perf_counter()
        board.status()
        return time.perf_counter() - begun

    run()
    return Spread.of([run() for _ in range(repeats)])


def _codes(replicas: int) -> NDArray[np.uint16]:
    """A noise buffer for each replica, shape (replicas, NOISE_BUFFER)."""
    return SimulatedAdc(PRESETS["recording"], replicas, reference=_REFERENCE, seed=1).read(NOISE_BUFFER)


def _samples(network: Network) -> Samples:
    """Random inputs within -1 .. 1 and targets within 0 .. 1, or classes."""
    generator = np.random.default_rng(1)
    one = 2**FRACTION_BITS
    x = generator.integers(-one, one, (_SAMPLES, network.sizes[0]), dtype=np.int16, endpoint=True)
    if network.loss is Loss.CROSS_ENTROPY:
        return x, generator.integers(0, network.sizes[-1], _SAMPLES, dtype=np.int16)
    return x, generator.integers(0, one, (_SAMPLES, network.sizes[-1]), dtype=np.int16, endpoint=True)
