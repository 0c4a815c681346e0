"""A training that stops half-way keeps everything, says how to continue, and continues to the right end."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
from training_support import Watcher, interrupt_after, untimed_metrics

from mtjlearn.board import Board, BoardError, BoardLost, BoardRefused
from mtjlearn.datasets import epoch_order
from mtjlearn.discovery import open_board
from mtjlearn.network import WeightFormat
from mtjlearn.runs import Run, RunError, read_checkpoint, read_meta, read_metrics
from mtjlearn.schedule import halving
from mtjlearn.training import default_plan, train
from mtjlearn.training.train import NOISE_CODES
from mtjlearn.virtual.native import start_native

pytestmark = pytest.mark.thorough

EPOCHS = 30
SAMPLES = 120


def start(root, **options):
    plan = default_plan("iris", **{"seed": 2, "epochs": EPOCHS, "board": "native", "reference": False, **options})
    return plan, Run.create(root, "train", plan.name, plan.seed, plan.config())


def board_records(path):
    return [record for record in read_metrics(path) if "loss" in record]


def trained_alike(plan, steps):
    """Weights, matrices and random state of a native board of the same seed after this many of the plan's samples."""
    data = plan.quantised
    with open_board(plan.board, **plan.board_options) as board:
        board.configure(plan.network)
        board.noise(NOISE_CODES)
        for epoch in range(plan.epochs):
            order = epoch_order(plan.seed, epoch, SAMPLES)[: max(0, steps - epoch * SAMPLES)]
            if len(order):
                board.set_rates(plan.network.learning_rate * halving(epoch, plan.epochs))
                board.train(data.x_train[order], data.t_train[order])
        flat = [np.concatenate([array.ravel() for array in arrays]) for arrays in (board.weights(), board.matrices()) if arrays]
        return *flat, board.status().random_state


@pytest.mark.parametrize("after", [1, SAMPLES, 1000, EPOCHS * SAMPLES - 1])
def test_ctrl_c_keeps_every_sample_that_was_trained(tmp_path, after):
    plan, run = start(tmp_path)
    with pytest.raises(KeyboardInterrupt, match=f"interrupted; resume with: mtjlearn train --resume {run.path}"):
        train(plan, run, Watcher(interrupt_after(after)))
    assert read_meta(run.path)["state"] == "interrupted"
    for plot in ("loss.png", "noise.png"):
        assert matplotlib.image.imread(run.path / plot).std() > 0.01
    checkpoint, records = read_checkpoint(run.path), board_records(run.path)
    assert after <= checkpoint.steps <= EPOCHS * SAMPLES
    assert checkpoint.steps == records[-1]["step"] == checkpoint.epoch * SAMPLES + checkpoint.samples
    weights, random_state = trained_alike(plan, checkpoint.steps)
    np.testing.assert_array_equal(checkpoint.weights, weights)
    assert checkpoint.random_state == random_state

    report = train(plan, Run.open(run.path), Watcher())
    assert report.steps == EPOCHS * SAMPLES
    assert report.test_accuracy >= 0.8
    resumed = board_records(run.path)
    assert resumed[: len(records)] == records
    assert [record["step"] for record in resumed] == sorted({record["step"] for record in resumed})
    assert resumed[-1]["step"] == EPOCHS * SAMPLES
    assert resumed[-1]["skipped"] == report.skipped >= records[-1]["skipped"]
    assert read_meta(run.path)["state"] == "finished"


@pytest.mark.parametrize("weight_format", WeightFormat)
def test_going_on_starts_from_the_weights_that_were_kept(tmp_path, monkeypatch, weight_format):
    plan, run = start(tmp_path, rule="danp", weight_format=weight_format, antithetic=True)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(1500)))
    kept = read_checkpoint(run.path)
    weights, matrices, _ = trained_alike(plan, kept.steps)
    np.testing.assert_array_equal(kept.weights, weights)
    np.testing.assert_array_equal(kept.matrices, matrices)

    # Interrupted again before the board trained anything: still the same weights.
    def at_once(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Board, "train", at_once)
    with pytest.raises(KeyboardInterrupt):
        train(plan, Run.open(run.path), Watcher())
    monkeypatch.undo()
    again = read_checkpoint(run.path)
    assert (again.steps, again.epoch, again.samples) == (kept.steps, kept.epoch, kept.samples)
    np.testing.assert_array_equal(again.weights, kept.weights)
    np.testing.assert_array_equal(again.matrices, kept.matrices)
    assert train(plan, Run.open(run.path), Watcher()).steps == EPOCHS * SAMPLES


def test_ctrl_c_while_the_reference_learns(tmp_path):
    plan, run = start(tmp_path, reference=True)
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        train(plan, run, Watcher(interrupt_after(2000, "reference")))
    assert read_meta(run.path)["state"] == "interrupted"
    kept = read_checkpoint(run.path)
    assert kept.steps == EPOCHS * SAMPLES
    before = untimed_metrics(run.path)
    assert not [record for record in before if "reference_loss" in record]
    assert (run.path / "loss.png").exists()

    report = train(plan, Run.open(run.path), Watcher())
    np.testing.assert_array_equal(read_checkpoint(run.path).weights, kept.weights)
    assert report.steps == EPOCHS * SAMPLES
    assert report.samples_per_s > 0
    assert report.reference_test_accuracy >= 0.8
    assert report.skipped == board_records(run.path)[-1]["skipped"]
    references = [record["step"] for record in read_metrics(run.path) if "reference_loss" in record]
    assert references == [SAMPLES * epoch for epoch in range(1, EPOCHS + 1)]


def test_ctrl_c_before_the_first_sample(tmp_path, monkeypatch):
    def noise(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Board, "noise", noise)
    plan, run = start(tmp_path)
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        train(plan, run, Watcher())
    monkeypatch.undo()
    assert read_meta(run.path)["state"] == "interrupted"
    assert read_checkpoint(run.path) is None
    assert train(plan, Run.open(run.path), Watcher()).steps == EPOCHS * SAMPLES


@pytest.mark.parametrize("tcp_port", [None, 0], ids=["pty", "tcp"])
def test_a_board_that_vanishes(tmp_path, monkeypatch, tcp_port):
    killed = []
    with start_native(tcp_port=tcp_port, virtual_clock=4) as native:

        def kill(phase, done, total):
            if done >= total // 2 and not killed:
                os.kill(native.process.pid, signal.SIGKILL)
                killed.append(time.monotonic())

        plan, run = start(tmp_path, board=native.url)
        monkeypatch.setattr("mtjlearn.training.on_board.CHECKPOINT_INTERVAL", 0.0)
        with pytest.raises(BoardLost) as lost:
            train(plan, run, Watcher(kill))
        assert time.monotonic() - killed[0] < 10
    assert "\n" not in str(lost.value)
    assert str(lost.value).endswith(f"; resume with: mtjlearn train --resume {run.path}")
    assert read_meta(run.path)["state"] == "interrupted"
    kept = read_checkpoint(run.path)
    assert 0 < kept.steps < EPOCHS * SAMPLES

    with start_native(tcp_port=tcp_port, virtual_clock=4, seed=9) as fresh:
        report = train(replace(plan, board=fresh.url), Run.open(run.path), Watcher())
    assert report.steps == EPOCHS * SAMPLES
    assert report.test_accuracy >= 0.8
    steps = [record["step"] for record in board_records(run.path)]
    assert steps == sorted(set(steps))
    assert read_meta(run.path)["state"] == "finished"


def test_a_board_that_stops_answering(tmp_path):
    """Its process hangs: nothing tells but the silence."""
    stopped = []
    with start_native(virtual_clock=4) as native:

        def stop(phase, done, total):
            if done >= total // 2 and not stopped:
                os.kill(native.process.pid, signal.SIGSTOP)
                stopped.append(time.monotonic())

        plan, run = start(tmp_path, board=native.url)
        try:
            with pytest.raises(BoardLost, match=r"has not answered.*--resume"):
                train(plan, run, Watcher(stop))
            assert time.monotonic() - stopped[0] < 10
        finally:
            os.kill(native.process.pid, signal.SIGCONT)
        assert read_meta(run.path)["state"] == "interrupted"
        # The same board, awake again.
        assert train(plan, Run.open(run.path), Watcher()).steps == EPOCHS * SAMPLES


def test_a_board_that_refuses_half_way_can_be_mended(tmp_path, monkeypatch):
    """E.g. the noise source's cable is off."""
    plan, run = start(tmp_path)
    train_on = Board.train
    calls = []

    def refuse(board, *arguments, **options):
        calls.append(1)
        if len(calls) == 10:
            raise BoardRefused("TRAIN", 9, 0, "the board refused TRAIN: its noise source is silent; check the wiring")
        return train_on(board, *arguments, **options)

    monkeypatch.setattr(Board, "train", refuse)
    with pytest.raises(BoardError, match="check the wiring; resume with: mtjlearn train --resume"):
        train(plan, run, Watcher())
    assert read_meta(run.path)["state"] == "interrupted"
    assert read_checkpoint(run.path).steps == 9 * SAMPLES
    assert train(plan, Run.open(run.path), Watcher()).steps == EPOCHS * SAMPLES


def test_a_second_ctrl_c_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    def impatient(*_):
        raise KeyboardInterrupt

    plan, run = start(tmp_path)
    monkeypatch.setattr("mtjlearn.training.on_board.BoardTraining._save", impatient)
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        train(plan, run, Watcher(interrupt_after(1000)))
    monkeypatch.undo()
    assert read_meta(run.path)["state"] == "interrupted"
    assert read_checkpoint(run.path) is None
    report = train(plan, Run.open(run.path), Watcher())
    assert report.steps == EPOCHS * SAMPLES
    steps = [record["step"] for record in board_records(run.path)]
    assert steps == [SAMPLES * epoch for epoch in range(1, EPOCHS + 1)]


def test_a_finished_run_is_not_resumed(tmp_path):
    plan, run = start(tmp_path, epochs=1)
    train(plan, run, Watcher())
    with pytest.raises(RunError, match="finished; start a new run"):
        Run.open(run.path)
