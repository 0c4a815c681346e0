"""What rows say about parameters, and that it can be drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_support import valley

from mtjlearn.sweeps import Results, SweepError, grid, run_sweep
from mtjlearn.sweeps.plots import draw
from mtjlearn.sweeps.search import run_search
from mtjlearn.sweeps.search_files import Interval
from mtjlearn.sweeps.slices import curves, ranked, surface, varied

XS, WIDTHS = [0.1, 0.3, 0.9], [2, 4]


def bowl(point: dict[str, Any]) -> dict[str, Any]:
    """Smallest at x = 0.3, width 4; rule b fails with seed 2, and is NaN at x = 0.9."""
    if point["rule"] == "b" and point["seed"] == 2:
        raise ValueError("no luck")
    nan = point["rule"] == "b" and point["x"] == 0.9
    loss = math.nan if nan else abs(point["x"] - 0.3) + 1 / point["width"] + 0.01 * point["seed"] ** 2
    return {"loss": loss, "test_accuracy": 1 - loss}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Results:
    points = grid({"x": XS, "width": WIDTHS, "rule": ["a", "b"]}, seeds=range(3))
    return run_sweep(bowl, points, tmp_path_factory.mktemp("s") / "s", workers=0)


def test_points_are_ranked_by_their_mean(found: Results) -> None:
    order = ranked(found, "loss")
    assert order[0].parameters == {"x": 0.3, "width": 4, "rule": "a"}
    assert order[0].mean == pytest.approx(0.25 + 0.05 / 3)
    assert [setting.failed for setting in order] == [0] * 6 + [1] * 6
    for group in (order[:6], order[6:10]):
        means = [setting.mean for setting in group]
        assert means == sorted(means)
    assert all(math.isnan(setting.mean) for setting in order[10:])
    assert ranked(found, "test_accuracy")[0].parameters == order[0].parameters
    assert ranked(found, "loss", maximise=True)[0].parameters == {"x": 0.9, "width": 2, "rule": "a"}


def test_a_slice_goes_through_the_best_point(found: Results) -> None:
    (curve,) = curves(found, "x", "loss")
    assert curve.x == XS
    assert curve.fixed == {"width": 4, "rule": "a"}
    np.testing.assert_allclose(curve.middle, [0.46, 0.26, 0.86])
    np.testing.assert_allclose(curve.high - curve.middle, 0.015)
    (whole,) = curves(found, "x", "loss", spread="range")
    np.testing.assert_allclose(whole.low, [0.45, 0.25, 0.85])
    np.testing.assert_allclose(whole.high, [0.49, 0.29, 0.89])
    first, second = curves(found, "width", "loss", by="rule")
    assert (first.label, second.label) == ("rule a", "rule b")
    np.testing.assert_allclose(second.middle, [0.505, 0.255])


def test_a_surface_over_two_parameters(found: Results) -> None:
    flat = surface(found, "x", "width", "loss")
    assert (flat.x, flat.y, flat.fixed) == (XS, WIDTHS, {"rule": "a"})
    np.testing.assert_allclose(flat.values, [[0.71, 0.51, 1.11], [0.46, 0.26, 0.86]])


def test_parameters_that_vary(found: Results) -> None:
    assert varied(found) == ["x", "width", "rule"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"number": "los"}, "no number los; they have loss, test_accuracy"),
        ({"number": "loss", "x": "y"}, "no parameter y; they have x, width, rule, seed"),
        ({"number": "loss", "by": "y"}, "no parameter y"),
    ],
)
def test_what_is_not_there(found: Results, options: dict[str, Any], said: str) -> None:
    with pytest.raises(SweepError, match=said):
        draw(found, **options)


@pytest.mark.slow
def test_plots(found: Results, tmp_path: Path) -> None:
    names = {path.name for path in draw(found, "loss")}
    assert names == {"loss-x.png", "loss-width.png", "loss-x-width.png"}
    names |= {path.name for path in draw(found, "loss", x="rule", spread="range")}
    assert "loss-rule.png" in names
    for name in names:
        assert (found.directory / "plots" / name).read_bytes().startswith(b"\x89PNG")
    searched = run_search(valley, {"x": Interval(0, 1), "kind": ["a", "b"]}, tmp_path / "s", trials=4, objective="y", workers=0)
    assert {path.name for path in draw(searched, "y")} == {"y-x.png", "y-kind.png"}
    alone = run_sweep(valley, grid({"x": [1], "kind": ["a"]}, seeds=range(2)), tmp_path / "a", workers=0)
    with pytest.raises(SweepError, match="nothing to plot"):
        draw(alone, "y")
