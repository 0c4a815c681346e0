"""``mtjlearn reproduce`` as a user types it: what is missing is one line, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mtjlearn import reproduction
from mtjlearn.cli import main, reproduce
from mtjlearn.errors import UserError
from mtjlearn.reproduction import FIGURES, fig2
from mtjlearn.runs import Run, list_runs


def refused(*arguments: str) -> str:
    found = CliRunner().invoke(main, ["reproduce", *arguments])
    assert found.exit_code == 2
    [line] = found.stderr.splitlines()
    return line


def test_the_names_are_those_of_the_figures() -> None:
    assert (*FIGURES, "all") == reproduce._NAMES


@pytest.mark.slow
def test_a_figure_end_to_end(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig2, "SECONDS", 0.1)
    found = CliRunner().invoke(main, ["reproduce", "fig2", "--json", "--jobs", "1"])
    assert found.exit_code == 0, found.stderr
    result = json.loads(found.stdout)
    assert [bias["unit"] for bias in result["fig2"]["biases"]] == ["mV"] * 3
    [summary] = list_runs(Path("runs"))
    assert (summary.command, summary.name, summary.state) == ("reproduce", "fig2", "finished")
    assert summary.result["figures"] == ["fig2"]
    assert (summary.path / "fig2.png").exists()
    shown = CliRunner().invoke(main, ["runs", str(summary.path)])
    assert shown.exit_code == 0, shown.stderr
    again = CliRunner().invoke(main, ["reproduce", "--replot", str(summary.path), "--json"])
    assert json.loads(again.stdout)["fig2"] == result["fig2"]


def test_what_is_missing_is_one_line_and_no_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "fig6" in refused("fig6")
    assert "give a figure" in refused()
    assert "give a figure" in refused("fig2", "--replot", "x")
    assert "nowhere" in refused("fig3", "--data", "nowhere")
    assert "nowhere" in refused("fig4", "--data", "nowhere")
    assert "fig4 --quick has no set iris" in refused("fig4", "--set", "iris")
    assert "nowhere.csv" in refused("fig2", "--recording", "nowhere.csv")
    assert "fig5 has no --epochs, which is for fig4; omit it" in refused("fig5", "--epochs", "3")
    assert "omit --board" in refused("--resume", "nowhere", "--board", "native")
    assert "omit --quick" in refused("--replot", "nowhere", "--full")
    assert "is not a run" in refused("--resume", "nowhere")
    monkeypatch.setenv("PATH", str(here))
    assert "apt-get install ngspice" in refused("fig1b")
    assert not (here / "runs").exists()


def test_files_are_found_again_from_elsewhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[reproduction.Options] = []

    def stop(name: str, options: reproduction.Options, *_: object, **__: object) -> None:
        asked.append(options)
        raise UserError("enough")

    monkeypatch.setattr(reproduction, "reproduce", stop)
    refused("fig4", "--data", "sets", "--recording", "noise.csv")
    assert (asked[0].data, asked[0].recordings) == (str(here / "sets"), (str(here / "noise.csv"),))


def test_another_run_is_not_resumed(here: Path) -> None:
    run = Run.create(here, "train", "iris", 0, {"data": "iris"})
    run.keep()
    run.interrupt()
    for option in ("--resume", "--replot"):
        assert "is not a reproduction" in refused(option, str(run.path))
