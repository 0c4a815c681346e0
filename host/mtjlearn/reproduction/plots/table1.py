"""Plot of table I: test accuracy over both learning rates for each method, the winner marked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.reproduction.plots.style import save, sheet

_NAMES = {"bp": "BP", "danp": "DANP, junction per node", "danp_single": "DANP, one recording"}


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    sets = numbers["sets"]
    figure = sheet(10, 0.4 + 3.8 * len(sets))
    width = len(numbers["epsilon_k"])
    grid = figure.subplots(len(sets), 3, squeeze=False, width_ratios=[1.6, width, width])
    etas = [_rate(k) for k in numbers["eta_k"]]
    for row, (name, methods) in zip(grid, sets.items(), strict=True):
        for axes, (method, found) in zip(row, methods.items(), strict=True):
            values = np.array(found["accuracies"], dtype=np.float64)
            image = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto", origin="lower")
            for (y, x), value in np.ndenumerate(values):
                axes.text(
                    x,
                    y,
                    f"{value:.2f}".lstrip("0"),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if value < 0.6 else "black",
                )
            best = 0 if found["epsilon_k"] is None else numbers["epsilon_k"].index(found["epsilon_k"])
            place = best, numbers["eta_k"].index(found["eta_k"])
            axes.plot(*place, "s", markersize=20, markerfacecolor="none", markeredgecolor="#d1741e", markeredgewidth=2)
            axes.set_yticks(range(len(etas)), etas, fontsize=8)
            if found["epsilon_k"] is None:
                axes.set_xticks([])
            else:
                axes.set_xticks(range(width), [_rate(k) for k in numbers["epsilon_k"]], rotation=60, fontsize=8)
                axes.set_xlabel("$\\epsilon$")
            axes.set_title(_NAMES[method], fontsize=10)
        row[0].set_ylabel(f"{name}, hidden {numbers['network']}\n$\\eta$")
        figure.colorbar(image, ax=row[-1], label=f"test accuracy, epoch {numbers['epochs']}")
    save(figure, path)


def _rate(k: int) -> str:
    return f"$0.1\\cdot2^{{-{k}}}$"
