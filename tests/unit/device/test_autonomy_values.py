"""What a board reports about autonomous learning, as values; and what it is told."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjlearn.board import BoardError, Curve, Health, Progress, Schedule
from mtjlearn.cli.view.autonomous import sparkline, wear
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Activity, NoiseFault, Task


def of(kind, **changes):
    return kind(**{**{field.name: 0 for field in fields(kind)}, **changes})


@given(st.lists(st.integers(0, 2**32 - 1), max_size=16))
def test_points_of_a_curve_are_the_losses_to_eleven_bits(losses):
    def point(loss):  # shared/numerics.md, section 11
        exponent = max(0, loss.bit_length() - 11)
        return exponent * 2048 + (loss >> exponent)

    curve = Curve.of(messages.Curve(120, np.array([point(loss) for loss in losses], np.uint16)))
    assert len(curve.losses) == len(losses)
    for found, loss in zip(curve.losses, losses, strict=True):
        assert loss * (1 - 2**-10) <= found * 2**24 <= loss
    assert curve.steps.tolist() == [120 * (i + 1) for i in range(len(losses))]


def test_progress():
    rules = {"stop_epochs": 10, "stop_steps": 900}
    progress = Progress.of(of(messages.Progress, activity=1, task=1, epoch=3, epoch_steps=120, evaluated=2, correct=90, **rules))
    assert progress.running
    assert progress.total == 900
    assert progress.accuracy == 0.75
    fresh = Progress.of(of(messages.Progress))
    assert (fresh.epoch_loss, fresh.evaluation_loss, fresh.accuracy, fresh.total) == (None, None, None, None)
    evaluating = Progress.of(of(messages.Progress, activity=Activity.EVALUATING, evaluated=2, correct=9, epoch_steps=120))
    assert evaluating.accuracy is None
    with pytest.raises(BoardError, match="9 is not a valid Activity"):
        Progress.of(of(messages.Progress, activity=9))


def test_a_schedule_as_a_message():
    message = Schedule(Task.DATASET, loss_target=0.5, epochs=3).message
    assert (message.loss_target, message.stop_epochs, message.checkpoint_interval) == (1 << 23, 3, 1800)
    # A rule that is asked for is never silently none.
    assert Schedule(loss_target=1e-9).message.loss_target == 1
    with pytest.raises(ValueError, match="seed"):
        Schedule(seed=0).message.pack()


@pytest.mark.parametrize("fault", list(NoiseFault)[1:])
def test_every_fault_has_its_advice(fault):
    health = Health.of(of(messages.Health, fault=fault, seen_low=3, seen_high=5, level_high=40))
    text = health.describe()
    assert fault.name.lower().replace("_", " ") in text
    assert "codes 3 to 5" in text
    assert health.advice in text
    assert len(health.advice) > 10


def test_wear_is_told_of_eeproms_only():
    years, text = wear("uno", 1800)
    assert years == pytest.approx(11.4, abs=0.05)
    assert "every 30 minutes" in text
    assert "11.4 years" in text
    assert wear("native", 5) == (None, "every 5 s")
    assert wear("uno", 0) == (None, "at stops only")


def test_a_curve_in_one_line():
    assert sparkline(np.array([1.0, 0.1, 0.01])) == "█▅▁"
    assert sparkline(np.array([])) == ""
    assert sparkline(np.array([2.0, 2.0, 0.0]), 2) == "█▁"
