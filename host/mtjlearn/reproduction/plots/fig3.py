"""Plot of figure 3: training accuracy over learning rate and over noise scale; bars from the worst to the best of the other.

Lines without bars: the best noise scale, with the mean of several pairs of passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.reproduction.plots.style import BLUE, GREEN, GREY, ORANGE, save, sheet, tidy

_COLOURS = (BLUE, "#f0b070", ORANGE, GREEN)


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    rows = [(name, part, found) for name, parts in numbers.items() if isinstance(parts, Mapping) for part, found in parts.items()]
    figure = sheet(11, 0.5 + 3.7 * len(rows))
    grid = figure.subplots(len(rows), 2, squeeze=False, sharey="row")
    for (rates, scales), (name, part, found) in zip(grid, rows, strict=True):
        for place, (kind, table) in enumerate(found["kinds"].items()):
            values = np.array(table, dtype=np.float64)
            shift = 1 + 0.09 * (place - (len(found["kinds"]) - 1) / 2)
            _bars(rates, np.array(numbers["etas"]) * shift, values, kind, _COLOURS[place])
            _bars(scales, np.array(numbers["scales"]) * shift, values.T, kind, _COLOURS[place])
            several = np.max(np.array(found["several"]["kinds"][kind], dtype=np.float64), axis=1)
            few = np.array(numbers["etas"])[: len(several)] * shift
            label = f"{numbers['pairs']} pairs of passes" if place == 0 else None
            rates.plot(few, several, "^--", markersize=4, linewidth=1, color=_COLOURS[place], label=label)
        size = f"{numbers['samples']:,} images" if numbers["samples"] else "all images"
        for axes in (rates, scales):
            axes.axhline(found["best_bp"], color=GREY, linewidth=1.2, label=f"best BP, {found['best_bp']:.3f}")
            axes.set_xscale("log", base=2)
            tidy(axes)
        rates.set_xticks(numbers["etas"], [f"$0.1\\cdot2^{{-{k}}}$" for k in numbers["eta_k"]], rotation=60, fontsize=8)
        scales.set_xticks(numbers["scales"], [f"{value:g}" for value in numbers["scales"]])
        rates.minorticks_off()
        scales.minorticks_off()
        rates.set(xlabel="learning rate", ylabel=f"{part} accuracy", title=f"{name}, {size}, {numbers['epochs']} epochs")
        scales.set(xlabel="noise's standard deviation", title="best of the other parameter, bars from worst to best")
        rates.legend(*_only(rates, "pairs"), frameon=False, loc="lower right", fontsize=9)
        scales.legend(frameon=False, loc="center", fontsize=9)
    save(figure, path)


def _only(axes: Any, word: str) -> tuple[list[Any], list[str]]:
    """Handle and label of what has this word in its label."""
    [(handle, label)] = [both for both in zip(*axes.get_legend_handles_labels(), strict=True) if word in both[1]]
    return [handle], [label]


def _bars(axes: Any, x: NDArray[np.float64], values: NDArray[np.float64], kind: str, colour: str) -> None:
    """Best value at each x, with a bar down to the worst of the other parameter."""
    best, worst = np.nanmax(values, axis=1), np.nanmin(values, axis=1)
    axes.errorbar(
        x,
        best,
        yerr=[best - worst, np.zeros_like(best)],
        fmt="o-",
        markersize=3.5,
        linewidth=1,
        capsize=2,
        color=colour,
        label=kind,
    )
