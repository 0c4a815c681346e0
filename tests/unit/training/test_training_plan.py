"""What a training does is decided once, written to config.toml and read back the same."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import import_module

import pytest
from training_support import result_of, two_moons, write_csv
from training_support import train as command

from mtjlearn.board import Schedule
from mtjlearn.datasets import BUILTIN, DatasetError
from mtjlearn.network import Loss, NetworkError, WeightFormat
from mtjlearn.runs import Run, RunError, read_config
from mtjlearn.training import BOARD_RULES, RULES, Plan, default_plan
from mtjlearn.training.autonomous import plan_dataset
from mtjlearn.training.plan import CODES_PER_STEP


@pytest.mark.parametrize("data", BUILTIN)
def test_every_dataset_has_a_plan(data):
    plan = default_plan(data, seed=3)
    dataset = plan.dataset
    assert plan.network.sizes[0] == dataset.inputs
    assert plan.network.loss is (Loss.SQUARED if dataset.classes is None else Loss.CROSS_ENTROPY)
    assert plan.network.seed == 4
    assert plan.on_board
    assert plan.reference
    assert plan.schedule == "halving"
    assert 5 <= plan.epochs <= 200


def test_the_network_and_rates_of_the_built_in_ones():
    assert default_plan("digits", seed=0).network.name == "64-32-10"
    assert default_plan("iris", seed=0).network.name == "4-8-3"
    squared = default_plan("iris", seed=0, loss=Loss.SQUARED).network
    assert squared.learning_rate < default_plan("iris", seed=0).network.learning_rate
    assert default_plan("xor", seed=0).name == "xor"


@pytest.mark.thorough
def test_a_file_gets_about_thirty_thousand_steps_whatever_its_name(tmp_path):
    small = default_plan(str(two_moons(tmp_path / "digits.csv", 400)), seed=0, target="side")
    assert small.epochs == round(30_000 / 320)
    assert small.network.name == "2-8-2"
    # A file is not taken for the dataset whose name it has.
    moons = default_plan(str(two_moons(tmp_path / "moons.csv", 400)), seed=0, target="side")
    assert small.network == moons.network
    assert default_plan(str(two_moons(tmp_path / "few.csv", 40)), seed=0, target="side").epochs == 200
    assert default_plan(str(two_moons(tmp_path / "many.csv", 20_000)), seed=0, target="side").epochs == 5


def test_a_file_is_found_again_from_anywhere(tmp_path, monkeypatch):
    two_moons(tmp_path / "moons.csv")
    monkeypatch.chdir(tmp_path)
    plan = default_plan("moons.csv", seed=0, target="3")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert replace(plan).dataset.classes == ("lower", "upper")
    assert plan.name == "moons"


@pytest.fixture
def work(monkeypatch):
    """How often a file was parsed, and how often a dataset's inputs were quantised."""
    counts = {"parsed": 0, "quantised": 0}

    def count(what, module, name):
        real = getattr(module, name)

        def counted(*arguments):
            counts[what] += 1
            return real(*arguments)

        monkeypatch.setattr(module, name, counted)

    count("parsed", import_module("mtjlearn.datasets.load"), "read_file")
    count("quantised", import_module("mtjlearn.datasets.quantise"), "_fix")  # of classes it has the inputs alone to do
    return counts


@pytest.mark.thorough
def test_a_training_and_its_reference_parse_a_file_once_and_quantise_it_once(tmp_path, work):
    data = str(two_moons(tmp_path / "moons.csv"))
    result_of(command("--runs", str(tmp_path), data, "--target", "side", "--board", "native", "--epochs", "1"))
    assert work == {"parsed": 1, "quantised": 1}


@pytest.mark.thorough
def test_a_resumed_training_compares_and_learns_from_one_reading(tmp_path, work):
    data = str(two_moons(tmp_path / "moons.csv"))
    plan = default_plan(data, seed=0, target="side", epochs=1, board="native")
    run = Run.create(tmp_path, "train", plan.name, 0, plan.config())
    run.keep()
    run.interrupt()
    work.update(parsed=0, quantised=0)
    result_of(command("--resume", str(run.path), "--board", "native"))
    assert work == {"parsed": 1, "quantised": 1}


def test_a_board_that_learns_on_its_own_gets_the_plans_own_data(tmp_path, work):
    plan = default_plan(str(two_moons(tmp_path / "moons.csv")), seed=0, target="side")
    given = plan_dataset(plan, Schedule(epochs=1))
    assert (given.dataset, given.quantised) == (plan.dataset, plan.quantised)
    assert work == {"parsed": 1, "quantised": 1}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("weight_format", WeightFormat)
def test_a_plan_survives_its_run_directory(tmp_path, rule, weight_format):
    plan = default_plan(
        str(two_moons(tmp_path / "moons.csv")),
        seed=5,
        rule=rule,
        target="side",
        eta=0.1 / 3,
        sigma=1 / 7,
        weight_format=weight_format,
        antithetic=True,
        schedule="constant",
        epochs=7,
        board="native",
        virtual={"preset": "bench"},
    )
    with Run.create(tmp_path, "train", plan.name, plan.seed, plan.config()) as run:
        assert Plan.from_config(read_config(run.path)) == plan


def test_what_is_missing_in_a_damaged_configuration_is_named():
    good = default_plan("iris", seed=0).config()
    for damaged in ({**good, "network": {}}, {**good, "network": 3}, {**good, "surprise": 1}, {}):
        with pytest.raises(RunError, match=r"config\.toml does not describe a training .*start a new run"):
            Plan.from_config(damaged)


def test_the_rate_falls_in_powers_of_two():
    plan = default_plan("iris", seed=0, epochs=70)
    factors = [factor for epoch in range(70) for _, _, factor in plan.stretches(epoch)]
    assert factors[:30] == [1.0] * 30
    assert sorted(set(factors), reverse=True) == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16]
    assert factors == sorted(factors, reverse=True)
    constant = default_plan("iris", seed=0, epochs=70, schedule="constant")
    assert {factor for epoch in range(70) for factor in constant.rate_factors(epoch)} == {1.0}


def test_what_boards_cannot_learn_the_reference_learns():
    for rule in RULES:
        plan = default_plan("iris", seed=0, rule=rule, reference=False)
        assert plan.on_board is (rule in BOARD_RULES)
        assert plan.reference is (rule not in BOARD_RULES)
    danp = default_plan("iris", seed=0, rule="danp").network
    assert danp.decorrelate == (True, True)
    assert danp.decorrelation_rate > 0


def test_a_virtual_board_repeats_itself_and_others_get_no_options():
    native = default_plan("iris", seed=6, board="native", virtual={"preset": "bench"})
    assert native.board_options == {"virtual_clock": CODES_PER_STEP, "seed": 6, "preset": "bench"}
    assert default_plan("iris", seed=6, board="socket://127.0.0.1:4000").board_options == {}
    assert default_plan("iris", seed=6).board_options == {}


def test_data_that_do_not_fit_are_refused_before_anything_starts(tmp_path):
    with pytest.raises(DatasetError, match="4 inputs and 3 classes, which 4-8-2 does not fit; use --net 4-8-3"):
        default_plan("iris", seed=0, sizes=(4, 8, 2))
    with pytest.raises(DatasetError, match="teacher is a regression, and cross-entropy needs classes"):
        default_plan("teacher", seed=0, loss=Loss.CROSS_ENTROPY)
    with pytest.raises(NetworkError, match="110 units"):
        default_plan("digits", seed=0, sizes=(64, 100, 10))
    path = write_csv(tmp_path / "bad.csv", ("a", "b", "t"), [(i, "" if i == 7 else i * i, i % 2) for i in range(30)])
    with pytest.raises(DatasetError, match="row 9, column 'b' is empty"):
        default_plan(str(path), seed=0, target="t")
    with pytest.raises(DatasetError, match="no column '²'"):
        default_plan(str(two_moons(tmp_path / "moons.csv")), seed=0, target="²")


def test_a_column_named_by_a_number_is_found_by_name(tmp_path):
    path = write_csv(tmp_path / "odd.csv", ("b", "1", "t"), [(i % 2, math.sin(i), i) for i in range(30)])
    assert default_plan(str(path), seed=0, target="1").dataset.target_names == ("1",)
