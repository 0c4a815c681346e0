"""``mtjlearn runs`` lists run directories and shows one, whole or damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from mtjlearn.cli.runs import cli
from mtjlearn.cli.view import console
from mtjlearn.runs import Checkpoint, Run

ACCURACIES = {"test_accuracy": 0.9667, "reference_test_accuracy": 0.98}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A directory of runs: ./runs."""
    monkeypatch.chdir(tmp_path)
    return Path("runs")


def show(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments), "--json"])


def training(root, name="iris", seed=0):
    return Run.create(root, "train", name, seed, {"data": name, "network": {"sizes": [4, 8, 3]}, "seed": seed})


def finished(root, name="iris", seed=0):
    with training(root, name, seed) as run:
        run.metric(step=100, loss=0.5)
        run.finish(ACCURACIES)
    return run.path


def interrupted(root):
    with training(root, "wine", 3) as run:
        run.metric(step=100, loss=0.75)
        run.metric(step=200, loss=0.25)
        run.metric(step=200, reference_loss=0.125)
        run.save_weights(Checkpoint(1, 0, 200, np.zeros(67, np.int16)))
    return run.path


def test_no_runs_yet(root):
    found = show()
    assert found.exit_code == 0
    assert json.loads(found.stdout) == {"runs": []}
    assert "mtjlearn train iris" in found.stderr


def test_list(root):
    finished(root)
    interrupted(root)
    with Run.create(root, "noise", "native", 1, {}) as run:
        run.finish({"verdict": "good"})
    found = show()
    runs = {run["name"]: run for run in json.loads(found.stdout)["runs"]}
    assert runs["iris"]["state"] == "finished"
    assert runs["iris"]["result"] == ACCURACIES
    assert (runs["wine"]["state"], runs["wine"]["seed"], runs["wine"]["problems"]) == ("interrupted", 3, [])
    lines = found.stderr.splitlines()
    assert len(lines) == 4
    assert any("iris-s0" in line and "finished" in line and "accuracy 0.967, float 0.980" in line for line in lines)
    assert any("wine-s3" in line and "interrupted" in line and "loss 0.25" in line for line in lines)
    assert any("native-s1" in line and "good source" in line for line in lines)


def test_newest_first(root):
    path = finished(root)
    path.rename(root / "20200101-000000-train-iris-s7")
    newer = finished(root, seed=8)
    assert [Path(run["path"]).name for run in json.loads(show().stdout)["runs"]] == [newer.name, "20200101-000000-train-iris-s7"]


@pytest.mark.parametrize("width", [120, 140])
def test_wide_terminal_shows_all(root, monkeypatch, width):
    monkeypatch.setattr(console, "console", lambda: Console(stderr=True, width=width))
    finished(root, seed=12)
    heading, line = show().stderr.splitlines()
    assert heading.split() == ["run", "command", "of", "seed", "started", "state", "result"]
    assert line.split()[1:4] == ["train", "iris", "12"]


def test_other_directory(root, tmp_path):
    finished(tmp_path / "elsewhere")
    assert len(json.loads(show(tmp_path / "elsewhere").stdout)["runs"]) == 1


def test_one_run_by_path_and_by_name(root, monkeypatch):
    path = finished(root)
    found = show(path)
    result = json.loads(found.stdout)
    assert result["config"] == {"data": "iris", "network": {"sizes": [4, 8, 3]}, "seed": 0}
    assert result["run"]["state"] == "finished"
    assert result["last"] == {"step": 100, "loss": 0.5}
    assert {"config.toml", "meta.json", "metrics.jsonl"} <= set(result["files"])
    assert "lock" not in result["files"]
    assert result["resume"] is None
    for text in ("network.sizes", "4, 8, 3", "test_accuracy", "0.9667", "meta.json"):
        assert text in found.stderr
    assert json.loads(show(path.name).stdout) == result
    monkeypatch.chdir(path)
    assert json.loads(show(".").stdout)["config"] == result["config"]


def test_an_interrupted_run_tells_how_to_go_on(root):
    path = interrupted(root)
    found = show(path)
    result = json.loads(found.stdout)
    assert result["resume"] == f"mtjlearn train --resume {path}"
    assert result["last"] == {"step": 200, "loss": 0.25}
    assert f"resume with: {result['resume']}" in found.stderr


def test_a_failed_run_tells_why(root):
    run = training(root)
    run.keep()
    with pytest.raises(ValueError, match="cable"), run:
        raise ValueError("the cable is out")
    found = show(run.path)
    assert "the cable is out" in found.stderr
    assert json.loads(found.stdout)["meta"]["error"] == "the cable is out"


def test_damage_is_told(root):
    path = interrupted(root)
    (path / "weights.npz").write_bytes(b"no zip")
    (path / "config.toml").write_text("[")
    for arguments in ((), (path,)):
        found = show(*arguments)
        assert found.exit_code == 0
        assert "weights.npz is damaged" in found.stderr
        assert "config.toml is damaged" in found.stderr
    assert json.loads(found.stdout)["config"] is None
    assert json.loads(found.stdout)["resume"] is None
    (path / "meta.json").write_text("{}")
    assert json.loads(show(path).stdout)["run"]["state"] == "damaged"


def test_no_such_run(root):
    found = show("nothing")
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert "nothing is neither a run nor a directory of runs" in json.loads(found.stdout)["error"]


def test_help():
    assert "the name of one in ./runs" in CliRunner().invoke(cli, ["--help"]).stdout.replace("\n  ", " ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no such device")
def test_a_result_that_cannot_be_printed_ends_in_one_line(root):
    command = [sys.executable, "-c", "from mtjlearn.cli import main; main()", "runs", "--json"]
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert found.returncode == 2
    *_, last = found.stderr.splitlines()
    assert last == "mtjlearn: standard output cannot be written: the disk is full (No space left on device); make room"
    assert "Traceback" not in found.stderr
