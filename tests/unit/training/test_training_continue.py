"""A training that begins with what another one has learned: where its weights come from, what must not differ, what may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_support import Watcher, interrupt_after, mistake, result_of, two_moons, untimed_metrics
from training_support import train as command

from mtjlearn.datasets import epoch_order
from mtjlearn.network import NetworkError, WeightFormat
from mtjlearn.runs import Run, RunError, read_checkpoint, read_config
from mtjlearn.runs.files import START
from mtjlearn.training import Plan, default_plan, train
from mtjlearn.training.floats import train_reference
from mtjlearn.training.models import model_of_run
from mtjlearn.training.start import continued, in_floats


def begin(root, plan, watcher=None, beginning=None):
    """The directory of a run of this plan."""
    run = Run.create(root, "train", plan.name, plan.seed, plan.config(), beginning)
    train(plan, run, watcher or Watcher(), plots=False, link_log=0)
    return run.path


def trained(root, **more):
    options = {"seed": 3, "epochs": 4, "board": "inprocess", "reference": False, **more}
    return begin(root, default_plan("xor", **options))


def test_the_new_run_begins_with_the_weights_and_repeats_nothing_random(tmp_path):
    path = trained(tmp_path)
    plan, beginning = continued(path, epochs=2, eta=0.02)
    old = read_checkpoint(path)
    np.testing.assert_array_equal(beginning.weights, old.weights)
    assert (beginning.steps, beginning.random_state) == (0, old.random_state)
    assert (plan.start.run, plan.start.epochs, plan.start.steps, plan.start.trainings) == (path.name, 4, 400, 1)
    assert (plan.epochs, plan.network.learning_rate, plan.seed) == (2, 0.02, 3)
    assert plan.board_options["seed"] != Plan.from_config(read_config(path)).board_options["seed"]
    np.testing.assert_array_equal(plan.order(0), epoch_order(3, 4, 100))
    again, _ = continued(begin(tmp_path, plan, beginning=beginning))
    assert (again.start.epochs, again.start.steps, again.start.trainings) == (6, 600, 2)
    assert again.board_options["seed"] != plan.board_options["seed"]


def test_without_a_step_the_weights_are_those_of_before(tmp_path):
    path = trained(tmp_path)
    new = begin(tmp_path, *(lambda plan, start: (plan, None, start))(*continued(path, epochs=1, eta=0.0)))
    np.testing.assert_array_equal(read_checkpoint(new).weights, read_checkpoint(path).weights)
    origin = model_of_run(new).origin
    assert (origin["continued"], origin["steps_before"], origin["steps"]) == (path.name, 400, 100)


@pytest.mark.thorough
@pytest.mark.parametrize("steps", [1, 250])
def test_interrupted_and_resumed_it_ends_where_it_was_to_end(tmp_path, steps):
    path = trained(tmp_path, rule="danp")
    plan, beginning = continued(path, epochs=5, board="native")
    whole = begin(tmp_path, plan, beginning=beginning)
    run = Run.create(tmp_path, "train", plan.name, plan.seed, plan.config(), beginning)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(steps)), plots=False, link_log=0)
    resumed = Plan.from_config(read_config(run.path))
    assert resumed == plan
    train(resumed, Run.open(run.path), Watcher(), plots=False, link_log=0)
    assert read_checkpoint(run.path).steps == read_checkpoint(whole).steps == 500
    assert read_checkpoint(run.path).weights.shape == read_checkpoint(whole).weights.shape


def test_a_run_that_lost_its_beginning_does_not_begin_with_other_weights(tmp_path):
    plan, beginning = continued(trained(tmp_path))
    run = Run.create(tmp_path, "train", plan.name, plan.seed, plan.config(), beginning)
    (run.path / START).unlink()
    with pytest.raises(RunError, match=r"start\.npz is missing"):
        train(plan, run, Watcher(), plots=False, link_log=0)


@pytest.mark.parametrize("weights", WeightFormat)
def test_from_a_board_to_floats_and_back(tmp_path, weights):
    path = trained(tmp_path, rule="danp", weight_format=weights)
    floats, beginning = continued(path, board="none", epochs=1, eta=0.0, epsilon=0.0)
    assert floats.reference
    assert beginning.is_float
    alone = begin(tmp_path, floats, beginning=beginning)
    board, start = continued(alone, board="inprocess", epsilon=2**-12)
    old = read_checkpoint(path)
    np.testing.assert_array_equal(start.weights, old.weights)
    np.testing.assert_array_equal(start.matrices, old.matrices)
    assert start.weights.dtype == old.weights.dtype
    assert board.on_board


def test_the_reference_next_to_a_board_begins_there_too(tmp_path):
    plan, beginning = continued(trained(tmp_path, epochs=20), epochs=1, eta=0.0, reference=True)
    found = train_reference(plan, start=in_floats(plan, beginning))
    fresh = train_reference(replace(plan, start=None))
    assert found.losses[0] < 0.5 < fresh.losses[0]
    path = begin(tmp_path, plan, beginning=beginning)
    assert [record["reference_loss"] for record in untimed_metrics(path) if "reference_loss" in record] == found.losses.tolist()


def test_adam_keeps_its_moments(tmp_path):
    from mtjlearn.training import FloatOptions

    options = FloatOptions(optimiser="adam", batch=10)
    path = begin(tmp_path, default_plan("xor", seed=1, epochs=3, board="none", floats=options))
    plan, beginning = continued(path, epochs=1)
    assert beginning.state[0].tolist() == [30]
    assert read_checkpoint(begin(tmp_path, plan, beginning=beginning)).state[0].tolist() == [40]
    with pytest.raises(NetworkError, match="boards learn online"):
        continued(path, board="inprocess")


def test_weights_that_no_board_holds_are_refused(tmp_path):
    path = begin(tmp_path, default_plan("xor", seed=1, epochs=1, board="none"))
    checkpoint = read_checkpoint(path)
    checkpoint.weights[0] = 9.0
    (path / "weights.npz").write_bytes(checkpoint.pack())
    with pytest.raises(NetworkError, match="too large for a board"):
        continued(path, board="inprocess")


@pytest.mark.thorough
def test_what_cannot_be_continued(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = two_moons(tmp_path / "moons.csv")
    plan = default_plan(str(file), seed=1, target="side", epochs=1, board="inprocess", reference=False)
    path = begin(tmp_path / "runs", plan)
    assert "nothing is not a run" in mistake("--continue", "nothing")
    assert "omit DATA" in mistake("iris", "--continue", path)
    for option in (("--net", "2-4-2"), ("--rule", "danp"), ("--seed", 4), ("--seeds", "0-3"), ("--weights", "int32")):
        assert f"omit {option[0]}" in mistake("--continue", path, *option)
    assert "omit --continue" in mistake("--resume", path, "--continue", path)
    assert "omit it" in mistake("--continue", path, "--epsilon", 0.001)
    with Run.create(tmp_path, "train", "moons", 1, plan.config()) as new:
        assert "still learning" in mistake("--continue", new.path)
        new.interrupt()
    assert "has learned nothing yet" in mistake("--continue", new.path)
    two_moons(file, seed=8)
    assert "is not the data that" in mistake("--continue", path)
    file.unlink()
    assert "no file" in mistake("--continue", path)


@pytest.mark.slow
def test_as_a_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = result_of(command("xor", "--board", "inprocess", "--epochs", 2, "--no-reference"))["run"]
    found = result_of(command("--continue", first, "--epochs", 3, "--board", "native", "--preset", "bench"))
    config = read_config(tmp_path / found["run"])
    assert found["run"] != first
    assert (config["start"]["path"], config["board"], config["virtual"]) == (str(tmp_path / first), "native", {"preset": "bench"})
    assert found["steps"] == 300


@pytest.mark.parametrize("weights", [np.zeros(3, np.int16), np.zeros((4, 5), np.int16), np.zeros(20)], ids=["few", "rows", "real"])
def test_weights_of_another_network_are_refused(tmp_path, weights):
    plan, beginning = continued(trained(tmp_path), epochs=1)
    run = Run.create(tmp_path, "train", plan.name, plan.seed, plan.config(), replace(beginning, weights=weights))
    with pytest.raises(RunError, match="do not belong to this run's network"):
        train(plan, run, Watcher(), plots=False, link_log=0)
