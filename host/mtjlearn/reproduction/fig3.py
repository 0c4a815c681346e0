"""Figure 3: a single linear layer, and how robust (A)NP is to learning rate, noise scale and kind of noise.

One run for each learning rate, noise scale and kind: Gaussian, binomial with several sources, and a simulated junction per node.
The grey line is the best run of backpropagation over the same learning rates. Accuracies are those of the training part, without
noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtjlearn.network import Loss, Network
from mtjlearn.noise import Bernoulli, Gaussian, NoiseSource, SimulatedSmtj
from mtjlearn.reference import Reference, Rule, shuffled
from mtjlearn.reproduction.deep import BATCH, read
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece

ETAS = tuple(0.1 * 2.0**-k for k in range(10))
"""Learning rates of the caption."""
SCALES = (1.0, 0.25, 0.0625, 0.015625)
"""Standard deviations of a unit's noise; the paper does not give its values."""
SOURCES = (1, 4, 16)
"""Samples that a binomial value sums."""
KINDS = ("gaussian", *(f"binomial-{sources}" for sources in SOURCES), "smtj")
GROUPS = {"gaussian": ("gaussian",), "binomial": KINDS[1:-1], "smtj": ("smtj",)}
"""The three kinds of noise that are compared with backpropagation."""
PERCENTAGE_POINT = 0.01

_QUICK = {"samples": 6400, "epochs": 20, "sets": ("fashion-mnist",), "seconds": 1.0}
_FULL = {"samples": None, "epochs": 100, "sets": ("mnist",), "seconds": 60.0}


def sets(options: Options) -> tuple[str, ...]:
    """The data that are learned."""
    chosen: tuple[str, ...] = options.sets or _scale(options)["sets"]
    return chosen


def check(options: Options) -> None:
    """The data are there.

    Raises:
        DatasetError: they are not; the text says where they were looked for.
    """
    for data in sets(options):
        read(data, options.seed, _scale(options)["samples"], options.data)


def pieces(options: Options) -> list[Piece]:
    """A piece for each kind of noise and learning rate, with all scales; and one for backpropagation's learning rates."""
    scale = _scale(options)
    found = []
    for data in sets(options):
        shared = {
            "data": data,
            "samples": scale["samples"],
            "folder": options.data,
            "epochs": scale["epochs"],
            "seed": options.seed,
        }
        for place, eta in enumerate(ETAS):
            found.append(
                Piece(
                    f"fig3/{data}/bp/{place}", accuracies, {**shared, "kind": None, "eta": eta, "scales": [1.0]}, scale["seconds"]
                )
            )
            for kind in KINDS:
                arguments = {**shared, "kind": kind, "eta": eta, "scales": list(SCALES)}
                found.append(Piece(f"fig3/{data}/{kind}/{place}", accuracies, arguments, scale["seconds"] * len(SCALES)))
    return found


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracies of each kind, shape (learning rates, scales), the best of each, and backpropagation's."""
    scale = _scale(options)
    found: dict[str, Any] = {"etas": list(ETAS), "scales": list(SCALES), "epochs": scale["epochs"], "samples": scale["samples"]}
    for data in sets(options):
        bp = [results[f"{data}/bp/{place}"]["accuracies"][0] for place in range(len(ETAS))]
        kinds = {kind: [results[f"{data}/{kind}/{place}"]["accuracies"] for place in range(len(ETAS))] for kind in KINDS}
        best = {group: max(_best(kinds[kind]) for kind in members) for group, members in GROUPS.items()}
        found[data] = {
            "bp": bp,
            "best_bp": max(bp),
            "kinds": kinds,
            "best": best,
            "below_bp": {group: round(max(bp) - value, 5) for group, value in best.items()},
        }
    return found


def lines(found: Mapping[str, Any]) -> list[str]:
    """The best of each kind, next to backpropagation."""
    said = []
    for data, one in found.items():
        if isinstance(one, Mapping):
            kinds = ", ".join(f"{group} {value:.4f}" for group, value in one["best"].items())
            said.append(f"{data}: best training accuracy after {found['epochs']} epochs: BP {one['best_bp']:.4f}; ANP with {kinds}")
    return said


def accuracies(
    data: str,
    samples: int | None,
    folder: str | None,
    epochs: int,
    seed: int,
    kind: str | None,
    eta: float,
    scales: Sequence[float],
) -> dict[str, Any]:
    """Training accuracies of a single layer at the end, one for each scale.

    Args:
        data: name of the image set.
        samples: of the training part; None: all.
        folder: with image sets.
        epochs: passes through them.
        seed: of weights, order and noise.
        kind: of noise, of :data:`KINDS`; None: backpropagation.
        eta: learning rate.
        scales: standard deviations of a unit's noise.
    """
    dataset = read(data, seed, samples, folder)
    classes = len(dataset.classes or ())
    x = dataset.x_train.astype(np.float32)
    order = shuffled(seed, len(x))
    found = []
    for sigma in scales:
        network = Network(
            (dataset.inputs, classes), loss=Loss.CROSS_ENTROPY, normalised=False, learning_rate=eta, sigma=sigma, seed=seed + 1
        )
        noise = None if kind is None else _noise(kind, sigma, classes, seed)
        model = Reference(network, Rule.BP if kind is None else Rule.ANP, noise, dtype="float32")
        model.train(x, dataset.y_train, epochs, batch=BATCH, order=order)
        found.append(round(float(model.evaluate(x, dataset.y_train).accuracy[0]), 5))
    return {"accuracies": found}


def _noise(kind: str, sigma: float, units: int, seed: int) -> NoiseSource:
    if kind == "gaussian":
        return Gaussian(sigma, seed=seed)
    if kind == "smtj":
        return SimulatedSmtj(sigma, "per_node", units, seed=seed)
    return Bernoulli(sigma, int(kind.partition("-")[2]), seed=seed)


def _scale(options: Options) -> dict[str, Any]:
    return _FULL if options.full else _QUICK


def _best(table: Sequence[Sequence[float]]) -> float:
    return max(max(row) for row in table)
