"""``mtjlearn sweep`` as a user types it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet
from training_support import result_of, two_moons

from mtjlearn.cli import main
from mtjlearn.cli import sweep as sweep_command
from mtjlearn.cli.train import cli as train_command
from mtjlearn.cli.view.sweeping import BOARD_VARIABLE, command_of, option_names, points_of, ports_of, train_point
from mtjlearn.errors import BoardError
from mtjlearn.runs import read_meta, read_metrics

pytestmark = pytest.mark.thorough

NOT_OF_THE_TRAINING = {
    "continue",
    "seeds",
    "figures",
    "board",
    "no-reference",
    "runs",
    "link-log",
    "resume",
    "accept-changed-data",
    "json",
}
SEVERAL_VALUES = {"drop", "features", "categorical"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(*arguments: object) -> Result:
    """In this process, so that runs begin at once."""
    return CliRunner().invoke(main, ["sweep", *map(str, arguments), "--json"])


def mistake(*arguments: object) -> str:
    found = sweep(*arguments)
    assert found.exit_code == 2, found.output
    assert "Traceback" not in found.output
    line = found.stderr.splitlines()[-1]
    assert line.startswith("mtjlearn: ")
    return line


def rows(directory: Path) -> list[dict[str, Any]]:
    return parquet.read_table(directory / "results.parquet").to_pylist()


def test_everything_that_train_knows_of_a_training_can_vary() -> None:
    known = {option.opts[0].removeprefix("--") for option in train_command.params if option.opts[0].startswith("--")}
    assert known - NOT_OF_THE_TRAINING - SEVERAL_VALUES == set(option_names())
    assert {"eta", "epsilon", "sigma", "epochs", "net", "rule", "loss", "weights", "batch", "optimiser", "scale"} <= known


def test_a_grid_is_kept_resumed_and_extended(here: Path) -> None:
    options = ("--over", "eta=0.4*2^-0:2", "--over", "antithetic=off,on", "--seeds", "3,5", "--epochs", 1, "--jobs", 0)
    result = result_of(sweep("xor", *options, "--directory", "s"))
    assert (result["runs"], result["computed"], result["failed"]) == (8, 8, 0)
    kept = rows(here / "s")
    assert [(row["eta"], row["antithetic"], row["seed"]) for row in kept] == [
        (eta, antithetic, seed) for eta in (0.2, 0.4) for antithetic in (False, True) for seed in (3, 5)
    ]
    best = result["best"][0]
    assert best["mean"] == min(entry["mean"] for entry in result["best"])
    assert kept[-1]["command"] == "mtjlearn train xor --board none --epochs 1 --eta 0.4 --antithetic --seed 5"
    again = result_of(sweep("--resume", "s", "--jobs", 0))
    assert (again["runs"], again["computed"]) == (8, 0)
    extended = result_of(sweep("xor", *options[:4], "--seeds", "0:1", *options[6:], "--directory", "s"))
    assert (extended["runs"], extended["computed"]) == (4, 4)
    assert len(rows(here / "s")) == 12


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["bp", "np", "anp", "danp"])
def test_the_command_of_a_row_repeats_it(here: Path, rule: str) -> None:
    result_of(sweep("xor", "--over", f"rule={rule}", "--epochs", 2, "--jobs", 0, "--directory", "s"))
    (row,) = rows(here / "s")
    repeated = result_of(CliRunner().invoke(main, [*shlex.split(row["command"])[1:], "--json"]))
    assert repeated["reference_test_accuracy"] == row["test_accuracy"]
    losses = [record["reference_loss"] for record in read_metrics(Path(repeated["run"])) if "reference_loss" in record]
    assert losses[-1] == row["train_loss"]


@pytest.mark.slow
def test_each_run_has_a_virtual_board_and_equals_the_training_with_it(here: Path) -> None:
    options = ("--over", "weights=int16,int32", "--epochs", 2, "--board", "inprocess", "--jobs", 0)
    result_of(sweep("xor", *options, "--directory", "s"))
    row = rows(here / "s")[1]
    repeated = result_of(CliRunner().invoke(main, [*shlex.split(row["command"])[1:], "--no-reference", "--json"]))
    assert row["test_accuracy"] == repeated["test_accuracy"]
    assert row["skipped"] == repeated["skipped"]
    measured = read_metrics(Path(repeated["run"]))[-1]
    assert (row["train_loss"], row["test_loss"]) == (measured["loss"], measured["test_loss"])
    assert read_meta(Path(repeated["run"]))["state"] == "finished"


def test_a_run_that_fails(here: Path) -> None:
    options = ("--over", "net=2-3-2,3-3-2,2-4-2", "--epochs", 1, "--jobs", 0, "--directory", "s")
    found = sweep("xor", *options)
    assert found.exit_code == 1
    assert json.loads(found.stdout.splitlines()[-1])["failed"] == 1
    assert "1 of 3 runs failed, the first with: xor has 2 inputs" in found.stderr
    assert [row["status"] for row in rows(here / "s")] == ["ok", "ok", "failed"]
    assert json.loads(sweep("--resume", "s", "--jobs", 0).stdout.splitlines()[-1])["computed"] == 0
    assert json.loads(sweep("--resume", "s", "--jobs", 0, "--retry-failed").stdout.splitlines()[-1])["computed"] == 1


@pytest.mark.slow
def test_a_file_that_has_changed_is_another_sweep(here: Path) -> None:
    data = two_moons(here / "moons.csv", 60)
    options = ("--target", "side", "--epochs", 1, "--jobs", 0, "--directory", "s")
    result_of(sweep(data, *options))
    assert result_of(sweep(data, *options))["computed"] == 0
    two_moons(data, 60, seed=8)
    assert "is not the file that the sweep began with" in mistake("--resume", "s")
    assert "holds a sweep with file = " in mistake(data, *options)


@pytest.mark.slow
def test_a_search_and_its_plots(here: Path) -> None:
    options = ("--over", "eta=log:.01:1", "--over", "rule=anp,bp", "--maximise", "test_accuracy", "--seeds", "0:2")
    more = ("--epochs", 1, "--jobs", 0)
    result = result_of(sweep("xor", "--search", 4, *options, *more, "--directory", "s"))
    assert (result["runs"], result["computed"]) == (8, 8)
    values = [entry["mean"] for entry in result["best"]]
    assert values == sorted(values, reverse=True)
    assert result["best"][0]["command"].startswith("mtjlearn train xor --board none --epochs 1 --eta 0.")
    again = result_of(sweep("--resume", "s", "--jobs", 0, "--search", 5))
    assert (again["runs"], again["computed"]) == (10, 2)
    assert result_of(sweep("--resume", "s", "--jobs", 0))["computed"] == 0
    plotted = result_of(sweep("--plot", "s", "--x", "eta"))
    assert plotted["plots"] == ["s/plots/test_accuracy-eta.png"]
    assert (here / plotted["plots"][0]).stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "goal"),
    [
        ((), ("test_loss", False)),
        (("--minimise", "seconds"), ("seconds", False)),
        (("--maximise", "test_accuracy"), ("test_accuracy", True)),
    ],
)
def test_a_search_has_the_goal_that_was_named(
    options: tuple[str, ...], goal: tuple[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(settings: object, directory: Path, asked: object, *, objective: str, maximise: bool, **rest: Any) -> dict[str, Any]:
        return {"goal": (objective, maximise), "trials": rest["trials"]}

    monkeypatch.setattr(sweep_command, "_search", search)
    found = result_of(sweep("xor", "--search", 3, "--over", "eta=log:.01:1", *options))
    assert found == {"goal": list(goal), "trials": 3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a dataset or a file"),
        (("iris", "--resume", "s"), "name a dataset or a file"),
        (("iris", "--over", "nett=4-3"), "a training has no such option; it has antithetic, as,"),
        (("iris", "--over", "eta"), "--over eta has no values"),
        (("iris", "--over", "eta=.1", "--over", "eta=.2"), "given twice"),
        (("iris", "--over", "seed=1,2"), "give seeds with --seeds"),
        (("iris", "--over", "eta=20"), "20"),
        (("iris", "--over", "eta=nan"), "nan"),
        (("iris", "--over", "rule=anp,dap"), "'dap' is not one of"),
        (("iris", "--over", "eta=log:0:1:3"), "begins above 0"),
        (("iris", "--over", "eta=log:.1:1"), "only --search does without"),
        (("iris", "--over", "antithetic=maybe"), "values are on and off"),
        (("iris", "--seeds", "-1:2"), "seed"),
        (("irs",), "irs"),
        (("xor", "--over", "rule=bp", "--board", "native"), "boards learn with anp, danp, anp-exact and feedback"),
        (("iris", "--board", "native,native"), "native"),
        (("iris", "--board", "/dev/ttyACM0,/dev/ttyACM0"), "given twice"),
        (("iris", "--board", "nativ"), "did you mean native?"),
        (("iris", "--board", "/dev/ttyACM0,nonsense"), "there is no board or port nonsense"),
        (("iris", "--figures", "svg"), "--figures goes with --plot"),
        (("iris", "--board", "worker"), "give --scheduler"),
        (("iris", "--minimise", "loss"), "--minimise goes with --search"),
        (("iris", "--together", "2"), "--together goes with --search"),
        (("iris", "--range"), "--range goes with --plot"),
        (("xor", "--search", "2", "--over", "eta=.1", "--retry-failed"), "omit --retry-failed"),
        (("iris", "--over", "epochs=1,2", "--epochs", "3"), "--epochs is given and varied"),
        (("iris", "--search", "3"), "give at least one"),
        (("iris", "--search", "3", "--over", "eta=log:.1:1:4"), "omit the number"),
        (("iris", "--search", "3", "--over", "eta=lin:.1:99"), "99"),
        (("iris", "--search", "2", "--over", "eta=log:.1:1", "--minimise", "a", "--maximise", "b"), "a search has one goal"),
        (("--resume", "nothing"), "is not a sweep"),
        (("--resume", "nothing", "--epochs", "3"), "omit --epochs"),
        (("--plot", "nothing"), "is not a sweep"),
        (("iris", "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"), "omit it with --scheduler"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], said: str, here: Path) -> None:
    assert said in mistake(*arguments)
    assert not list(here.glob("sweeps/*"))


def test_ports_belong_to_runs_not_to_the_meaning_of_a_sweep() -> None:
    assert ports_of("/dev/ttyACM0, /dev/ttyACM1") == ["/dev/ttyACM0", "/dev/ttyACM1"]
    assert ports_of("native") == ports_of("none") == ports_of("worker") == []
    assert "--board PORT" in command_of({"data": "iris", "board": "port"}, {"eta": 0.1, "seed": 0})


def test_a_worker_of_a_cluster_names_its_board(monkeypatch: pytest.MonkeyPatch) -> None:
    run = {"data": "xor", "board": "worker", "epochs": 1, "seed": 0}
    monkeypatch.delenv(BOARD_VARIABLE, raising=False)
    with pytest.raises(BoardError, match=f"start it with {BOARD_VARIABLE}="):
        train_point(run)
    monkeypatch.setenv(BOARD_VARIABLE, "inprocess")
    assert train_point(run) == train_point({**run, "board": "inprocess"})


def test_points_have_plain_values() -> None:
    (point,) = points_of(["eta=1", "epochs=3", "net=4-8-3", "plain_step=on"], "7")
    assert point == {"eta": 1.0, "epochs": 3, "net": "4-8-3", "plain-step": True, "seed": 7}
    assert isinstance(point["eta"], float)
