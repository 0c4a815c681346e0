"""The board's part of a training, step by step, with the device in this process: what it streams, records, keeps and says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from training_support import Watcher, interrupt_after

from mtjlearn.board import Board, BoardRefused
from mtjlearn.discovery import open_board
from mtjlearn.network import LOSS_BITS
from mtjlearn.noise import NO_TESTS
from mtjlearn.runs import Checkpoint, Run, RunError, read_checkpoint, read_metrics
from mtjlearn.training import Plan, default_plan, on_board
from mtjlearn.training.on_board import BoardTraining, start_of
from mtjlearn.wire.errors import ImplausibleAnswer
from mtjlearn.wire.messages import Error

SAMPLES = 120
"""Of iris's training part."""


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_board, "STRETCH", 50)


@pytest.fixture
def begun(tmp_path: Path) -> Callable[..., Any]:
    """``with begun(watcher, **plan) as (training, run, board)``: a training that has not begun to stream."""
    number = itertools.count()

    @contextmanager
    def begin(watcher: Watcher | None = None, run: Run | None = None, **options: Any) -> Iterator[tuple[BoardTraining, Run, Board]]:
        plan = planned(**options)
        run = run or Run.create(tmp_path / str(next(number)), "train", plan.name, plan.seed, plan.config())
        with open_board("inprocess", **plan.board_options) as board:
            yield BoardTraining(plan, run, board, watcher or Watcher()), run, board

    return begin


def planned(**options: Any) -> Plan:
    return default_plan("iris", **{"seed": 0, "epochs": 2, "board": "inprocess", "reference": False, **options})


def records(run: Run) -> list[dict[str, Any]]:
    return [record for record in read_metrics(run.path) if "loss" in record]


def spied(monkeypatch: pytest.MonkeyPatch, of: object, name: str) -> list[Any]:
    """The first argument of each call of a method, which does what it did."""
    calls, original = [], getattr(of, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[isinstance(of, type)])
        return original(*args, **kwargs)

    monkeypatch.setattr(of, name, call)
    return calls


def stopped(monkeypatch: pytest.MonkeyPatch, clock: Callable[[], float]) -> None:
    """The training's clock; the link keeps the real one."""
    monkeypatch.setattr(on_board, "time", SimpleNamespace(monotonic=clock))


def test_each_stretch_has_a_record_and_each_epoch_an_evaluation(begun: Any) -> None:
    with begun() as (training, run, board):
        training.train()
        status, evaluation = board.status(), board.evaluate(training._data.x_test, training._data.t_test)
    found = records(run)
    assert [record["step"] for record in found] == [50, 100, 120, 170, 220, 240]
    assert [record["epoch"] for record in found] == [0, 0, 1, 1, 1, 2]
    assert [record["step"] for record in found if "test_loss" in record] == [120, 240]
    assert (found[-1]["test_loss"], found[-1]["test_accuracy"]) == (evaluation.loss, evaluation.accuracy)
    steps = np.diff([0, *(record["step"] for record in found)])
    assert np.dot(steps, [record["loss"] for record in found]) == pytest.approx(status.loss_sum / 2**LOSS_BITS)
    assert (found[-1]["skipped"], found[-1]["saturations"]) == (status.skipped, status.saturations)
    assert (training.steps, training.skipped, training.saturations) == (240, status.skipped, status.saturations)
    assert training.samples_per_second == pytest.approx(240 / sum(record["seconds"] for record in found))


def test_only_some_epochs_of_many_are_evaluated(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_board, "is_evaluated", lambda epoch, epochs: (epoch, epochs) == (1, 2))
    with begun() as (training, run, _):
        training.train()
    assert [record["step"] for record in records(run) if "test_loss" in record] == [120]


def test_each_epoch_has_its_rate_and_its_order(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned()
    with begun() as (training, _, board):
        rates, shown = spied(monkeypatch, board, "set_rates"), spied(monkeypatch, board, "train")
        training.train()
    rate = plan.network.learning_rate
    first, second = (plan.rate_factors(epoch) for epoch in (0, 1))
    assert rates == [rate * factor for factor in (*first[::50], *second[::50])]
    assert set(first) != set(second)
    order = np.concatenate([plan.order(epoch) for epoch in (0, 1)])
    np.testing.assert_array_equal(np.concatenate(shown), plan.quantised.x_train[order])


def test_progress_has_the_step_the_last_loss_and_samples_per_second(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []

    class Noting(Watcher):
        def progress(self, *told_now: Any) -> None:
            told.append(told_now)

    clock = itertools.count(0.0, 0.25)
    with begun(Noting()) as (training, run, _):
        stopped(monkeypatch, lambda: next(clock))
        training.train()
    last = [told_now for told_now in told if told_now[1] in (50, 100)]
    assert [told_now[:3] for told_now in last] == [("board", 50, 240), ("board", 100, 240)]
    assert last[0][3] is None
    assert last[1][3] == records(run)[0]["loss"]
    # The clock goes on by 0.25 s each time that somebody looks: once at the stretch's start, once at each progress.
    looks = [sum(start < told_now[1] <= start + 50 for told_now in told) for start in (0, 50)]
    assert [told_now[4] for told_now in last] == [50 / (0.25 * looks[0]), 50 / (0.25 * looks[1])]
    assert [record["seconds"] for record in records(run)[:2]] == [0.25 * (look + 1) for look in looks]


def test_a_rate_is_finite_where_the_clock_stands_still(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    class Noting(Watcher):
        def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
            rates.append(float(rate or 0))

    with begun(Noting()) as (training, _, _):
        stopped(monkeypatch, lambda: 5.0)
        training.train()
    assert min(rates) > 1e9
    assert np.isfinite(rates).all()


@pytest.mark.parametrize(("interval", "saved"), [(0.0, [50, 100, 120, 170, 220, 240]), (1e9, [240])])
def test_checkpoints_are_saved_in_intervals_and_at_the_end(
    begun: Any, monkeypatch: pytest.MonkeyPatch, interval: float, saved: list[int]
) -> None:
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", interval)
    with begun() as (training, run, board):
        checkpoints = spied(monkeypatch, run, "save_weights")
        training.train()
        weights, status = board.weights(), board.status()
    assert [one.steps for one in checkpoints] == saved
    assert [(one.epoch, one.samples) for one in checkpoints] == [divmod(step, SAMPLES) for step in saved]
    np.testing.assert_array_equal(checkpoints[-1].weights, np.concatenate([layer.ravel() for layer in weights]))
    assert checkpoints[-1].random_state == status.random_state
    assert not checkpoints[-1].matrices.size


def test_the_interval_counts_from_the_last_checkpoint(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", 2.0)
    now = [0.0]
    with begun() as (training, run, board):
        stopped(monkeypatch, lambda: now[0])
        training._saved = 0.0
        checkpoints, original = spied(monkeypatch, run, "save_weights"), board.train

        def train(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            now[0] += 1.0

        monkeypatch.setattr(board, "train", train)
        training.train()
    assert [one.steps for one in checkpoints] == [100, 170, 240]


def test_an_interruption_keeps_what_the_board_has_done(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", 1e9)
    with begun(Watcher(interrupt_after(60))) as (training, run, _), pytest.raises(KeyboardInterrupt):
        training.train()
    kept = read_checkpoint(run.path)
    assert 60 <= kept.steps == records(run)[-1]["step"] <= 100
    assert "test_loss" not in records(run)[-1]


def test_an_interruption_at_once_keeps_nothing(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with begun() as (training, run, board):
        monkeypatch.setattr(board, "train", interrupt)
        with pytest.raises(KeyboardInterrupt):
            training.train()
    assert run.load_weights() is None
    assert not records(run)


def test_weights_that_cannot_be_saved_at_an_interruption_are_a_note(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(checkpoint: Checkpoint) -> None:
        raise RunError("no space left")

    watcher = Watcher(interrupt_after(60))
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", 1e9)
    with begun(watcher) as (training, run, _):
        monkeypatch.setattr(run, "save_weights", full)
        with pytest.raises(KeyboardInterrupt):
            training.train()
    assert watcher.notes == ["the last weights could not be saved (no space left); the run resumes from its last checkpoint"]


@pytest.mark.parametrize("rule", ["anp", "danp"])
def test_a_run_goes_on_from_its_checkpoint(begun: Any, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", 0.0)
    with begun(Watcher(interrupt_after(60)), rule=rule) as (training, run, _), pytest.raises(KeyboardInterrupt):
        training.train()
    kept = read_checkpoint(run.path)
    counted = records(run)[-1]
    configured = spied(monkeypatch, Board, "configure")
    with begun(run=run, rule=rule) as (training, _, board):
        assert training.steps == kept.steps
        assert (training.skipped, training.saturations) == (counted["skipped"], counted["saturations"])
        np.testing.assert_array_equal(np.concatenate([layer.ravel() for layer in board.weights()]), kept.weights)
        if rule == "danp":
            np.testing.assert_array_equal(np.concatenate([one.ravel() for one in board.matrices()]), kept.matrices)
            assert kept.matrices.size
        training.train()
        status = board.status()
    assert [network.seed for network in configured] == [kept.random_state]
    assert [record["step"] for record in records(run)][-1] == training.steps == 240
    assert status.steps == 240 - kept.steps
    assert training.skipped == counted["skipped"] + status.skipped
    assert training.saturations == counted["saturations"] + status.saturations


def test_records_after_the_checkpoint_do_not_count(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with begun() as (training, run, _):
        training.train()
    kept = replace(read_checkpoint(run.path), epoch=1, samples=0, steps=120)
    for step, skipped in ((120, 7), (240, 9)):
        run.metric(step=step, loss=1.0, skipped=skipped, saturations=2 * skipped, seconds=1.0)
    run.save_weights(kept)
    run.metric(event="resumed", step=120)
    seconds = sum(record["seconds"] for record in records(run))
    with begun(run=run) as (training, _, board):
        assert (training.steps, training.skipped, training.saturations) == (120, 7, 14)
        assert training.samples_per_second == pytest.approx(120 / seconds)
        original = board.status
        monkeypatch.setattr(board, "status", lambda: replace(original(), skipped=2, saturations=5))
        training.train()
    assert (training.skipped, training.saturations) == (9, 19)
    assert (records(run)[-1]["skipped"], records(run)[-1]["saturations"]) == (9, 19)


def test_weights_of_another_network_are_refused(begun: Any) -> None:
    with begun() as (training, run, _):
        training.train()
    kept = read_checkpoint(run.path)
    for strange in (kept.weights[:-1], kept.weights.astype(np.float64)):
        run.save_weights(replace(kept, weights=strange))
        with pytest.raises(RunError, match="do not belong to this run's network"), begun(run=run):
            pass


def test_a_broken_source_is_waited_for_and_noted(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher()
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", 1e9)
    with begun(watcher) as (training, run, board):
        original, waits = board.train, []

        def train(*args: Any, **kwargs: Any) -> None:
            if training.steps == 100 and not waits:
                raise BoardRefused("TRAIN", Error.NOISE_FAULT, 0, "its source is broken")
            original(*args, **kwargs)

        def wait(patience: float, tell: Callable[..., None]) -> None:
            waits.append(patience)
            assert read_checkpoint(run.path).steps == 100
            for waited in (0.0, 2.5, 1e6):
                tell(waited, board.health())

        told = []
        monkeypatch.setattr(watcher, "progress", lambda *now: told.append(now) if now[0] == "noise" else None)
        monkeypatch.setattr(board, "train", train)
        monkeypatch.setattr(board, "wait_for_noise_source", wait)
        training.train()
    assert waits == [on_board.NOISE_PATIENCE]
    assert told == [("noise", done, 600, None, None) for done in (1, 3, 600)]
    assert watcher.notes == ["the noise source is healthy again; learning resumes at step 101"]
    assert [record["step"] for record in read_metrics(run.path) if record.get("event") == "noise_fault"] == [100]
    assert [record["step"] for record in records(run)] == [50, 100, 120, 170, 220, 240]


def test_another_refusal_ends_it_with_everything_kept(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_board, "CHECKPOINT_INTERVAL", 1e9)
    with begun() as (training, run, board):
        original = board.train

        def train(*args: Any, **kwargs: Any) -> None:
            if training.steps == 100:
                raise BoardRefused("TRAIN", Error.OUT_OF_RANGE, 0, "no")
            original(*args, **kwargs)

        monkeypatch.setattr(board, "train", train)
        with pytest.raises(BoardRefused):
            training.train()
    assert read_checkpoint(run.path).steps == 100


@pytest.mark.parametrize("more", [-1, 51])
def test_a_count_that_cannot_be_is_refused(begun: Any, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    with begun() as (training, _, board):
        original = board.status
        monkeypatch.setattr(board, "status", lambda: replace(original(), steps=original().steps + more))
        with pytest.raises(ImplausibleAnswer, match="after 50 acknowledged samples"):
            training.train()


def test_a_source_without_levels_is_not_tested(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[Any] = []
    monkeypatch.setattr(Board, "set_health", lambda self, limits, **_: set_to.append(limits))
    with begun(virtual={"device_noise": "gaussian"}):
        assert set_to == [NO_TESTS]
    with begun():
        assert set_to == [NO_TESTS]


def test_a_run_begins_with_what_another_has_learned(begun: Any) -> None:
    with begun() as (training, run, _):
        training.train()
    kept = read_checkpoint(run.path)
    plan: Any = SimpleNamespace(start=SimpleNamespace(path="runs/first"))
    begins: Any = SimpleNamespace(load_start=lambda: kept)
    assert start_of(plan, begins) is kept
    assert start_of(planned(), begins) is None
    with pytest.raises(RunError, match="start a new one with --continue runs/first"):
        start_of(plan, run)
