"""Plots are drawn from what a run recorded, complete or not."""

from __future__ import annotations

import os
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from places import PROJECT

from mtjlearn.noise import PRESETS, Recording, SimulatedAdc
from mtjlearn.plots import loss_curve, noise_plot

pytestmark = pytest.mark.thorough

HOST = PROJECT / "host"


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, in order."""
    saved: list[Figure] = []
    original = Figure.savefig

    def savefig(self, *args, **kwargs):
        saved.append(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return saved


def is_drawn(path) -> bool:
    image = matplotlib.image.imread(path)
    return image.shape[0] > 300 and image.shape[1] > 600 and image[..., :3].std() > 0.01


def records(count: int, floor: float = 0.01):
    return [
        {
            "step": step * 100,
            "loss": 2.0 * 0.8**step + floor,
            "reference_loss": 1.9 * 0.8**step + floor,
            "test_accuracy": min(0.97, 0.3 + step / 20),
            "reference_test_accuracy": min(0.98, 0.35 + step / 20),
        }
        for step in range(count)
    ]


def test_loss_and_accuracy_of_board_and_reference(tmp_path, figures):
    loss_curve(records(30), tmp_path / "loss.png", title="iris")
    assert is_drawn(tmp_path / "loss.png")
    loss, accuracy = figures[0].axes
    assert loss.get_yscale() == "log"
    assert [line.get_label() for line in loss.lines] == ["board", "float reference"]
    np.testing.assert_allclose(loss.lines[0].get_ydata()[:2], [2.01, 1.61])
    assert accuracy.get_ylabel() == "test accuracy"
    assert accuracy.get_xlabel() == "training steps"


def test_without_accuracy_there_is_one_panel_and_a_small_span_is_linear(tmp_path, figures):
    metrics = [{"step": step, "loss": 1 + step / 10} for step in range(5)]
    metrics += [{"step": 9, "loss": None}, {"event": "resumed", "step": 3}, {"epoch": 4}]
    loss_curve(metrics, tmp_path / "loss.png")
    (loss,) = figures[0].axes
    assert loss.get_yscale() == "linear"
    assert loss.lines[0].get_xdata().tolist() == [0, 1, 2, 3, 4]


def test_names_are_not_read_as_formulas_and_suffixes_say_the_format(tmp_path):
    for suffix, start in ((".svg", b"<?xml"), (".pdf", b"%PDF"), (".png", b"\x89PNG")):
        loss_curve(records(3), tmp_path / f"loss{suffix}", title="in $ and $out_{")
        assert (tmp_path / f"loss{suffix}").read_bytes().startswith(start)


def test_accuracies_end_at_1(tmp_path, figures):
    loss_curve([*records(5), {"step": 500, "test_accuracy": 1.0}], tmp_path / "loss.png")
    accuracy = figures[0].axes[1]
    assert accuracy.get_ylim()[1] == 1
    assert not any(line.get_clip_on() for line in accuracy.lines)


def test_a_loss_of_zero_and_no_loss_at_all_are_drawn(tmp_path, figures):
    loss_curve([{"step": 1, "loss": 5.0}, {"step": 2, "loss": 0.0}], tmp_path / "zero.png")
    loss_curve([], tmp_path / "none.png")
    assert figures[0].axes[0].get_yscale() == "linear"
    assert is_drawn(tmp_path / "none.png")


def test_noise_plot_shows_levels_and_the_telegraphs_autocorrelation(tmp_path, figures):
    junction = PRESETS["recording"]
    codes = SimulatedAdc(junction, rate=9615.0, reference=1.1, seed=1).read(40000)[0].astype(np.float64)
    noise_plot(Recording(codes, rate=9615.0), tmp_path / "noise.png", millivolts_per_code=1100 / 1024, expected_rate=junction.rate)
    assert is_drawn(tmp_path / "noise.png")
    series, levels, correlation = figures[0].axes
    assert series.get_ylabel() == levels.get_ylabel() == "voltage (mV)"
    low, high = sorted(line.get_ydata()[0] for line in series.lines[1:])
    assert (low, high) == pytest.approx((36.2, 48.0), abs=0.3)
    measured, expected = correlation.lines[1:]
    milliseconds = np.asarray(measured.get_xdata())
    np.testing.assert_allclose(np.diff(milliseconds), 1000 / 9615)
    curve = np.interp(milliseconds, expected.get_xdata(), expected.get_ydata())
    assert np.abs(measured.get_ydata() - curve)[1:].max() < 0.03
    assert "3,530" in expected.get_label()


def test_a_noise_plot_shows_forty_dwells(tmp_path, figures):
    junction = PRESETS["recording"]
    codes = SimulatedAdc(junction, rate=40_000.0, reference=1.1, seed=1).read(40_000)[0].astype(np.float64)
    noise_plot(Recording(codes, rate=40_000.0), tmp_path / "noise.png")
    series = figures[0].axes[0]
    assert series.get_xlim()[1] == pytest.approx(1000 * 40 / junction.rate, rel=0.05)


@pytest.mark.parametrize(
    "recording",
    [
        Recording(np.full(300, 7.0)),
        Recording(np.full(300, 7.0), rate=1000.0),
        Recording(np.array([3.0])),
        Recording(np.array([3.0]), rate=10.0),
        Recording(np.array([3.0, 4.0]), rate=10.0),
        Recording(np.random.default_rng(0).normal(0.04, 0.01, 3000), rate=9615.0),
        Recording(np.arange(600.0) % 50 // 25, tuple(range(0, 600, 20)), rate=40000.0),
    ],
    ids=["constant", "constant-timed", "single", "single-timed", "two", "gaussian", "bursts"],
)
def test_odd_recordings_are_drawn_too(tmp_path, recording):
    noise_plot(recording, tmp_path / "noise.png", title="odd")
    assert is_drawn(tmp_path / "noise.png")


def test_plots_leave_matplotlibs_global_state_alone():
    check = "import mtjlearn.plots, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, env={**os.environ, "PYTHONPATH": str(HOST)})
