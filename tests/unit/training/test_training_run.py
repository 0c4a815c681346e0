"""A training on the native board: repeatable, complete in its run directory, and as good as the float reference."""

from __future__ import annotations

import json

import matplotlib.image
import numpy as np
import pytest
from training_support import Watcher, untimed_metrics

from mtjlearn.board import BoardError
from mtjlearn.datasets import epoch_order
from mtjlearn.noise import load_recording
from mtjlearn.runs import Run, read_checkpoint, read_meta, read_metrics
from mtjlearn.training import default_plan, train
from mtjlearn.training.train import NOISE_CODES
from mtjlearn.virtual.native import start_native

pytestmark = pytest.mark.thorough


def trained(root, data="iris", watcher=None, **options):
    """Plan, run directory and report of a training on the native board."""
    plan = default_plan(data, **{"seed": 0, "epochs": 12, "board": "native", **options})
    run = Run.create(root, "train", plan.name, plan.seed, plan.config())
    return plan, run.path, train(plan, run, watcher or Watcher())


def figures(report):
    return report.test_accuracy, report.steps, report.skipped, report.saturations, report.reference_test_accuracy


def test_a_seed_repeats_everything_and_another_differs(tmp_path):
    _, first, report = trained(tmp_path)
    _, second, again = trained(tmp_path)
    _, third, _ = trained(tmp_path, seed=1)
    assert figures(report) == figures(again)
    assert untimed_metrics(first) == untimed_metrics(second)
    one, two, other = (read_checkpoint(path) for path in (first, second, third))
    np.testing.assert_array_equal(one.weights, two.weights)
    assert one.random_state == two.random_state
    assert load_recording(first / "noise.npz").values.tolist() == load_recording(second / "noise.npz").values.tolist()
    assert not np.array_equal(one.weights, other.weights)
    assert untimed_metrics(first) != untimed_metrics(third)


def test_a_run_directory_is_complete(tmp_path):
    watcher = Watcher()
    plan, path, report = trained(tmp_path, watcher=watcher)
    samples = len(plan.dataset.x_train)
    total = plan.epochs * samples
    assert {"config.toml", "meta.json", "metrics.jsonl", "weights.npz", "link.log", "loss.png", "noise.png", "noise.npz"} <= {
        file.name for file in path.iterdir()
    }
    for plot in ("loss.png", "noise.png"):
        assert matplotlib.image.imread(path / plot).std() > 0.01
    assert load_recording(path / "noise.npz").values.size == NOISE_CODES
    assert watcher.phases == ["board", "reference"]
    assert any("bytes for 4-8-3" in note for note in watcher.notes)

    meta = read_meta(path)
    assert (meta["state"], meta["error"], meta["board"]["name"]) == ("finished", None, "native")
    assert meta["result"] == json.loads(json.dumps(report.__dict__))
    records = [record for record in read_metrics(path) if "loss" in record]
    assert [record["step"] for record in records] == [samples * epoch for epoch in range(1, plan.epochs + 1)]
    assert records[-1]["skipped"] == report.skipped
    assert records[-1]["saturations"] == report.saturations
    assert records[-1]["loss"] < records[0]["loss"]
    assert report.samples_per_s == pytest.approx(total / sum(record["seconds"] for record in records))
    assert len([record for record in read_metrics(path) if "reference_loss" in record]) == plan.epochs
    checkpoint = read_checkpoint(path)
    assert (checkpoint.epoch, checkpoint.samples, checkpoint.steps) == (plan.epochs, 0, total)
    assert report.steps == total


def test_the_accuracy_is_that_of_the_last_weights_on_the_device(tmp_path):
    plan, path, report = trained(tmp_path)
    last = [record for record in read_metrics(path) if "test_accuracy" in record][-1]
    assert last["epoch"] == plan.epochs
    assert report.test_accuracy == pytest.approx(last["test_accuracy"])


def test_the_order_of_an_epoch_is_computed_once(monkeypatch):
    """A long epoch is streamed in many stretches, and each asks for it."""
    asked = []
    monkeypatch.setattr(
        "mtjlearn.training.plan.epoch_order", lambda seed, epoch, samples: asked.append(epoch) or epoch_order(seed, epoch, samples)
    )
    plan = default_plan("xor", seed=1, epochs=2, board="native")
    for epoch in (0, 0, 1, 1, 0):
        np.testing.assert_array_equal(plan.order(epoch), epoch_order(1, epoch, 100))
    assert asked == [0, 1, 0]


def test_long_epochs_are_streamed_in_stretches(tmp_path, monkeypatch):
    monkeypatch.setattr("mtjlearn.training.on_board.STRETCH", 50)
    _, path, report = trained(tmp_path / "short", epochs=2, reference=False)
    monkeypatch.undo()
    _, whole, expected = trained(tmp_path / "whole", epochs=2, reference=False)
    steps = [record["step"] for record in read_metrics(path) if "loss" in record]
    assert steps == [50, 100, 120, 170, 220, 240]
    np.testing.assert_array_equal(read_checkpoint(path).weights, read_checkpoint(whole).weights)
    assert figures(report) == figures(expected)


@pytest.mark.parametrize(
    ("data", "options", "least"),
    [("wine", {"epochs": 60}, 0.9), ("xor", {"seed": 1, "rule": "danp", "epochs": 100}, 1.0)],
)
def test_the_board_learns_as_the_reference_does(tmp_path, data, options, least):
    _, _, report = trained(tmp_path, data, **options)
    assert report.test_accuracy >= least
    assert report.reference_test_accuracy >= least


def test_a_regression_is_scored_by_r2(tmp_path):
    _, path, report = trained(tmp_path, "teacher", seed=2, epochs=8)
    assert report.test_accuracy is None
    assert report.reference_test_accuracy is None
    assert 0.6 < report.test_r2 <= 1
    assert 0.6 < report.reference_test_r2 <= 1
    assert not [record for record in read_metrics(path) if "test_accuracy" in record]


@pytest.mark.parametrize("rule", ["bp", "np"])
def test_the_reference_learns_alone_what_boards_cannot(tmp_path, rule):
    _, path, report = trained(tmp_path, rule=rule, epochs=40, board=None)
    assert report.test_accuracy is None
    assert report.reference_test_accuracy >= 0.9
    assert (report.steps, report.samples_per_s, report.board) == (40 * 120, None, {})
    assert (path / "weights.npz").exists()
    assert (path / "loss.png").exists()


def test_what_was_clipped_and_what_is_constant_is_said(tmp_path):
    watcher = Watcher()
    _, _, report = trained(tmp_path, "digits", watcher, epochs=1, reference=False)
    assert report.clipped > 0
    assert any(f"{report.clipped} of" in note for note in watcher.notes)
    assert any("constant" in note for note in watcher.notes)


def test_a_network_too_large_is_refused_and_names_the_bytes(tmp_path):
    with start_native(arena=1024) as small:
        plan = default_plan("digits", seed=0, board=small.url)
        run = Run.create(tmp_path, "train", plan.name, 0, plan.config())
        with pytest.raises(BoardError, match=r"64-32-10 needs \d+ bytes more than it has"):
            train(plan, run, Watcher())
        assert not list(tmp_path.iterdir())  # a failed start leaves no run directory
        # Nothing is in the way of the next training.
        fits = default_plan("iris", seed=0, board=small.url, epochs=1, reference=False)
        train(fits, Run.create(tmp_path, "train", fits.name, 0, fits.config()), Watcher())
