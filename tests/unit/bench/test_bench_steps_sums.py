"""What the count of training steps makes of a simulator's profile or of a chip's answers, which are faked."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mtjlearn.bench.chip import cost, report, steps
from mtjlearn.bench.chip.profile import Interrupt, PhaseCosts, Profile
from mtjlearn.bench.phases import PHASES
from mtjlearn.bench.workload import workload
from mtjlearn.board import Board, BoardError, BoardRefused
from mtjlearn.discovery import open_board
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.wire.messages import Error

PROFILE = {"unit": "cycles", "interrupts": {}, "cycles": 10**6, "stack_bytes": 100, "untouched_bytes": 50, "rx_overruns": 3}


def opened(monkeypatch: pytest.MonkeyPatch, rows: int) -> list[int]:
    """Steps run on the device in this process, whose profile says this many; returns how many rows each profile has."""
    made: list[int] = []

    class Opened:
        def __init__(self, name: str, profile: Path) -> None:
            self._path, self._board = profile, open_board("inprocess")

        def __enter__(self) -> Board:
            return self._board.__enter__()

        def __exit__(self, *all_of: Any) -> None:
            self._board.__exit__(*all_of)
            counted = [[place, 5, 4, 3, 2, 1] for place in range(rows)]
            self._path.write_text(json.dumps({**PROFILE, "steps": counted}))
            made.append(rows)

    monkeypatch.setattr(steps, "open_board", Opened)
    return made


def test_each_networks_costs_are_of_its_own_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    opened(monkeypatch, 200)
    told: list[tuple[int, int, str]] = []
    injected: list[np.ndarray] = []
    original = Board.inject
    monkeypatch.setattr(Board, "inject", lambda self, codes: injected.append(codes) or original(self, codes))
    loads = [workload((2, 3, 1)), workload((100, 60, 30)), workload((2, 4, 1))]
    found = steps.count_steps("uno-sim", loads, 100, lambda *now: told.append(now))
    assert told == [(0, 3, "2-3-1"), (1, 3, "100-60-30"), (2, 3, "2-4-1")]
    assert found.left_out == {"100-60-30": "a sample of 130 values does not fit the board's messages of 240 bytes"}
    assert {name: (costs.steps, costs.median["step"], costs.maximum["step"]) for name, costs in found.costs.items()} == {
        "2-3-1": (100, 49.5, 99.0),
        "2-4-1": (100, 149.5, 199.0),
    }
    # 200 codes, then 116 more after each 40 steps, none twice; the last ones there are none of.
    assert [len(codes) for codes in injected] == [200, 116, 116, 0] * 2
    np.testing.assert_array_equal(np.concatenate(injected[:4]), loads[0].codes(200 + 2 * 116))


def test_a_network_that_a_board_refuses_is_left_out_and_other_refusals_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (Error.TOO_LARGE, Error.OUT_OF_RANGE):

        def refuse(*_: Any, code: Error = code, **__: Any) -> None:
            raise BoardRefused("CONFIGURE", code, 0, "it has no room")

        board: Any = SimpleNamespace(info=SimpleNamespace(max_payload=6), configure=refuse)
        if code is Error.TOO_LARGE:
            assert steps._train(board, workload((2, 3, 1)), 40) == "it has no room"
        else:
            with pytest.raises(BoardRefused):
                steps._train(board, workload((2, 3, 1)), 40)


def test_steps_that_a_board_does_not_count_are_an_error() -> None:
    nothing = lambda *_, **__: None  # noqa: E731
    board: Any = SimpleNamespace(
        info=SimpleNamespace(max_payload=240),
        configure=nothing,
        inject=nothing,
        train=nothing,
        status=lambda: SimpleNamespace(steps=39),
    )
    with pytest.raises(BoardError, match="2-3-1: the board counts 39 steps of 40"):
        steps._train(board, workload((2, 3, 1)), 40)


def test_a_report_has_each_network_with_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = [workload((2, 3, 1)), workload((4, 8, 3), decorrelated=True), workload((64, 32, 10))]
    costs = PhaseCosts(9, dict(zip(PHASES, (3000.0, 1.0, 2.0, 3.0, 4.0), strict=True)), dict.fromkeys(PHASES, 5000.0))
    whole = Profile("cycles", np.zeros((0, 6), np.int64), {"adc": Interrupt(4, 180)}, 100, 50, 3, 10**6)
    counted = steps.ChipSteps(whole, {load.name: costs for load in loads[:2]}, {"64-32-10": "too large"})
    monkeypatch.setattr(report, "count_steps", lambda board, chosen, steps, progress: counted)
    monkeypatch.setattr(report, "build_firmware", lambda image: Path(image))
    monkeypatch.setattr(report, "compiler_version", lambda image: f"gcc of {image}")
    monkeypatch.setattr(report.ImageSize, "read", lambda path: ImageSize(30_000, 1500))
    found = report.chip_report("uno-sim", loads, 50)
    assert (found["board"], found["unit"], found["compiler"], found["steps"]) == ("uno-sim", "cycles", "gcc of uno", 50)
    assert (found["flash_bytes"], found["ram_bytes"], found["stack_bytes"], found["untouched_bytes"]) == (30_000, 1500, 100, 50)
    assert (found["rx_overruns"], found["interrupts"]) == (3, {"adc": {"calls": 4, "mean": 45.0}})
    assert found["left_out"] == {"64-32-10": "too large"}
    assert list(found["nets"]) == ["2-3-1", "64-32-10"]
    assert found["nets"]["64-32-10"] is None
    small = found["nets"]["2-3-1"]
    assert small["limit"] == report.step_limit(loads[0].network, report.COSTS["uno"]).step
    assert (small["ratio"], small["max"], small["step"]) == (3000 / small["limit"], 5000, 3000)
    assert small["phase_max"] == dict.fromkeys(PHASES[1:], 5000)
    decorrelated = found["variants"]["4-8-3 danp"]
    assert (decorrelated["limit"], decorrelated["ratio"]) == (None, None)


def test_rules_are_built_with_the_learner_where_they_need_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands: list[list[str]] = []

    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append([str(word) for word in command])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(cost.subprocess, "run", run)
    needed = {}
    for cross_entropy in (False, True):
        for program in cost.PROGRAMS:
            program.build(Path("cc"), cost.Shape((4, 8, 3), cross_entropy), ["-O3"], tmp_path)
            words = commands[-1]
            assert {"-DINPUT_UNITS=4", "-DHIDDEN_UNITS=8", "-DOUTPUT_UNITS=3", "-O3"} <= set(words)
            assert ("-DCROSS_ENTROPY" in words) is cross_entropy
            assert ("-DFLOATS" in words) is program.floats
            needed[program.name, cross_entropy] = any(word.endswith("anp_train.c") for word in words)
    ours, integers = {"ANP", "anp-exact", "feedback"}, {"backprop, int16", "backprop, int16, assembly"}
    assert {name for (name, cross), is_needed in needed.items() if is_needed and not cross} == ours
    assert {name for (name, cross), is_needed in needed.items() if is_needed and cross} == ours | integers


def test_values_are_floats_or_integers_and_classes_are_not_scaled() -> None:
    programs = {program.name: program for program in cost.PROGRAMS}
    fixed = np.array([4096, -2048, 3], np.int16)
    assert programs["ANP"].values(fixed).tolist() == [4096, -2048, 3]
    assert programs["backprop, float"].values(fixed).tolist() == [1.0, -0.5, 3 / 4096]
    assert programs["backprop, float"].values(fixed, classes=True).tolist() == [4096.0, -2048.0, 3.0]
    assert programs["backprop, float"].values(fixed).dtype == np.float32


def test_rates_are_q4_28_and_sums_are_fnv() -> None:
    begin = cost.Begin(cost.Shape((2, 3, 1), False), np.zeros(13, np.int16), 0.25)
    assert begin.rate_q == 1 << 26
    assert cost.sum_of_weights(np.zeros(0, np.int16)) == 0x811C9DC5
    assert cost.sum_of_weights(np.frombuffer(b"foobar", np.int16)) == 0xBF9CF968


def test_counted_steps_are_without_the_cost_of_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[bytes]] = []
    files: dict[str, str] = {}

    def on_uno(program: Any, begin: Any, folder: Path, rows: list[bytes]) -> list[tuple[int, int]]:
        asked.append(rows)
        files.update({path.name: path.read_text() for path in folder.iterdir()})
        return [(0, 900), (0, 10), *((0, 100 + place) for place in range(len(rows) - 3)), (77, 5000)]

    monkeypatch.setattr(cost, "_on_uno", on_uno)
    begin = cost.Begin(cost.Shape((2, 3, 1), False), np.array([1, -2], np.int16), 0.25, seed=9)
    x, targets = np.array([[1, 2], [3, 4]], np.int16), np.array([[5], [6]], np.int16)
    costs, total = cost.count(cost.PROGRAMS[0], "uno-sim", begin, x, targets)
    assert (costs.tolist(), total) == ([90, 91], 77)
    [rows] = asked
    assert {len(row) for row in rows} == {4 + 8}
    assert [row[0] for row in rows] == [1, 0, 2, 2, 3]
    assert rows[2][4:] == struct.pack("<3h", 1, 2, 5) + b"\0\0"
    assert (
        files["start.h"]
        == f'#define RATE {1 << 26}u\n#define SEED 9u\n#include "rule.h"\nstatic const value start[] = {{1, -2}};\n'
    )
    assert "inference.c" in files["program.c"]
