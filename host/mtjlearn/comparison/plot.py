"""Draws a comparison: loss and test accuracy of each group over the training steps, with bands over seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtjlearn.comparison.compare import Comparison, Curve
from mtjlearn.plots import accuracy_axis, finish, loss_axis, steps_axis

_COLOURS = ("#0b6fa4", "#d1741e", "#3a8a4d", "#8a4d9e", "#b03a48", "#6b6b6b", "#b59a00", "#17becf")
_FADED = 0.18
"""Opacity of a band."""
_MARKED_POINTS = 60
"""Curves of fewer points show each one."""
_LONGEST = 60
"""Letters of a label in the legend."""
_PANELS = (("loss", "reference_loss"), ("test_accuracy", "reference_test_accuracy"))


def draw_comparison(comparison: Comparison, path: Path) -> None:
    """Draws the curves of all groups over each other: boards solid, the float reference with them dashed.

    The band from the smallest to the largest seed is that of the solid curves, so that several groups can be told apart; of a
    single group both have theirs.

    Args:
        comparison: what is drawn.
        path: the file, replaced as a whole; PNG, SVG or PDF by its suffix.

    Raises:
        OSError: it cannot be written.
    """
    panels = [names for names in _PANELS if any(name in group.curves for group in comparison.groups for name in names)]
    figure = Figure(figsize=(7.5, 2.2 + 2.4 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for place, names in zip(axes, panels, strict=True):
        drawn = _draw_panel(place, comparison, names)
        if names[0] == "loss":
            loss_axis(place, np.concatenate([curve.low for curve in drawn] + [curve.high for curve in drawn]))
        else:
            accuracy_axis(place, min(float(curve.low.min()) for curve in drawn))
        place.grid(alpha=0.25)
        place.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=9)
    steps_axis(axes[-1])
    several = max(len(group.runs) for group in comparison.groups)
    title = f"{comparison.groups[0].label}, {several} runs" if len(comparison.groups) == 1 else ""
    finish(figure, path, "\n".join(filter(None, [title, "mean, and smallest to largest of the seeds" if several > 1 else ""])))


def _draw_panel(axes: Axes, comparison: Comparison, names: tuple[str, str]) -> list[Curve]:
    drawn = []
    single = len(comparison.groups) == 1
    for number, group in enumerate(comparison.groups):
        both = all(name in group.curves for name in names)
        for name, what in zip(names, ("board", "float reference"), strict=True):
            curve = group.curves.get(name)
            if curve is None:
                continue
            colour = _COLOURS[(number + (single and both and name == names[1])) % len(_COLOURS)]
            label = what if single else f"{group.label[:_LONGEST]}{f', {what}' if both else ''}"
            # An underscore in front would hide it, and dollars would make formulas of names.
            label = label.replace("$", r"\$").lstrip("_") or what
            marker = "o" if curve.steps.size < _MARKED_POINTS else ""
            style = "--" if both and name == names[1] else "-"
            axes.plot(curve.steps, curve.mean, style, marker=marker, markersize=3, linewidth=1.6, color=colour, label=label)
            if curve.runs > 1 and (single or style == "-"):
                axes.fill_between(curve.steps, curve.low, curve.high, color=colour, alpha=_FADED, linewidth=0)
            drawn.append(curve)
    return drawn
