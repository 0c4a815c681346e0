"""What the plots of the figures show: curves, bands, marks, axes and legends, from made numbers. The figures are not rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from mtjlearn.reproduction import FIGURES
from mtjlearn.reproduction.plots.style import BLUE, GREEN, GREY, ORANGE

pytestmark = pytest.mark.usefixtures("here")


def drawn(figures: list[Figure], name: str, numbers: dict[str, Any]) -> list[Any]:
    FIGURES[name].draw(numbers, Path("figure.png"))
    figure = figures[-1]
    for axes in figure.axes:
        if axes.get_label() != "<colorbar>" and not axes.images:
            assert [side for side, spine in axes.spines.items() if spine.get_visible()] == ["left", "bottom"]
    return figure.axes


def legend(axes: Any) -> list[str]:
    shown = axes.get_legend()
    return [] if shown is None else [text.get_text() for text in shown.get_texts()]


def curve(axes: Any, label: str) -> tuple[Any, Any]:
    """The one line of this label: its x and y."""
    [line] = [line for line in axes.lines if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def band(axes: Any, place: int) -> dict[float, tuple[float, float]]:
    """The least and the greatest value of a filled band, by x."""
    corners = axes.collections[place].get_paths()[0].vertices
    return {x: (float(min(y)), float(max(y))) for x in set(corners[:, 0]) for y in [corners[corners[:, 0] == x, 1]]}


def labels(axes: Any) -> tuple[str, str, str]:
    return axes.get_title(), axes.get_xlabel(), axes.get_ylabel()


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_the_circuit_is_next_to_the_ideal_unit(figures: list[Figure]) -> None:
    one = {"input": [-1, 0, 1], "output": [0, 0.1, 0.8], "ideal_output": [-0.01, 0, 1]}
    other = {"input": [-1, 0, 1], "output": [0, 0.2, 0.9], "ideal_output": [-0.02, 0.1, 1.1]}
    sums = {"ideal_sum": [0.2, 0.3, 0.2, 0.3], "sum": [0.21, 0.31, 0.21, 0.31]}
    series = {"ms": [0, 1, 2, 3], **sums, "output": [0.1, 0.2, 0.1, 0.2]}
    numbers: dict[str, Any] = {
        "slope": 0.01,
        "transfer": {"parallel": one, "antiparallel": other},
        "time": {"-0.8": series, "0.8": series},
    }
    curves, *times = drawn(figures, "fig1b", numbers)
    for name, found in numbers["transfer"].items():
        assert curve(curves, f"circuit, junction {name}") == (found["input"], found["output"])
    assert [list(line.get_ydata()) for line in curves.lines if line.get_linestyle() == "--"] == [
        *(one["ideal_output"], other["ideal_output"]),
        [],
    ]
    assert legend(curves) == ["circuit, junction parallel", "circuit, junction antiparallel", "ideal unit, slope 0.010"]
    assert labels(curves) == ("transfer curve", "first input (V)", "output (V)")
    for axes, level, below in zip(times, ("-0.8", "+0.8"), ("", "time (ms)"), strict=True):
        assert labels(axes) == (f"noise at the node, input {level} V: sum about +0.25 V", below, "change (mV)")
        assert legend(axes) == ["sum, ideal", "sum, circuit", "output, circuit"]
        for label, values in (("sum, ideal", [-50, 50] * 2), ("sum, circuit", [-40, 60] * 2), ("output, circuit", [-50, 50] * 2)):
            assert curve(axes, label) == (series["ms"], pytest.approx(values))


def bias(label: str, *, in_time: bool, **changed: Any) -> dict[str, Any]:
    step = 0.025 if in_time else 1.0
    return {
        "label": label,
        "unit": "mV" if in_time else "code",
        "in_time": in_time,
        "duty": 0.25,
        "levels": [36.2, 48.0],
        "switching_rate": 500.0 if in_time else None,
        "telegraph_share": 0.9,
        "series": [36.0, 48.0, 36.0],
        "step": step,
        "centres": [36.0, 42.0, 48.0],
        "shares": [0.7, 0.05, 0.25],
        "lags": [0.0, 1.0, 2.0],
        "autocorrelation": [1.0, 0.3, 0.1],
        **changed,
    }


@pytest.mark.parametrize(("in_time", "sample", "lag"), [(True, "time (ms)", "lag (ms)"), (False, "sample", "lag (samples)")])
def test_biases_are_shown_in_time_or_in_samples(figures: list[Figure], in_time: bool, sample: str, lag: str) -> None:
    biases = [bias("first", in_time=in_time), bias("second", in_time=in_time, series=[1.0, 2.0])]
    *rows, correlation = sorted(drawn(figures, "fig2", {"biases": biases}), key=lambda axes: axes.get_ylabel() == "autocorrelation")
    shown = [axes for axes in rows if axes.get_title()]
    levels = [axes for axes in rows if not axes.get_title()]
    for axes, one in zip(shown, biases, strict=True):
        assert labels(axes)[::2] == (f"{one['label']}: high 25% of the time", one["unit"])
        assert list(axes.lines[0].get_xdata()) == [one["step"] * place for place in range(len(one["series"]))]
        assert list(axes.lines[0].get_ydata()) == one["series"]
        assert [line.get_ydata()[0] for line in axes.lines[1:]] == one["levels"]
    assert [axes.get_xlabel() for axes in (*shown, *levels)] == ["", sample, "", "share of samples"]
    assert [bool(axes.xaxis.get_tick_params()["labelbottom"]) for axes in shown] == [False, True]
    for axes in levels:
        assert [bar.get_width() for bar in axes.patches] == [0.7, 0.05, 0.25]
        assert {bar.get_height() for bar in axes.patches} == {6.0}
    assert labels(correlation) == ("memory of the source", lag, "autocorrelation")
    assert legend(correlation) == ["first", "second", "telegraph process"]
    assert curve(correlation, "first") == ([0.0, 1.0, 2.0], [1.0, 0.3, 0.1])
    decays = [line for line in correlation.lines if len(line.get_xdata()) > 3]
    assert len(decays) == (2 if in_time else 0)
    for line in decays:
        np.testing.assert_allclose(line.get_ydata(), 0.9 * np.exp(-line.get_xdata()))  # 2 lambda is one per ms
        assert line.get_xdata()[-1] == 2.0


@pytest.mark.parametrize(("missing", "centres", "height"), [("switching_rate", [7.0], 1.0), ("telegraph_share", [7.0, 9.5], 2.5)])
def test_a_source_that_no_telegraph_describes_has_no_curve_of_one(
    figures: list[Figure], missing: str, centres: list[float], height: float
) -> None:
    one = bias("one", in_time=True, **{missing: None}, centres=centres, shares=[0.5] * len(centres))
    axes = drawn(figures, "fig2", {"biases": [one]})
    assert not [line for part in axes for line in part.lines if len(line.get_xdata()) > 3]
    assert {bar.get_height() for part in axes for bar in part.patches} == {height}


@pytest.mark.parametrize(("samples", "size"), [(None, "all images"), (12_000, "12,000 images")])
def test_bars_end_at_the_worst_of_the_other_parameter(figures: list[Figure], samples: int | None, size: str) -> None:
    tables = {"gaussian": [[0.5, 0.7], [0.8, 0.6], [0.2, 0.1]], "smtj": [[0.4, 0.6], [0.7, 0.5], [0.3, 0.2]]}
    several = {kind: [[0.75, 0.85], [0.9, 0.7]] for kind in tables}
    part = {"kinds": tables, "best_bp": 0.912, "several": {"kinds": several}}
    etas = [0.1, 0.05, 0.025]
    numbers = {"etas": etas, "eta_k": [0, 1, 2], "scales": [0.25, 0.0625], "pairs": 4, "epochs": 10, "samples": samples}
    rates, scales = drawn(figures, "fig3", {**numbers, "digits": {"test": part}})
    assert labels(rates) == (f"digits, {size}, 10 epochs", "learning rate", "test accuracy")
    assert labels(scales) == ("best of the other parameter, bars from worst to best", "noise's standard deviation", "")
    assert (rates.get_xscale(), scales.get_xscale()) == ("log", "log")
    assert ticks(rates.xaxis) == [f"$0.1\\cdot2^{{-{k}}}$" for k in (0, 1, 2)]
    assert ticks(scales.xaxis) == ["0.25", "0.0625"]
    assert legend(rates) == ["4 pairs of passes"]
    assert legend(scales) == ["best BP, 0.912", "gaussian", "smtj"]
    for axes, x, turned in ((rates, etas, np.array), (scales, [0.25, 0.0625], np.transpose)):
        assert [line.get_ydata()[0] for line in axes.lines if line.get_label() == "best BP, 0.912"] == [0.912]
        for place, (container, table) in enumerate(zip(axes.containers, map(turned, tables.values()), strict=True)):
            line, _, [bars] = container
            # The kinds lie side by side about the true value.
            np.testing.assert_allclose(line.get_xdata(), np.array(x) * (1 + 0.09 * (place - 0.5)))
            assert list(line.get_ydata()) == table.max(axis=1).tolist()
            assert [sorted(ends[:, 1]) for ends in bars.get_segments()] == pytest.approx(np.sort(table, axis=1)[:, [0, -1]])
    means = [line for line in rates.lines if line.get_marker() == "^"]
    assert [list(line.get_ydata()) for line in means] == [[0.85, 0.9]] * 2
    assert [line.get_xdata()[0] for line in means] == pytest.approx([0.1 * 0.955, 0.1 * 1.045])


@pytest.mark.parametrize(("seeds", "title"), [(1, "784-10 on digits"), (2, "784-10 on digits, 2 seeds")])
def test_boards_are_next_to_floats(figures: list[Figure], seeds: int, title: str) -> None:
    runs = [[0.5, 0.7], [0.6, 0.9], [0.55, 0.75]]
    codings = {bits: {"test_accuracies": runs, "epochs": 2} for bits in ("16", "8")}
    slow = {"8": {"test_accuracies": [[0.4]], "epochs": 1}}
    numbers = {
        "data": "digits",
        "epochs": 2,
        "seeds": seeds,
        "bp": {"best": [0.7, 0.8], "best_eta": 0.05},
        "anp": {"test_accuracies": [[0.1, 0.2], [0.3, 0.4]]},
        "boards": {"native": codings, "m4-sim": slow},
    }
    [axes] = drawn(figures, "fig3-chip", numbers)
    assert labels(axes) == (title, "epochs", "test accuracy")
    named = ["native, 16 bits a pixel", "native, 8 bits a pixel", "m4-sim, 8 bits a pixel"]
    assert legend(axes) == ["best BP, floats (eta 0.05)", "ANP, floats", *named]
    assert curve(axes, "best BP, floats (eta 0.05)") == ([1, 2], [0.7, 0.8])
    assert curve(axes, "ANP, floats") == ([1, 2], pytest.approx([0.2, 0.3]))
    for name in named[:2]:
        assert curve(axes, name) == ([1, 2], [0.55, 0.75])
    assert curve(axes, named[2]) == ([1], [0.4])
    assert band(axes, 0) == band(axes, 1) == {1: (0.5, 0.6), 2: (0.7, 0.9)}
    axes.set_xlim(1, 3)
    assert axes.get_xticks().tolist() == [1, 2, 3]


def learned(loss: float, reached: int | None, accuracy: float = 0.6) -> dict[str, Any]:
    """Two seeds of a method, four epochs of which two are evaluated."""
    accuracies = [[accuracy, accuracy + 0.1, accuracy + 0.2], [accuracy + 0.02, accuracy + 0.12, accuracy + 0.22]]
    return {
        "loss": loss,
        "losses": [[4 * loss, 3 * loss, 2 * loss, loss], [8 * loss, 6 * loss, 4 * loss, loss]],
        "train_accuracies": (np.array(accuracies) + 0.05).tolist(),
        "test_accuracies": accuracies,
        "evaluated": [1, 2, 4],
        "epochs_to": {"anp_final_loss": reached},
    }


@pytest.mark.parametrize("reached", [2, None])
def test_the_epoch_where_danp_is_where_anp_ends_is_marked(figures: list[Figure], reached: int | None) -> None:
    names = {"bp": "BP", "anp": "ANP", "danp": "DANP, junction per node", "danp_single": "DANP, one recording"}
    task = {method: learned(0.1 * place, reached) for place, method in enumerate(names, 1)}
    task["anp"] = learned(0.2, None, 0.3)
    shape = {"epochs": 4, "seeds": 2}
    numbers = {"digits": {**task, **shape, "hidden": "20"}, "wine": {**task, **shape, "hidden": "7"}}
    axes = drawn(figures, "fig4", numbers)
    assert len(axes) == 6
    for place, name in enumerate(("digits, hidden 20", "wine, hidden 7")):
        loss, training, test = axes[3 * place : 3 * place + 3]
        assert [labels(part) for part in (loss, training, test)] == [
            (name, "epochs", "training loss"),
            ("2 seeds: median and range", "epochs", "training accuracy"),
            ("", "epochs", "test accuracy"),
        ]
        assert loss.get_yscale() == "log"
        for method, label in names.items():
            one = task[method]
            assert curve(loss, label) == ([1, 2, 3, 4], pytest.approx(np.median(one["losses"], axis=0)))
            for part, key in ((training, "train_accuracies"), (test, "test_accuracies")):
                assert curve(part, label) == ([1, 2, 4], pytest.approx(np.median(one[key], axis=0)))
                # From a third of the evaluations on, the lowest is ANP's 0.4.
                assert part.get_ylim() == pytest.approx((0.3, 1.0))
        assert band(loss, 0)[1] == pytest.approx((0.4, 0.8))
        marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in loss.lines if line.get_marker() == "o"]
        assert marks == ([] if reached is None else [(2, 0.2)])
        assert [text.get_text() for text in loss.texts] == ([] if reached is None else ["epoch 2"])
        assert [line.get_ydata()[0] for line in loss.lines if len(line.get_xdata()) == 2] == [0.2]
        loss.set_xlim(1, 4)
        assert all(tick == round(tick) for tick in loss.get_xticks())
    assert legend(axes[2]) == list(names.values())
    assert not legend(axes[0]) + legend(axes[1])


@pytest.mark.parametrize(("reached", "boards"), [(3, ["native", "m4-sim"]), (None, ["native"])])
def test_both_rules_on_each_board(figures: list[Figure], reached: int | None, boards: list[str]) -> None:
    rules = {"anp": learned(0.2, 4), "danp": learned(0.1, reached)}
    numbers: dict[str, Any] = {"network": "64-4-10", "epochs": 4, "boards": dict.fromkeys(boards, rules)}
    axes = drawn(figures, "fig4-chip", numbers)
    assert len(axes) == 2 * len(boards)
    for place, board in enumerate(numbers["boards"]):
        loss, accuracy = axes[2 * place : 2 * place + 2]
        assert labels(loss) == (f"64-4-10 on {board}: digits, 2 seeds", "epochs", "training loss")
        assert labels(accuracy) == ("without noise", "epochs", "test accuracy")
        assert legend(loss) == legend(accuracy) == ["ANP", "DANP"]
        for rule, label, colour in (("anp", "ANP", ORANGE), ("danp", "DANP", BLUE)):
            assert curve(loss, label) == ([1, 2, 3, 4], pytest.approx(np.median(rules[rule]["losses"], axis=0)))
            assert curve(accuracy, label) == ([1, 2, 4], pytest.approx(np.median(rules[rule]["test_accuracies"], axis=0)))
            [line] = [line for line in loss.lines if line.get_label() == label]
            assert line.get_color() == colour
        assert [line.get_ydata()[0] for line in loss.lines if line.get_linestyle() == "--"] == [0.2]
        assert [text.get_text() for text in loss.texts] == ([] if reached is None else ["epoch 3"])
        for part in (loss, accuracy):
            part.set_xlim(1, 4)
            assert part.get_xticks().tolist() == [1, 2, 3, 4]
        assert [line.get_xdata()[0] for line in loss.lines if line.get_markeredgecolor() == GREY and line.get_marker() == "o"] == (
            [] if reached is None else [3]
        )


def test_boxes_of_the_ways_lie_side_by_side_and_the_paper_s_pair_is_marked(figures: list[Figure]) -> None:
    losses = {"python": [[1.0, 0.5], [2.0, 0.25]], "streamed": [[1.5, 0.4]] * 2, "autonomous": [[1.25, 0.3]] * 2}
    ways = {way: {"losses": values, "relative_losses": (np.array(values) / 2).tolist()} for way, values in losses.items()}
    medians = [[9.0, None, 4.0], [0.02, 0.03, 0.05]]
    grid = {"etas": [1.0, 1e-3], "epsilons": [1e-2, 1e-3, 1e-4], "repeats": 10, "median_loss": medians}
    numbers = {"repeats": 2, "eta": 1e-3, "epsilon": 1e-4, "epochs": [0, 50], "samples_per_epoch": 1000, "sweep": grid, **ways}
    loss, relative, sweep, bar = drawn(figures, "fig5", numbers)
    assert labels(loss) == (r"2 repeats, $\eta$ = 0.001, $\epsilon$ = 0.0001", "epochs of 1,000 samples", "loss")
    assert labels(relative) == ("", "epochs of 1,000 samples", "loss / teacher's variance")
    assert legend(loss) == ["network in Python, live noise", "streamed to the board", "autonomous on the board"]
    assert not legend(relative)
    for axes, factor in ((loss, 1), (relative, 0.5)):
        assert axes.get_yscale() == "log"
        assert (axes.get_xticks().tolist(), ticks(axes.xaxis)) == ([0, 1], ["0", "50"])
        lines = [line for line in axes.lines if line.get_linewidth() == 1.8]
        for place, (values, colour) in enumerate(zip(losses.values(), (ORANGE, BLUE, GREEN), strict=True)):
            for epoch, line in enumerate(lines[2 * place : 2 * place + 2]):
                assert np.mean(line.get_xdata()) == pytest.approx(epoch + 0.26 * (place - 1))
                assert line.get_ydata()[0] == pytest.approx(factor * np.median(values, axis=0)[epoch])
                assert line.get_color() == colour
    assert labels(sweep) == ("appendix B's grid: median loss of 10 repeats", r"$\epsilon$", r"$\eta$")
    assert (ticks(sweep.xaxis), ticks(sweep.yaxis)) == (["0.01", "0.001", "0.0001"], ["1", "0.001"])
    [mark] = sweep.lines
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([2], [1])
    [image] = sweep.images
    assert image.get_clim() == (0.02, 9.0)
    assert image.get_array()[1].tolist() == [0.02, 0.03, 0.05]
    assert bar.yaxis.get_major_formatter()(0.05, 0) == "0.05"


def test_the_table_marks_the_winner_of_each_method(figures: list[Figure]) -> None:
    pairs = [[0.6, 0.97], [0.59, 0.1], [0.3, 0.2]]
    methods = {
        "bp": {"eta_k": 4, "epsilon_k": None, "accuracies": [[0.5], [0.98], [0.7]]},
        "danp": {"eta_k": 2, "epsilon_k": 8, "accuracies": pairs},
        "danp_single": {"eta_k": 6, "epsilon_k": 6, "accuracies": pairs},
    }
    sets = {"digits": methods, "wine": methods}
    numbers = {"sets": sets, "epsilon_k": [6, 8], "eta_k": [2, 4, 6], "network": "50-50", "epochs": 15}
    axes = drawn(figures, "table1", numbers)
    parts = [part for part in axes if part.get_label() != "<colorbar>"]
    bars = [part for part in axes if part.get_label() == "<colorbar>"]
    assert [bar.get_ylabel() for bar in bars] == ["test accuracy, epoch 15"] * 2
    assert len(parts) == 6
    for row, name in enumerate(sets):
        three = parts[3 * row : 3 * row + 3]
        assert [part.get_title() for part in three] == ["BP", "DANP, junction per node", "DANP, one recording"]
        assert [part.get_ylabel() for part in three] == [f"{name}, hidden 50-50\n$\\eta$", "", ""]
        assert [part.get_xlabel() for part in three] == ["", r"$\epsilon$", r"$\epsilon$"]
        assert [(*part.lines[0].get_xdata(), *part.lines[0].get_ydata()) for part in three] == [(0, 1), (1, 0), (0, 2)]
        assert ticks(three[0].xaxis) == []
        assert ticks(three[1].xaxis) == [f"$0.1\\cdot2^{{-{k}}}$" for k in (6, 8)]
        assert ticks(three[0].yaxis) == [f"$0.1\\cdot2^{{-{k}}}$" for k in (2, 4, 6)]
        told = {text.get_position(): (text.get_text(), text.get_color()) for text in three[1].texts}
        assert told[1, 0] == (".97", "black")
        assert told[0, 0] == (".60", "black")
        assert told[0, 1] == (".59", "white")
        assert len(told) == 6
        assert three[1].images[0].get_clim() == (0, 1)
