"""Figure 3: a single linear layer, and how robust (A)NP is to learning rate, noise scale and kind of noise.

One run for each learning rate, noise scale and kind: Gaussian, binomial with several sources, and a simulated junction per node.
The grey line is the best run of backpropagation over the same learning rates. The paper shows accuracies of the training part;
those of the test part are measured too, both without noise. Learning rates fall towards the end, with both rules: at a constant
rate the noise of (A)NP's update costs it more.

That noise is what separates (A)NP from backpropagation: for N = 10 units an update's variance is nine times the gradient's square.
So the rule is also run with the mean of several pairs of noisy passes for each image, at the largest learning rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.network import Loss, Network
from mtjlearn.noise import Bernoulli, Gaussian, NoiseSource, SimulatedSmtj
from mtjlearn.reference import Reference, Rule, initial_weights, shuffled
from mtjlearn.reproduction.deep import BATCH, read
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece
from mtjlearn.schedule import halving

SCALES = (0.25, 0.0625)
"""Standard deviations of a unit's noise; the paper does not give its values."""
SOURCES = (1, 4)
"""Samples that a binomial value sums."""
KINDS = ("gaussian", *(f"binomial-{sources}" for sources in SOURCES), "smtj")
GROUPS = {"gaussian": ("gaussian",), "binomial": KINDS[1:-1], "smtj": ("smtj",)}
"""The three kinds of noise that are compared with backpropagation."""
PAIRS = 4
"""Pairs of noisy passes for each image in the runs with several; eq. 4 has one."""
PAIRS_RATES = 3
"""How many of the largest learning rates have runs with several pairs."""

_QUICK: dict[str, Any] = {"samples": None, "epochs": 10, "sets": ("fashion-mnist",), "ks": (0, 1, 2, 4, 6), "seconds": 8.0}
_FULL: dict[str, Any] = {
    "samples": None,
    "epochs": 100,
    "sets": ("mnist", "fashion-mnist"),
    "ks": tuple(range(10)),
    "seconds": 80.0,
}
"""Learning rates are .1 2^-k; the caption has all ten of them."""


def sets(options: Options) -> tuple[str, ...]:
    """The data that are learned."""
    return options.sets or tuple(_scale(options)["sets"])


def check(options: Options) -> None:
    """The data are there.

    Raises:
        DatasetError: they are not; the text says where they were looked for.
    """
    for data in sets(options):
        read(data, options.seed, _scale(options)["samples"], options.data)


def pieces(options: Options) -> list[Piece]:
    """For each learning rate one of backpropagation, and those with all kinds of noise and scales, which learn side by side."""
    scale = _scale(options)
    found = []
    for data in sets(options):
        for k in scale["ks"]:
            shared = {
                "data": data,
                "samples": scale["samples"],
                "folder": options.data,
                "epochs": scale["epochs"],
                "eta": 0.1 * 2.0**-k,
                "seed": options.seed,
            }
            found.append(Piece(f"fig3/{data}/bp/{k}", backpropagated, shared, scale["seconds"]))
            noisy = {**shared, "kinds": list(KINDS), "scales": list(SCALES)}
            for pairs in (1, PAIRS) if k in _few(scale["ks"]) else (1,):
                seconds = scale["seconds"] * len(KINDS) * len(SCALES) * (1 + pairs) / 8
                found.append(Piece(f"fig3/{data}/anp-{pairs}/{k}", perturbed, {**noisy, "pairs": pairs}, seconds))
    return found


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracies of each kind, shape (learning rates, scales), the best of each, and backpropagation's.

    ``several`` has the same for several pairs of passes and the largest learning rates.
    """
    scale = _scale(options)
    found: dict[str, Any] = {
        "etas": [0.1 * 2.0**-k for k in scale["ks"]],
        "eta_k": list(scale["ks"]),
        "scales": list(SCALES),
        "pairs": PAIRS,
        "epochs": scale["epochs"],
        "samples": scale["samples"],
    }
    for data in sets(options):
        found[data] = {part: _compared(part, data, scale["ks"], results) for part in ("training", "test")}
    return found


def lines(found: Mapping[str, Any]) -> list[str]:
    """The best of each kind, next to backpropagation."""
    said = []
    for data, parts in found.items():
        for part, one in parts.items() if isinstance(parts, Mapping) else ():
            said.append(
                f"{data}: best {part} accuracy after {found['epochs']} epochs: BP {one['best_bp']:.4f}; ANP with {_told(one)}; "
                f"with {found['pairs']} pairs of passes {_told(one['several'])}"
            )
    return said


def backpropagated(data: str, samples: int | None, folder: str | None, epochs: int, eta: float, seed: int) -> dict[str, Any]:
    """Accuracies of a single layer at the end, of the training and of the test part.

    Args:
        data: name of the image set.
        samples: of the training part; None: all.
        folder: with image sets.
        epochs: passes through them.
        eta: learning rate.
        seed: of weights, order and noise.
    """
    [accuracy], [test] = _accuracies(data, samples, folder, epochs, eta, seed, None, 1)
    return {"training": accuracy, "test": test}


def perturbed(
    data: str,
    samples: int | None,
    folder: str | None,
    epochs: int,
    eta: float,
    seed: int,
    kinds: Sequence[str],
    scales: Sequence[float],
    pairs: int,
) -> dict[str, Any]:
    """The same with (A)NP: for each kind of noise a list with an accuracy for each scale.

    Args:
        data: see :func:`backpropagated`; and the other arguments that it has.
        samples: the same.
        folder: the same.
        epochs: the same.
        eta: the same.
        seed: the same.
        kinds: of noise, of :data:`KINDS`.
        scales: standard deviations of a unit's noise.
        pairs: of noisy passes for each image.
    """
    noise = _SideBySide(kinds, scales, pairs, seed)
    parts = zip(("training", "test"), _accuracies(data, samples, folder, epochs, eta, seed, noise, pairs), strict=True)
    width = len(scales)
    return {part: {kind: found[width * place :][:width] for place, kind in enumerate(kinds)} for part, found in parts}


def _accuracies(
    data: str, samples: int | None, folder: str | None, epochs: int, eta: float, seed: int, noise: _SideBySide | None, pairs: int
) -> tuple[list[float], list[float]]:
    dataset = read(data, seed, samples, folder)
    sizes = (dataset.inputs, len(dataset.classes or ()))
    network = Network(sizes, loss=Loss.CROSS_ENTROPY, normalised=False, learning_rate=eta, seed=seed + 1)
    one = initial_weights(sizes, 1, network.seed)
    replicas = 1 if noise is None else noise.replicas
    model = Reference(
        network,
        Rule.BP if noise is None else Rule.ANP,
        noise,
        weights=[np.repeat(layer, replicas, axis=0) for layer in one],
        dtype="float32",
        pairs=pairs,
    )
    x = dataset.x_train.astype(np.float32)
    order = shuffled(seed, len(x))
    model.train(x, dataset.y_train, epochs, batch=BATCH, order=order, schedule=lambda epoch: halving(epoch, epochs))
    parts = ((x, dataset.y_train), (dataset.x_test, dataset.y_test))
    training, test = ([round(float(value), 5) for value in model.evaluate(*part).accuracy] for part in parts)
    return training, test


class _SideBySide:
    """Noise of several kinds and scales for replicas side by side: all scales of the first kind, then of the second."""

    def __init__(self, kinds: Sequence[str], scales: Sequence[float], pairs: int, seed: int) -> None:
        self.replicas = len(kinds) * len(scales)
        self._kinds = list(kinds)
        self._scales = np.tile(np.array(scales, dtype=np.float32), len(kinds))[:, None]
        self._passes = 2 * pairs
        self._seed = seed
        self._sources: list[NoiseSource] = []

    def draw(self, count: int, steps: int = 1) -> NDArray[Any]:
        """See :class:`mtjlearn.noise.NoiseSource`."""
        if not self._sources:
            each = self.replicas // len(self._kinds)
            # A single layer's units have a junction each, which serves all passes.
            self._sources = [_noise(kind, each, count // self._passes, self._seed) for kind in self._kinds]
        values = np.concatenate([source.draw(count, steps) for source in self._sources], axis=1, dtype=np.float32)
        values *= self._scales
        return values


def _compared(part: str, data: str, ks: Sequence[int], results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of the training or the test part."""
    bp = [results[f"{data}/bp/{k}"][part] for k in ks]

    def best(pairs: int, rates: Sequence[int]) -> dict[str, Any]:
        kinds = {kind: [results[f"{data}/anp-{pairs}/{k}"][part][kind] for k in rates] for kind in KINDS}
        found = {group: max(max(map(max, kinds[kind])) for kind in members) for group, members in GROUPS.items()}
        below = {group: round(max(bp) - value, 5) for group, value in found.items()}
        return {"kinds": kinds, "best": found, "below_bp": below}

    return {"bp": bp, "best_bp": max(bp), **best(1, ks), "several": best(PAIRS, _few(ks))}


def _few(ks: Sequence[int]) -> list[int]:
    """Those of the largest learning rates."""
    return sorted(ks)[:PAIRS_RATES]


def _told(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{group} {value:.4f}" for group, value in found["best"].items())


def _noise(kind: str, replicas: int, units: int, seed: int) -> NoiseSource:
    """Noise of one kind with a standard deviation of 1."""
    if kind == "gaussian":
        return Gaussian(1.0, replicas, seed, "float32")
    if kind == "smtj":
        return SimulatedSmtj(1.0, "per_node", units, replicas=replicas, seed=seed)
    return Bernoulli(1.0, int(kind.partition("-")[2]), replicas, seed)


def _scale(options: Options) -> dict[str, Any]:
    return _FULL if options.full else _QUICK
