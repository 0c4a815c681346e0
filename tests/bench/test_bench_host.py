"""``mtjlearn bench --host``: commands are measured as processes, and what fails says so in a line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from mtjlearn.bench.desktop import host
from mtjlearn.bench.phases import BenchError
from mtjlearn.cli.bench import cli
from mtjlearn.cli.view.bench_host import tell_host

COST = {"cpu_s": 1.5, "wall_s": 2.5, "memory_mib": 90.0}
FOUND = {"rows": 10, "train": COST, "validate": COST, "reference": {"2-1": {"compiled": None, "numpy": 5.0}}}


def test_the_file_is_trained_and_the_rates_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []

    def cost(arguments: list[str]) -> dict[str, float]:
        asked.append(arguments)
        if arguments[0] == "train":
            with open(arguments[1], encoding="utf-8") as file:
                lines = file.read().splitlines()
            assert lines[0] == "x1,x2,x3,x4,y"
            assert len(lines) == 124
            assert {len([float(cell) for cell in line.split(",")]) for line in lines[1:]} == {5}
        return COST

    monkeypatch.setattr(host, "_cost", cost)
    told: list[Any] = []
    found = host.measure_host(123, lambda *args: told.append(args), lambda compiled: 100)
    assert [arguments[0] for arguments in asked] == ["train", "validate"]
    assert [done for done, *_ in told] == [0, 1, 2]
    assert all(rate > 0 for rates in found["reference"].values() for rate in rates.values())
    tell_host(found)
    assert "train, 123 rows, one epoch: 1.5 CPU s (2.5 s), 90 MiB" in capsys.readouterr().out


def test_a_process_is_measured_and_a_refusal_is_passed_on() -> None:
    cost = host._cost(["--version"])
    assert 0 < cost["cpu_s"] < 60
    assert cost["wall_s"] > 0
    assert cost["memory_mib"] > 5  # it begins as a copy of this process
    with pytest.raises(BenchError, match=r"mtjlearn --nothing failed: .*No such option"):
        host._cost(["--nothing"])


def test_it_is_a_choice_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "measure_host", lambda rows, progress: {**FOUND, "rows": rows})
    done = CliRunner().invoke(cli, ["--host", "--rows", "20", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["rows"] == 20
    for more in (["--board", "native"], ["--reference"]):
        assert CliRunner().invoke(cli, ["--host", *more]).exit_code == 2
    assert CliRunner().invoke(cli, ["--rows", "20"]).exit_code == 2
