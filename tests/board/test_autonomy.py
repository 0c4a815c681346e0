"""Autonomous learning, checkpoints and noise health through the client API, on whatever board is under test."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mtjlearn.board import Board, BoardError, BoardRefused, CheckpointContent, Schedule
from mtjlearn.board.packing import unpack
from mtjlearn.network import Loss, Network
from mtjlearn.noise.health import HealthLimits
from mtjlearn.wire.messages import Activity, Error, Features, NoiseFault, StopReason

NETWORK = Network((4, 5, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.05, seed=7)
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def _has_memory(board: Board) -> None:
    if Features.MEMORY not in board.info.features:
        pytest.skip("the board has no nonvolatile memory")


def classes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Three clusters that can be told apart."""
    rng = np.random.default_rng(5)
    target = rng.integers(0, 3, count)
    centres = rng.integers(-4096, 4097, (3, 4))
    return np.clip(centres[target] + rng.integers(-800, 801, (count, 4)), -8000, 8000).astype(np.int16), target


def finish(board: Board) -> None:
    until = time.monotonic() + PATIENCE
    while board.progress().running:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_dataset_is_learned(board: Board) -> None:
    board.configure(NETWORK)
    x, target = classes(60)
    told: list[tuple[int, int]] = []
    packed = board.upload_dataset(x, target, value_bytes=1, on_progress=lambda *done: told.append(done))
    assert told[-1] == (len(packed.data), len(packed.data))
    assert board.progress().samples == 60
    board.start_autonomous(Schedule(epochs=30, evaluate_every=10))
    finish(board)
    progress = board.progress()
    assert (progress.activity, progress.stop_reason) == (Activity.FINISHED, StopReason.EPOCHS)
    assert (progress.steps, progress.epoch, progress.evaluated) == (1800, 30, 30)
    assert board.status().steps == 1800
    curve = board.curve()
    assert curve.interval * len(curve.losses) <= 1800
    assert curve.losses[-1] < curve.losses[0]
    # The board's own evaluation is that of the samples that it keeps, streamed to it.
    evaluation = board.evaluate(*unpack(NETWORK, packed))
    assert evaluation.correct == progress.correct
    assert progress.evaluation_loss == pytest.approx(evaluation.loss, abs=2**-23)


def test_while_it_learns_it_answers_and_refuses(board: Board) -> None:
    board.configure(NETWORK)
    x, target = classes(30)
    weights = board.weights()
    board.upload_dataset(x, target)
    board.start_autonomous(Schedule())
    for refused in (
        lambda: board.train(x, target),
        lambda: board.configure(NETWORK),
        lambda: board.set_rates(0.1),
        lambda: board.set_weights(weights),
        lambda: board.start_autonomous(Schedule()),
        lambda: board.upload_dataset(x, target),
    ):
        with pytest.raises(BoardRefused, match="halt it first") as refusal:
            refused()
        assert refusal.value.code == Error.BUSY
    assert board.predict(x).shape == (30, 3)
    assert board.evaluate(x, target).samples == 30
    before = board.progress().steps
    until = time.monotonic() + PATIENCE
    while board.progress().steps == before:
        assert time.monotonic() < until
    board.halt()
    halted = board.progress()
    assert (halted.activity, halted.stop_reason) == (Activity.HALTED, StopReason.HOST)
    assert board.train(x, target) == 30


def test_a_checkpoint_outlives_a_restart(board: Board) -> None:
    board.configure(NETWORK)
    x, target = classes(50)
    board.train(x, target)
    weights, status = board.weights(), board.status()
    generation = board.checkpoint_state().generation
    content = board.save_checkpoint()
    assert content.record.generation == generation + 1
    assert content.record.steps == 50
    board.reset()
    assert board.network is None
    assert board.adopt().sizes == NETWORK.sizes
    assert board.acknowledged_samples == 50
    for kept, before in zip(board.weights(), weights, strict=True):
        np.testing.assert_array_equal(kept, before)
    assert board.status().random_state == status.random_state
    board.erase_checkpoints()
    board.reset()
    with pytest.raises(BoardError, match="has no network"):
        board.adopt()


def test_a_checkpoint_is_loaded(board: Board) -> None:
    board.configure(NETWORK)
    board.train(*classes(40))
    content = board.save_checkpoint()
    board.configure(Network((3, 2)))
    board.load_checkpoint(CheckpointContent.parse(content.data))
    assert board.network is not None
    assert board.network.sizes == NETWORK.sizes
    for loaded, saved in zip(board.weights(), content.weights, strict=True):
        np.testing.assert_array_equal(loaded, saved)
    assert board.status().steps == 40
    assert board.train(*classes(40)) == 40


def test_health(board: Board) -> None:
    board.configure(NETWORK)
    limits = HealthLimits.of_junction(board.info.adc_rate, 3000.0)
    board.set_health(limits, recalibrate=True)
    board.train(*classes(300))
    health = board.health()
    assert health.fault is NoiseFault.NONE
    assert health.levels is not None
    assert health.levels[0] < health.levels[1]
    assert health.limits == {
        "repetitions": limits.repetitions,
        "window": limits.window,
        "ones_min": limits.ones_min,
        "ones_max": limits.ones_max,
        "switches_min": limits.switches_min,
    }
