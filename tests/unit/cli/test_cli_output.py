"""Results go to standard output, progress and advice to standard error; the package says its version and runs as a module."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner
from rich.table import Table

import mtjlearn
from mtjlearn.cli import main
from mtjlearn.cli.view import console
from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result, say


@click.command()
@click.option("--name", default="result")
@command
def example(name: str) -> dict[str, int]:
    """Prints one of each."""
    say("progress [bold]")
    print_result(f"{name} [bold] \x1b[31m")
    table = Table(show_header=False, box=None)
    table.add_row("cell")
    print_result(table)
    return {"answer": 1}


def test_results_and_progress_are_apart() -> None:
    found = CliRunner().invoke(example, [])
    assert found.exit_code == 0
    assert [line.strip() for line in found.stdout.splitlines()] == ["result [bold] \ufffd[31m", "cell"]
    assert found.stderr == "progress [bold]\n"


@pytest.mark.parametrize("made", [console.console, console._results])
def test_a_terminal_colours_and_replaces_nothing_by_itself(monkeypatch: pytest.MonkeyPatch, made: Any) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = made.__wrapped__()
    assert shown.is_terminal
    with shown.capture() as captured:
        shown.print("12 of 30 in 'a.csv' :smile: True")
    assert captured.get() == "12 of 30 in 'a.csv' :smile: True\n"


def test_with_json_standard_output_is_the_object_alone() -> None:
    found = CliRunner().invoke(example, ["--json"])
    assert json.loads(found.stdout) == {"answer": 1}
    assert "result [bold]" in found.stderr
    assert "cell" in found.stderr


def test_what_standard_output_cannot_encode_is_said_in_one_line() -> None:
    found = CliRunner(charset="ascii").invoke(example, ["--name", "\u5bff"])
    assert found.exit_code == 2
    assert found.stderr.splitlines()[-1].endswith("cannot show '\\u5bff'; set PYTHONUTF8=1, or write a file")


def test_a_commands_table_is_its_result() -> None:
    assert "uno-sim" in CliRunner().invoke(main, ["boards"]).stdout
    assert CliRunner().invoke(main, ["boards", "--json"]).stdout.startswith("{")


def test_the_version() -> None:
    assert mtjlearn.__version__ == importlib.metadata.version("mtjlearn")
    assert CliRunner().invoke(main, ["--version"]).stdout == f"mtjlearn, version {mtjlearn.__version__}\n"


@pytest.mark.thorough
def test_python_m_mtjlearn() -> None:
    found = subprocess.run([sys.executable, "-m", "mtjlearn", "noise", "--rate", "1"], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert len(found.stderr.splitlines()) == 1


def test_a_choice_that_is_missing_is_one_line() -> None:
    found = CliRunner().invoke(main, ["export", "model.npz"])
    assert found.exit_code == 2
    [line] = found.stderr.splitlines()
    assert "Choose from: c, arduino" in line
