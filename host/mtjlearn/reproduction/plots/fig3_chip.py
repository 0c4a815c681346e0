"""Plot of figure 3's layer on a chip: test accuracy of boards, float ANP and the best backpropagation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from mtjlearn.reproduction.plots.style import BLUE, GREY, ORANGE, save, sheet, tidy

_COLOURS = {"16": ORANGE, "8": BLUE}
_MARKERS = "osD^"


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    figure = sheet(6.4, 4.2)
    axes = figure.subplots()
    bp, anp = numbers["bp"], numbers["anp"]
    epochs = range(1, numbers["epochs"] + 1)
    axes.plot(epochs, bp["best"], color=GREY, linestyle="--", marker="_", label=f"best BP, floats (eta {bp['best_eta']:g})")
    axes.plot(epochs, np.median(anp["test_accuracies"], axis=0), color=GREY, marker="x", label="ANP, floats")
    for marker, (board, codings) in zip(_MARKERS, numbers["boards"].items(), strict=False):
        for bits, one in codings.items():
            runs = np.array(one["test_accuracies"])
            shown = range(1, one["epochs"] + 1)
            axes.plot(shown, np.median(runs, axis=0), color=_COLOURS[bits], marker=marker, label=f"{board}, {bits} bits a pixel")
            axes.fill_between(shown, runs.min(axis=0), runs.max(axis=0), color=_COLOURS[bits], alpha=0.2, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    title = f"784-10 on {numbers['data']}, {numbers['seeds']} seeds" if numbers["seeds"] > 1 else f"784-10 on {numbers['data']}"
    axes.set(xlabel="epochs", ylabel="test accuracy", title=title)
    axes.legend(frameon=False)
    tidy(axes)
    save(figure, path)
