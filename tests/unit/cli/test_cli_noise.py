"""``mtjlearn noise`` records a board or reads a file, and says what the source is worth."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from click.testing import CliRunner
from not_random_support import play, register, reluctant, square, volts_of
from serial.tools import list_ports

from mtjlearn import discovery
from mtjlearn.board import Board
from mtjlearn.cli.noise import cli
from mtjlearn.cli.view import noise as view
from mtjlearn.cli.view.console import Bar
from mtjlearn.cli.view.noise import sparkline
from mtjlearn.discovery import open_board
from mtjlearn.network import Network
from mtjlearn.noise import PRESETS, Recording, SimulatedAdc, characterise, load_recording
from mtjlearn.noise.health import HealthLimits
from mtjlearn.runs import list_runs, read_config
from mtjlearn.virtual.native import start_native

pytestmark = pytest.mark.thorough


@pytest.fixture
def run(tmp_path):
    """``run(*arguments)``: the command with its run directories in tmp_path/runs."""
    return lambda *arguments: CliRunner().invoke(cli, [*map(str, arguments), "--runs", str(tmp_path / "runs"), "--json"])


def one_line(found) -> str:
    assert found.exit_code == 2
    lines = found.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_a_virtual_junction_is_recognised(run, tmp_path):
    found = run("--board", "native", "--codes", 6000, "--seed", 4)
    assert found.exit_code == 0
    result = json.loads(found.stdout)
    junction = PRESETS["recording"]
    assert result["board"] == "native"
    assert (result["codes"], result["holes"], result["burst"]) == (6000, 0, 0)
    assert result["levels_mv"] == pytest.approx([1000 * junction.low, 1000 * junction.high], abs=0.3)
    assert result["switching_rate"] == pytest.approx(junction.rate, rel=0.15)
    assert result["switching_probability"] == pytest.approx(sum(junction.probabilities(9615)) / 2, rel=0.1)
    assert result["dwell_low_s"] == pytest.approx(1 / junction.rate, rel=0.2)
    assert (result["verdict"], result["hints"]) == ("good", [])
    for text in ("levels", "mV", "switching rate", "min-entropy", "verdict: good"):
        assert text in found.stderr

    [summary] = list_runs(tmp_path / "runs")
    assert (summary.command, summary.name, summary.seed, summary.state) == ("noise", "native", 4, "finished")
    assert str(summary.path) == result["run"]
    assert summary.result["switches"] == result["switches"]
    assert load_recording(summary.path / "noise.npz").values.size == 6000
    assert matplotlib.image.imread(summary.path / "noise.png").std() > 0.01


def test_bursts(run, tmp_path):
    found = run("--board", "native", "--codes", 1000, "--burst", 40, "--save", tmp_path / "a.npz", "--plot", tmp_path / "a.png")
    result = json.loads(found.stdout)
    assert (result["codes"], result["burst"]) == (1000, 40)
    recording = load_recording(tmp_path / "a.npz")
    assert all(len(segment) % 40 == 0 for segment in recording.segments)
    assert result["holes"] == len(recording.starts) - 1
    assert read_config(Path(result["run"]))["burst"] == 40
    assert (tmp_path / "a.png").exists()
    assert not (Path(result["run"]) / "noise.png").exists()


@pytest.mark.parametrize(("line_rate", "burst"), [(0, 0), (25_000, 0), (14_000, 0), (13_900, 200)])
def test_bursts_where_the_line_cannot_carry_all(run, monkeypatch, line_rate, burst):
    def on_a_slow_line(*arguments, **options):
        board = open_board(*arguments, **options)
        object.__setattr__(board._connection.welcome, "line_rate", line_rate)
        return board

    monkeypatch.setattr(discovery, "open_board", on_a_slow_line)
    assert json.loads(run("--board", "native", "--codes", 400).stdout)["burst"] == burst


def test_seconds_are_the_converters(run):
    result = json.loads(run("--board", "native", "--seconds", 0.1, "--device-noise", "bernoulli", "--preset", "bench").stdout)
    assert result["codes"] == round(0.1 * 9615)
    assert result["levels_mv"] == pytest.approx([96.1, 186.8], abs=1)


@pytest.mark.parametrize(
    ("fault", "verdict", "words"),
    [("short", "unusable", "at ground"), ("open", "unusable", "full scale"), ("stuck", "usable", "no two separate levels")],
)
def test_faults_of_the_wiring(run, fault, verdict, words):
    with start_native(device_noise=fault, tcp_port=0) as native:
        found = run("--board", native.url, "--codes", 2000)
    result = json.loads(found.stdout)
    assert found.exit_code == 0
    assert result["verdict"] == verdict
    assert any(words in hint for hint in result["hints"])
    assert words in found.stderr


def test_a_clipped_signal(run):
    with start_native(preset="bench", adc_reference=150, tcp_port=0) as native:
        hints = json.loads(run("--board", native.url, "--codes", 2000).stdout)["hints"]
    assert "clipped" in hints[0]


def test_a_file_of_volts(run, tmp_path):
    junction = PRESETS["recording"]
    adc = SimulatedAdc(junction, rate=40_000, bits=14, reference=1.0, seed=1)
    volts = (adc.read(8000)[0] + 0.5) / 2**14
    file = tmp_path / "volts.csv"
    file.write_text("volts\n" + "\n".join(map(str, volts)))
    result = json.loads(run("--file", file, "--rate", 40_000).stdout)
    assert (result["board"], result["file"], result["rate"]) == (None, "volts.csv", 40_000)
    assert result["levels_mv"] == pytest.approx([36.2, 48.0], abs=0.2)
    assert result["switching_rate"] == pytest.approx(junction.rate, rel=0.15)


def test_a_file_of_codes_without_a_rate(run, tmp_path):
    codes = SimulatedAdc(PRESETS["recording"], bits=12, reference=1.1).read(2000)[0]
    Recording(codes.astype(np.float64)).save(tmp_path / "codes.npz")
    result = json.loads(run("--file", tmp_path / "codes.npz").stdout)
    assert result["levels_mv"] is None
    assert result["switching_rate"] is None
    assert result["switches"] > 100


@pytest.mark.parametrize("content", ["3\n", "3\n" * 50, "1\n2\n"], ids=["one", "constant", "two"])
def test_tiny_files(run, tmp_path, content):
    (tmp_path / "tiny.txt").write_text(content)
    found = run("--file", tmp_path / "tiny.txt", "--rate", 1000)
    assert found.exit_code == 0
    assert json.loads(found.stdout)["verdict"] == ("unusable" if "1" not in content else "usable")


def test_ctrl_c_keeps_what_came(run, monkeypatch, tmp_path):
    calls = []

    def interrupt(self, done, total, note=""):
        calls.append(done)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "update", interrupt)
    found = run("--board", "native", "--seconds", 60)
    assert found.exit_code == 130
    result = json.loads(found.stdout)
    assert result["codes"] == calls[-1]
    assert "interrupted" in found.stderr
    assert list_runs(tmp_path / "runs")[0].state == "finished"


def test_a_board_that_vanishes_leaves_what_came(run, monkeypatch, tmp_path):
    native = start_native(tcp_port=0)
    monkeypatch.setattr(Bar, "update", lambda self, done, total, note="": native.kill() if native.process.poll() is None else None)
    found = run("--board", native.url, "--seconds", 60)
    assert found.exit_code == 2
    result = json.loads(found.stdout)
    assert result["codes"] >= 100
    assert load_recording(Path(result["recording"])).values.size == result["codes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--file", "no-such.npz"], "no-such.npz cannot be read"),
        (["--file", "no-such.wav"], "use .npz, .npy, .csv or .txt"),
        (["--board", "/dev/no-such-port"], "there is no port"),
        ([], "no board found"),
    ],
)
def test_what_cannot_be_recorded(run, monkeypatch, tmp_path, arguments, words):
    monkeypatch.setattr(list_ports, "comports", list)
    found = run(*arguments)
    assert words in one_line(found)
    assert words in json.loads(found.stdout)["error"]
    assert not (tmp_path / "runs").exists()


def test_a_file_without_numbers(run, tmp_path):
    (tmp_path / "text.csv").write_text("1\nx\n")
    assert "cannot be read as numbers" in one_line(run("--file", tmp_path / "text.csv"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--file", "a.npz", "--board", "native"], "--board is for recording"),
        (["--file", "a.npz", "--codes", "200"], "--codes is for recording"),
        (["--board", "native", "--rate", "5"], "--rate goes with --file"),
        (["--board", "native", "--seconds", "1", "--codes", "200"], "exclude each other"),
        (["--board", "COM3", "--preset", "bench"], "--preset sets up a virtual board"),
        (["--board", "native", "--save", "a.csv"], ".npz"),
        (["--board", "native", "--plot", "no-such-directory/a.png"], "no directory no-such-directory"),
    ],
)
def test_options_that_do_not_fit(run, arguments, words):
    found = run(*arguments)
    assert found.exit_code == 2
    assert words in found.stderr


def test_sparkline_shows_the_longest_stretch():
    values = np.array([5, 5, 0, 7, 0, 7, 3, 1], dtype=np.float64)
    assert sparkline(Recording(values, (0, 2)), 4) == "▁█▁█"
    assert sparkline(Recording(np.full(9, 4.0)), 3) == "▁▁▁"


def test_help():
    text = CliRunner().invoke(cli, ["--help"]).stdout
    assert all(option in text for option in ("--board", "--file", "--seconds", "--codes", "--burst", "--save", "--plot", "--runs"))


def test_the_boards_own_tests_are_shown_and_their_limits_set(run):
    with start_native(tcp_port=0) as native:
        before = json.loads(run("--board", native.url, "--codes", 4000).stdout)
        assert before["health"]["fault"] == "none"
        assert before["health"]["levels"] is None
        assert 0.2 < before["autocorrelation"]["1"] < 0.7
        found = run("--board", native.url, "--codes", 20000, "--set-limits")
        result = json.loads(found.stdout)
        with Board.open(native.url) as board:
            board.configure(Network((2, 4, 1)))
            limits = board.health().limits
    assert found.exit_code == 0
    assert "limits set: fewer than" in found.stderr
    assert result["health"]["limits"] == limits
    recording = load_recording(Path(result["recording"]))
    summary = characterise(recording)
    assert limits["repetitions"] == HealthLimits.of_source(summary.up, summary.down).repetitions


def test_limits_of_a_signal_that_is_no_noise_are_refused(run, monkeypatch):
    monkeypatch.setattr(view, "record", lambda *_: view.Source("x", Recording(np.tile([33.0, 33, 44, 44], 500))))
    with start_native(tcp_port=0) as native:
        found = run("--board", native.url, "--set-limits")
    assert "--set-limits: the signal is periodic, not noise" in one_line(found)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (square(5), "the signal is periodic, not noise"),
        (register(7, 6), "the signal is periodic, not noise"),
        (reluctant(3, 0.75), "the source repeats or alternates every 3 codes, so it is not random"),
    ],
    ids=["square", "PRBS-7", "reluctant"],
)
def test_limits_of_a_source_that_is_not_random_are_refused(run, tmp_path, source, why):
    played = play(tmp_path / "volts", volts_of(source, 10_000, seed=1))
    with start_native(tcp_port=0, virtual_clock=4, voltages=played) as native:
        found = run("--board", native.url, "--codes", 8_000, "--set-limits")
        with Board.open(native.url) as board:
            board.configure(Network((2, 4, 1)))
            limits = board.health().limits
    assert f"--set-limits: {why}" in one_line(found)
    assert limits == asdict(HealthLimits.of_junction(9615))
    assert not (tmp_path / "runs").exists()


def test_limits_are_for_boards_that_stay(run):
    assert "mtjlearn boards start native" in run("--board", "native", "--set-limits").stderr
    assert "--set-limits is for recording" in run("--file", "x.npz", "--set-limits").stderr


def test_a_fault_that_the_board_sees_makes_its_noise_unusable(run):
    with start_native(tcp_port=0, fault="stuck", fault_after=1.5) as native:
        with Board.open(native.url) as board:
            board.configure(Network((2, 4, 1)))
            board.train(np.zeros((4, 2), int), np.zeros((4, 1), int))
            time.sleep(2)
            assert board.health().fault
        result = json.loads(run("--board", native.url, "--codes", 2000).stdout)
    assert result["verdict"] == "unusable"
    assert "one state" in result["hints"][0]
