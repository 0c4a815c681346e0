"""Plot of figure 5: box plots of the loss over epochs for each way, the same over the teacher's variance, and the grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from mtjlearn.reproduction.plots.style import BLUE, GREEN, ORANGE, boxes, numbers_on, save, sheet, tidy

_WAYS = {
    "python": ("network in Python, live noise", ORANGE),
    "streamed": ("streamed to the board", BLUE),
    "autonomous": ("autonomous on the board", GREEN),
}


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    figure = sheet(10, 7.4)
    parts = figure.subplot_mosaic([["loss", "loss"], ["relative", "sweep"]], height_ratios=[1.15, 1])
    title = f"{numbers['repeats']} repeats, $\\eta$ = {numbers['eta']:g}, $\\epsilon$ = {numbers['epsilon']:g}"
    _curves(parts["loss"], numbers, "losses")
    parts["loss"].set(ylabel="loss", title=title)
    parts["loss"].legend(frameon=False, ncols=3, loc="upper right")
    _curves(parts["relative"], numbers, "relative_losses")
    parts["relative"].set(ylabel="loss / teacher's variance")
    _grid(figure, parts["sweep"], numbers["sweep"])
    save(figure, path)


def _curves(axes: Axes, numbers: Mapping[str, Any], key: str) -> None:
    epochs = numbers["epochs"]
    for place, (way, (label, colour)) in enumerate(_WAYS.items()):
        values = np.array(numbers[way][key]).T
        positions = np.arange(len(epochs)) + 0.26 * (place - 1)
        boxes(axes, positions.tolist(), list(values), 0.2, colour, label)
    axes.set_yscale("log")
    numbers_on(axes.yaxis)
    axes.set_xticks(range(len(epochs)), [str(epoch) for epoch in epochs])
    axes.set_xlabel(f"epochs of {numbers['samples_per_epoch']:,} samples")
    tidy(axes)


def _grid(figure: Figure, axes: Axes, sweep: Mapping[str, Any]) -> None:
    loss = np.array(sweep["median_loss"], dtype=np.float64)
    finite = loss[np.isfinite(loss) & (loss > 0)]
    low = max(float(finite.min()), 1e-4)
    image = axes.imshow(loss, cmap="viridis_r", norm=LogNorm(low, float(finite.max())), aspect="auto", origin="lower")
    axes.set_xticks(range(len(sweep["epsilons"])), [f"{value:g}" for value in sweep["epsilons"]], rotation=60, fontsize=8)
    axes.set_yticks(range(len(sweep["etas"])), [f"{value:g}" for value in sweep["etas"]], fontsize=8)
    axes.set(xlabel="$\\epsilon$", ylabel="$\\eta$", title=f"appendix B's grid: median loss of {sweep['repeats']} repeats")
    chosen = sweep["epsilons"].index(1e-4), sweep["etas"].index(1e-3)
    axes.plot(*chosen, "s", markersize=13, markerfacecolor="none", markeredgecolor="white", markeredgewidth=2)
    bar = figure.colorbar(image, ax=axes)
    numbers_on(bar.ax.yaxis)
