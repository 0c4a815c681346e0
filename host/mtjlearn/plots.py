"""Plots of a run: the loss curve and the noise. PNG, SVG or PDF, drawn without a display and without global state."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from mtjlearn.noise.characterise import Summary, autocorrelation, characterise, histogram
from mtjlearn.noise.recording import Recording
from mtjlearn.runs.storage import write_atomic

FigureFormat = Literal["png", "svg", "pdf"]
FIGURE_FORMATS: tuple[FigureFormat, ...] = get_args(FigureFormat)
"""What figures are written as, by their suffix."""
_RESOLUTION = 130
"""Dots per inch."""
_UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""The same figure has the same bytes."""
_DEVICE = "#0b6fa4"
_REFERENCE = "#d1741e"
_EXPECTED = "#333333"
_DECADES = 10.0
"""A loss that spans more than this factor is drawn on a logarithmic axis."""
_MARKED_POINTS = 60
"""Curves of fewer points show each one."""
_DWELLS_SHOWN = 40
_SAMPLES_SHOWN = 400
_LAGS_SHOWN = 5.0
"""Lags of the autocorrelation, in correlation times."""

Array = NDArray[np.float64]


def loss_curve(metrics: Sequence[Mapping[str, Any]], path: Path, *, title: str = "") -> None:
    """Loss over training steps, board and float reference together; below it the test accuracy, where there is one.

    Args:
        metrics: records as :func:`mtjlearn.runs.read_metrics` gives them; those with ``step`` and any of ``loss``,
            ``reference_loss``, ``test_accuracy``, ``reference_test_accuracy`` are drawn.
        path: the file, replaced as a whole; PNG, SVG or PDF by its suffix.
        title: above the plot.

    Raises:
        OSError: if the file cannot be written.
    """
    losses = _curves(metrics, "loss")
    accuracies = _curves(metrics, "test_accuracy")
    panels = 2 if accuracies else 1
    figure = Figure(figsize=(7.5, 2.2 + 2.4 * panels), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    _draw_curves(axes[0], losses)
    loss_axis(axes[0], np.concatenate([curve for _, curve, _, _ in losses]) if losses else np.zeros(0))
    if not losses:
        axes[0].text(0.5, 0.5, "no losses recorded yet", ha="center", va="center", transform=axes[0].transAxes)
    if accuracies:
        _draw_curves(axes[1], accuracies)
        accuracy_axis(axes[1], min(float(curve.min()) for _, curve, _, _ in accuracies))
    steps_axis(axes[-1])
    finish(figure, path, title)


def noise_plot(
    recording: Recording,
    path: Path,
    *,
    millivolts_per_code: float | None = None,
    expected_rate: float | None = None,
    title: str = "",
) -> None:
    """A noise source at a glance, as in fig. 2: time series with its two levels, histogram, autocorrelation.

    Next to the measured autocorrelation is that of a telegraph process, ``exp(-2 lambda t)``; observation noise, which
    is new in every sample, lowers it by a factor at every lag but 0.

    Args:
        recording: codes or volts.
        path: the file, replaced as a whole; PNG, SVG or PDF by its suffix.
        millivolts_per_code: scale of codes; None leaves the axis in codes (or volts).
        expected_rate: lambda, switches per second; None uses the one estimated from the recording.
        title: above the plot.

    Raises:
        OSError: if the file cannot be written.
    """
    label, scale, offset = "voltage (V)", 1.0, 0.0
    if millivolts_per_code is not None:
        # A converter rounds down: a code stands for the middle of its step.
        label, scale, offset = "voltage (mV)", millivolts_per_code, 0.5
    elif recording.codes:
        label = "ADC code"
    centres, counts = histogram(recording.values)
    recording = Recording((recording.values + offset) * scale, recording.starts, recording.rate)
    summary = characterise(recording)
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    series, levels, correlation = figure.subplot_mosaic([["a", "a", "a"], ["b", "c", "c"]]).values()
    _draw_series(series, recording, summary)
    _draw_histogram(levels, (centres + offset) * scale, counts / recording.values.size, summary)
    series.set_ylabel(label)
    levels.set_ylabel(label)
    _draw_autocorrelation(correlation, recording, summary, expected_rate)
    finish(figure, path, title)


def loss_axis(axes: Axes, values: Array) -> None:
    """The axis of losses, logarithmic where they span more than a decade.

    Args:
        axes: on which they are drawn.
        values: all that is drawn.
    """
    axes.set_ylabel("mean loss per sample")
    if values.size and values.min() > 0 and values.max() / values.min() > _DECADES:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        few = values.max() / values.min() < _DECADES**2
        axes.yaxis.set_minor_formatter((lambda value, _: f"{value:g}") if few else NullFormatter())
    elif values.size:
        axes.set_ylim(bottom=min(0.0, float(values.min())))


def accuracy_axis(axes: Axes, lowest: float) -> None:
    """The axis of accuracies, which ends at 1, as they do; markers there are drawn whole."""
    axes.set_ylabel("test accuracy")
    axes.set_ylim(max(0.0, lowest - 0.05), 1.0)
    for line in axes.lines:
        line.set_clip_on(False)


def steps_axis(axes: Axes) -> None:
    """The axis of training steps."""
    axes.set_xlabel("training steps")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


_Curve = tuple[Array, Array, str, str]


def _curves(metrics: Sequence[Mapping[str, Any]], name: str) -> list[_Curve]:
    """Steps, values, label and colour of the board's curve and the reference's, where they have points."""
    curves: list[_Curve] = []
    for key, label, colour in ((name, "board", _DEVICE), (f"reference_{name}", "float reference", _REFERENCE)):
        points = [
            (record["step"], record[key]) for record in metrics if record.get(key) is not None and record.get("step") is not None
        ]
        if points:
            steps, values = np.array(points, dtype=np.float64).T
            curves.append((steps, values, label, colour))
    return curves


def _draw_curves(axes: Axes, curves: list[_Curve]) -> None:
    for steps, values, label, colour in curves:
        marker = "o" if steps.size < _MARKED_POINTS else ""
        style = "--" if colour == _REFERENCE else "-"
        axes.plot(steps, values, style, marker=marker, markersize=3.5, linewidth=1.6, color=colour, label=label)
    if curves:
        axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_series(axes: Axes, recording: Recording, summary: Summary) -> None:
    segment = max(recording.segments, key=len)
    shown = _SAMPLES_SHOWN
    if summary.correlation_time is not None and recording.rate is not None:
        shown = max(100, min(2000, round(_DWELLS_SHOWN * 2 * summary.correlation_time * recording.rate)))
    values = segment[:shown]
    times, label = np.arange(values.size, dtype=np.float64), "sample"
    if recording.rate is not None:
        times, label = times / recording.rate * 1000, "time (ms)"
    axes.step(times, values, where="post", linewidth=0.9, color=_DEVICE)
    apart = summary.levels.split > 0.1 * np.ptp(values)
    for level, name, side in ((summary.levels.high, "high", "bottom"), (summary.levels.low, "low", "top")):
        axes.axhline(level, linestyle="--", linewidth=1, color=_REFERENCE)
        axes.annotate(
            f"{name} {level:.3g}" if level < 100 else f"{name} {level:.0f}",
            (1.005, level),
            xycoords=("axes fraction", "data"),
            va="center" if apart else side,
            fontsize=9,
            color=_REFERENCE,
        )
    axes.set_xlim(times[0], max(times[-1], times[0] + 1e-9))
    axes.set(xlabel=label, title="the source in time")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_histogram(axes: Axes, centres: Array, shares: Array, summary: Summary) -> None:
    width = float(centres[1] - centres[0]) if centres.size > 1 else 1.0
    axes.barh(centres, shares, height=width, color=_DEVICE)
    for level in (summary.levels.low, summary.levels.high):
        axes.axhline(level, linestyle="--", linewidth=1, color=_REFERENCE)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set(xlabel="share of samples", title=f"levels (high {summary.duty:.0%} of the time)")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_autocorrelation(axes: Axes, recording: Recording, summary: Summary, expected_rate: float | None) -> None:
    axes.set_title("memory of the source")
    axes.spines[["top", "right"]].set_visible(False)
    if summary.deviation == 0:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, "none: the source is constant", ha="center", va="center", transform=axes.transAxes)
        return
    rate = recording.rate
    lags = 50
    switching = expected_rate if expected_rate is not None else summary.switching_rate
    if rate is not None and switching:
        lags = int(np.clip(round(_LAGS_SHOWN * rate / (2 * switching)), 10, 500))
    lags = min(lags, max(len(segment) for segment in recording.segments) - 1)
    measured = autocorrelation(recording, lags)
    times = np.arange(lags + 1) / rate * 1000 if rate is not None else np.arange(lags + 1, dtype=np.float64)
    axes.axhline(0, linewidth=0.8, color="#999999")
    axes.plot(times, measured, "o", markersize=4, color=_DEVICE, label="measured")
    if rate is not None and switching:
        telegraph = 1 - (summary.levels.spread / summary.deviation) ** 2
        fine = np.linspace(0, times[-1], 300)
        origin = "expected" if expected_rate is not None else "estimated"
        axes.plot(
            fine,
            telegraph * np.exp(-2 * switching * fine / 1000),
            linewidth=1.5,
            color=_EXPECTED,
            label=rf"telegraph, {origin} $\lambda$ = {switching:,.0f} /s",
        )
    axes.legend(frameon=False)
    axes.set_ylim(min(-0.1, float(np.nanmin(measured, initial=0.0)) - 0.05), 1.05)
    axes.set(xlabel="lag (ms)" if rate is not None else "lag (samples)", ylabel="autocorrelation")


def finish(figure: Figure, path: Path, title: str) -> None:
    """Writes a figure, replaced as a whole: PNG, SVG or PDF by the suffix of its path.

    Raises:
        OSError: if the file cannot be written.
    """
    if title:
        figure.suptitle(title.replace("$", r"\$"))  # names of files are not formulas
    write_figure(figure, path, _RESOLUTION)


def write_figure(figure: Figure, path: Path, resolution: int) -> None:
    """Writes a figure as it is.

    Args:
        figure: what is written.
        path: the file, replaced as a whole; its suffix is one of :data:`FIGURE_FORMATS`.
        resolution: dots per inch of a PNG file.

    Raises:
        OSError: if the file cannot be written.
    """
    kind = path.suffix.removeprefix(".").lower()
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "mtjlearn"}):
        figure.savefig(buffer, format=kind, dpi=resolution, metadata=_UNDATED.get(kind))
    write_atomic(path, buffer.getvalue())
