"""Plots of a sweep: slices through its best point, a heatmap of two parameters, the trials of a search. PNG, SVG or PDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjlearn.plots import FigureFormat, finish
from mtjlearn.sweeps.points import SweepError
from mtjlearn.sweeps.results import Results
from mtjlearn.sweeps.search_files import TRIAL
from mtjlearn.sweeps.slices import (
    Curve,
    Spread,
    curves,
    is_numeric,
    larger_is_better,
    settings,
    surface,
    text_of,
    varied,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTS = "plots"
_COLOURS = ("#0b6fa4", "#d1741e", "#3a8a4d", "#8a4d9e", "#b03a48", "#6b6b6b")
_MOST_TICKS = 10
_LOGARITHMIC = 20.0
"""Values that span more than this factor are drawn on a logarithmic axis."""


def draw(
    results: Results,
    number: str,
    *,
    x: str | None = None,
    by: str | None = None,
    spread: Spread = "quartiles",
    maximise: bool | None = None,
    figures: FigureFormat = "png",
) -> list[Path]:
    """Draws a slice for each parameter that varies, and a heatmap for each pair of parameters that are numbers.

    Args:
        results: of a sweep or a search.
        number: that is shown.
        x: only this parameter.
        by: a curve for each of this parameter's values; None: for the first parameter that is not a number, if there is one.
        spread: bars show all seeds, or the middle half of them.
        maximise: whether large values are good; None: as the number's name says.
        figures: what they are written as.

    Returns:
        The files, in the directory ``plots`` of the sweep.

    Raises:
        SweepError: there is no such number or parameter, or nothing varies.
        OSError: a file cannot be written.
    """
    names = varied(results)
    if x is None and not names:
        raise SweepError("no parameter has more than one value; there is nothing to plot")
    words = [name for name in names if not is_numeric(results, name)]
    if by is None and words and TRIAL not in results.parameters:
        by = next((name for name in words if name != x), None)
    shown = [x] if x is not None else [name for name in names if name != by] or names
    folder = results.directory / PLOTS
    folder.mkdir(exist_ok=True)
    paths = []
    for name in shown:
        path = folder / f"{number}-{name}.{figures}"
        if TRIAL in results.parameters:
            _draw_trials(results, name, number, path)
        else:
            found = curves(results, name, number, by=None if by == name else by, spread=spread, maximise=maximise)
            _draw_curves(found, name, number, spread, path)
        paths.append(path)
    numeric = [name for name in shown if is_numeric(results, name)]
    if TRIAL not in results.parameters:
        for place, first in enumerate(numeric):
            for second in numeric[place + 1 :]:
                path = folder / f"{number}-{first}-{second}.{figures}"
                _draw_surface(results, first, second, number, maximise, path)
                paths.append(path)
    return paths


def _draw_curves(found: list[Curve], x: str, number: str, spread: Spread, path: Path) -> None:
    figure, axes = _figure()
    words = not all(isinstance(value, int | float) for curve in found for value in curve.x)
    for place, curve in enumerate(found):
        at = np.arange(len(curve.x), dtype=float) if words else np.array(curve.x, dtype=float)
        bars = np.abs(np.stack([curve.middle - curve.low, curve.high - curve.middle]))
        axes.errorbar(
            at,
            curve.middle,
            yerr=bars,
            fmt="o" if words else "o-",
            markersize=4,
            linewidth=1.6,
            capsize=3,
            color=_COLOURS[place % len(_COLOURS)],
            label=curve.label or None,
        )
        if words:
            axes.set_xticks(at, [text_of(value) for value in curve.x])
    if len(found) > 1:
        axes.legend(frameon=False)
    values = np.concatenate([np.concatenate([curve.low, curve.high]) for curve in found])
    _scale(axes, [value for curve in found for value in curve.x], values)
    axes.set(xlabel=x, ylabel=number.replace("_", " "))
    _end_at_one(axes, number)
    several = any(np.any(curve.low != curve.high) for curve in found)
    title = [f"median and {'smallest to largest' if spread == 'range' else 'quartiles'} over seeds"] if several else []
    title += [_fixed(found[0].fixed)] if len(found) == 1 and found[0].fixed else []
    finish(figure, path, "\n".join(title))


def _draw_trials(results: Results, x: str, number: str, path: Path) -> None:
    figure, axes = _figure()
    points = [setting for setting in settings(results, number) if np.isfinite(setting.mean)]
    values = np.array([setting.mean for setting in points])
    given = [setting.parameters[x] for setting in points]
    numeric = is_numeric(results, x)
    names = sorted({str(value) for value in given})
    at = np.array(given, dtype=float) if numeric else np.array([names.index(str(value)) for value in given], dtype=float)
    order = [float(str(setting.parameters[TRIAL])) for setting in points]
    drawn = axes.scatter(at, values, c=order, cmap="viridis", s=22)
    figure.colorbar(drawn, ax=axes, label="trial")
    if not numeric:
        axes.set_xticks(np.arange(len(names)), names)
    _scale(axes, given, values)
    axes.set(xlabel=x, ylabel=f"mean {number.replace('_', ' ')}")
    _end_at_one(axes, number)
    finish(figure, path, "trials of a search")


def _draw_surface(results: Results, x: str, y: str, number: str, maximise: bool | None, path: Path) -> None:
    found = surface(results, x, y, number, maximise=maximise)
    figure, axes = _figure()
    larger = larger_is_better(number) if maximise is None else maximise
    shown = np.ma.masked_invalid(found.values)
    drawn = axes.pcolormesh(np.arange(len(found.x)), np.arange(len(found.y)), shown, cmap="viridis" if larger else "viridis_r")
    figure.colorbar(drawn, ax=axes, label=f"median {number.replace('_', ' ')}")
    for values, setter in ((found.x, axes.set_xticks), (found.y, axes.set_yticks)):
        step = max(1, len(values) // 8)
        setter(np.arange(0, len(values), step), [text_of(value) for value in values[::step]])
    axes.set(xlabel=x, ylabel=y)
    finish(figure, path, _fixed(found.fixed))


def _figure() -> tuple[Any, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _scale(axes: Axes, given: list[Any], values: Any) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    numbers = [value for value in given if isinstance(value, int | float)]
    if len(numbers) == len(given) and min(numbers, default=0) > 0 and max(numbers) / min(numbers) > _LOGARITHMIC:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        if len(set(numbers)) <= _MOST_TICKS:
            axes.set_xticks(sorted(set(numbers)), [text_of(value) for value in sorted(set(numbers))], minor=False)
            axes.minorticks_off()
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > _LOGARITHMIC:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.grid(alpha=0.25)


def _end_at_one(axes: Axes, number: str) -> None:
    """An axis of accuracies goes no further than they do; what is drawn there stays whole."""
    if number.endswith("accuracy") and axes.get_ylim()[1] > 1:
        axes.set_ylim(top=1.0)
        for artist in (*axes.lines, *axes.collections):
            artist.set_clip_on(False)


def _fixed(fixed: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {text_of(value)}" for name, value in fixed.items())
