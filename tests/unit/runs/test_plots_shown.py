"""What the plots of a run show: curves, axes, labels and legends. The figures are not rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from mtjlearn.noise import Recording, autocorrelation
from mtjlearn.plots import loss_curve, noise_plot

RATE = 10_000.0


def losses(*values: float, name: str = "loss") -> list[dict[str, Any]]:
    return [{"step": 100 * place, name: value} for place, value in enumerate(values)]


def legend(axes: Axes) -> list[str]:
    shown = axes.get_legend()
    assert shown is not None
    assert not shown.get_frame_on()
    return [text.get_text() for text in shown.get_texts()]


def frame(axes: Axes) -> list[str]:
    return [side for side, spine in axes.spines.items() if spine.get_visible()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "figure.png"


def drawn_losses(figures: list[Figure], path: Path, metrics: list[dict[str, Any]], title: str = "") -> list[Axes]:
    loss_curve(metrics, path, title=title)
    return figures[-1].axes


def telegraph(switch: float = 0.05, samples: int = 20_000, seed: int = 1) -> np.ndarray:
    """A state that changes with this probability at each sample."""
    return np.cumsum(np.random.default_rng(seed).random(samples) < switch) % 2


def test_board_and_reference_differ_in_line_and_name(figures: list[Figure], path: Path) -> None:
    metrics = losses(3, 2, 1) + losses(2.5, 1.5, 0.9, name="reference_loss") + losses(0.5, 0.7, name="reference_test_accuracy")
    loss, accuracy = drawn_losses(figures, path, metrics, title="costs $5 and $6")
    assert [(line.get_linestyle(), line.get_label()) for line in loss.lines] == [("-", "board"), ("--", "float reference")]
    assert [line.get_ydata().tolist() for line in loss.lines] == [[3, 2, 1], [2.5, 1.5, 0.9]]
    assert loss.lines[1].get_xdata().tolist() == [0, 100, 200]
    assert legend(loss) == ["board", "float reference"]
    assert legend(accuracy) == ["float reference"]
    assert loss.get_ylabel() == "mean loss per sample"
    assert loss.get_shared_x_axes().joined(loss, accuracy)
    assert (loss.get_xlabel(), accuracy.get_xlabel()) == ("", "training steps")
    assert accuracy.xaxis.get_major_formatter()(12_000.0, 0) == "12,000"
    accuracy.set_xlim(0, 3)
    assert accuracy.get_xticks().tolist() == [0, 1, 2, 3]
    assert not loss.texts
    assert frame(loss) == frame(accuracy) == ["left", "bottom"]
    assert all(line.get_visible() for axes in (loss, accuracy) for line in axes.get_ygridlines())
    assert figures[-1].get_suptitle() == r"costs \$5 and \$6"


def test_records_without_a_step_or_a_value_are_not_drawn(figures: list[Figure], path: Path) -> None:
    metrics = [*losses(3, 2), {"loss": 7.0}, {"step": 5}, {"step": 6, "loss": None}, {"step": None, "loss": 1.0}]
    (loss,) = drawn_losses(figures, path, metrics)
    assert loss.lines[0].get_ydata().tolist() == [3, 2]
    assert figures[-1].get_suptitle() == ""


def test_a_curve_of_few_points_shows_each(figures: list[Figure], path: Path) -> None:
    for count, marker in ((59, "o"), (60, "")):
        (loss,) = drawn_losses(figures, path, losses(*np.linspace(2, 1, count)))
        assert loss.lines[0].get_marker() in (marker, marker or "None")


@pytest.mark.parametrize(
    ("values", "scale", "labelled"),
    [((10.0, 1.0), "linear", None), ((10.5, 1.0), "log", True), ((99.0, 1.0), "log", True), ((101.0, 1.0), "log", False)],
)
def test_a_loss_over_more_than_a_decade_is_logarithmic(
    figures: list[Figure], path: Path, values: tuple[float, ...], scale: str, labelled: bool | None
) -> None:
    (loss,) = drawn_losses(figures, path, losses(*values))
    assert loss.get_yscale() == scale
    if labelled is None:
        assert loss.get_ylim()[0] == 0
    else:
        assert loss.yaxis.get_major_formatter()(0.05, 0) == "0.05"
        minor = loss.yaxis.get_minor_formatter()
        assert isinstance(minor, NullFormatter) is not labelled
        assert not labelled or minor(0.2, 0) == "0.2"
        loss.set_ylim(1, 10)
        assert [tick for tick in loss.yaxis.get_minorticklocs() if 1 < tick < 10] == pytest.approx([2, 5])


def test_a_negative_loss_and_one_of_zero_are_inside_a_linear_axis(figures: list[Figure], path: Path) -> None:
    (loss,) = drawn_losses(figures, path, losses(3, -2))
    assert (loss.get_yscale(), loss.get_ylim()[0]) == ("linear", -2)
    (loss,) = drawn_losses(figures, path, losses(30, 0))
    assert (loss.get_yscale(), loss.get_ylim()[0]) == ("linear", 0)


def test_a_plot_of_no_losses_says_so(figures: list[Figure], path: Path) -> None:
    (loss,) = drawn_losses(figures, path, [])
    [text] = loss.texts
    assert text.get_text() == "no losses recorded yet"
    assert text.get_position() == (0.5, 0.5)
    assert text.get_transform() == loss.transAxes
    assert loss.get_legend() is None


@pytest.mark.parametrize(("lowest", "bottom"), [(0.4, 0.35), (0.02, 0.0)])
def test_accuracies_end_at_1_and_begin_below_the_lowest(figures: list[Figure], path: Path, lowest: float, bottom: float) -> None:
    metrics = losses(0.5, 1.0, name="test_accuracy") + losses(lowest, 0.9, name="reference_test_accuracy")
    _, accuracy = drawn_losses(figures, path, metrics)
    assert accuracy.get_ylim() == pytest.approx((bottom, 1.0))
    assert [line.get_clip_on() for line in accuracy.lines] == [False, False]


def noise(figures: list[Figure], path: Path, recording: Recording, **options: Any) -> list[Axes]:
    noise_plot(recording, path, **options)
    return figures[-1].axes


def test_codes_are_drawn_in_millivolts_at_the_middle_of_their_step(figures: list[Figure], path: Path) -> None:
    codes = 30.0 + 10 * telegraph()
    series, levels, _ = noise(figures, path, Recording(codes, rate=RATE), millivolts_per_code=2.0, title="a board")
    assert series.get_ylabel() == levels.get_ylabel() == "voltage (mV)"
    assert set(series.lines[0].get_ydata()) == {61.0, 81.0}
    bars = [(bar.get_y() + bar.get_height() / 2, bar.get_height(), bar.get_width()) for bar in levels.patches if bar.get_width()]
    assert [middle for middle, *_ in bars] == pytest.approx([61.0, 81.0])
    assert {height for _, height, _ in bars} == {2.0}
    share = float((codes == 40).mean())
    assert [width for *_, width in bars] == pytest.approx([1 - share, share])
    assert levels.get_title() == f"levels (high {share:.0%} of the time)"
    for axes in (series, levels):
        assert sorted(line.get_ydata()[0] for line in axes.lines[-2:]) == pytest.approx([61.0, 81.0])
    assert [text.get_text() for text in series.texts] == ["high 81", "low 61"]
    assert figures[-1].get_suptitle() == "a board"


@pytest.mark.parametrize(
    ("values", "label", "texts"),
    [
        (30.0 + 10 * telegraph(), "ADC code", ["high 40", "low 30"]),
        (512.4 + 300 * telegraph(), "voltage (V)", ["high 812", "low 512"]),
        (0.03 + 0.01 * telegraph(), "voltage (V)", ["high 0.04", "low 0.03"]),
    ],
)
def test_levels_are_named_in_three_digits_or_whole_numbers(
    figures: list[Figure], path: Path, values: np.ndarray, label: str, texts: list[str]
) -> None:
    series, levels, _ = noise(figures, path, Recording(values, rate=RATE))
    assert series.get_ylabel() == levels.get_ylabel() == label
    assert [text.get_text() for text in series.texts] == texts
    assert {text.get_va() for text in series.texts} == {"center"}


def test_names_of_levels_that_are_close_do_not_cover_each_other(figures: list[Figure], path: Path) -> None:
    series, *_ = noise(figures, path, Recording(np.full(300, 7.0), rate=RATE))
    assert [(text.get_text(), text.get_va()) for text in series.texts] == [("high 7", "bottom"), ("low 7", "top")]


def test_the_series_shows_forty_dwells_of_the_longest_part(figures: list[Figure], path: Path) -> None:
    values = telegraph(0.05).astype(float)
    recording = Recording(np.concatenate([values[:50], values]), (0, 50), RATE)
    series, *_ = noise(figures, path, recording)
    line = series.lines[0]
    assert line.get_drawstyle() == "steps-post"
    assert line.get_ydata().tolist() == values[: len(line.get_ydata())].tolist()
    assert len(line.get_ydata()) == pytest.approx(40 / 0.05, rel=0.1)
    assert np.diff(line.get_xdata()) == pytest.approx(1000 / RATE)
    assert series.get_xlim() == pytest.approx((0, line.get_xdata()[-1]))
    assert (series.get_xlabel(), series.get_title()) == ("time (ms)", "the source in time")
    assert frame(series) == ["left", "bottom"]


@pytest.mark.parametrize(("switch", "shown"), [(0.49, 100), (0.005, 2000)])
def test_the_series_shows_at_least_100_and_at_most_2000_samples(
    figures: list[Figure], path: Path, switch: float, shown: int
) -> None:
    series, *_ = noise(figures, path, Recording(telegraph(switch).astype(float), rate=RATE))
    assert len(series.lines[0].get_ydata()) == shown


def test_without_a_rate_axes_are_in_samples(figures: list[Figure], path: Path) -> None:
    recording = Recording(telegraph().astype(float))
    series, _, correlation = noise(figures, path, recording)
    assert (series.get_xlabel(), correlation.get_xlabel()) == ("sample", "lag (samples)")
    assert series.lines[0].get_xdata().tolist() == list(range(400))
    [_, measured] = correlation.lines
    assert measured.get_xdata().tolist() == list(range(51))
    np.testing.assert_allclose(measured.get_ydata(), autocorrelation(recording, 50))
    assert legend(correlation) == ["measured"]


def test_the_telegraphs_autocorrelation_is_next_to_the_measured_one(figures: list[Figure], path: Path) -> None:
    rng = np.random.default_rng(2)
    values = telegraph(0.05) + 0.15 * rng.standard_normal(20_000)
    recording = Recording(values, rate=RATE)
    *_, correlation = noise(figures, path, recording)
    zero, measured, curve = correlation.lines
    assert set(zero.get_ydata()) == {0}
    # Five correlation times of 1 / (2 lambda), lambda being 500 per second or a little more.
    lags = len(measured.get_xdata()) - 1
    assert lags == pytest.approx(5 * RATE / (2 * 500), rel=0.1)
    assert measured.get_xdata() == pytest.approx(np.arange(lags + 1) / 10)
    np.testing.assert_allclose(measured.get_ydata(), autocorrelation(recording, lags))
    # The observation noise has 8 % of the variance, and is there at lag 0 alone.
    at = np.interp(measured.get_xdata(), curve.get_xdata(), curve.get_ydata())
    assert at[0] == pytest.approx(0.92, abs=0.02)
    assert np.abs(at - measured.get_ydata())[1:].max() < 0.05
    name = legend(correlation)
    assert name[0] == "measured"
    assert name[1].startswith("telegraph, estimated")
    assert (correlation.get_xlabel(), correlation.get_ylabel()) == ("lag (ms)", "autocorrelation")
    assert correlation.get_title() == "memory of the source"
    assert correlation.get_ylim() == (pytest.approx(-0.1, abs=0.05), 1.05)
    assert frame(correlation) == ["left", "bottom"]


@pytest.mark.parametrize(("expected", "lags"), [(1e6, 10), (1000.0, 25), (1.0, 500)])
def test_an_expected_rate_decides_the_curve_and_how_many_lags_are_shown(
    figures: list[Figure], path: Path, expected: float, lags: int
) -> None:
    *_, correlation = noise(figures, path, Recording(telegraph().astype(float), rate=RATE), expected_rate=expected)
    _, measured, curve = correlation.lines
    assert len(measured.get_xdata()) == lags + 1
    x, y = curve.get_xdata(), curve.get_ydata()
    assert x[-1] == pytest.approx(lags / 10)
    np.testing.assert_allclose(y / y[0], np.exp(-2 * expected * x / 1000), atol=1e-9)
    assert rf"expected $\lambda$ = {expected:,.0f} /s" in legend(correlation)[1]


def test_lags_end_with_the_longest_part(figures: list[Figure], path: Path) -> None:
    values = telegraph(0.3, 60).astype(float)
    *_, correlation = noise(figures, path, Recording(values, tuple(range(0, 60, 20)), RATE), expected_rate=1.0)
    assert len(correlation.lines[1].get_xdata()) == 20


def test_an_axis_of_autocorrelations_holds_the_most_negative(figures: list[Figure], path: Path) -> None:
    *_, correlation = noise(figures, path, Recording(np.arange(400) % 2 * 1.0, rate=RATE))
    lowest = min(correlation.lines[1].get_ydata())
    assert lowest < -0.9
    assert correlation.get_ylim() == pytest.approx((lowest - 0.05, 1.05))


def test_a_constant_source_has_no_autocorrelation(figures: list[Figure], path: Path) -> None:
    _, levels, correlation = noise(figures, path, Recording(np.full(300, 7.0), rate=RATE))
    [text] = correlation.texts
    assert text.get_text() == "none: the source is constant"
    assert text.get_position() == (0.5, 0.5)
    assert not correlation.lines
    assert not correlation.get_xticks().size
    assert not correlation.get_yticks().size
    [bar] = levels.patches
    assert (bar.get_y() + 0.5 * bar.get_height(), bar.get_height(), bar.get_width()) == (7.0, 1.0, 1.0)
    assert levels.get_xlabel() == "share of samples"
    assert frame(levels) == ["left", "bottom"]
