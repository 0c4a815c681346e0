"""Figure 5: a 2-2-2-1 network learns a random 2-2-2-1 teacher from the noise of one junction, many times over.

Three ways: the network in Python in floats with noise read live from the board, as the paper did it; samples streamed to the
board, which learns in its integers; and the samples in the board's memory, which learns autonomously. Rates and their grid are
those of appendix B, the step is that of eq. 4 as printed. The loss is measured without noise on samples of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import Board, Schedule
from mtjlearn.datasets import Quantised, load, quantise
from mtjlearn.discovery import open_board
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, LOSS_BITS, NOISE_BUFFER, Network
from mtjlearn.noise import PRESETS, SimulatedAdc
from mtjlearn.reproduction.boards import board_name, is_virtual, seeded
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece
from mtjlearn.reproduction.shuffled_buffer import ShuffledBuffer, listening

SIZES = (2, 2, 2, 1)
ETA = 1e-3
EPSILON = 1e-4
SIGMA = 1 / 32
EPOCHS = 50
SHOWN = (0, 1, 5, 10, 20, 30, 40, 50)
"""Epochs after which the loss is measured."""
REPEATS = 100
ETAS = (1.0, 5e-1, 1e-1, 7e-2, 4e-2, 1e-2, 7e-3, 4e-3, 1e-3, 5e-4)
EPSILONS = (1e-2, 5e-3, 1e-3, 7e-4, 4e-4, 1e-4, 7e-5, 4e-5, 1e-5, 5e-6)
"""The grid of appendix B."""
WAYS = ("python", "streamed", "autonomous")
CODES_PER_STEP = 4
"""Noise codes that arrive at a virtual board in a step: about what an Uno's converter delivers."""
ONE_CALL_PER_MILLISECOND = 1000.0
"""Steps per second of the paper's rig at most, if a step makes one call, which waits for 1 ms."""

_SWEPT_QUICKLY = 10
_SIZES = {"python": 50, "streamed": 10, "autonomous": 10}
"""Repeats that are one piece; those of the network in Python learn side by side and share the board's noise."""
_POLL = 0.005
_SECONDS = {"python": 0.6, "streamed": 0.4, "autonomous": 0.15}
"""CPU seconds of one repeat."""

Losses = list[list[float]]


def network(seed: int, eta: float = ETA, epsilon: float = EPSILON) -> Network:
    """The student: the step of eq. 4 as printed, inputs of all layers decorrelated."""
    return Network(
        SIZES,
        normalised=False,
        learning_rate=eta,
        decorrelate=(True,) * (len(SIZES) - 1),
        decorrelation_rate=epsilon,
        sigma=SIGMA,
        seed=seed + 1,
    )


def check(options: Options) -> None:
    """Everything it needs is there or is reported by the board."""


def pieces(options: Options) -> list[Piece]:
    """Groups of repeats for each way, and groups of the grid."""
    board = board_name(options)
    alone = not is_virtual(board)
    found = []
    for way, size in _SIZES.items():
        for first in range(0, REPEATS, size):
            repeats = min(size, REPEATS - first)
            arguments: dict[str, Any] = {"board": board, "seeds": _seeds(options, first, repeats)}
            if way == "python":
                arguments["wait"] = options.wait
            found.append(Piece(f"fig5/{way}/{first}", _TASKS[way], arguments, repeats * _SECONDS[way], alone))
    swept = REPEATS if options.full else _SWEPT_QUICKLY
    for eta, epsilon in product(ETAS, EPSILONS):
        point = {"eta": eta, "epsilon": epsilon, "seeds": _seeds(options, 0, swept)}
        found.append(Piece(f"fig5/sweep/{eta:g}/{epsilon:g}", sweep_point, point, 0.06 * swept))
    return found


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Losses of each way and repeat, their quartiles, rates, and the grid."""
    ways = {way: _way(way, results) for way in WAYS}
    repeats = REPEATS if options.full else _SWEPT_QUICKLY
    grid = [[_median(results[f"sweep/{eta:g}/{epsilon:g}"]["losses"]) for epsilon in EPSILONS] for eta in ETAS]
    return {
        "eta": ETA,
        "epsilon": EPSILON,
        "epochs": list(SHOWN),
        "samples_per_epoch": _data(0, 0).x_train.shape[0],
        "repeats": REPEATS,
        "board": board_name(options),
        **ways,
        "within_quartiles": _within(ways),
        "sweep": {"etas": list(ETAS), "epsilons": list(EPSILONS), "repeats": repeats, "median_loss": grid},
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """The medians of each way, and its rate."""
    said = []
    for way in WAYS:
        one = found[way]
        low, high = one["quartiles"]
        side_by_side = f" with {one['side_by_side']} networks side by side" if "side_by_side" in one else ""
        said.append(
            f"{way}: median loss {one['median'][0]:.3g} -> {one['median'][-1]:.3g} (quartiles {low:.3g} to {high:.3g}), "
            f"{one['steps_per_s']:,.0f} steps/s{side_by_side}, {one['times_one_call_per_ms']:.1f} times one call per millisecond"
        )
    return said


def in_python(board: str, seeds: Sequence[int], wait: float) -> dict[str, Any]:
    """Repeats side by side in floats, with noise that the board sends meanwhile.

    Args:
        board: gives the noise.
        seeds: one for each repeat.
        wait: seconds that a step waits for noise.
    """
    from mtjlearn.reference import Reference, Rule, shuffled

    data = [_data(seed, seed) for seed in seeds]
    x, t, x_test, t_test = (np.stack([getattr(one, part) for one in data]) / 2.0**FRACTION_BITS for part in _PARTS)
    start = FixedNetwork(network(0), [seed + 1 for seed in seeds])
    buffer = ShuffledBuffer(SIGMA, len(seeds), seeds[0], wait)
    weights = [layer / 2.0**FRACTION_BITS for layer in start.weights]
    model = Reference(network(0), Rule.ANP, buffer, weights=weights)
    order = shuffled(list(seeds), x.shape[1])
    losses: list[list[float]] = []
    with open_board(board) as opened, listening(opened, buffer):
        started = time.monotonic()
        for epoch in range(EPOCHS + 1):
            if epoch in SHOWN:
                losses.append(model.evaluate(x_test, t_test).loss.tolist())
            if epoch < EPOCHS:
                model.train(x, t, 1, order=order)
        seconds = time.monotonic() - started
    variance = np.square(t_test).mean(axis=(1, 2)).tolist()
    steps = EPOCHS * x.shape[1]
    codes = buffer.readings / steps
    return {
        "losses": np.transpose(losses).tolist(),
        "variance": variance,
        "steps": steps,
        "seconds": seconds,
        "codes_per_step": codes,
    }


def streamed(board: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Repeats one after another, samples streamed to the board."""

    def learn(opened: Board, data: Quantised, seed: int, measure: Callable[[], None]) -> float:
        generator = np.random.default_rng(seed)
        samples = len(data.x_train)
        seconds = 0.0
        for before, after in pairwise(SHOWN):
            order = np.concatenate([generator.permutation(samples) for _ in range(after - before)])
            started = time.monotonic()
            opened.train(data.x_train[order], data.t_train[order])
            seconds += time.monotonic() - started
            measure()
        return seconds

    return _on_board(board, seeds, learn)


def autonomous(board: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Repeats one after another, the samples in the board's memory; it is stopped to measure the loss."""

    def learn(opened: Board, data: Quantised, seed: int, measure: Callable[[], None]) -> float:
        opened.upload_dataset(data.x_train, data.t_train)
        seconds = 0.0
        for before, after in pairwise(SHOWN):
            order = 1 + (seed * EPOCHS + before) % (2**32 - 1)
            started = time.monotonic()
            opened.start_autonomous(Schedule(epochs=after - before, checkpoint_interval=0, seed=order))
            while opened.progress().running:
                time.sleep(_POLL)
            seconds += time.monotonic() - started
            measure()
        return seconds

    return _on_board(board, seeds, learn)


def sweep_point(eta: float, epsilon: float, seeds: Sequence[int]) -> dict[str, Any]:
    """Final losses at one point of the grid, by the C learner in this process."""
    from mtjlearn.inprocess.learner import Learner

    final = []
    for seed in seeds:
        data = _data(seed, seed)
        learner = Learner(network(seed, eta, epsilon))
        adc = SimulatedAdc(PRESETS["recording"], reference=1.1, seed=seed)
        learner.put_codes(adc.read(NOISE_BUFFER)[0])
        generator = np.random.default_rng(seed)
        samples = len(data.x_train)
        for _ in range(EPOCHS):
            codes = adc.read(CODES_PER_STEP * samples)[0].reshape(samples, CODES_PER_STEP)
            learner.train(data.x_train, data.t_train, generator.permutation(samples), codes)
        total, _ = learner.evaluate(data.x_test, data.t_test)
        final.append(total / 2**LOSS_BITS / len(data.x_test))
    return {"losses": final}


_PARTS = ("x_train", "t_train", "x_test", "t_test")
_TASKS: dict[str, Callable[..., dict[str, Any]]] = {"python": in_python, "streamed": streamed, "autonomous": autonomous}


def _on_board(
    board: str, seeds: Sequence[int], learn: Callable[[Board, Quantised, int, Callable[[], None]], float]
) -> dict[str, Any]:
    losses: Losses = []
    variance = []
    seconds = 0.0
    steps = 0
    for seed in seeds:
        data = _data(seed, seed)
        curve: list[float] = []
        with open_board(board, **seeded(board, seed, CODES_PER_STEP)) as opened:
            opened.configure(network(seed))

            def measure(opened: Board = opened, data: Quantised = data, curve: list[float] = curve) -> None:
                curve.append(opened.evaluate(data.x_test, data.t_test).loss)

            measure()
            seconds += learn(opened, data, seed, measure)
        losses.append(curve)
        variance.append(_variance(data.t_test))
        steps += EPOCHS * len(data.x_train)
    return {"losses": losses, "variance": variance, "steps": steps, "seconds": seconds}


def _way(way: str, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    parts = [value for key, value in results.items() if key.startswith(f"{way}/")]
    losses = np.array([curve for part in parts for curve in part["losses"]])
    relative = losses / np.array([value for part in parts for value in part["variance"]])[:, None]
    rate = sum(part["steps"] for part in parts) / sum(part["seconds"] for part in parts)
    low, high = np.percentile(losses[:, -1], [25, 75])
    more = {}
    if way == "python":
        codes = float(np.mean([part["codes_per_step"] for part in parts]))
        more = {"codes_per_step": round(codes, 2), "side_by_side": len(parts[0]["losses"])}
    return {
        "repeats": len(losses),
        "median": np.round(np.median(losses, axis=0), 5).tolist(),
        "quartiles": [round(float(low), 5), round(float(high), 5)],
        "relative_median": np.round(np.median(relative, axis=0), 5).tolist(),
        "steps_per_s": round(rate, 1),
        "times_one_call_per_ms": round(rate / ONE_CALL_PER_MILLISECOND, 2),
        "losses": np.round(losses, 6).tolist(),
        "relative_losses": np.round(relative, 6).tolist(),
        **more,
    }


def _within(ways: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the final median of each way lies within the quartiles of the others."""
    return all(
        one["quartiles"][0] <= other["median"][-1] <= one["quartiles"][1] for one, other in product(ways.values(), ways.values())
    )


def _data(teacher: int, seed: int) -> Quantised:
    return quantise(load("teacher", seed=teacher, teacher_sizes=SIZES), network(seed))


def _variance(targets: NDArray[np.integer]) -> float:
    return float(np.square(targets / 2.0**FRACTION_BITS).mean())


def _median(losses: Sequence[float | None]) -> float | None:
    known = [value for value in losses if value is not None]
    return round(float(np.median(known)), 5) if known else None


def _seeds(options: Options, first: int, count: int) -> list[int]:
    return list(range(options.seed + first, options.seed + first + count))
