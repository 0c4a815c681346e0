"""A training with several seeds: a run for each, computed once however often it was interrupted, and all of them together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training_support import mistake, result_of, write_csv
from training_support import train as command

from mtjlearn.runs import list_runs, read_config, read_meta
from mtjlearn.training import default_plan
from mtjlearn.training import train as train_run
from mtjlearn.training.seeds import Seeds, parse_seeds, with_seed

QUICK = ("--board", "inprocess", "--epochs", 1, "--no-reference", "--link-log", "off")


class Quiet:
    """An observer of a training that nobody watches."""

    def note(self, text): ...

    def progress(self, *_): ...


@pytest.mark.parametrize(("text", "seeds"), [("0-3", (0, 1, 2, 3)), ("5", (5,)), ("7,0-1", (7, 0, 1)), (" 2 , 4-4", (2, 4))])
def test_seeds_are_read(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("", "write 0-9"), ("a-b", "write 0-9"), ("3-1", "they rise"), ("0-3,2", "seed 2 is given twice"), ("-1", "write 0-9")),
        *(("0-1000", "more than 1,000"), ("0-999,1000", "more than 1,000"), ("0-9999999999", "they rise")),
    ],
)
def test_what_is_not_a_list_of_seeds(text, why):
    with pytest.raises(ValueError, match=why):
        parse_seeds(text)


def test_a_seed_has_the_plan_that_it_would_have_alone():
    options = {"target": None, "board": "inprocess", "epochs": 3}
    assert with_seed(default_plan("iris", seed=0, **options), 5) == default_plan("iris", seed=5, **options)


@pytest.mark.thorough
def test_interrupted_and_killed_nothing_is_computed_twice(here, monkeypatch):
    trained = []

    def interrupted(plan, *arguments, **options):
        trained.append(plan.seed)
        if len(trained) == 2:
            with arguments[0]:
                raise KeyboardInterrupt("interrupted; resume with: mtjlearn train --resume RUN")
        return train_run(plan, *arguments, **options, plots=False)

    monkeypatch.setattr("mtjlearn.training.train", interrupted)
    found = command("xor", "--seeds", "3-5", *QUICK)
    assert found.exit_code == 130
    assert [(run.seed, run.state) for run in list_runs(Path("runs"))] == [(4, "interrupted"), (3, "finished")]
    first = next(run.path for run in list_runs(Path("runs")) if run.seed == 3)
    before = read_meta(first)
    result = result_of(command("--resume", first))
    assert trained == [3, 4, 4, 5]
    assert read_meta(first) == before
    (group,) = result["groups"]
    assert (group["seeds"], group["states"]) == ([3, 4, 5], ["finished"] * 3)
    assert group["numbers"]["test_accuracy"]["runs"] == 3
    assert Path(result["plot"]).read_bytes().startswith(b"\x89PNG")
    alone = read_config(next(run.path for run in list_runs(Path("runs")) if run.seed == 5))
    assert (alone["seed"], alone["network"]["seed"]) == (5, 6)
    assert result_of(command("--resume", first))["groups"] == result["groups"]
    assert trained == [3, 4, 4, 5]


def test_a_board_that_is_missing_leaves_the_way_to_continue(here):
    seeds = Seeds.new("xor", (1, 2))
    plan = default_plan("xor", seed=1, epochs=1, board="inprocess", reference=False)

    train_run(plan, seeds.create(Path("runs"), plan), Quiet(), plots=False, link_log=0)
    (first,) = list_runs(Path("runs"))
    found = command("--resume", first.path, "--board", "/dev/ttyNOTHING")
    assert found.exit_code == 2
    line = found.stderr.splitlines()[-1]
    assert f"continue the seeds with: mtjlearn train --resume {first.path.resolve()}" in line
    assert len(list_runs(Path("runs"))) == 1


def test_data_that_changed_are_not_mixed_with_those_of_the_seeds_before(here):
    file = write_csv(here / "some.csv", ("x", "y"), [(number, number % 2) for number in range(40)])
    seeds = Seeds.new("some", (1, 2))
    plan = default_plan(str(file), seed=1, target="y", epochs=1, board="inprocess", reference=False)
    train_run(plan, seeds.create(Path("runs"), plan), Quiet(), plots=False, link_log=0)
    write_csv(file, ("x", "y"), [(number, number % 2) for number in range(41)])
    assert "is not the data that" in mistake("--resume", next(Path("runs").iterdir()))
    assert len(list(Path("runs").iterdir())) == 1


def test_a_split_that_cannot_be_learned_is_named_before_anything_is(here):
    rows = [(number, 1.0 if number < 3 else 0.0) for number in range(20)]
    write_csv(here / "rare.csv", ("x", "y"), rows)
    line = mistake("rare.csv", "--target", "y", "--task", "regression", "--seeds", "0-200", *QUICK)
    assert "seed " in line
    assert "constant in the training part" in line
    assert not Path("runs").exists()


def test_what_does_not_go_together(here):
    assert "omit --seed" in mistake("xor", "--seeds", "0-1", "--seed", 3)
    assert "write 0-9" in mistake("xor", "--seeds", "some", *QUICK)
    seeds = Seeds.new("xor", (1, 2))
    plan = default_plan("xor", seed=1, epochs=1, board="inprocess")
    with seeds.create(Path("runs"), plan) as run:
        run.interrupt()
    meta = read_meta(run.path)
    (run.path / "meta.json").write_text(json.dumps({**meta, "seeds": {"group": "../elsewhere", "all": [1]}}))
    assert "is damaged (its seeds)" in mistake("--resume", run.path)
