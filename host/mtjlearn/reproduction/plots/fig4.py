"""Plot of figure 4: training loss, training accuracy and test accuracy of each method; a row for each task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from mtjlearn.reproduction.plots.style import BLUE, GREEN, GREY, ORANGE, band, numbers_on, save, sheet, tidy

_METHODS = {
    "bp": ("BP", GREY),
    "anp": ("ANP", ORANGE),
    "danp": ("DANP, junction per node", BLUE),
    "danp_single": ("DANP, one recording", GREEN),
}


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    figure = sheet(12, 0.4 + 3.6 * len(numbers))
    grid = figure.subplots(len(numbers), 3, squeeze=False)
    for (loss, training, test), (name, task) in zip(grid, numbers.items(), strict=True):
        epochs = range(1, task["epochs"] + 1)
        for method, (label, colour) in _METHODS.items():
            one = task[method]
            band(loss, epochs, one["losses"], colour, label)
            band(training, one["evaluated"], one["train_accuracies"], colour, label)
            band(test, one["evaluated"], one["test_accuracies"], colour, label)
        _mark(loss, task)
        loss.set(yscale="log", ylabel="training loss", title=f"{name}, hidden {task['hidden']}")
        numbers_on(loss.yaxis)
        training.set(ylabel="training accuracy", title=f"{task['seeds']} seeds: median and range")
        test.set(ylabel="test accuracy")
        for axes in (loss, training, test):
            axes.set_xlabel("epochs")
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        for axes in (training, test):
            axes.set_ylim(_lowest(task), 1.0)
        tidy(loss, training, test)
    grid[0][2].legend(frameon=False, loc="lower right", fontsize=9)
    save(figure, path)


def _mark(axes: Any, task: Mapping[str, Any]) -> None:
    end = task["anp"]["loss"]
    axes.axhline(end, linestyle="--", linewidth=0.9, color=GREY)
    reached = task["danp"]["epochs_to"]["anp_final_loss"]
    if reached is not None:
        axes.plot(reached, end, "o", markersize=8, markerfacecolor="none", markeredgecolor=GREY, markeredgewidth=1.5)
        axes.annotate(f"epoch {reached}", (reached, end), textcoords="offset points", xytext=(8, 6), color=GREY)


def _lowest(task: Mapping[str, Any]) -> float:
    """Where the accuracies' axis begins: late values count, so that what matters is large."""
    late = [
        np.array(task[method]["test_accuracies"], dtype=np.float64)[:, len(task[method]["evaluated"]) // 3 :] for method in _METHODS
    ]
    return max(0.0, float(min(np.nanmin(values) for values in late)) - 0.1)
