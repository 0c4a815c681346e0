"""How the learning rate falls: where it is halved, that an interruption does not move that, and where it is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_support import Watcher, interrupt_after, mistake, result_of
from training_support import train as command

from mtjlearn.board import Board
from mtjlearn.comparison import compare, read_training
from mtjlearn.discovery import open_board
from mtjlearn.estimators import ANPClassifier
from mtjlearn.network import RATE_BITS, Network
from mtjlearn.noise import Gaussian
from mtjlearn.reference import Reference
from mtjlearn.runs import Run, RunError, read_checkpoint, read_config, read_meta
from mtjlearn.schedule import SCHEDULES, factors, halving, stepped, stretches
from mtjlearn.training import Plan, default_plan, train
from mtjlearn.training.start import continued
from mtjlearn.training.train import NOISE_CODES

SAMPLES = 100
"""Of xor's training part."""


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("epochs", "samples"), [(1, 1), (1, 2), (1, 100), (2, 37), (3, 1), (5, 60), (70, 3)])
def test_the_parts_of_an_epoch_cover_it_and_have_the_rate_of_each_step(schedule, epochs, samples):
    for epoch in range(epochs):
        parts = stretches(schedule, epoch, epochs, samples)
        assert [part[0] for part in parts] == [0, *(part[1] for part in parts[:-1])]
        assert parts[-1][1] == samples
        assert all(start < end for start, end, _ in parts)
        steps = range(epoch * samples, (epoch + 1) * samples)
        named = {"halving": lambda _, of=epoch: halving(of, epochs), "stepped": lambda at: stepped(at, epochs * samples)}
        assert factors(schedule, epoch, epochs, samples) == [named.get(schedule, lambda _: 1.0)(step) for step in steps]


def test_stepped_halves_after_50_70_and_85_percent():
    found = factors("stepped", 0, 1, 1000)
    assert [found.index(factor) for factor in (1.0, 0.5, 0.25, 0.125)] == [0, 500, 700, 850]
    assert sorted(set(found), reverse=True) == [1.0, 0.5, 0.25, 0.125]


@pytest.fixture
def rates(monkeypatch):
    """The rate of each sample that boards were sent, in the device's numbers."""
    now, found = [0.0], []
    set_rates, learn = Board.set_rates, Board.train

    def note_rate(board, learning_rate, *more):
        now[0] = learning_rate
        return set_rates(board, learning_rate, *more)

    def note_samples(board, x, target, **more):
        before = board.acknowledged_samples
        try:
            return learn(board, x, target, **more)
        finally:
            found.extend([round(now[0] * 2**RATE_BITS)] * (board.status().steps - before))

    monkeypatch.setattr(Board, "set_rates", note_rate)
    monkeypatch.setattr(Board, "train", note_samples)
    return found


def begin(root, **options):
    given = {"seed": 3, "epochs": 2, "board": "inprocess", "reference": False, "schedule": "stepped", **options}
    plan = default_plan("xor", **given)
    return plan, Run.create(root, "train", plan.name, plan.seed, plan.config())


@pytest.mark.parametrize("after", [1, 99, 101, 141])
def test_a_resumed_training_has_the_rates_of_one_go(tmp_path, rates, after):
    plan, run = begin(tmp_path)
    train(plan, run, Watcher(), plots=False)
    whole = list(rates)
    assert whole == [round(plan.network.learning_rate * stepped(step, 200) * 2**RATE_BITS) for step in range(200)]
    assert [whole.index(rate) for rate in dict.fromkeys(whole)] == [0, 100, 140, 170]

    rates.clear()
    _, run = begin(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(after)), plots=False)
    assert after <= read_checkpoint(run.path).steps == len(rates) < 200
    again = Plan.from_config(read_config(run.path))
    assert again == plan
    train(again, Run.open(run.path), Watcher(), plots=False)
    assert rates == whole
    assert read_meta(run.path)["schedule"] == "stepped"


def test_an_interrupted_board_has_the_weights_of_one_that_was_told_every_rate(tmp_path):
    plan, run = begin(tmp_path, epochs=1)
    train(plan, run, Watcher(), plots=False)
    data, order = plan.quantised, plan.order(0)
    with open_board(plan.board, **plan.board_options) as board:
        board.configure(plan.network)
        board.noise(NOISE_CODES)
        for step, sample in enumerate(order):
            board.set_rates(plan.network.learning_rate * stepped(step, SAMPLES))
            board.train(data.x_train[[sample]], data.t_train[[sample]])
        expected = np.concatenate([layer.ravel() for layer in board.weights()])
    np.testing.assert_array_equal(read_checkpoint(run.path).weights, expected)


@pytest.mark.parametrize("rule", ["anp", "feedback"])
def test_a_float_training_that_is_resumed_has_the_bits_of_one_go(tmp_path, rule):
    plan, whole = begin(tmp_path, board="none", rule=rule, epochs=3)
    train(plan, whole, Watcher(), plots=False)
    _, run = begin(tmp_path, board="none", rule=rule, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(150, "reference")), plots=False)
    assert read_checkpoint(run.path).steps == SAMPLES
    train(plan, Run.open(run.path), Watcher(), plots=False)
    np.testing.assert_array_equal(read_checkpoint(run.path).weights, read_checkpoint(whole.path).weights)
    other, run = begin(tmp_path, board="none", rule=rule, epochs=3, schedule="constant")
    train(other, run, Watcher(), plots=False)
    assert (read_checkpoint(run.path).weights != read_checkpoint(whole.path).weights).any()


@pytest.mark.parametrize("compiled", [True, False])
def test_the_reference_takes_a_rate_for_each_sample(compiled):
    network = Network((2, 4, 1), learning_rate=0.3, seed=5)
    drawn = np.random.default_rng(0)
    x, target = drawn.normal(size=(100, 2)), drawn.normal(size=(100, 1))
    wanted = factors("stepped", 0, 1, 100)

    def learned(schedule, factor=1.0):
        reference = Reference(
            replace(network, learning_rate=0.3 * factor), noise=Gaussian(network.sigma, seed=7), compiled=compiled
        )
        history = reference.train(x, target, 1, schedule=schedule)
        return [*reference.weights, history.losses]

    for one, other in zip(learned(lambda epoch: [0.5] * 100), learned(None, 0.5), strict=True):
        np.testing.assert_array_equal(one, other)
    stepwise = Reference(network, noise=Gaussian(network.sigma, seed=7), compiled=compiled)
    reference = Reference(network, noise=Gaussian(network.sigma, seed=7), compiled=compiled)
    reference.train(x, target, 1, schedule=lambda epoch: wanted)
    for place, factor in enumerate(wanted):
        stepwise.train(x[[place]], target[[place]], 1, schedule=lambda epoch, factor=factor: factor)
    for one, other in zip(reference.weights, stepwise.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    with pytest.raises(ValueError, match="broadcast"):
        reference.train(x, target, 1, schedule=lambda epoch: [1.0] * 3)


def test_a_continued_run_has_the_schedule_of_its_run_or_another(tmp_path):
    plan, run = begin(tmp_path)
    train(plan, run, Watcher(), plots=False)
    assert continued(run.path)[0].schedule == "stepped"
    new, start = continued(run.path, epochs=1, schedule="halving")
    assert (new.schedule, start.steps) == ("halving", 0)
    again = Plan.from_config(read_config(run.path))
    assert continued(run.path, epochs=4)[0].stretches(2)[0][2] == 0.5
    assert again.stretches(1) == [(0, 40, 0.5), (40, 70, 0.25), (70, 100, 0.125)]


def test_runs_of_before_the_schedules_had_names_are_read(tmp_path):
    plan, run = begin(tmp_path, schedule="constant")
    train(plan, run, Watcher(), plots=False)
    old = {name: value for name, value in read_config(run.path).items() if name != "schedule"}
    assert Plan.from_config({**old, "falling": False}) == plan
    assert Plan.from_config({**old, "falling": True}).schedule == "halving"
    with pytest.raises(RunError, match=r"there is no schedule slowly"):
        Plan.from_config({**old, "schedule": "slowly"})
    earlier = Run.create(tmp_path, "train", plan.name, 9, {**old, "falling": False})
    train(replace(plan, seed=9), earlier, Watcher(), plots=False)
    _, other = begin(tmp_path)
    train(Plan.from_config(read_config(other.path)), other, Watcher(), plots=False)
    found = compare([read_training(path) for path in (run.path, earlier.path, other.path)])
    assert [group.label for group in found.groups] == ["schedule constant", "schedule stepped"]
    assert found.different == {"schedule": ("constant", "stepped")}


def test_it_is_an_option_of_the_command(here):
    found = command("xor", "--board", "inprocess", "--epochs", 1, "--schedule", "stepped", "--no-reference")
    assert ", schedule stepped, 1 epochs" in found.stderr
    path = result_of(found)["run"]
    assert Plan.from_config(read_config(here / path)).schedule == "stepped"
    same = command("xor", "--board", "inprocess", "--epochs", 1, "--constant-rate", "--no-reference")
    assert Plan.from_config(read_config(here / result_of(same)["run"])).schedule == "constant"
    refused = mistake("xor", "--constant-rate", "--schedule", "stepped")
    assert "--constant-rate is --schedule constant; omit it, or --schedule stepped" in refused
    assert "omit --schedule" in mistake("--resume", path, "--schedule", "stepped")
    gone_on = result_of(command("--continue", path, "--schedule", "constant", "--epochs", 1))["run"]
    assert Plan.from_config(read_config(here / gone_on)).schedule == "constant"


def test_estimators_have_it(rates):
    x, y = np.random.default_rng(1).normal(size=(40, 2)), np.arange(40) % 2
    ANPClassifier((2,), epochs=1, schedule="stepped", random_state=0).fit(x, y)
    assert [rates.index(rates[0] // 2**halvings) for halvings in range(4)] == [0, 20, 28, 34]
    fitted = [
        ANPClassifier((2,), epochs=1, schedule=name, backend="reference", random_state=0).fit(x, y).coefs_[0] for name in SCHEDULES
    ]
    np.testing.assert_array_equal(fitted[0], fitted[2])
    assert (fitted[0] != fitted[1]).any()
    with pytest.raises(ValueError, match="there is no schedule 'slow'; use halving, stepped or constant"):
        ANPClassifier(schedule="slow").fit(x, y)
