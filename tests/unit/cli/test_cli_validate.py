"""``mtjlearn validate``: the JSON that others read, exit code 1 for a bit that differs, one line for mistakes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from serial.tools import list_ports

import mtjlearn.validate as validation
from mtjlearn.cli import main
from mtjlearn.cli import validate as validate_command
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.validate import TASKS, cases
from mtjlearn.virtual.native import start_native
from mtjlearn.wire.messages import Features

pytestmark = pytest.mark.thorough


def validate(*arguments):
    return CliRunner().invoke(main, ["validate", *map(str, arguments), "--json"])


def test_the_short_form(monkeypatch):
    monkeypatch.setattr(validate_command, "SHORT_REPLICAS", 3)
    monkeypatch.setitem(TASKS, "xor", replace(TASKS["xor"], epochs=10))
    monkeypatch.setattr(validate_command, "SHORT_TASKS", ("xor",))
    found = validate("--board", "native", "--short", "--steps", 12)
    assert found.exit_code == 0
    result = json.loads(found.stdout)
    assert set(result) == {"board", "bit_exact", "float"}
    assert result["board"] == "native"
    assert result["bit_exact"] == {"steps": 64 * 12, "mismatches": 0, "cases": 64, "skipped": []}
    assert set(result["float"]) == {"xor"}
    assert set(result["float"]["xor"]) == {"anp", "danp", "anp-exact", "feedback"}
    for figures in result["float"]["xor"].values():
        assert set(figures) == {"ratio", "ci95", "replicas"}
        low, high = figures["ci95"]
        assert low <= figures["ratio"] <= high
        assert figures["replicas"] == 3
    assert "native: 768 steps in 64 cases against the integer model, 0 mismatches" in found.stderr
    assert "median ratio" in found.stderr


def test_by_default_there_are_more_than_ten_thousand_steps_and_all_tasks():
    assert 48 * validate_command.STEPS_PER_CASE >= 10_000
    assert set(validate_command.SHORT_TASKS) <= set(TASKS)


def test_a_board_of_any_url():
    with start_native(tcp_port=0, virtual_clock=3) as native:
        found = validate("--board", native.url, "--exact-only", "--steps", 3, "--seed", 5)
    assert found.exit_code == 0
    assert json.loads(found.stdout)["bit_exact"]["mismatches"] == 0
    assert json.loads(found.stdout)["float"] == {}


def test_a_bit_that_differs_ends_with_exit_code_1(monkeypatch):
    class Mutant(FixedNetwork):
        def __init__(self, network):
            super().__init__(network)
            weights = self.weights
            weights[0][0, 0, 0] ^= 1
            self.set_weights(weights)

    monkeypatch.setattr("mtjlearn.validate.bit_exact.FixedNetwork", Mutant)
    found = validate("--board", "native", "--exact-only", "--steps", 2)
    assert found.exit_code == 1
    result = json.loads(found.stdout)
    assert result["bit_exact"]["mismatches"] >= 48
    assert "before the first step: 1 weights of layer 1 differ" in found.stderr


def test_a_board_too_small_for_anything_proves_nothing(monkeypatch):
    large = [case for case in cases(0, ~Features(0)) if case.network.sizes == (64, 32, 10)]
    monkeypatch.setattr(validation, "cases", lambda *_: large)
    with start_native(arena=1024) as native:
        found = validate("--board", native.url, "--exact-only", "--steps", 2)
    assert found.exit_code == 1
    assert json.loads(found.stdout)["bit_exact"]["steps"] == 0
    assert "omitted: 64-32-10" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--full", "--short"], "--full and --short exclude each other"),
        (["--steps", "0"], "not in the range x>=1"),
        (["--board", "no-such-port"], "there is no board or port no-such-port"),
        ([], "no board found; connect one"),
    ],
)
def test_mistakes(monkeypatch, arguments, told):
    monkeypatch.setattr(list_ports, "comports", lambda: [])
    found = validate(*arguments)
    assert found.exit_code == 2
    [line] = found.stderr.splitlines()
    assert line.startswith("mtjlearn: ")
    assert told in line


def test_help_names_the_full_proof():
    text = " ".join(CliRunner().invoke(main, ["validate", "--help"]).stdout.split())
    assert "For the full proof use --full, or --steps 2000 --exact-only" in text
    assert validate_command.FULL_STEPS_PER_CASE == 2000
