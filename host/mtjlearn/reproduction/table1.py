"""Table I: the search for learning rates of appendix A.

Each pair of eta and eps from {.1 2^-k} trains one seed; the pair with the highest test accuracy at the end wins. Quick: a part of
the set, a smaller network and fewer epochs on the digits. Full: all of the set, and the paper's networks, data and 1,000 epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtjlearn.reproduction.deep import DECORRELATED, read, train
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece

METHODS = ("bp", "danp", "danp_single")
"""Rows of the table."""
PAPER = {
    "mnist": {"bp": (9, None), "danp": (11, 19), "danp_single": (11, 19)},
    "cifar10": {"bp": (14, None), "danp": (12, 19), "danp_single": (12, 19)},
    "cifar100": {"bp": (13, None), "danp": (12, 20), "danp_single": (10, 14)},
}
"""The table itself: k of eta and of eps."""
_QUICK = {
    "sets": ("digits",),
    "hidden": (50, 50, 50),
    "epochs": 15,
    "ks": (2, 4, 5, 6, 8, 10),
    "epsilons": (4, 6, 8, 10, 12, 16, 20),
}
_FULL = {"sets": tuple(PAPER), "hidden": (500, 500, 500), "epochs": 1000, "ks": tuple(range(21)), "epsilons": tuple(range(21))}
_SECONDS, _FULL_SECONDS = 1.2, 40_000.0


def check(options: Options) -> None:
    """The data are there.

    Raises:
        DatasetError: they are not; the text says where they were looked for.
    """
    for data in _scale(options)["sets"]:
        read(data, options.seed, None, options.data)


def pieces(options: Options) -> list[Piece]:
    """A training for each method and pair of rates."""
    scale = _scale(options)
    return [
        Piece(
            f"table1/{data}/{method}/{eta}/{'-' if epsilon is None else epsilon}",
            train,
            {
                "data": data,
                "hidden": list(scale["hidden"]),
                "method": method,
                "eta": 0.1 * 2.0**-eta,
                "epsilon": 0.0 if epsilon is None else 0.1 * 2.0**-epsilon,
                "epochs": scale["epochs"],
                "seed": options.seed,
                "folder": options.data,
                "device": options.device,
                "evaluations": 1,
            },
            _FULL_SECONDS if options.full else _SECONDS,
        )
        for data in scale["sets"]
        for method in METHODS
        for eta in scale["ks"]
        for epsilon in _epsilons(method, scale)
    ]


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Test accuracy of each pair, and the pair that wins, for each set and method."""
    scale = _scale(options)
    found: dict[str, Any] = {
        "epochs": scale["epochs"],
        "network": "-".join(map(str, scale["hidden"])),
        "eta_k": list(scale["ks"]),
        "epsilon_k": list(scale["epsilons"]),
        "paper": {data: {method: list(pair) for method, pair in rows.items()} for data, rows in PAPER.items()},
        "sets": {},
    }
    for data in scale["sets"]:
        found["sets"][data] = {method: _row(data, method, scale, results) for method in METHODS}
    return found


def lines(found: Mapping[str, Any]) -> list[str]:
    """The winners."""
    said = []
    for data, rows in found["sets"].items():
        for method, one in rows.items():
            epsilon = "" if one["epsilon_k"] is None else f", eps .1 2^-{one['epsilon_k']}"
            said.append(f"{data}, {method}: eta .1 2^-{one['eta_k']}{epsilon}: test accuracy {one['test_accuracy']:.3f}")
    return said


def _row(data: str, method: str, scale: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    pairs = [(eta, epsilon) for eta in scale["ks"] for epsilon in _epsilons(method, scale)]
    keys = [f"{data}/{method}/{eta}/{'-' if epsilon is None else epsilon}" for eta, epsilon in pairs]
    accuracies = [round(results[key]["test_accuracy"][-1] or 0.0, 5) for key in keys]
    best = max(range(len(pairs)), key=lambda place: accuracies[place])
    width = len(_epsilons(method, scale))
    return {
        "eta_k": pairs[best][0],
        "epsilon_k": pairs[best][1],
        "test_accuracy": accuracies[best],
        "accuracies": [accuracies[start : start + width] for start in range(0, len(accuracies), width)],
    }


def _epsilons(method: str, scale: Mapping[str, Any]) -> tuple[int | None, ...]:
    return tuple(scale["epsilons"]) if method in DECORRELATED else (None,)


def _scale(options: Options) -> dict[str, Any]:
    return _FULL if options.full else _QUICK
