"""The house's style of plots: colours, axes without a frame, files that are complete or absent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mtjlearn.plots import write_figure

BLUE, ORANGE, GREY, GREEN = "#0b6fa4", "#d1741e", "#555555", "#3d8b40"
LIGHT = "#bbbbbb"
RESOLUTION = 110
"""Dots per inch."""
FADED = 0.18
"""Opacity of an envelope."""


def sheet(width: float, height: float) -> Figure:
    """An empty figure, inches."""
    return Figure(figsize=(width, height), layout="constrained")


def tidy(*axes: Axes, grid: bool = True) -> None:
    """Removes the frame's upper and right side, and draws a faint grid."""
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        if grid:
            one.grid(alpha=0.25)


def numbers_on(axis: Axis) -> None:
    """Labels of a logarithmic axis as plain numbers; also at 2 and 5 where it spans less than two decades."""
    low, high = axis.get_view_interval()
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(LogLocator(subs=(2, 5)))
    axis.set_minor_formatter((lambda value, _: f"{value:g}") if high < 100 * low else NullFormatter())


def boxes(axes: Axes, positions: Sequence[float], values: Sequence[Sequence[float]], width: float, colour: str, label: str) -> None:
    """Box plots of one colour: quartiles, median, whiskers to 1.5 times the box, outliers as dots."""
    axes.boxplot(
        values,
        positions=list(positions),
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.45, "edgecolor": colour},
        medianprops={"color": colour, "linewidth": 1.8},
        whiskerprops={"color": colour},
        capprops={"color": colour},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": colour, "alpha": 0.5},
    )
    axes.plot([], [], color=colour, linewidth=6, alpha=0.45, label=label)


def band(axes: Axes, x: Sequence[float], curves: Sequence[Sequence[float]], colour: str, label: str, marker: str = "") -> None:
    """Median of curves of shape (seeds, points), and an envelope from the least to the greatest."""
    values = np.array(curves, dtype=np.float64)
    axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=FADED, linewidth=0)
    axes.plot(x, np.median(values, axis=0), color=colour, linewidth=1.7, marker=marker, markersize=3.5, label=label)


def save(figure: Figure, path: Path) -> None:
    """Writes the file, replaced as a whole: PNG, SVG or PDF by its suffix.

    Raises:
        OSError: it cannot be written.
    """
    write_figure(figure, path, RESOLUTION)
