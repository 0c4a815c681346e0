"""``experiment rates``: it shows each default next to other rates, repeats, and counts what it says."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

from mtjlearn.cli.experiment import cli
from mtjlearn.experiments.rates import TASKS, Rates, RateTask, Trained, compare_rates
from mtjlearn.network import Loss
from mtjlearn.training.autonomous import plan_task
from mtjlearn.training.defaults import SQUARED_FACTOR, XOR_FACTOR
from mtjlearn.wire.messages import Task


def eta_units(task: RateTask) -> float:
    network = task.plan(0).network
    return network.learning_rate * network.units


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.data}-{task.sizes and 'squared'}")
def test_every_default_is_compared_with_a_smaller_and_mostly_a_larger_one(task: RateTask) -> None:
    default = eta_units(task)
    assert sum(math.isclose(rate, default) for rate in task.rates) == 1
    assert task.rates[0] < 0.99 * default


def test_boards_that_learn_autonomously_have_the_same_rates() -> None:
    from mtjlearn.board import Schedule

    for task, factor, data in ((Task.TEACHER, SQUARED_FACTOR, TASKS[0]), (Task.XOR, XOR_FACTOR, TASKS[1])):
        network = plan_task(Schedule(task), sizes=None, seed=0).network
        assert network.learning_rate * network.units == pytest.approx(factor) == pytest.approx(eta_units(data))
    live = plan_task(Schedule(Task.LIVE), sizes=(2, 4, 1), seed=0).network
    assert live.learning_rate * live.units == pytest.approx(SQUARED_FACTOR)


def test_medians_count_trainings_that_did_not_get_there() -> None:
    runs = tuple(Trained(steps, 0.1, score, 0.0) for steps, score in ((10.0, 1.0), (20.0, 0.5), (math.inf, 0.0)))
    found = Rates(TASKS[0], "2-2-2-1", 0.2, True, runs)
    assert (found.median("steps"), found.reached, found.score) == (20.0, 2, 0.5)
    assert math.isinf(Rates(TASKS[0], "2-2-2-1", 0.2, True, runs[1:] + runs[2:]).median("steps"))


@pytest.mark.thorough
def test_the_default_of_xor_learns_sooner_than_the_rate_before_and_repeats() -> None:
    task = RateTask("xor", (0.2, XOR_FACTOR), Loss.SQUARED, (2, 4, 1))
    slow, fast = compare_rates([task], seeds=5)
    assert (slow.default, fast.default) == (False, True)
    assert (slow.reached, fast.reached) == (5, 5)
    assert fast.median("steps") < slow.median("steps")
    assert min(run.score for run in fast.runs) == 1.0
    assert compare_rates([RateTask("xor", (XOR_FACTOR,), Loss.SQUARED, (2, 4, 1))], seeds=5)[0].runs == fast.runs


@pytest.mark.thorough
def test_the_command_shows_what_it_computed() -> None:
    done = CliRunner().invoke(cli, ["rates", "--data", "xor", "--seeds", "2", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["seeds"] == 2
    assert [(entry["network"], entry["rate"]) for entry in found["rates"] if entry["default"]] == [("2-4-1", 0.8), ("2-4-2", 2.0)]
    assert "2-4-1" in done.stderr


def test_an_unknown_dataset_is_named_with_those_that_are_known() -> None:
    done = CliRunner().invoke(cli, ["rates", "--data", "mnist"])
    assert done.exit_code == 2
    assert "there is no built-in dataset mnist; choose from breast-cancer, digits" in done.stderr
