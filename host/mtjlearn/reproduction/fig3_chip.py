"""Figure 3's single layer on a chip, which the paper does not have: a board's integers learn the images, one by one, over the wire.

A layer of 784-10 learns with ANP from the noise of the board's junction. Its images are longer than a message and come in parts,
with 16 bits a pixel and with 8. Next to it learn float ANP with the same rates and noise of the same kind, and backpropagation,
which has the best of several rates. All learn online, and all rates fall within the training (:func:`mtjlearn.schedule.stepped`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import epoch_order, quantise
from mtjlearn.discovery import open_board
from mtjlearn.network import Loss, Network
from mtjlearn.noise import SimulatedSmtj
from mtjlearn.reference import Reference, Rule
from mtjlearn.reproduction.boards import is_virtual, seeded
from mtjlearn.reproduction.deep import read
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece
from mtjlearn.schedule import stepped
from mtjlearn.virtual.boards import default_virtual_board

ETA = 0.2
"""eta N = 2 at the start."""
BP_RATES = (0.4, 0.2, 0.1, 0.05)
BITS = (16, 8)
"""Of a pixel on the wire."""
CODES_PER_STEP = 4
STRETCH = 2000
"""Images between two changes of the rate, at most."""
SLOW = "m4-sim"
"""With --full a simulated Cortex-M4F learns a part of the images too, once, with 8 bits a pixel."""
SLOW_PART = (4000, 1000)
"""Training and test images of that part."""

_QUICK: dict[str, Any] = {"samples": 12_000, "tested": 2000, "epochs": 2, "seeds": 1, "slow": False}
_FULL: dict[str, Any] = {"samples": None, "tested": None, "epochs": 5, "seeds": 3, "slow": True}
_SECONDS_AN_IMAGE = {"native": 0.0015, "inprocess": 0.0015, SLOW: 0.04}
"""On a board, about."""
_REFERENCE_SECONDS = 0.0003
"""Of an image in floats."""
_ALL = 60_000
_STEP = 64
"""Units of Q3.12 between two values of 8 bits, which reach +-127/64."""


def data_of(options: Options) -> str:
    """The images that are learned."""
    return options.sets[0] if options.sets else "fashion-mnist"


def network(inputs: int, classes: int, eta: float, seed: int) -> Network:
    """The single layer."""
    return Network((inputs, classes), loss=Loss.CROSS_ENTROPY, learning_rate=eta, seed=seed + 1)


def check(options: Options) -> None:
    """The data are there.

    Raises:
        DatasetError: they are not; the text says where they were looked for.
    """
    read(data_of(options), options.seed, _scale(options)["samples"], options.data)


def pieces(options: Options) -> list[Piece]:
    """A training for each board, number of bits and seed; float ANP for each seed, and backpropagation for each rate."""
    scale = _scale(options)
    shared = {"data": data_of(options), "samples": scale["samples"], "folder": options.data, "tested": scale["tested"]}
    found = []
    for board, bits, seed, epochs in _trainings(options):
        arguments = {**shared, "board": board, "bits": bits, "epochs": epochs, "seed": options.seed + seed}
        if board == SLOW:
            arguments = {**arguments, **dict(zip(("samples", "tested"), SLOW_PART, strict=True))}
        seconds = epochs * (arguments["samples"] or _ALL) * _SECONDS_AN_IMAGE.get(board, 0.01)
        found.append(Piece(f"fig3-chip/{board}/{bits}/{seed}", on_board, arguments, seconds, not is_virtual(board)))
    seconds = _REFERENCE_SECONDS * scale["epochs"] * (scale["samples"] or _ALL)
    floats = {**shared, "epochs": scale["epochs"]}
    for seed in range(scale["seeds"]):
        arguments = {**floats, "rule": "anp", "eta": ETA, "seed": options.seed + seed}
        found.append(Piece(f"fig3-chip/anp/{seed}", in_floats, arguments, seconds))
    for k, eta in enumerate(BP_RATES):
        found.append(Piece(f"fig3-chip/bp/{k}", in_floats, {**floats, "rule": "bp", "eta": eta, "seed": options.seed}, seconds))
    return found


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Test accuracies after each epoch of all trainings, and the medians at the end."""
    scale = _scale(options)
    boards: dict[str, Any] = {}
    for board, bits, seed, epochs in _trainings(options):
        one = boards.setdefault(board, {}).setdefault(str(bits), {"test_accuracies": [], "epochs": epochs, "samples_per_s": []})
        run = results[f"{board}/{bits}/{seed}"]
        one["test_accuracies"].append(run["test_accuracy"])
        one["samples_per_s"].append(run["samples_per_s"])
        one["saturations"] = one.get("saturations", 0) + run["saturations"]
    for codings in boards.values():
        for one in codings.values():
            one["test_accuracy"] = _median(one["test_accuracies"])
    anp = [results[f"anp/{seed}"]["test_accuracy"] for seed in range(scale["seeds"])]
    bp = [results[f"bp/{k}"]["test_accuracy"] for k in range(len(BP_RATES))]
    best = max(range(len(BP_RATES)), key=lambda k: bp[k][-1])
    return {
        "data": data_of(options),
        "epochs": scale["epochs"],
        "seeds": scale["seeds"],
        "eta": ETA,
        "boards": boards,
        "anp": {"test_accuracies": anp, "test_accuracy": _median(anp)},
        "bp": {"etas": list(BP_RATES), "test_accuracies": bp, "best_eta": BP_RATES[best], "best": bp[best]},
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """What each board reaches, next to floats."""
    said = [
        f"{found['data']}, test accuracy after {found['epochs']} epochs: best BP {found['bp']['best'][-1]:.4f}, "
        f"float ANP {found['anp']['test_accuracy']:.4f}"
    ]
    for board, codings in found["boards"].items():
        told = [f"{one['test_accuracy']:.4f} with {bits} bits a pixel" for bits, one in codings.items()]
        epochs = next(iter(codings.values()))["epochs"]
        rate = np.median([value for one in codings.values() for value in one["samples_per_s"]])
        part = f" with {SLOW_PART[0]:,} images" if board == SLOW and found["epochs"] != epochs else ""
        said.append(f"{board} after {epochs} epochs{part}: {', '.join(told)}; {rate:,.0f} images per second")
    return said


def on_board(
    data: str, samples: int | None, folder: str | None, board: str, bits: int, epochs: int, seed: int, tested: int | None
) -> dict[str, Any]:
    """Streams a training to a board, which evaluates the test part after each epoch.

    Args:
        data: name of the image set.
        samples: of the training part; None: all.
        folder: with image sets.
        board: its name.
        bits: of a pixel on the wire, 8 or 16.
        epochs: passes through the training part.
        seed: of the weights, the order and a virtual board's noise.
        tested: images of the test part, the first; None: all.
    """
    dataset = read(data, seed, samples, folder)
    described = network(dataset.inputs, len(dataset.classes or ()), ETA, seed)
    prepared = quantise(dataset, described)
    x, x_test = ((_narrow(part) if bits == 8 else part) for part in (prepared.x_train, prepared.x_test))
    accuracies: list[float] = []
    seconds = 0.0
    with open_board(board, **seeded(board, seed, CODES_PER_STEP)) as opened:
        opened.configure(described)
        for chosen, factor, ends in _stretches(seed, len(x), epochs):
            opened.set_rates(ETA * factor)
            started = time.monotonic()
            opened.train(x[chosen], prepared.t_train[chosen])
            seconds += time.monotonic() - started
            if ends:
                accuracies.append(opened.evaluate(x_test[:tested], prepared.t_test[:tested]).accuracy)
        status = opened.status()
    return {
        "test_accuracy": accuracies,
        "samples_per_s": round(epochs * len(x) / seconds, 1),
        "steps": status.steps,
        "saturations": status.saturations,
    }


def in_floats(
    data: str, samples: int | None, folder: str | None, rule: str, eta: float, epochs: int, seed: int, tested: int | None
) -> dict[str, Any]:
    """The same layer in floats.

    Args:
        data: see :func:`on_board`; and the other arguments that it has.
        samples: the same.
        folder: the same.
        rule: anp or bp.
        eta: learning rate at the start.
        epochs: the same.
        seed: the same.
        tested: the same.
    """
    dataset = read(data, seed, samples, folder)
    described = network(dataset.inputs, len(dataset.classes or ()), 1.0, seed)
    noise = SimulatedSmtj(described.sigma, "per_node", described.units, seed=seed) if rule == "anp" else None
    model = Reference(described, Rule(rule), noise)
    accuracies = []
    for chosen, factor, ends in _stretches(seed, len(dataset.x_train), epochs):
        model.train(dataset.x_train[chosen], dataset.y_train[chosen], 1, schedule=_at(eta * factor))
        if ends:
            accuracies.append(round(float(model.evaluate(dataset.x_test[:tested], dataset.y_test[:tested]).accuracy[0]), 5))
    return {"test_accuracy": accuracies}


def _at(rate: float) -> Callable[[int], float]:
    return lambda epoch: rate


def _stretches(seed: int, samples: int, epochs: int) -> Iterator[tuple[NDArray[np.int64], float, bool]]:
    """Which samples come next, the factor on the rate, and whether they end an epoch."""
    for epoch in range(epochs):
        order = epoch_order(seed, epoch, samples)
        for start in range(0, samples, STRETCH):
            chosen = order[start : start + STRETCH]
            yield chosen, stepped(epoch * samples + start, epochs * samples), start + len(chosen) == samples


def _narrow(values: NDArray[np.int16]) -> NDArray[np.int16]:
    """The nearest values of 8 bits."""
    return (np.clip(np.rint(values / _STEP), -127, 127) * _STEP).astype(np.int16)


def _trainings(options: Options) -> list[tuple[str, int, int, int]]:
    """Board, bits of a pixel, seed and epochs of each training on a board."""
    scale = _scale(options)
    board = options.board or default_virtual_board()
    found = [(board, bits, seed, scale["epochs"]) for bits in BITS for seed in range(scale["seeds"])]
    return [*found, (SLOW, 8, 0, 1)] if scale["slow"] and not options.board else found


def _median(accuracies: list[list[float]]) -> float:
    return float(np.median([each[-1] for each in accuracies]))


def _scale(options: Options) -> dict[str, Any]:
    return _FULL if options.full else _QUICK
