"""Plans of autonomous trainings: which networks fit a task, what suits if nobody says, and limits to the last unit."""

from __future__ import annotations

import pytest

from mtjlearn.board import Schedule
from mtjlearn.datasets import DatasetError
from mtjlearn.network import NetworkError
from mtjlearn.training.autonomous import AutonomousPlan, plan_task
from mtjlearn.wire.messages import Task


def planned(task: Task, sizes: tuple[int, ...] | None = None, **rules: int | float) -> AutonomousPlan:
    return plan_task(Schedule(task, **rules), sizes=sizes, seed=0)  # type: ignore[arg-type]


def test_xor_has_two_inputs_and_one_output() -> None:
    assert planned(Task.XOR).network.sizes == (2, 4, 1)
    assert planned(Task.XOR, (2, 9, 1)).network.sizes == (2, 9, 1)
    for sizes in ((3, 4, 1), (2, 4, 2)):
        with pytest.raises(NetworkError, match=f"XOR has 2 inputs and 1 output, which {'-'.join(map(str, sizes))} does not fit"):
            planned(Task.XOR, sizes)
    assert planned(Task.TEACHER).network.sizes == (2, 2, 2, 1)
    assert planned(Task.TEACHER, (3, 4, 2)).network.sizes == (3, 4, 2)


def test_a_live_task_has_seven_pins() -> None:
    with pytest.raises(NetworkError, match="a live task needs a network"):
        planned(Task.LIVE)
    assert planned(Task.LIVE, (5, 4, 2)).network.sizes == (5, 4, 2)
    with pytest.raises(NetworkError, match="6 inputs and 2 targets need 8 pins; a board has at most 7"):
        planned(Task.LIVE, (6, 4, 2))


def test_what_suits_the_task() -> None:
    xor, teacher, live = planned(Task.XOR), planned(Task.TEACHER), planned(Task.LIVE, (2, 1))
    assert [plan.schedule.epoch_steps > 0 for plan in (xor, teacher, live)] == [False, True, True]
    assert [plan.schedule.live_period > 0 for plan in (xor, teacher, live)] == [False, False, True]
    assert planned(Task.TEACHER, epoch_steps=7).schedule.epoch_steps == 7
    assert planned(Task.LIVE, (2, 1), live_period=7).schedule.live_period == 7
    assert planned(Task.TEACHER, live_period=7).schedule.live_period == 0
    with pytest.raises(NetworkError, match="boards learn with"):
        plan_task(Schedule(Task.XOR), sizes=None, seed=0, rule="bp")
    danp = plan_task(Schedule(Task.XOR), sizes=None, seed=0, rule="danp").network
    assert (danp.decorrelate, xor.network.decorrelate) == ((True, True), (False, False))


@pytest.mark.parametrize(
    ("name", "most"),
    [("steps", 2**32 - 1), ("epochs", 65535), ("halve_every", 2**32 - 1), ("evaluate_every", 255), ("checkpoint_interval", 65535)],
)
def test_numbers_of_a_schedule(name: str, most: int) -> None:
    assert getattr(planned(Task.XOR, **{name: most}).schedule, name) == most
    assert getattr(planned(Task.XOR, **{name: 0}).schedule, name) == 0
    for value in (-1, most + 1):
        with pytest.raises(NetworkError, match=f"^--{name.replace('_', '-')} {value} is outside 0 .. {most}$"):
            planned(Task.XOR, **{name: value})


def test_the_longest_epoch_and_the_targets_of_a_loss() -> None:
    assert planned(Task.TEACHER, epoch_steps=65535).schedule.epoch_steps == 65535
    with pytest.raises(DatasetError, match="an epoch of 65536 steps is longer than 65,535"):
        planned(Task.TEACHER, epoch_steps=65536)
    for target in (0.0, 2**-24, 255.99):
        assert planned(Task.XOR, loss_target=target).schedule.loss_target == target
    for target in (2**-25, 256.0, -1.0):
        with pytest.raises(NetworkError, match="--loss-target"):
            planned(Task.XOR, loss_target=target)
