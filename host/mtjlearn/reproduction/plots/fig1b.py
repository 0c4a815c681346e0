"""Plot of figure 1b: transfer curve of the circuit next to the ideal unit, and the noise at the node in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.reproduction.plots.style import BLUE, GREY, ORANGE, save, sheet, tidy

_STATES = {"parallel": BLUE, "antiparallel": ORANGE}


def draw(numbers: Mapping[str, Any], path: Path) -> None:
    """Draws it.

    Raises:
        OSError: the file cannot be written.
    """
    figure = sheet(11, 6.2)
    parts = figure.subplot_mosaic([["transfer", "series0"], ["transfer", "series1"]], width_ratios=[1, 1.35])
    curves = parts["transfer"]
    for state, colour in _STATES.items():
        one = numbers["transfer"][state]
        curves.plot(one["input"], one["output"], color=colour, linewidth=1.6, label=f"circuit, junction {state}")
        curves.plot(one["input"], one["ideal_output"], "--", color=colour, linewidth=1)
    curves.plot([], [], "--", color=GREY, linewidth=1, label=f"ideal unit, slope {numbers['slope']:.3f}")
    curves.set(xlabel="first input (V)", ylabel="output (V)", title="transfer curve")
    curves.legend(frameon=False, loc="upper left")
    for place, (level, series) in enumerate(numbers["time"].items()):
        _series(parts[f"series{place}"], level, series)
    parts["series1"].set_xlabel("time (ms)")
    tidy(*parts.values())
    save(figure, path)


def _series(axes: Any, level: str, series: Mapping[str, Any]) -> None:
    total, ideal, output = (np.array(series[name]) * 1000 for name in ("sum", "ideal_sum", "output"))
    middle = ideal.mean()
    axes.plot(series["ms"], ideal - middle, color=GREY, linewidth=3, alpha=0.35, label="sum, ideal")
    axes.plot(series["ms"], total - middle, color=BLUE, linewidth=0.9, label="sum, circuit")
    axes.plot(series["ms"], output - output.mean(), color=ORANGE, linewidth=0.9, label="output, circuit")
    axes.set(ylabel="change (mV)", title=f"noise at the node, input {float(level):+g} V: sum about {middle / 1000:+.2f} V")
    axes.set_ylim(-75, 110)
    axes.legend(frameon=False, ncols=3, loc="upper right", fontsize=9)
