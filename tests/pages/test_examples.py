"""Each program of examples/ runs as it is, and shows what it says."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

EXAMPLES = PROJECT / "examples"
pytestmark = pytest.mark.slow


def run(name: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name], cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text)]


def test_every_example_has_a_test_and_a_row() -> None:
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    tests = Path(__file__).read_text(encoding="utf-8")
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(programs) >= 6
    for program in programs:
        assert f'run("{program}", ' in tests
        assert f"]({program})" in table


def test_a_board_learns_xor(tmp_path: Path) -> None:
    before, after, loss = run("train_a_board.py", tmp_path).splitlines()
    assert numbers(after) == pytest.approx([-1, 1, 1, -1], abs=0.1)
    assert numbers(before) != pytest.approx([-1, 1, 1, -1], abs=0.5)
    assert numbers(loss)[0] < 0.01


def test_a_search_finds_a_number_of_units(tmp_path: Path) -> None:
    *scores, best = run("choose_hidden_units.py", tmp_path).splitlines()
    assert len(scores) == 3
    assert numbers(best)[0] > 0.9


def test_a_source_is_recorded_and_fitted(tmp_path: Path) -> None:
    said = run("characterise_a_source.py", tmp_path)
    low, high, probability, duty = numbers(re.findall("^fit.*", said, re.MULTILINE)[0])
    assert (low, high) == pytest.approx((36.2, 48.0), abs=1.0)
    assert probability == pytest.approx(0.26, abs=0.02)  # of 3,530 switches per second, at 9,615 codes per second
    assert duty == pytest.approx(0.5, abs=0.05)
    assert (tmp_path / "desk.npz").exists()


def test_a_board_learns_while_nobody_is_connected(tmp_path: Path) -> None:
    said = run("learn_without_a_host.py", tmp_path).splitlines()
    assert said[0] == "the host has left"
    assert said[-3] == "epoch 60, 7,200 steps"
    assert numbers(said[-1])[0] > 0.9


def test_decorrelation_is_worth_it(tmp_path: Path) -> None:
    rows = [line.split() for line in run("decorrelate.py", tmp_path).splitlines()[1:]]
    anp, danp = float(rows[-1][1]), float(rows[-1][2])
    assert danp > 0.85
    assert danp > anp + 0.03


def test_pymeasure_sweeps_the_bias(tmp_path: Path) -> None:
    run("bias_sweep.py", tmp_path)
    lines = [line for line in (tmp_path / "bias_sweep.csv").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert len(rows) == 7
    for row in rows:
        assert float(row["Duty cycle"]) == pytest.approx(float(row["Expected"]), abs=0.08)
    assert float(rows[0]["Duty cycle"]) < 0.1 < 0.9 < float(rows[-1]["Duty cycle"])
    assert min(rows, key=lambda row: float(row["Switching (1/s)"])) in rows[2:5]  # the barriers are highest at the balance
    assert max(rows, key=lambda row: float(row["Switching (1/s)"])) in rows[:1] + rows[-1:]
