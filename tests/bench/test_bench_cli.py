"""``mtjlearn bench`` by this computer's clock, and its command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from serial.tools import list_ports

from mtjlearn.bench.desktop.timing import Spread, time_model, time_phases, time_step
from mtjlearn.bench.phases import PHASES
from mtjlearn.bench.workload import STEP_SIZES, Workload
from mtjlearn.cli.bench import cli
from mtjlearn.firmware.compiled import NotBuiltError
from mtjlearn.network import Loss, Network
from mtjlearn.virtual.native import start_native


def run(*arguments):
    return CliRunner().invoke(cli, [*arguments, "--repeats", "1", "--json"])


@pytest.fixture(scope="module")
def native():
    found = run("--board", "native")
    assert found.exit_code == 0, found.stderr
    return json.loads(found.stdout), found.stderr


def test_all_networks_are_measured(native):
    result, text = native
    names = ["-".join(map(str, sizes)) for sizes in STEP_SIZES]
    assert (result["board"], result["unit"]) == ("native", "ns")
    assert list(result["nets"]) == list(result["steps_per_s"]) == names
    for name in names:
        step = result["nets"][name]
        assert 0 < step["min"] <= step["step"] <= step["max"]
        assert step["limit"] is None
        assert all(step[phase] is None or step[phase] > 0 for phase in PHASES)
        assert result["steps_per_s"][name] == pytest.approx(1e9 / step["step"])
        assert name in text
    assert result["nets"]["64-32-10"]["step"] > 3 * result["nets"]["2-2-2-1"]["step"]


def test_stream_and_model(native):
    result, text = native
    assert result["stream"]["net"] == "4-8-3"
    assert 0 < result["stream"]["round_trip_ns"] < 1e9
    assert (result["model"]["net"], result["model"]["replicas"]) == ("2-2-2-1", 100)
    assert result["model"]["steps_per_s"] > 0
    assert "samples/s" in text
    assert "round trip" in text


def test_another_board_is_measured_over_its_line_alone():
    with start_native(tcp_port=0) as board:
        result = json.loads(run("--board", board.url).stdout)
    assert result["board"] == "native"
    assert result["stream"]["samples_per_s"] > 0
    assert (result["nets"], result["steps_per_s"], result["model"]) == (None, None, None)


def test_native_learns_alone(native):
    result, text = native
    assert [one["task"] for one in result["alone"].values()] == ["teacher", "xor", "dataset"]
    for one in result["alone"].values():
        # A fresh code of 9,615 per second for each step; nothing to wait for on the virtual clock, nor when samples are streamed.
        assert 0 < one["real_time"]["steps_per_s"] < 1.2 * 9615
        assert one["virtual_clock"]["min"] > 0
        assert one["real_time"]["streamed_per_s"] > 0
    assert "autonomous and streamed" in text


def test_no_board(monkeypatch):
    monkeypatch.setattr(list_ports, "comports", list)
    found = run()
    assert found.exit_code == 2
    assert "no board found" in json.loads(found.stdout)["error"]
    assert len(found.stderr.strip().splitlines()) == 1


def test_spread():
    assert Spread.of([3.0, 1.0, 2.0, 9.0]) == Spread(2.5, 1.0, 9.0)


@pytest.mark.parametrize("loss", Loss)
def test_parts_take_both_losses(loss):
    load = Workload(Network((4, 3, 2), loss=loss, learning_rate=0.01))
    assert 0 < time_step(load, repeats=2, seconds=0.001).median < 1e6
    assert time_model(load, 3, repeats=2, steps=5).median > 0


def test_parts_of_a_step_add_up(tool_missing):
    try:
        found = time_phases(Workload(Network((16, 16, 10))), repeats=11)
    except NotBuiltError:
        tool_missing("the linker of this computer replaces no functions (GNU ld and lld do), so the parts are not timed")
    assert set(found) == set(PHASES)
    assert found["step"] == pytest.approx(sum(found[phase] for phase in PHASES[1:]))
    # 442 weights and biases on one side, one division on the other, however slow the computer is.
    assert found["update"] > found["normalise"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--board", "native", "--only", "steps"], "--only goes with --board uno-sim, m4-sim or m0-sim"),
        (["--board", "m4-sim", "--only", "stream"], "--only stream goes with --board uno-sim"),
    ],
)
def test_parts_that_a_board_does_not_have(arguments, said):
    found = run(*arguments)
    assert found.exit_code == 2
    assert said in json.loads(found.stdout)["error"]


def test_help():
    assert "Measure training steps and samples per second" in CliRunner().invoke(cli, ["--help"]).stdout
