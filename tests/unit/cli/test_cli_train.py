"""``mtjlearn train`` as a user runs it: own files, options, mistakes, foreign firmware."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console
from serial.tools import list_ports
from training_support import diabetes, mistake, result_of, train, two_moons, write_csv

from mtjlearn.board import Board
from mtjlearn.cli import main
from mtjlearn.cli.view.training import Terminal
from mtjlearn.models import read_model
from mtjlearn.models.summary import score
from mtjlearn.runs import read_checkpoint, read_config, read_meta
from mtjlearn.training.models import data_of_run
from mtjlearn.virtual.native import start_native
from mtjlearn.wire.frame import Frame, FrameDecoder, encode_frame
from mtjlearn.wire.messages import MAX_PAYLOAD, SCHEMA, SESSION_NONE, VERSION, Hello, ResetCause, Restored, Welcome

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.thorough]

PATIENCE = 30.0


# --- the user's own data ---


@pytest.mark.slow
def test_two_moons(here):
    result = result_of(train(two_moons(here / "moons.csv"), "--target", "side", "--board", "native", "--seed", 1))
    assert result["test_accuracy"] >= 0.9
    assert result["reference_test_accuracy"] >= 0.9
    assert result["steps"] == 94 * 320
    assert result["test_r2"] is None
    assert {"test_accuracy", "reference_test_accuracy", "steps", "skipped", "samples_per_s", "run"} <= set(result)
    assert Path(result["run"]).name.endswith("-train-moons-s1")
    assert json.loads(json.dumps(read_meta(Path(result["run"]))["result"])) == result


def test_diabetes(here):
    found = train(diabetes(here / "diabetes.csv"), "--target", "progression", "--board", "native", "--seed", 1, "--epochs", 40)
    result = result_of(found)
    # A linear regression on the same split reaches 0.44.
    assert result["test_r2"] >= 0.3
    assert result["reference_test_r2"] >= 0.3
    assert result["test_accuracy"] is None
    assert f"test R2: board {result['test_r2']:.4f}, float reference {result['reference_test_r2']:.4f}" in found.stderr


def test_options_reach_the_run(here):
    found = train(
        *("xor", "--board", "native", "--seed", 4, "--rule", "danp", "--net", "2-5-2", "--epochs", 2, "--eta", 0.03),
        *("--sigma", 0.1, "--weights", "int32", "--antithetic", "--constant-rate", "--no-reference", "--preset", "bench"),
        *("--device-noise", "gaussian", "--loss", "cross-entropy", "--runs", here / "mine"),
    )
    result = result_of(found)
    assert "xor: 2-5-2, cross-entropy loss, danp, int32 weights, eta 0.03, schedule constant, 2 epochs" in found.stderr
    config = read_config(Path(result["run"]))
    network = config["network"]
    assert (network["sizes"], network["weight_format"], network["antithetic"]) == ([2, 5, 2], "int32", True)
    assert (network["learning_rate"], network["sigma"], network["decorrelate"]) == (0.03, 0.1, [True, True])
    assert (config["schedule"], config["reference"]) == ("constant", False)
    assert config["virtual"] == {"preset": "bench", "device_noise": "gaussian"}
    assert Path(result["run"]).parent == here / "mine"
    assert read_checkpoint(Path(result["run"])).weights.dtype == np.int32


@pytest.mark.parametrize(("rule", "slope"), [("anp-exact", None), ("feedback", "1/16")])
def test_a_rule_that_learns_from_the_error_at_the_outputs(here, rule, slope):
    """The run says which rule and slope, and its model predicts with that slope."""
    given = [] if slope is None else ["--slope", slope]
    result = result_of(train("iris", "--board", "none", "--rule", rule, "--epochs", 20, *given))
    assert result["reference_test_accuracy"] >= 0.9
    path = Path(result["run"])
    config = read_config(path)
    assert (config["rule"], config["network"]["rule"], config["network"]["slope"]) == (rule, rule, 3 if slope is None else 4)
    model = read_model(path)
    assert (model.network.rule, model.network.shift, model.origin["rule"]) == (rule, 3 if slope is None else 4, rule)
    dataset = data_of_run(path)
    assert dataset is not None
    assert score(model, dataset).accuracy == pytest.approx(result["reference_test_accuracy"], abs=0.07)
    longer = result_of(train("--continue", path, "--epochs", 1))
    assert longer["reference_test_accuracy"] >= 0.9


@pytest.mark.parametrize("rule", ["anp-exact", "feedback"])
def test_a_board_learns_by_the_rules_from_the_error_at_the_outputs(here, rule):
    result = result_of(train("iris", "--board", "native", "--rule", rule, "--epochs", 10))
    assert min(result["test_accuracy"], result["reference_test_accuracy"]) > 0.85
    assert (read_model(Path(result["run"])).network.rule, result["skipped"] == 0) == (rule, rule == "feedback")


def test_a_rule_that_boards_do_not_know_needs_no_board():
    result = result_of(train("iris", "--rule", "bp", "--epochs", 30))
    assert result["test_accuracy"] is None
    assert result["reference_test_accuracy"] >= 0.9


def test_nothing_but_the_result_is_on_standard_output():
    found = CliRunner().invoke(main, ["train", "xor", "--board", "native", "--epochs", "1", "--no-reference"])
    assert found.exit_code == 0
    accuracy, steps, run = found.stdout.splitlines()
    assert accuracy.startswith("test accuracy: board")
    assert "100 steps" in steps
    assert run.startswith("everything is in runs")
    assert "noise plotted" in found.stderr


def test_a_terminal_sees_the_progress(monkeypatch):
    terminal = Console(force_terminal=True, width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    monkeypatch.setattr("mtjlearn.cli.view.console.console", lambda: terminal)
    shown = []
    with Terminal() as watcher:
        watcher.progress("board", 1, 4, None, None)
        watcher.progress("board", 2, 4, 0.5, 1234.5)
        shown.append(watcher._bar._progress.tasks[0])
        watcher.progress("reference", 1, 4, 0.25, None)
        shown.append(watcher._bar._progress.tasks[0])
    assert [(task.description.strip(), task.completed, task.total) for task in shown] == [("board", 2, 4), ("reference", 1, 4)]
    assert shown[0].fields["note"] == "loss 0.5000  1,234 steps/s"


# --- mistakes ---


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("nan", "is not a number (NaN)"),
        ("-inf", "is infinite"),
        ("x[bold]", "is not a number: 'x[bold]'"),
        ("", "is empty"),
        ("1e200", "is too large"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(here, cell, named):
    rows = [(i, cell if i == 7 else i * i, i % 2) for i in range(30)]
    path = write_csv(here / "bad.csv", ("a", "b", "t"), rows)
    line = mistake(path, "--target", "t", "--board", "native")
    assert f"bad.csv: row 9, column 'b' {named}" in line
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["iriss"], "did you mean iris?"),
        (["moons.csv", "--board", "native"], "name the column to predict with --target; its columns are x, y, side"),
        (["moons.csv", "--target", "sides"], "no column 'sides'; did you mean 'side'?"),
        (["moons.csv", "--target", "side", "--net", "2-4-3"], "2 inputs and 2 classes, which 2-4-3 does not fit; use --net 2-4-2"),
        (["moons.csv", "--target", "side", "--task", "regression"], "column 'side' is not a number"),
        (["iris", "--target", "class"], "built in and knows its target; omit --target"),
        (["iris", "--net", "4-8-2"], "use --net 4-8-3"),
        (["iris", "--net", "4-98-3"], "101 units; a device's step draws its noise from 200 codes, which serve 100 units"),
        (["iris", "--net", "4-2000-3"], "2000 inputs or units in a layer, and a device has at most 1024"),
        (["iris", "--net", "4-2-2-2-2-2-2-2-2-3"], "9 layers, and a device learns at most 8"),
        (["iris", "--net", "4-x-3"], "write inputs and units joined by dashes, e.g. 4-8-3"),
        (["iris", "--net", "4-8-3-"], "e.g. 4-8-3"),
        (["teacher", "--loss", "cross-entropy"], "cross-entropy needs classes"),
        (["iris", "--eta", "nan"], "--eta must be a number"),
        (["iris", "--eta", "16"], "not in the range 0<=x<16; see"),
        (["iris", "--sigma", "inf"], "not in the range"),
        (["iris", "--epochs", "0"], "not in the range x>=1"),
        (["iris", "--weights", "int8"], "'int8' is not one of 'int16', 'int32'"),
        (["iris", "--bord", "native"], "Did you mean '--board'?"),
        (["iris", "--rule", "bp", "--board", "native"], "boards learn with anp, danp, anp-exact and feedback; omit --board"),
        (["iris", "--rule", "np", "--no-reference"], "omit --no-reference"),
        (["iris", "--preset", "bench"], "--preset sets up a virtual board; omit it"),
        (["iris", "--device-noise", "gaussian", "--board", "/dev/ttyACM0"], "--device-noise sets up a virtual board"),
        (["iris", "--board", "none", "--weights", "int32"], "--weights would be ignored: it is how boards store weights"),
        (["iris", "--board", "none", "--link-log", "100000"], "--link-log would be ignored: it is the log of a board's link"),
        (["iris", "--rule", "bp", "--sigma", "0.1"], "--sigma would be ignored"),
        (["iris", "--rule", "np", "--antithetic"], "it is about the noise of anp and danp, and the rule is np; omit it"),
        (["iris", "--slope", "1/3"], "'1/3' is not a power of two from 1/2 to 1/4096, such as 1/8"),
        (["iris", "--slope", "1/0"], "'1/0' is not a power of two"),
        (["iris", "--slope", "nan"], "'nan' is not a power of two"),
        (["iris", "--net", "4-3", "--slope", "1/8"], "--slope would be ignored: it is of hidden units, and 4-3 has none"),
        (
            ["iris", "--rule", "feedback", "--antithetic"],
            "of anp and danp, and the rule is feedback; omit it",
        ),
        (["iris", "--rule", "anp-exact", "--epsilon", "0.001"], "anp-exact has none; omit it, or use --rule danp"),
        (["iris", "--rule", "feedback", "--as", "code", "--board", "none"], "the authors' code has no rule feedback"),
        (["iris", "--slope", "1/8", "--as", "code", "--board", "none"], "the authors' code has a slope of its own, 0.01"),
        (["--resume", "nowhere", "--rule", "feedback"], "--resume uses the settings of its run; omit --rule"),
        (
            ["--continue", "nowhere", "--slope", "1/8"],
            "the network and the rule of its run; omit --slope",
        ),
        ([], "name a dataset or a file"),
        (["iris", "--board", "native", "--runs", "moons.csv/runs"], "no run directory can be made in moons.csv/runs"),
        (["--resume", "nowhere"], "nowhere is not a run: config.toml is missing"),
        (["iris", "--resume", "nowhere"], "omit DATA"),
        (["--resume", "nowhere", "--epochs", "3"], "omit --epochs"),
        (["--resume", "nowhere", "--seed", "0"], "omit --seed"),
    ],
)
def test_what_cannot_be_trained_is_told_before_anything_starts(here, arguments, told):
    two_moons(here / "moons.csv")
    assert told in mistake(*arguments)
    assert not Path("runs").exists()


def test_a_board_that_is_not_there(monkeypatch):
    monkeypatch.setattr(list_ports, "comports", lambda: [])
    assert "no board found; connect one, or use a virtual one, such as --board native" in mistake("iris")
    assert "there is no board or port" in mistake("iris", "--board", "no-such-port")
    assert "there is no port" in mistake("iris", "--board", "/dev/no-such-port")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
    assert f"nobody listens at {url}; start the board first" in mistake("iris", "--board", url)
    assert not list(Path("runs").iterdir())  # a failed start leaves no run directory


def test_a_port_that_is_busy():
    with start_native() as native, Board.open(native.url):
        assert f"another program uses {native.url}; close it" in mistake("iris", "--board", native.url)
        assert native.process.poll() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_port_that_is_forbidden():
    with start_native() as native:
        os.chmod(native.url, 0)
        line = mistake("iris", "--board", native.url)
    assert f"you may not open {native.url}: it belongs to group" in line
    assert "usermod" in line


def test_a_port_that_the_system_forbids(monkeypatch):
    """Also for root: what pyserial says then."""
    with start_native() as native:

        def refuse(url, **_):
            raise PermissionError(13, "Permission denied", url)

        monkeypatch.setattr("serial.serial_for_url", refuse)
        assert f"you may not open {native.url}" in mistake("iris", "--board", native.url)


def test_a_network_that_does_not_fit_the_memory():
    with start_native(arena=1024) as small:
        found = train("xor", "--board", small.url, "--net", "2-40-40-2", "--weights", "int32")
        assert found.exit_code == 2
        assert "2-40-40-2 needs " in found.stderr
        missing = int(found.stderr.split(" needs ")[1].split()[0])
    with start_native(arena=1024 + missing) as enough:
        result_of(train("xor", "--board", enough.url, "--net", "2-40-40-2", "--weights", "int32", "--epochs", 1, "--no-reference"))
    with start_native(arena=1024 + missing - 1) as tight:
        assert "needs 1 bytes more" in mistake("xor", "--board", tight.url, "--net", "2-40-40-2", "--weights", "int32")


class ForeignBoard:
    """A device on a TCP port that answers HELLO with a WELCOME of its own."""

    def __init__(self, version: int, schema: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._version, self._schema = version, schema
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            line, _ = self._server.accept()
            with line:
                decoder = FrameDecoder()
                while data := line.recv(4096):
                    for frame in decoder.feed(data):
                        if isinstance(frame, Frame) and frame.type == Hello.TYPE:
                            line.sendall(encode_frame(Welcome.TYPE, SESSION_NONE, 0, self._welcome(frame.payload)))

    def _welcome(self, hello: bytes) -> bytes:
        welcome = Welcome(
            nonce=Hello.unpack(hello).nonce,
            version=self._version,
            session=SESSION_NONE,
            schema=self._schema,
            build=1,
            board="foreign",
            boot_count=1,
            reset_cause=ResetCause.POWER_ON,
            receive_window=256,
            max_payload=MAX_PAYLOAD,
            features=0,
            adc_bits=10,
            adc_rate=9615,
            adc_reference=1100,
            line_rate=0,
            arena=1024,
            activation_bits=12,
            weight32_bits=28,
            loss_bits=24,
            memory=0,
            restored=Restored.NOTHING,
            last_error=0,
        )
        return welcome.pack()

    def __enter__(self) -> ForeignBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("version", "schema", "told"),
    [
        (VERSION + 1, SCHEMA, f"version {VERSION + 1}, this host version {VERSION}; update the host"),
        (VERSION - 1, SCHEMA, f"version {VERSION - 1}, this host version {VERSION}; update the board"),
        (VERSION, SCHEMA ^ 1, f"(board {SCHEMA ^ 1:08x}, host {SCHEMA:08x}); flash the firmware"),
    ],
)
def test_firmware_of_another_protocol_version(version, schema, told):
    begun = time.monotonic()
    with ForeignBoard(version, schema) as board:
        assert told in mistake("iris", "--board", board.url)
    assert time.monotonic() - begun < 10
