"""Names from other people's files reach a terminal without what it obeys, and files and JSON exactly."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from model_support import random_model

from mtjlearn.cli import main
from mtjlearn.cli.view.terminal import ShownText
from mtjlearn.models import write_model

HOSTILE = ("\x1b]0;owned\x07", "\x1b[2J", "\x9b31m\u202e")


@pytest.fixture
def folder(here: Path) -> Path:
    model = random_model((2, 3))
    write_model(replace(model, inputs=("a\x1b[31m", "b"), classes=HOSTILE), here / "model.npz")
    (here / "rows.csv").write_text("a\x1b[31m,b\n" + "".join(f"{x},{-x}\n" for x in range(-20, 20)))
    return here


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_no_commands_and_a_pipe_gets_everything() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        writer = csv.writer(ShownText(stream), lineterminator="\n")
        writer.writerow([*HOSTILE, 1.5])
    assert terminal.getvalue() == "\ufffd]0;owned\ufffd,\ufffd[2J,\ufffd31m\u202e,1.5\n"
    assert next(csv.reader(io.StringIO(pipe.getvalue()))) == [*HOSTILE, "1.5"]


def test_predictions(folder: Path) -> None:
    words = ["predict", "model.npz", "rows.csv"]
    printed = CliRunner().invoke(main, words)
    assert printed.exit_code == 0, printed.stderr
    rows = list(csv.reader(io.StringIO(printed.stdout)))
    assert rows[0] == ["prediction", *(f"score_{name}" for name in HOSTILE)]
    assert {row[0] for row in rows[1:]} <= set(HOSTILE)
    assert "\x1b" not in printed.stderr
    CliRunner().invoke(main, [*words, "--out", "found.csv"])
    assert (folder / "found.csv").read_bytes().decode() == printed.stdout
    found = CliRunner().invoke(main, [*words, "--json"]).stdout
    assert "\x1b" not in found
    assert json.loads(found)["predicted"].keys() == set(HOSTILE)


def test_show_and_export(folder: Path) -> None:
    shown = CliRunner().invoke(main, ["show", "model.npz"])
    exported = CliRunner().invoke(main, ["export", "model.npz", "--to", "c"])
    for found in (shown, exported):
        assert found.exit_code == 0, found.stderr
        assert not set(found.output) & {"\x1b", "\x07", "\x9b"}
    assert "\x1b" not in (folder / "random.h").read_text()


@pytest.mark.slow
def test_the_confusion_matrix_has_names_without_commands(here: Path) -> None:
    rows = [f"{number},{name}" for number in range(30) for name in HOSTILE[:2]]
    (here / "some.csv").write_text("x,name\n" + "\n".join(rows) + "\n")
    words = ["train", "some.csv", "--target", "name", "--board", "inprocess", "--epochs", "1", "--no-reference"]
    trained = CliRunner().invoke(main, words)
    assert trained.exit_code == 0, trained.stderr
    (path,) = Path("runs").iterdir()
    shown = CliRunner().invoke(main, ["show", str(path)])
    assert "\ufffd]0;owned\ufffd" in shown.stdout
    assert not set(shown.output + trained.output) & {"\x1b", "\x07"}
