"""What the plots of a sweep show, drawn from rows that nobody computed. The figures are not rendered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from mtjlearn.sweeps import Results, grid
from mtjlearn.sweeps.plots import draw

Number = Callable[[dict[str, Any]], float]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Results]:
    """``made(values, number, seeds=3, name="loss")``: rows of all combinations; a number that is None failed."""

    def rows(values: dict[str, list[Any]], number: Number, seeds: int = 3, name: str = "loss") -> Results:
        found = []
        for point in grid(values, seeds=range(seeds)):
            value = number(point)
            found.append({**point, name: value, "status": "failed" if value is None else "ok", "error": "", "seconds": 1.0})
        return Results(tmp_path, [*values, "seed"], [name], found)

    return rows


def shown(drawn: list[Figure], results: Results, **options: Any) -> dict[str, Axes]:
    """Axes of each plot by the name of its file."""
    first = len(drawn)
    paths = draw(results, results.numbers[0], **options)
    assert {path.parent for path in paths} == {results.directory / "plots"}
    return {path.name: figure.axes[0] for path, figure in zip(paths, drawn[first:], strict=True)}


def bowl(point: dict[str, Any]) -> float:
    return abs(point["x"] - 0.3) + 1 / point["width"] + 0.1 * point["seed"] ** 2


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def bars(axes: Axes, place: int = 0) -> np.ndarray:
    """Ends of a curve's bars, shape (points, 2)."""
    [segments] = axes.containers[place].lines[2]
    return np.array(segments.get_segments())[:, :, 1]


def test_there_is_a_slice_for_each_parameter_and_a_heatmap_for_each_pair(made: Any, figures: list[Figure]) -> None:
    results = made({"x": [0.1, 0.3, 0.9], "width": [2, 4], "depth": [1, 2]}, bowl)
    found = shown(figures, results, figures="svg")
    assert list(found) == [
        *("loss-x.svg", "loss-width.svg", "loss-depth.svg"),
        *("loss-x-width.svg", "loss-x-depth.svg", "loss-width-depth.svg"),
    ]
    curve = found["loss-x.svg"]
    assert (curve.get_xlabel(), curve.get_ylabel()) == ("x", "loss")
    assert (curve.get_xscale(), curve.get_yscale()) == ("linear", "linear")
    [line] = [container.lines[0] for container in curve.containers]
    assert (line.get_marker(), line.get_linestyle()) == ("o", "-")
    assert line.get_xdata() == pytest.approx([0.1, 0.3, 0.9])
    assert line.get_ydata() == pytest.approx([0.55, 0.35, 0.95])
    # Of 0, 0.1 and 0.4 more.
    assert bars(curve) == pytest.approx(np.array([[0.5, 0.7], [0.3, 0.5], [0.9, 1.1]]))
    assert curve.get_legend() is None
    assert figures[0].get_suptitle() == "median and quartiles over seeds\nwidth 4, depth 1"
    assert all(grid_line.get_visible() for grid_line in curve.get_xgridlines())
    assert [side for side, spine in curve.spines.items() if spine.get_visible()] == ["left", "bottom"]
    assert list(shown(figures, results, x="x")) == ["loss-x.png"]


def test_bars_may_show_all_seeds_and_are_not_named_where_there_is_one(made: Any, figures: list[Figure]) -> None:
    results = made({"x": [0.1, 0.3], "width": [4]}, bowl)
    curve = shown(figures, results, spread="range")["loss-x.png"]
    assert bars(curve) == pytest.approx(np.array([[0.45, 0.85], [0.25, 0.65]]))
    assert figures[-1].get_suptitle() == "median and smallest to largest over seeds\nwidth 4"
    shown(figures, made({"x": [0.1, 0.3], "width": [4]}, bowl, seeds=1))
    assert figures[-1].get_suptitle() == "width 4"


def test_a_parameter_of_words_gives_the_curves_unless_it_is_the_axis(made: Any, figures: list[Figure]) -> None:
    def number(point: dict[str, Any]) -> float:
        return bowl(point) + (point["rule"] == "b")

    results = made({"x": [0.1, 0.3], "width": [2, 4], "rule": ["a", "b"]}, number)
    found = shown(figures, results)
    assert list(found) == ["loss-x.png", "loss-width.png", "loss-x-width.png"]
    curve = found["loss-x.png"]
    first, second = (container.lines[0] for container in curve.containers)
    assert second.get_ydata() == pytest.approx(first.get_ydata() + 1)
    assert first.get_color() != second.get_color()
    legend = curve.get_legend()
    assert legend is not None
    assert not legend.get_frame_on()
    assert [text.get_text() for text in legend.get_texts()] == ["rule a", "rule b"]
    assert figures[0].get_suptitle() == "median and quartiles over seeds"
    words = shown(figures, results, x="rule")["loss-rule.png"]
    [line] = [container.lines[0] for container in words.containers]
    assert (line.get_marker(), line.get_linestyle()) == ("o", "None")
    assert line.get_xdata().tolist() == [0, 1]
    assert ticks(words.xaxis) == ["a", "b"]
    assert len(shown(figures, results, x="x", by="width")["loss-x.png"].containers) == 2


def test_only_words_are_slices_too(made: Any, figures: list[Figure]) -> None:
    results = made({"rule": ["a", "b"]}, lambda point: float(point["rule"] == "b"))
    assert list(shown(figures, results)) == ["loss-rule.png"]


def test_a_heatmap_shows_medians_and_what_is_missing_stays_empty(made: Any, figures: list[Figure]) -> None:
    xs = [place / 10 for place in range(17)]
    results = made({"x": xs, "width": [2, 4]}, lambda point: None if point["x"] == 0.2 else bowl(point))
    surface = shown(figures, results)["loss-x-width.png"]
    [mesh] = surface.collections
    assert mesh.get_cmap().name == "viridis_r"
    values = mesh.get_array()
    assert values.shape == (2, 17)
    np.testing.assert_allclose(values[:, 3], [0.6, 0.35])
    assert np.argwhere(np.ma.getmaskarray(values)).tolist() == [[0, 2], [1, 2]]
    np.testing.assert_allclose(mesh.get_coordinates()[0, :, 0], np.arange(18) - 0.5)
    assert (surface.get_xlabel(), surface.get_ylabel()) == ("x", "width")
    assert surface.get_xticks().tolist() == list(range(0, 17, 2))
    assert ticks(surface.xaxis) == [f"{value:.4g}" for value in xs[::2]]
    assert ticks(surface.yaxis) == ["2", "4"]
    assert figures[-1].axes[1].get_ylabel() == "median loss"
    shown(figures, results, maximise=True)
    assert figures[-1].axes[0].collections[0].get_cmap().name == "viridis"
    shown(figures, made({"x": [0.1, 0.3], "width": [2, 4]}, bowl, name="test_accuracy"))
    assert figures[-1].axes[0].collections[0].get_cmap().name == "viridis"
    assert figures[-1].axes[1].get_ylabel() == "median test accuracy"


@pytest.mark.parametrize(("ratio", "scale"), [(20, "linear"), (21, "log")])
def test_values_over_more_than_twenty_times_are_on_logarithmic_axes(
    made: Any, figures: list[Figure], ratio: int, scale: str
) -> None:
    results = made({"eta": [1, 2, ratio]}, lambda point: float(point["eta"]))
    curve = shown(figures, results)["loss-eta.png"]
    assert (curve.get_xscale(), curve.get_yscale()) == (scale, scale)
    if scale == "log":
        assert ticks(curve.xaxis) == ["1", "2", "21"]
        assert not curve.xaxis.get_minorticklocs().size
        assert curve.yaxis.get_major_formatter()(0.05, 0) == curve.yaxis.get_minor_formatter()(0.05, 0) == "0.05"
        curve.set_ylim(1, 10)
        assert [tick for tick in curve.yaxis.get_minorticklocs() if 1 < tick < 10] == pytest.approx([2, 5])


def test_an_axis_names_ten_values_and_not_eleven(made: Any, figures: list[Figure]) -> None:
    for count, named in ((10, True), (11, False)):
        results = made({"eta": [2.0**place for place in range(count)]}, lambda point: 1.0)
        curve = shown(figures, results)["loss-eta.png"]
        assert (curve.get_xticks().tolist() == [2.0**place for place in range(count)]) is named
        assert isinstance(curve.xaxis.get_minor_formatter(), NullFormatter)


def test_zero_and_what_is_not_a_number_do_not_make_an_axis_logarithmic(made: Any, figures: list[Figure]) -> None:
    results = made({"eta": [0.0, 100.0]}, lambda point: point["eta"])
    assert (shown(figures, results)["loss-eta.png"].get_xscale(), figures[-1].axes[0].get_yscale()) == ("linear", "linear")
    results = made({"eta": [None, 1.0, 100.0]}, lambda point: float("nan"))
    assert shown(figures, results)["loss-eta.png"].get_xscale() == "linear"
    assert ticks(figures[-1].axes[0].xaxis) == ["default", "1", "100"]


@pytest.mark.parametrize(("best", "top"), [(1.0, 1.0), (0.5, None)])
def test_accuracies_end_at_1_and_stay_whole(made: Any, figures: list[Figure], best: float, top: float | None) -> None:
    results = made({"x": [1, 2]}, lambda point: best - 0.1 * (point["x"] - 1) - 0.01 * point["seed"], name="test_accuracy")
    curve = shown(figures, results)["test_accuracy-x.png"]
    assert curve.get_ylabel() == "test accuracy"
    if top is None:
        assert curve.get_ylim()[1] < 0.6
        assert all(artist.get_clip_on() for artist in (*curve.lines, *curve.collections))
    else:
        assert curve.get_ylim()[1] == top
        assert not any(artist.get_clip_on() for artist in (*curve.lines, *curve.collections))
    loss = shown(figures, made({"x": [1, 2]}, lambda point: float(point["x"])))["loss-x.png"]
    assert loss.get_ylim()[1] > 2


def test_trials_of_a_search_are_dots_coloured_by_their_order(tmp_path: Path, figures: list[Figure]) -> None:
    rows = [
        {"x": x, "kind": kind, "trial": trial, "seed": seed, "y": y + seed, "status": "ok", "error": "", "seconds": 1.0}
        for trial, (x, kind, y) in enumerate([(0.5, "b", 3.0), (0.1, "a", 2.0), (0.2, "b", float("inf")), (0.9, "c", 4.0)])
        for seed in (0, 1)
    ]
    found = shown(figures, Results(tmp_path, ["x", "kind", "trial", "seed"], ["y"], rows))
    assert list(found) == ["y-x.png", "y-kind.png"]
    [dots] = found["y-x.png"].collections
    assert np.asarray(dots.get_offsets()) == pytest.approx(np.array([[0.5, 3.5], [0.1, 2.5], [0.9, 4.5]]))
    assert dots.get_array().tolist() == [0, 1, 3]
    assert (found["y-x.png"].get_xlabel(), found["y-x.png"].get_ylabel()) == ("x", "mean y")
    assert figures[0].axes[1].get_ylabel() == "trial"
    assert figures[0].get_suptitle() == "trials of a search"
    [dots] = found["y-kind.png"].collections
    assert np.asarray(dots.get_offsets())[:, 0].tolist() == [1, 0, 2]
    assert ticks(found["y-kind.png"].xaxis) == ["a", "b", "c"]
