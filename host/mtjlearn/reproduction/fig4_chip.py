"""Figure 4 on a chip, which the paper does not have: ANP and DANP in a board's integers, with its noise, sample by sample.

Three hidden layers of 30 units learn the digits, all inputs in one scale. Both rules have the learning rate that is best for them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtjlearn.datasets import Quantised, epoch_order, load, quantise
from mtjlearn.discovery import open_board
from mtjlearn.network import LOSS_BITS, Loss, Network
from mtjlearn.reproduction.boards import is_virtual, seeded
from mtjlearn.reproduction.curves import epochs_to, median_curve
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece
from mtjlearn.schedule import halving
from mtjlearn.virtual.boards import default_virtual_board

SIZES = (64, 30, 30, 30, 10)
EPOCHS = 20
SEEDS = 5
ETA = 0.08
"""eta N = 8 at the start, for both rules; it falls as in a streamed training. Less is worse for both, 12 a little better."""
EPSILON = 2.0**-14
RULES = ("anp", "danp")
CODES_PER_STEP = 4
EVALUATED = 5
"""Epochs between two evaluations of the test part."""

_SECONDS = {"native": 4.0, "inprocess": 5.0, "m4-sim": 280.0}


def network(rule: str, seed: int) -> Network:
    """What the board learns."""
    decorrelated = rule == "danp"
    return Network(
        SIZES,
        loss=Loss.CROSS_ENTROPY,
        learning_rate=ETA,
        decorrelate=(decorrelated,) * (len(SIZES) - 1),
        decorrelation_rate=EPSILON if decorrelated else 0.0,
        seed=seed + 1,
    )


def check(options: Options) -> None:
    """Everything it needs is there or is reported by the board."""


def pieces(options: Options) -> list[Piece]:
    """A training of each rule and seed, on each board."""
    return [
        Piece(
            f"fig4-chip/{board}/{rule}/{seed}",
            learn,
            {"board": board, "rule": rule, "seed": options.seed + seed},
            _SECONDS.get(board, 60.0),
            not is_virtual(board),
        )
        for board in boards(options)
        for rule in RULES
        for seed in range(SEEDS)
    ]


def boards(options: Options) -> list[str]:
    """The board that was asked for; a virtual one, and with --full a simulated Cortex-M4F too."""
    if options.board:
        return [options.board]
    return [default_virtual_board(), *(["m4-sim"] if options.full else [])]


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Curves of each rule and board, final losses and accuracies, and the epochs until DANP is where ANP ends."""
    found: dict[str, Any] = {"network": "-".join(map(str, SIZES)), "epochs": EPOCHS, "eta": ETA, "epsilon": EPSILON, "boards": {}}
    for board in boards(options):
        rules: dict[str, Any] = {}
        for rule in RULES:
            runs = [results[f"{board}/{rule}/{seed}"] for seed in range(SEEDS)]
            rules[rule] = {
                "loss": median_curve([run["losses"] for run in runs])[-1],
                "test_accuracy": float(np.median([run["test_accuracy"][-1] for run in runs])),
                "losses": [run["losses"] for run in runs],
                "test_accuracies": [run["test_accuracy"] for run in runs],
                "evaluated": runs[0]["evaluated"],
                "saturations": int(sum(run["saturations"] for run in runs)),
                "skipped": int(sum(run["skipped"] for run in runs)),
                "samples_per_s": round(sum(run["steps"] for run in runs) / sum(run["seconds"] for run in runs), 1),
            }
        end = rules["anp"]["loss"]
        for one in rules.values():
            one["epochs_to"] = {"anp_final_loss": epochs_to(median_curve(one["losses"]), end)}
        found["boards"][board] = rules
    return found


def lines(found: Mapping[str, Any]) -> list[str]:
    """Where both rules end, and when DANP is where ANP ends."""
    said = []
    for board, rules in found["boards"].items():
        anp, danp = rules["anp"], rules["danp"]
        reached = danp["epochs_to"]["anp_final_loss"]
        said.append(
            f"{board}: after {found['epochs']} epochs ANP has loss {anp['loss']:.3f}, test accuracy {anp['test_accuracy']:.3f}; "
            f"DANP {danp['loss']:.3f}, {danp['test_accuracy']:.3f}, and ANP's final loss "
            + (f"at epoch {reached}" if reached is not None else "is not reached")
        )
    return said


def learn(board: str, rule: str, seed: int) -> dict[str, Any]:
    """Streams one training to the board.

    Args:
        board: its name.
        rule: anp or danp.
        seed: of the split, the weights, the order of samples and a virtual board's noise.
    """
    described = network(rule, seed)
    data = quantise(load("digits", seed=seed, scale="global"), described)
    return stream(board, described, data, seed, EPOCHS)


def stream(board: str, described: Network, data: Quantised, seed: int, epochs: int) -> dict[str, Any]:
    """Streams epochs to a board; the mean loss of each is the board's, with noise, while it learns."""
    losses: list[float] = []
    accuracies: list[float] = []
    evaluated: list[int] = []
    samples = len(data.x_train)
    seconds = 0.0
    with open_board(board, **seeded(board, seed, CODES_PER_STEP)) as opened:
        opened.configure(described)
        before = 0
        for epoch in range(epochs):
            opened.set_rates(described.learning_rate * halving(epoch, epochs))
            order = epoch_order(seed, epoch, samples)
            started = time.monotonic()
            opened.train(data.x_train[order], data.t_train[order])
            seconds += time.monotonic() - started
            status = opened.status()
            losses.append((status.loss_sum - before) / 2**LOSS_BITS / samples)
            before = status.loss_sum
            if (epoch + 1) % EVALUATED == 0 or epoch + 1 == epochs:
                evaluated.append(epoch + 1)
                accuracies.append(opened.evaluate(data.x_test, data.t_test).accuracy)
    return {
        "losses": losses,
        "test_accuracy": accuracies,
        "evaluated": evaluated,
        "saturations": status.saturations,
        "skipped": status.skipped,
        "steps": epochs * samples,
        "seconds": seconds,
    }
