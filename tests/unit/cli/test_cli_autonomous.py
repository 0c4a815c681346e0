"""``mtjlearn autonomous``, ``checkpoint`` and ``boards start`` with the native board: the host comes and goes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from places import CASES

from mtjlearn.board import Board, CheckpointFile
from mtjlearn.cli import main
from mtjlearn.cli.view import watch
from mtjlearn.cli.view.console import bar
from mtjlearn.network import Network
from mtjlearn.runs import list_runs, read_meta, read_metrics
from mtjlearn.virtual.native import start_native

pytestmark = pytest.mark.thorough

PATIENCE = 60.0


def run(*arguments, code=0):
    """The result of a command, and what it said."""
    found = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert found.exit_code == code, found.stderr or found.exception
    return json.loads(found.stdout.splitlines()[-1]), found.stderr


def mistake(*arguments):
    """The one line of a command that fails."""
    found = CliRunner().invoke(main, [*map(str, arguments)])
    assert found.exit_code == 2, found.output
    (line,) = found.stderr.strip().splitlines()
    return line


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def url():
    with start_native(tcp_port=0) as board:
        yield board.url


def finished(url):
    """Where the board stands once it has stopped."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        status, _ = run("autonomous", "status", "--board", url)
        if status["progress"]["activity"] in ("finished", "halted"):
            return status
        time.sleep(0.1)
    raise AssertionError("the board does not stop")


def test_iris_is_learned_while_the_host_is_away(url):
    started, text = run("autonomous", "start", "iris", "--board", url, "--epochs", 60)
    assert started["net"] == "4-8-3"
    assert started["dataset"] == {"samples": 120, "value_bytes": 2, "bytes": 990, "room": started["dataset"]["room"]}
    assert "the host may disconnect" in text
    assert "stops after 60 epochs" in text
    status = finished(url)
    progress = status["progress"]
    assert (progress["steps"], progress["epoch"], progress["stop_reason"]) == (60 * 120, 60, "epochs")
    assert progress["correct"] >= 0.93 * 120
    assert status["net"] == "4-8-3"
    assert status["trained"]["steps"] == 60 * 120
    losses = status["curve"]["losses"]
    assert losses[-1] < losses[0] / 2
    assert status["checkpoint"]["generation"] >= 2
    with Board.open(url) as board:
        assert board.adopt().sizes == (4, 8, 3)
        assert [layer.shape for layer in board.weights()] == [(8, 5), (3, 9)]


def test_columns_of_a_file_are_chosen_and_its_notes_said(url):
    case = CASES / "pandas_index.csv"
    started, text = run("autonomous", "start", case, "--target", "label", "--board", url, "--epochs", 1)
    assert started["net"] == "2-8-3"
    assert "column 1 (without a heading) is an index and is ignored" in text
    finished(url)
    started, _ = run("autonomous", "start", case, "--target", "label", "--drop", "f1", "--board", url, "--epochs", 1)
    assert started["net"] == "1-8-3"
    assert mistake("autonomous", "start", "--task", "xor", "--drop", "f1", "--board", url).endswith(
        "--drop does not go with xor; omit it"
    )


def test_for_ever_until_it_is_stopped(url):
    run("autonomous", "start", "--task", "xor", "--board", url)
    status, text = run("autonomous", "status", "--board", url)
    assert status["progress"]["activity"] in ("learning", "evaluating")
    assert "never stops" in text
    assert "halt it first" in mistake("autonomous", "start", "iris", "--board", url)
    stopped, _ = run("autonomous", "stop", "--board", url)
    assert (stopped["progress"]["activity"], stopped["progress"]["stop_reason"]) == ("halted", "host")
    again, text = run("autonomous", "stop", "--board", url)
    assert again["progress"]["steps"] == stopped["progress"]["steps"]
    assert "has already stopped" in text


@pytest.mark.parametrize("net", ["2-2-2-1", "6-5-2"])
def test_a_teacher_on_the_board(url, net):
    options = ("--net", net, "--steps", 5000, "--epoch-steps", 500, "--halve-every", 2000, "--seed", 3)
    started, _ = run("autonomous", "start", "--task", "teacher", "--board", url, *options)
    status = finished(url)
    assert status["progress"]["steps"] == 5000
    assert status["progress"]["stop_reason"] == "steps"
    assert status["progress"]["learning_rate"] == pytest.approx(started["progress"]["learning_rate"] / 4, rel=1e-4)


@pytest.mark.parametrize("learned", [["iris"], ["--task", "xor"]], ids=["data", "task"])
def test_the_slope_of_hidden_units_is_chosen(url, learned):
    run("autonomous", "start", *learned, "--slope", "1/16", "--epochs", 2, "--board", url)
    finished(url)
    run("checkpoint", "save", "kept", "--board", url)
    assert CheckpointFile.read("kept").content.network.shift == 4
    assert "4-3 has none" in mistake("autonomous", "start", "iris", "--net", "4-3", "--slope", "1/8", "--board", url)


def test_live_reads_pins(url):
    options = ("--net", "2-3-1", "--live-period", 1, "--steps", 40, "--epoch-steps", 10)
    run("autonomous", "start", "--task", "live", "--board", url, *options)
    assert finished(url)["progress"]["epoch"] == 4


def test_weights_are_read_at_one_step_while_it_learns(url):
    run("autonomous", "start", "--task", "teacher", "--net", "20-40-20", "--board", url)
    with Board.open(url) as board:
        board.adopt()
        for _ in range(3):
            assert [layer.shape for layer in board.weights()] == [(40, 21), (20, 41)]
        before = board.status().steps
        time.sleep(0.8)
        assert board.status().steps > before  # the pauses have ended


def test_watch_until_it_is_done(url):
    run("autonomous", "start", "iris", "--board", url, "--epochs", 50)
    found, text = run("autonomous", "watch", "--board", url)
    assert found["progress"]["steps"] == 50 * 120
    assert "the epochs asked for are done" in text
    run_ = Path(found["run"])
    (listed,) = list_runs(run_.parent)
    assert (listed.command, listed.name, listed.state, listed.problems) == ("autonomous", "dataset", "finished", ())
    assert listed.result["steps"] == 50 * 120
    assert read_meta(run_)["total_steps"] == 50 * 120
    assert all(record["loss"] > 0 for record in read_metrics(run_))


def test_watching_a_board_that_has_stopped_makes_no_run(url, tmp_path):
    run("autonomous", "start", "iris", "--board", url, "--epochs", 1)
    finished(url)
    found, _ = run("autonomous", "watch", "--board", url)
    assert found["run"] is None
    assert not (tmp_path / "runs").exists()


def test_watching_needs_no_room_for_a_run(url, tmp_path):
    (tmp_path / "file").write_text("")
    run("autonomous", "start", "iris", "--board", url, "--epochs", 50)
    found, text = run("autonomous", "watch", "--board", url, "--runs", tmp_path / "file" / "runs")
    assert found["progress"]["steps"] == 50 * 120
    assert "watching continues without a run directory" in text


def test_watch_survives_a_board_that_loses_its_power(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "RETRY", 0.1)
    seen = threading.Event()
    monkeypatch.setattr(watch, "bar", lambda phase: seen.set() or bar(phase))
    eeprom = tmp_path / "eeprom"
    first = start_native(tcp_port=0, eeprom=eeprom)
    # So that it takes eight seconds.
    live = ("--net", "2-3-1", "--live-period", 8, "--epoch-steps", 100, "--steps", 1000, "--checkpoint-interval", 1)
    run("autonomous", "start", "--task", "live", "--board", first.url, *live)
    results = []
    watching = threading.Thread(target=lambda: results.append(run("autonomous", "watch", "--board", first.url)), daemon=True)
    watching.start()
    assert seen.wait(PATIENCE)
    time.sleep(1.5)  # a checkpoint or two
    first.kill()
    time.sleep(0.5)
    with start_native(tcp_port=int(first.url.rpartition(":")[2]), eeprom=eeprom):
        watching.join(PATIENCE)
        assert not watching.is_alive()
    ((found, text),) = results
    assert "waiting for the board" in text
    records = read_metrics(Path(found["run"]))
    steps = [record["step"] for record in records if "loss" in record]
    assert steps == sorted(set(steps))
    assert "the board is back; restored from its newest checkpoint" in text
    assert (found["progress"]["steps"], found["progress"]["stop_reason"]) == (1000, "steps")
    assert found["boot_count"] == 2


def test_a_board_that_does_no_step_is_reported_once(url, monkeypatch):
    monkeypatch.setattr(watch, "STALLED", 0.3)
    monkeypatch.setattr(watch, "POLL", 0.05)
    live = ("--net", "2-3-1", "--live-period", 2000, "--epoch-steps", 1, "--steps", 1)
    run("autonomous", "start", "--task", "live", "--board", url, *live)
    found, text = run("autonomous", "watch", "--board", url)
    assert found["progress"]["steps"] == 1
    assert text.count("no step for 0.3 s, although the board is learning; if it stays so, end this with Ctrl-C") == 1


def test_watch_tells_a_silence_from_a_restart(monkeypatch):
    monkeypatch.setattr(watch, "RETRY", 0.1)
    said = []
    monkeypatch.setattr(watch, "say", said.append)
    with start_native(tcp_port=0) as board:

        def hang_once(phase):
            if phase == "learning" and not said:
                board.process.send_signal(signal.SIGSTOP)
                threading.Timer(2.5, board.process.send_signal, [signal.SIGCONT]).start()
            return bar(phase)

        live = ("--net", "2-3-1", "--live-period", 2, "--epoch-steps", 100, "--steps", 1000)
        run("autonomous", "start", "--task", "live", "--board", board.url, *live)
        said.clear()
        monkeypatch.setattr(watch, "bar", hang_once)
        found, _ = run("autonomous", "watch", "--board", board.url)
    assert found["progress"]["steps"] == 1000
    assert "waiting for the board" in said[0]
    assert said[1] == "the board is back; it had not restarted"


def test_ctrl_c_leaves_the_board_alone(url, tmp_path, monkeypatch):
    run("autonomous", "start", "--task", "xor", "--board", url)

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(watch.Watcher, "_update", interrupt)
    found, text = run("autonomous", "watch", "--board", url, code=130)
    monkeypatch.undo()
    assert found["progress"]["activity"] in ("learning", "evaluating")
    assert [left.state for left in list_runs(tmp_path / "runs")] == ["interrupted"]
    assert "the board continues to learn" in text
    status, _ = run("autonomous", "status", "--board", url)
    assert status["progress"]["steps"] > found["progress"]["steps"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["start", "iris", "--board", "native"], "mtjlearn boards start native"),
        (["status", "--board", "uno-sim"], "mtjlearn boards start uno-sim"),
        (["start"], "name a dataset or a file"),
        (["start", "iris", "--task", "xor"], "name a dataset or a file"),
        (["start", "iris", "--forever", "--epochs", "3"], "--forever excludes --epochs"),
        (["start", "iris", "--live-period", "3"], "--live-period does not go with DATA"),
        (["start", "--task", "xor", "--epoch-steps", "3"], "--epoch-steps does not go with xor"),
        (["start", "--task", "xor", "--net", "3-1"], "use --net 2-4-1"),
        (["start", "--task", "live"], "a live task needs a network"),
        (["start", "--task", "live", "--net", "6-3-2"], "need 8 pins"),
        (["watch", "--board", "socket://127.0.0.1:1"], "127.0.0.1:1"),
    ],
)
def test_mistakes(arguments, words):
    arguments = arguments if "--board" in arguments else [*arguments, "--board", "socket://127.0.0.1:1"]
    assert words in mistake("autonomous", *arguments)


def test_a_dataset_that_does_not_fit_is_refused_with_the_bytes_missing():
    with start_native(tcp_port=0, eeprom_bytes=1024) as board:
        line = mistake("autonomous", "start", "digits", "--board", board.url)
        assert "are missing for two checkpoints of 64-32-10" in line
        line = mistake("autonomous", "start", "wine", "--board", board.url, "--net", "13-2-3")
        assert re.search(r"142 samples as int8 take 1882 bytes .* room for \d+: \d+ bytes are missing; \d+ samples fit", line)
        run("autonomous", "start", "iris", "--board", board.url, "--epochs", 2)
        status = finished(board.url)
    assert status["progress"]["samples"] == 120


# --- checkpoints ---


def test_a_checkpoint_there_and_back(url, tmp_path):
    path = tmp_path / "iris.ckpt"
    run("autonomous", "start", "iris", "--board", url, "--epochs", 20)
    finished(url)
    saved, text = run("checkpoint", "save", path, "--board", url)
    assert (saved["net"], saved["steps"], saved["activity"], saved["from_board"]) == ("4-8-3", 2400, "finished", "native")
    assert "after 2,400 steps" in text
    shown, _ = run("checkpoint", "show", path)
    assert {name: shown[name] for name in saved} == saved
    with Board.open(url) as board:
        board.adopt()
        assert [layer.tolist() for layer in board.weights()] == shown["weight_values"]
    with start_native(tcp_port=0) as other:
        loaded, text = run("checkpoint", "load", path, "--board", other.url)
        assert not loaded["learns"]
        assert "the curve of losses is not part of a checkpoint" in text
        with Board.open(other.url) as board:
            board.adopt()
            assert [layer.tolist() for layer in board.weights()] == shown["weight_values"]
            assert board.status().steps == 2400


def test_a_checkpoint_of_another_network_is_refused(url, tmp_path):
    path = tmp_path / "xor.ckpt"
    with Board.open(url) as board:
        board.configure(Network((2, 4, 1)))
    run("checkpoint", "save", path, "--board", url)
    with Board.open(url) as board:
        board.configure(Network((4, 8, 3)))
        board.save_checkpoint()
    line = mistake("checkpoint", "load", path, "--board", url)
    assert "is of 2-4-1 (squared, int16), and the board has 4-8-3 (squared, int16)" in line
    run("checkpoint", "load", path, "--board", url, "--replace")
    with Board.open(url) as board:
        assert board.adopt().sizes == (2, 4, 1)


def test_a_checkpoint_over_the_dataset_needs_it_erased(tmp_path):
    path = tmp_path / "larger.ckpt"
    with start_native(tcp_port=0) as larger:
        with Board.open(larger.url) as board:
            board.configure(Network((4, 12, 3)))
        run("checkpoint", "save", path, "--board", larger.url)
    with start_native(tcp_port=0, eeprom_bytes=1024) as small:
        run("autonomous", "start", "iris", "--board", small.url, "--epochs", 1)
        finished(small.url)
        line = mistake("checkpoint", "load", path, "--board", small.url, "--replace")
        assert "would overwrite the board's dataset; to erase that: mtjlearn checkpoint erase" in line
        erased, _ = run("checkpoint", "erase", "--board", small.url)
        assert erased["erased_generation"] >= 2
        loaded, _ = run("checkpoint", "load", path, "--board", small.url, "--replace")
        assert loaded["net"] == "4-12-3"


def test_a_network_without_a_checkpoint_is_not_taken_for_another(url, tmp_path):
    path = tmp_path / "xor.ckpt"
    with Board.open(url) as board:
        board.configure(Network((2, 4, 1)))
        content = board.save_checkpoint()
        CheckpointFile(content, "native", board.info.build, 0.0).write(path)
        board.configure(Network((4, 8, 3)))
        # What the memory holds is of the network before.
        with pytest.raises(Exception, match="is not the one of its checkpoint"):
            board.adopt()
    assert "the board has another network" in mistake("checkpoint", "load", path, "--board", url)


def test_a_damaged_file_is_refused_without_a_board(tmp_path):
    (tmp_path / "a").write_bytes(b"MTJLCKPT" + bytes(100))
    for command in (["show"], ["load", "--board", "socket://127.0.0.1:1"]):
        assert "has format 0" in mistake("checkpoint", command[0], tmp_path / "a", *command[1:])


# --- boards that stay ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_board_that_stays_keeps_its_memory(tmp_path, number):
    program = str(Path(sys.executable).with_name("mtjlearn"))
    command = [program, "boards", "start", "native", "--tcp", "0", "--eeprom", str(tmp_path / "e"), "--json"]
    for start in (1, 2):
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
        )
        try:
            told = json.loads(process.stdout.readline())
            with Board.open(told["url"]) as board:
                assert board.info.boot_count == start
                if start == 1:
                    board.configure(Network((2, 4, 1)))
                    board.save_checkpoint()
                else:
                    assert board.adopt().sizes == (2, 4, 1)
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()
        with pytest.raises(ProcessLookupError):
            os.kill(told["pid"], 0)


def test_a_board_that_cannot_start():
    assert "saturated" in mistake("boards", "start", "native", "--fault", "saturated")
    assert "--voltages does not take 'no-file'" in mistake("boards", "start", "native", "--voltages", "no-file")
    assert "m4-sim has no --tcp" in mistake("boards", "start", "m4-sim", "--tcp", 0)
