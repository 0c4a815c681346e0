"""Figure 4: three hidden layers learn by backpropagation, by ANP, and by DANP with a junction per node or one serial recording.

Quick: digits with 64-100-100-100-10, and 6,400 images of Fashion-MNIST with 784-100-100-100-10. Full: the paper's data, networks
and epochs; ``--set`` chooses the data, ``--epochs`` shortens it. ANP, which the paper leaves out, shows what decorrelation does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mtjlearn.errors import UserError
from mtjlearn.reproduction.curves import epochs_to, median_curve
from mtjlearn.reproduction.deep import METHODS, Task, read, train
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece

SEEDS = 5
QUICK = {
    "digits": Task(
        "digits",
        (100, 100, 100),
        60,
        None,
        {"bp": (0.1 * 2**-6, 0.0), "anp": (0.1 * 2**-7, 0.0), "danp": (0.1 * 2**-4, 0.1 * 2**-8)},
        {"bp": 2.5, "anp": 5.0, "danp": 7.0},
        20,
    ),
    "fashion-mnist": Task(
        "fashion-mnist",
        (100, 100, 100),
        12,
        6400,
        {"bp": (0.1 * 2**-6, 0.0), "anp": (0.1 * 2**-8, 0.0), "danp": (0.1 * 2**-6, 0.1 * 2**-9)},
        {"bp": 4.0, "anp": 7.0, "danp": 22.0},
        6,
    ),
}
"""Reduced tasks; their rates are the best of a few."""
FULL_EPOCHS = 2500
"""Of the authors' code; the text names 1,000 for the search of rates alone."""


def _paper(data: str, bp: int, danp: tuple[int, int], measured: tuple[int, int], hours: float) -> Task:
    """Table I: rates are .1 2^-k."""
    steps = {"bp": (bp, None), "anp": (danp[0], None), "danp": danp, "danp_single": measured}
    rates = {name: (0.1 * 2**-eta, 0.0 if eps is None else 0.1 * 2**-eps) for name, (eta, eps) in steps.items()}
    return Task(data, (500, 500, 500), FULL_EPOCHS, None, rates, dict.fromkeys(METHODS, hours * 3600), 100)


FULL = {
    "mnist": _paper("mnist", 9, (11, 19), (11, 19), 20),
    "cifar10": _paper("cifar10", 14, (12, 19), (12, 19), 60),
    "cifar100": _paper("cifar100", 13, (12, 20), (10, 14), 60),
    "fashion-mnist": _paper("fashion-mnist", 9, (11, 19), (11, 19), 20),
}
"""The paper's tasks with the rates of table I, ANP with that of DANP; and Fashion-MNIST, with those of MNIST."""
PAPER = ("mnist", "cifar10", "cifar100")


def tasks(options: Options) -> dict[str, Task]:
    """What is compared.

    Raises:
        UserError: a set was asked for that is not among them.
    """
    known = FULL if options.full else QUICK
    chosen = options.sets or (PAPER if options.full else tuple(QUICK))
    strange = next((name for name in chosen if name not in known), None)
    if strange is not None:
        raise UserError(f"fig4 {'--full' if options.full else '--quick'} has no set {strange}; use {', '.join(known)}")
    found = {name: known[name] for name in chosen}
    if options.epochs is not None:
        share = {name: options.epochs / task.epochs for name, task in found.items()}
        found = {
            name: replace(
                task,
                epochs=options.epochs,
                seconds={method: seconds * share[name] for method, seconds in task.seconds.items()},
            )
            for name, task in found.items()
        }
    return found


def check(options: Options) -> None:
    """The data are there.

    Raises:
        UserError: they are not; the text says where they were looked for.
    """
    for task in tasks(options).values():
        read(task.data, options.seed, task.samples, options.data)


def pieces(options: Options) -> list[Piece]:
    """A training of each task, method and seed."""
    return [
        Piece(
            f"fig4/{name}/{method}/{seed}",
            train,
            {
                "data": task.data,
                "hidden": list(task.hidden),
                "method": method,
                "eta": _of(task.rates, method)[0],
                "epsilon": _of(task.rates, method)[1],
                "epochs": task.epochs,
                "seed": options.seed + seed,
                "samples": task.samples,
                "folder": options.data,
                "recording": options.recordings[0] if options.recordings else None,
                "device": options.device,
                "evaluations": task.evaluations,
            },
            _of(task.seconds, method),
        )
        for name, task in tasks(options).items()
        for method in METHODS
        for seed in range(SEEDS)
    ]


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of each task and method: final loss and accuracy, curves, rates, and the epochs until ANP's final loss."""
    return {name: _compared(task, name, results) for name, task in tasks(options).items()}


def lines(found: Mapping[str, Any]) -> list[str]:
    """Where each method ends, and when DANP is where ANP ends."""
    said = []
    for name, methods in found.items():
        ends = ", ".join(
            f"{method} {one['loss']:.3f} ({one['test_accuracy']:.3f})" for method, one in methods.items() if method in METHODS
        )
        said.append(f"{name}: training loss and test accuracy after {methods['epochs']} epochs: {ends}")
        reached = methods["danp"]["epochs_to"]["anp_final_loss"]
        said.append(
            f"{name}: DANP reaches ANP's final loss at epoch {reached} of {methods['epochs']}"
            if reached is not None
            else f"{name}: DANP does not reach ANP's final loss"
        )
    return said


def _compared(task: Task, name: str, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for method in METHODS:
        runs = [results[f"{name}/{method}/{seed}"] for seed in range(SEEDS)]
        eta, epsilon = _of(task.rates, method)
        found[method] = {
            "loss": median_curve([run["losses"] for run in runs])[-1],
            "test_accuracy": _median(runs, "test_accuracy"),
            "train_accuracy": _median(runs, "train_accuracy"),
            "eta": eta,
            "epsilon": epsilon,
            "losses": [run["losses"] for run in runs],
            "test_accuracies": [run["test_accuracy"] for run in runs],
            "train_accuracies": [run["train_accuracy"] for run in runs],
            "evaluated": runs[0]["evaluated"],
            "seconds": round(float(np.median([run["seconds"] for run in runs])), 1),
        }
    end = found["anp"]["loss"]
    for one in found.values():
        one["epochs_to"] = {"anp_final_loss": epochs_to(median_curve(one["losses"]), end)}
    network = "-".join(map(str, task.hidden))
    return {**found, "epochs": task.epochs, "seeds": SEEDS, "hidden": network, "samples": task.samples}


def _median(runs: list[Mapping[str, Any]], name: str) -> float:
    return round(float(np.median([run[name][-1] for run in runs])), 5)


def _of(values: Mapping[str, Any], method: str) -> Any:
    """A method's value; DANP with one recording has DANP's unless it has its own."""
    return values[method if method in values else "danp"]
