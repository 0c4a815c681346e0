"""A run continues with the data and the firmware that it began with, or with others if that is accepted and written down."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import tomli_w
from places import CASES
from training_support import Watcher, interrupt_after, mistake, result_of, two_moons
from training_support import train as command

from mtjlearn.board import Board
from mtjlearn.runs import Run, RunError, read_checkpoint, read_config, read_meta
from mtjlearn.training import ChangedError, Plan, default_plan, train

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.thorough]


@pytest.fixture(autouse=True, scope="module")
def without_plots():
    """Plots take longer than these trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("mtjlearn.training.train"), "noise_plot", lambda *_, **__: None)
        patch.setattr(import_module("mtjlearn.training.train"), "loss_curve", lambda *_, **__: None)
        yield


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run that began with resume_a.csv and was interrupted."""
    root = tmp_path_factory.mktemp("begun")
    data = Path(shutil.copy(CASES / "resume_a.csv", root / "data.csv"))
    plan = default_plan(str(data), seed=1, target="y", epochs=4, board="native", reference=False)
    run = Run.create(root, "train", plan.name, plan.seed, plan.config())
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(900)))
    return run.path


@pytest.fixture
def interrupted(begun, tmp_path):
    """A copy of that run, and the path of its data."""
    path = Path(shutil.copytree(begun, tmp_path / "runs" / begun.name))
    data = Path(shutil.copy(CASES / "resume_a.csv", tmp_path / "data.csv"))
    (path / "config.toml").write_text(tomli_w.dumps({**read_config(path), "data": str(data)}))
    return path, data


def content(path):
    return {file.name: file.read_bytes() for file in path.iterdir() if file.name != "lock"}


def set_meta(path, **values):
    meta = json.loads((path / "meta.json").read_text())
    meta.update(values)
    (path / "meta.json").write_text(json.dumps({name: value for name, value in meta.items() if value is not None}))


def test_other_data_are_refused_and_the_run_stays_as_it_is(interrupted):
    path, data = interrupted
    shutil.copy(CASES / "resume_b.csv", data)
    before = content(path)
    for _ in range(2):
        line = mistake("--resume", path)
        assert f"{data} is not the data that {path} began with (digest " in line
        assert line.endswith("bring them back, start a new run, or continue with --accept-changed-data")
    assert content(path) == before
    shutil.copy(CASES / "resume_a.csv", data)
    assert result_of(command("--resume", path))["steps"] == 1600
    assert "accepted_changes" not in read_meta(path)


def test_accepting_other_data_is_written_down(interrupted):
    path, data = interrupted
    began = read_meta(path)["data"]
    shutil.copy(CASES / "resume_b.csv", data)
    found = command("--resume", path, "--accept-changed-data")
    assert result_of(found)["steps"] == 1600
    assert "the data have changed since the run began; meta.json records it" in found.stderr
    meta = read_meta(path)
    assert [entry["data"] for entry in meta["accepted_changes"]] == [began]
    assert meta["data"]["digest"] != began["digest"]
    assert (meta["state"], meta["data"]["samples"]) == ("finished", 500)


def test_accepting_where_nothing_has_changed_says_nothing(interrupted):
    path, _ = interrupted
    found = command("--resume", path, "--accept-changed-data")
    result_of(found)
    assert "have changed" not in found.stderr
    assert "accepted_changes" not in read_meta(path)


def test_accepting_goes_with_resuming():
    assert "--accept-changed-data goes with --resume RUN; omit it" in mistake("iris", "--accept-changed-data")


def test_data_that_change_before_they_are_read_are_refused_too(interrupted):
    path, data = interrupted
    plan = Plan.from_config(read_config(path))
    shutil.copy(CASES / "resume_b.csv", data)
    kept = read_checkpoint(path)
    with pytest.raises(ChangedError, match="is not the data"):
        train(replace(plan), Run.open(path), Watcher())
    assert read_meta(path)["state"] == "interrupted"
    assert read_checkpoint(path).steps == kept.steps
    shutil.copy(CASES / "resume_a.csv", data)
    assert train(plan, Run.open(path), Watcher()).steps == 1600


def test_other_data_that_do_not_even_fit_the_network(interrupted):
    path, data = interrupted
    began = read_meta(path)["data"]
    shutil.copy(CASES / "pandas_index.csv", data)
    assert "has no column 'y'" in mistake("--resume", path)
    data.write_text("\n".join(["f1,y", *(f"{row * row % 11}.5,{'ab'[row % 2]}" for row in range(30))]))
    assert "is not the data" in mistake("--resume", path)
    assert "does not fit" in mistake("--resume", path, "--accept-changed-data")
    assert read_meta(path)["data"] == began
    data.unlink()
    assert "there is no file" in mistake("--resume", path)
    shutil.copy(CASES / "resume_a.csv", data)
    assert result_of(command("--resume", path))["steps"] == 1600


def as_written_by_0_1_0(path):
    config = read_config(path)
    del config["columns"]
    (path / "config.toml").write_text(tomli_w.dumps(config))
    set_meta(path, data=None)


def test_a_run_of_0_1_0_is_resumed_with_a_note(interrupted):
    path, data = interrupted
    as_written_by_0_1_0(path)
    set_meta(path, board={**read_meta(path)["board"], "build": "0badc0de"})  # it was another firmware, too
    shutil.copy(CASES / "resume_b.csv", data)
    found = command("--resume", path)
    assert result_of(found)["steps"] == 1600
    assert "the run has no digest of its data (version 0.1.0 wrote none)" in found.stderr
    assert "and " + str(path) + " began with 0badc0de" in found.stderr
    assert len(read_meta(path)["data"]["digest"]) == 64


def test_a_run_of_0_1_0_keeps_its_index_as_an_input(tmp_path):
    data = Path(shutil.copy(CASES / "pandas_index.csv", tmp_path / "data.csv"))
    plan = default_plan(str(data), seed=1, target="label", epochs=8, board="native", reference=False)
    kept = replace(plan, columns=replace(plan.columns, keep_index=True), network=replace(plan.network, sizes=(3, 8, 3)))
    run = Run.create(tmp_path / "runs", "train", plan.name, plan.seed, kept.config())
    with pytest.raises(KeyboardInterrupt):
        train(kept, run, Watcher(interrupt_after(400)))
    as_written_by_0_1_0(run.path)
    found = command("--resume", run.path)
    assert result_of(found)["steps"] == 8 * 120
    assert "'column 1' counts the rows" in found.stderr


def test_other_firmware_on_the_same_board_is_refused_unless_accepted(interrupted):
    path, _ = interrupted
    build = read_meta(path)["board"]["build"]
    set_meta(path, board={**read_meta(path)["board"], "build": "0badc0de"})
    kept = read_checkpoint(path)
    line = mistake("--resume", path)
    assert f"the firmware of native is build {build}, and {path} began with 0badc0de; flash that build" in line
    assert read_meta(path)["state"] == "interrupted"
    assert read_meta(path)["board"]["build"] == "0badc0de"
    assert read_checkpoint(path).steps == kept.steps
    assert result_of(command("--resume", path, "--accept-changed-data"))["steps"] == 1600
    meta = read_meta(path)
    assert meta["board"]["build"] == build
    assert [entry["board"]["build"] for entry in meta["accepted_changes"]] == ["0badc0de"]


def test_another_board_may_take_over(interrupted):
    path, _ = interrupted
    set_meta(path, board={**read_meta(path)["board"], "name": "uno", "build": "0badc0de"})
    assert result_of(command("--resume", path))["steps"] == 1600
    assert read_meta(path)["board"]["name"] == "native"


def test_a_digest_that_is_damaged_is_named(interrupted):
    path, _ = interrupted
    for damaged in (3, {}, {"digest": 3}):
        set_meta(path, data=damaged)
        assert "meta.json is damaged (no digest of the data)" in mistake("--resume", path)


def test_the_chosen_columns_are_kept_for_resuming(here, monkeypatch):
    def refuse(*_, **__):
        raise KeyboardInterrupt

    data = two_moons(here / "moons.csv")
    monkeypatch.setattr(Board, "noise", refuse)
    found = command(data, "--target", "side", "--drop", "x", "--board", "native", "--epochs", 2, "--no-reference")
    assert found.exit_code == 130
    assert "moons: 1-8-2" in found.stderr
    monkeypatch.undo()
    (path,) = (here / "runs").iterdir()
    assert read_config(path)["columns"] == {"drop": ["x"], "features": [], "keep_index": False, "categorical": []}
    assert result_of(command("--resume", path))["steps"] == 640
    assert "--resume uses the settings of its run; omit --drop" in mistake("--resume", path, "--drop", "x")


@pytest.mark.parametrize("columns", [3, {}, {"drop": 3, "features": []}, {"drop": [], "features": [], "more": 1}])
def test_damaged_columns_in_the_configuration_are_named(columns):
    from mtjlearn.training import Plan

    config = {**default_plan("iris", seed=0).config(), "columns": columns}
    with pytest.raises(RunError, match=r"config\.toml does not describe a training"):
        Plan.from_config(config)


# --- a score that is not defined ---


@pytest.mark.filterwarnings("error")
def test_r2_of_a_test_part_with_one_value_is_undefined(here):
    data = shutil.copy(CASES / "constant_test_targets.csv", here / "data.csv")
    found = command(data, "--target", "y", "--task", "regression", "--rule", "bp", "--epochs", 1)
    result = result_of(found)
    assert (result["test_r2"], result["reference_test_r2"], result["test_accuracy"]) == (None, None, None)
    assert "test R2 is undefined: all targets of the 100 test rows are equal; try another --seed" in found.stderr
    assert "inf" not in found.stderr
