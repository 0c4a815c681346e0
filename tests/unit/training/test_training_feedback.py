"""A run of the rule feedback that is resumed continues with its feedback: with the same noise it has the bits of one go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_support import Watcher, interrupt_after

from mtjlearn.board import Board, CheckpointFile, Schedule
from mtjlearn.discovery import open_board
from mtjlearn.network import Network
from mtjlearn.noise.health import HealthLimits
from mtjlearn.runs import Run, read_checkpoint, read_metrics
from mtjlearn.training import default_plan, train
from mtjlearn.training.feedback import take
from mtjlearn.training.start import continued
from mtjlearn.training.train import RECORDING
from mtjlearn.wire.messages import Task

RING = 200
"""Codes that a board restores from the present, so that they must be those of then."""


def junction(path: Path) -> np.ndarray:
    """Voltages of a junction that switches at random, in a file that a virtual board plays."""
    flips = np.random.default_rng(8).random(100_003) < 0.3
    volts = np.where(np.cumsum(flips) % 2, 48.0, 36.2).astype("<f4")
    volts.tofile(path)
    return volts


def begin(root, **options):
    given = {"seed": 3, "epochs": 3, "rule": "feedback", "board": "inprocess", "reference": False, **options}
    plan = default_plan("xor", **given)
    return plan, Run.create(root, "train", plan.name, plan.seed, plan.config())


def interrupt(root, after, **options):
    plan, run = begin(root, **options)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(after)), plots=False)
    return plan, run.path


def content(whole):
    return CheckpointFile.unpack(whole, "of a run").content


def untimed(path):
    names = ("step", "skipped", "saturations")
    return [tuple(record[name] for name in names) for record in read_metrics(path) if "skipped" in record]


@pytest.mark.parametrize("schedule", ["halving", "stepped"])
@pytest.mark.parametrize("data", ["xor", "iris"])
def test_a_native_board_that_is_resumed_has_the_bits_of_one_go(tmp_path, monkeypatch, data, schedule):
    file = tmp_path / "volts.f32"
    volts = junction(file)
    asked = {"seed": 3, "epochs": 4, "rule": "feedback", "board": "native", "reference": False, "schedule": schedule}
    plan = default_plan(data, virtual={"voltages": str(file)}, **asked)
    first, second = (Run.create(tmp_path / name, "train", data, 3, plan.config()) for name in ("whole", "parts"))
    train(plan, first, Watcher(), plots=False)
    expected = read_checkpoint(first.path)

    seen: list[int] = []
    save = Board.save_checkpoint
    monkeypatch.setattr(Board, "save_checkpoint", lambda board: seen.append(board.status().codes) or save(board))
    with pytest.raises(KeyboardInterrupt):
        train(plan, second, Watcher(interrupt_after(131)), plots=False)
    middle = read_checkpoint(second.path)
    feedback = content(middle.whole).feedback
    assert any(matrix.any() for matrix in feedback)
    assert 131 <= middle.steps < expected.steps
    np.roll(volts, RING - seen[0]).tofile(file)
    (second.path / RECORDING).touch()  # which a resumed run with plots has, so that it records no noise
    watcher = Watcher()
    train(plan, Run.open(second.path), watcher, plots=False)
    assert not [note for note in watcher.notes if "feedback" in note]
    found = read_checkpoint(second.path)
    np.testing.assert_array_equal(found.weights, expected.weights)
    assert (found.steps, found.random_state) == (expected.steps, expected.random_state)
    assert untimed(second.path)[-1] == untimed(first.path)[-1]


def test_what_was_interrupted_twice_counts_on(tmp_path):
    plan, path = interrupt(tmp_path, 50)
    with pytest.raises(KeyboardInterrupt):
        train(plan, Run.open(path), Watcher(interrupt_after(200)), plots=False)
    kept = read_checkpoint(path)
    record = content(kept.whole).record
    assert record.steps == kept.steps >= 200
    report = train(plan, Run.open(path), Watcher(), plots=False)
    assert report.steps == 300 == untimed(path)[-1][0]
    assert report.skipped == untimed(path)[-1][1]


def test_a_run_that_has_its_weights_alone_says_that_it_learns_the_feedback_again(tmp_path):
    plan, path = interrupt(tmp_path, 150)
    kept = read_checkpoint(path)
    run = Run.open(path)
    run.save_weights(replace(kept, whole=b""))  # as after a cable that came out
    watcher = Watcher()
    report = train(plan, run, watcher, plots=False)
    again = "the feedback is learned again, which takes some tens of steps: "
    assert again + "the run kept its weights alone" in watcher.notes
    assert report.steps == 300
    for whole, why in (
        (kept.whole[:-1] + bytes([kept.whole[-1] ^ 1]), "the board does not take the checkpoint (weights.npz is damaged"),
        (kept.whole, "the checkpoint in the run is not of its weights"),
    ):
        _, other = begin(tmp_path / why[:20])
        other.save_weights(replace(kept, weights=kept.weights + 1, whole=whole))
        watcher = Watcher()
        train(plan, other, watcher, plots=False)
        assert [note for note in watcher.notes if note.startswith(again + why)]


def test_a_continued_run_begins_with_the_weights_alone(tmp_path):
    _, path = interrupt(tmp_path, 150)
    plan, start = continued(path, epochs=1)
    assert not start.whole
    run = Run.create(tmp_path, "train", plan.name, plan.seed, plan.config(), start)
    watcher = Watcher()
    assert train(plan, run, watcher, plots=False).steps == 100
    assert [note for note in watcher.notes if "the feedback is learned again" in note]


def test_other_rules_do_not_wear_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(Board, "save_checkpoint", None)
    for rule in ("anp", "anp-exact"):
        _, path = interrupt(tmp_path, 150, rule=rule)
        assert not read_checkpoint(path).whole
    _, path = interrupt(tmp_path, 150, sizes=(2, 2))
    assert not read_checkpoint(path).whole


def test_a_checkpoint_of_autonomous_learning_is_not_overwritten():
    network = Network((2, 4, 1), rule="feedback", antithetic=True, learning_rate=0.4)
    with open_board("inprocess") as board:
        board.configure(network)
        board.start_autonomous(Schedule(task=Task.XOR, steps=50))
        while board.progress().running:
            pass
        board.save_checkpoint()
        before = board.checkpoint_state().generation
        assert take(board) == b""
        assert board.checkpoint_state().generation == before
        board.erase_checkpoints()
        board.configure(network)
        assert content(take(board)).network.rule == "feedback"


def test_a_network_without_room_for_two_checkpoints_has_its_weights_alone(tmp_path):
    _, path = interrupt(tmp_path, 150, board="native", virtual={"eeprom_bytes": 1024}, sizes=(2, 60, 2))
    kept = read_checkpoint(path)
    assert (kept.whole, kept.weights.size) == (b"", 302)


@pytest.mark.parametrize(("clock", "other"), [(0, "native"), (4, "m0-sim"), (4, "native")])
def test_a_board_in_real_time_or_another_one_measures_its_noise_again(tmp_path, monkeypatch, clock, other):
    asked = []
    monkeypatch.setattr(Board, "set_health", lambda board, limits, recalibrate=False: asked.append((limits, recalibrate)))
    plan, path = interrupt(tmp_path, 150, board="native", virtual={"virtual_clock": clock})
    file = CheckpointFile.unpack(read_checkpoint(path).whole, "")
    run = Run.open(path)
    elsewhere = replace(file, board=other).pack()
    run.save_weights(replace(read_checkpoint(path), whole=elsewhere))
    train(plan, run, Watcher(), plots=False)
    assert [recalibrate for _, recalibrate in asked] == [True] * (other != "native" or not clock)
    assert all(isinstance(limits, HealthLimits) for limits, _ in asked)
