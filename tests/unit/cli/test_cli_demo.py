"""``mtjlearn demo`` shows everything in a minute and says where it is."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib.image
import pytest
from click.testing import CliRunner

from mtjlearn import training
from mtjlearn.board import CheckpointFile
from mtjlearn.cli import demo, main
from mtjlearn.cli.view import demo_autonomous
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.runs import list_runs, read_meta, read_metrics
from mtjlearn.training import default_plan
from mtjlearn.validate import TASKS

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch):
    """In a directory of its own, with a few steps and replicas."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(demo, "VALIDATION_STEPS", 4)
    monkeypatch.setattr(demo, "REPLICAS", 2)
    monkeypatch.setitem(TASKS, "xor", replace(TASKS["xor"], epochs=10))


def test_the_demo():
    found = CliRunner().invoke(main, ["demo", "--seed", "3", "--json"])
    assert found.exit_code == 0
    result = json.loads(found.stdout)
    run = Path(result["run"])
    assert result["test_accuracy"] >= 0.9
    assert result["reference_test_accuracy"] >= 0.9
    assert result["bit_exact"] == {"steps": 64 * 4, "mismatches": 0}
    assert set(result["float"]["xor"]) == {"anp", "danp"}
    # Paths are whole, however narrow the terminal.
    for file in ("noise.png", "loss.png"):
        assert any(line.endswith(str(run / file)) for line in found.stderr.splitlines())
        assert (run / file).exists()
    assert found.stderr.splitlines()[-1].endswith(f"run directory                      {run}")
    [summary] = list_runs(Path("runs"))
    assert (summary.command, summary.name, summary.seed, summary.state) == ("demo", "iris", 3, "finished")
    assert read_meta(run)["board"]["name"] == "native"


def test_a_board_that_differs_from_the_model_is_not_hidden(monkeypatch):
    class Mutant(FixedNetwork):
        def __init__(self, network):
            super().__init__(network)
            weights = self.weights
            weights[0][0, 0, 0] ^= 1
            self.set_weights(weights)

    monkeypatch.setattr("mtjlearn.validate.bit_exact.FixedNetwork", Mutant)
    monkeypatch.setattr(training, "default_plan", partial(default_plan, epochs=2))
    found = CliRunner().invoke(main, ["demo", "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["bit_exact"]["mismatches"] > 0


def test_the_demo_without_a_host(monkeypatch):
    monkeypatch.setattr(demo_autonomous, "AWAY", 1.0)
    found = CliRunner().invoke(main, ["demo", "--autonomous", "--seed", "2", "--json"])
    assert found.exit_code == 0, found.stderr
    result = json.loads(found.stdout)
    run = Path(result["run"])
    assert result["steps"] == 100 * 120
    assert result["steps_when_left"] < result["steps"]
    assert result["steps_when_back"] > result["steps_when_left"]
    assert result["test_accuracy"] >= 0.93
    assert read_meta(run)["state"] == "finished"
    losses = [record["loss"] for record in read_metrics(run) if "loss" in record]
    assert losses == result["curve"]["losses"]
    assert losses[-1] < losses[0] / 2
    assert matplotlib.image.imread(run / "loss.png").std() > 0.01
    assert CheckpointFile.read(run / "board.ckpt").content.record.steps == result["steps"]
