"""Plot of figure 2: each bias in time with its levels, and all autocorrelations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.reproduction.plots.style import BLUE, GREEN, GREY, ORANGE, save, sheet, tidy

_COLOURS = (BLUE, ORANGE, GREEN)


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    biases = numbers["biases"]
    rows = len(biases)
    figure = sheet(10.5, 1.6 + 1.5 * max(rows, 2))
    names: list[Any] = [[f"series{row}", f"levels{row}", "correlation"] for row in range(rows)]
    parts = figure.subplot_mosaic(names, width_ratios=[3, 1, 2.4])
    for row, bias in enumerate(biases):
        series, levels, colour = parts[f"series{row}"], parts[f"levels{row}"], _COLOURS[row]
        values = np.array(bias["series"])
        series.step(np.arange(values.size) * bias["step"], values, where="post", linewidth=0.8, color=colour)
        series.set(ylabel=bias["unit"], title=f"{bias['label']}: high {bias['duty']:.0%} of the time")
        levels.barh(bias["centres"], bias["shares"], height=_height(bias["centres"]), color=colour)
        levels.sharey(series)
        levels.tick_params(labelleft=False)
        tidy(series, levels, grid=False)
        for level in bias["levels"]:
            series.axhline(level, linestyle="--", linewidth=0.8, color=GREY)
        if row < rows - 1:
            series.tick_params(labelbottom=False)
    parts[f"series{rows - 1}"].set_xlabel("time (ms)" if biases[0]["in_time"] else "sample")
    parts[f"levels{rows - 1}"].set_xlabel("share of samples")
    _correlations(parts["correlation"], biases)
    save(figure, path)


def _height(centres: list[float]) -> float:
    return centres[1] - centres[0] if len(centres) > 1 else 1.0


def _correlations(axes: Any, biases: list[Mapping[str, Any]]) -> None:
    for bias, colour in zip(biases, _COLOURS, strict=False):
        lags = np.array(bias["lags"])
        axes.plot(lags, bias["autocorrelation"], "o", markersize=3, color=colour, label=bias["label"])
        if bias["in_time"] and bias["switching_rate"] and bias["telegraph_share"] is not None:
            fine = np.linspace(0, lags[-1], 300)
            decay = bias["telegraph_share"] * np.exp(-2 * bias["switching_rate"] * fine / 1000)
            axes.plot(fine, decay, linewidth=1, color=colour)
    axes.axhline(0, linewidth=0.8, color="#999999")
    axes.set(xlabel="lag (ms)" if biases[0]["in_time"] else "lag (samples)", ylabel="autocorrelation", title="memory of the source")
    axes.plot([], [], color=GREY, linewidth=1, label="telegraph process")
    axes.legend(frameon=False)
    tidy(axes)
