"""Plot of figure 4 on a chip: training loss and test accuracy of ANP and DANP on each board."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from mtjlearn.reproduction.plots.style import BLUE, GREY, ORANGE, band, numbers_on, save, sheet, tidy

_RULES = {"anp": ("ANP", ORANGE), "danp": ("DANP", BLUE)}


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    boards = numbers["boards"]
    figure = sheet(10, 0.6 + 3.6 * len(boards))
    grid = figure.subplots(len(boards), 2, squeeze=False)
    for (loss, accuracy), (board, rules) in zip(grid, boards.items(), strict=True):
        for rule, (label, colour) in _RULES.items():
            one = rules[rule]
            band(loss, range(1, numbers["epochs"] + 1), one["losses"], colour, label)
            band(accuracy, one["evaluated"], one["test_accuracies"], colour, label, marker="o")
        end = rules["anp"]["loss"]
        loss.axhline(end, linestyle="--", linewidth=0.9, color=GREY)
        reached = rules["danp"]["epochs_to"]["anp_final_loss"]
        if reached is not None:
            loss.plot(reached, end, "o", markersize=8, markerfacecolor="none", markeredgecolor=GREY, markeredgewidth=1.5)
            loss.annotate(f"epoch {reached}", (reached, end), textcoords="offset points", xytext=(8, 8), color=GREY)
        loss.set(
            yscale="log", xlabel="epochs", ylabel="training loss", title=f"{numbers['network']} on {board}: digits, {_seeds(rules)}"
        )
        for axes in (loss, accuracy):
            axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        numbers_on(loss.yaxis)
        accuracy.set(xlabel="epochs", ylabel="test accuracy", title="without noise")
        loss.legend(frameon=False)
        accuracy.legend(frameon=False, loc="lower right")
        tidy(loss, accuracy)
    save(figure, path)


def _seeds(rules: Mapping[str, Any]) -> str:
    return f"{np.shape(rules['anp']['losses'])[0]} seeds"
