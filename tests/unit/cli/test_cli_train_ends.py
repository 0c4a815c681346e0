"""What ends ``mtjlearn train`` too early: Ctrl-C, a killed process, a board that dies; and how it continues."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from training_support import mistake, result_of, train

from mtjlearn.runs import list_runs, read_checkpoint, read_meta, read_metrics
from mtjlearn.virtual.native import PROGRAM, native_program

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.thorough]

PATIENCE = 30.0
EPOCHS = 1500
"""Of XOR: some seconds, of which the first tenth has a checkpoint."""
OFTEN_SAVING = "from mtjlearn.cli import main; from mtjlearn.training import on_board; on_board.CHECKPOINT_INTERVAL = 0.03; main()"
WAITING = """
import time
from pathlib import Path
from mtjlearn import interruption
from mtjlearn.cli import main
from mtjlearn.training import floats

def wait(plan):
    Path("reference").touch()
    while True:
        interruption.check()
        time.sleep(0.01)

floats._reference = wait
main()
"""
"""The reference waits to be interrupted, since it can be quicker than any test."""
XOR_SAMPLES = 100


@contextlib.contextmanager
def started(*arguments: object, program: str = OFTEN_SAVING) -> Iterator[subprocess.Popen[str]]:
    """The command as a process that leads a process group of its own, as a shell starts it."""
    command = [sys.executable, "-c", program, "train", *map(str, arguments)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, process_group=0)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_checkpoint() -> None:
    wait_for(lambda: list(Path("runs").glob("*/weights.npz")))


def only_run() -> Path:
    [summary] = list_runs(Path("runs"))
    return summary.path


def boards_of(process_id: int) -> list[int]:
    """The native boards that a process has started."""
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return [int(child) for child in children if PROGRAM in Path(f"/proc/{child}/cmdline").read_text()]


def gone(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().split(")")[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_ctrl_c_at_the_terminal(monkeypatch):
    """SIGINT goes to all of the terminal's process group; the board must live on until its weights are read."""
    with started("xor", "--board", "native", "--epochs", EPOCHS, "--no-reference", "--json") as process:
        wait_for_checkpoint()
        [board] = boards_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
    run = only_run()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == f"mtjlearn: interrupted; resume with: mtjlearn train --resume {run}"
    assert json.loads(output) == {"error": f"interrupted; resume with: mtjlearn train --resume {run}"}
    assert "Traceback" not in errors
    assert gone(board)
    assert read_meta(run)["state"] == "interrupted"
    assert (run / "loss.png").exists()
    kept = read_checkpoint(run)
    assert kept.steps == max(record["step"] for record in read_metrics(run) if "loss" in record)
    assert 0 < kept.steps < EPOCHS * XOR_SAMPLES

    # From another directory, too.
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    result = result_of(train("--resume", Path("..") / run))
    assert result["steps"] == EPOCHS * XOR_SAMPLES
    assert result["test_accuracy"] is not None
    assert "finished; start a new run" in mistake("--resume", Path("..") / run)


def test_ctrl_c_while_the_reference_learns():
    with started("xor", "--board", "native", "--epochs", 300, program=WAITING) as process:
        wait_for(Path("reference").exists)
        assert not boards_of(process.pid), "the board has done its part"
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.splitlines()[-1].endswith(f"--resume {only_run()}")
    assert read_checkpoint(only_run()).steps == 300 * XOR_SAMPLES
    assert read_meta(only_run())["state"] == "interrupted"


def test_kill_leaves_no_board_behind_and_the_run_goes_on():
    with started("xor", "--board", "native", "--epochs", EPOCHS, "--no-reference") as process:
        wait_for_checkpoint()
        [board] = boards_of(process.pid)
        process.kill()
        process.wait(PATIENCE)
        wait_for(lambda: gone(board))
    [summary] = list_runs(Path("runs"))
    assert (summary.state, summary.problems) == ("interrupted", ())
    kept = read_checkpoint(summary.path).steps
    assert kept > 0
    result = result_of(train("--resume", summary.path))
    assert result["steps"] == EPOCHS * XOR_SAMPLES
    steps = [record["step"] for record in read_metrics(summary.path) if "loss" in record]
    assert steps == sorted(set(steps))
    assert steps[-1] == EPOCHS * XOR_SAMPLES


def test_a_board_killed_in_the_middle():
    with started("xor", "--board", "native", "--epochs", EPOCHS, "--no-reference") as process:
        wait_for_checkpoint()
        [board] = boards_of(process.pid)
        os.kill(board, signal.SIGKILL)
        killed = time.monotonic()
        _, errors = process.communicate(timeout=PATIENCE)
        assert time.monotonic() - killed < 10
    run = only_run()
    assert process.returncode == 2
    assert errors.splitlines()[-1].endswith(f"; resume with: mtjlearn train --resume {run}")
    assert "is gone" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert read_meta(run)["state"] == "interrupted"
    assert result_of(train("--resume", run))["steps"] == EPOCHS * XOR_SAMPLES


def test_a_board_started_by_hand_that_dies_and_another_that_takes_over():
    command = [native_program(), "--tcp", "0", "--virtual-clock", "4"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as first, subprocess.Popen(command, stdin=pipe, stdout=pipe) as second:
        urls = [json.loads(board.stdout.readline())["port"] for board in (first, second)]
        assert urls[0].startswith("socket://127.0.0.1:")
        with started("xor", "--board", urls[0], "--epochs", EPOCHS, "--no-reference") as process:
            wait_for_checkpoint()
            first.kill()
            killed = time.monotonic()
            _, errors = process.communicate(timeout=PATIENCE)
            assert time.monotonic() - killed < 10
        assert process.returncode == 2
        assert f"the board at {urls[0]} is gone" in errors.splitlines()[-1]
        run = only_run()
        assert f"nobody listens at {urls[0]}" in mistake("--resume", run)  # nothing is lost by trying
        result = result_of(train("--resume", run, "--board", urls[1]))
        assert (result["steps"], result["board"]["url"]) == (EPOCHS * XOR_SAMPLES, urls[1])
        second.stdin.close()
        assert second.wait(PATIENCE) == 0


def test_a_run_in_use_is_left_alone():
    with started("xor", "--board", "native", "--epochs", EPOCHS, "--no-reference") as process:
        wait_for_checkpoint()
        os.kill(process.pid, signal.SIGSTOP)  # so that it does not finish meanwhile
        assert "in use by another process" in mistake("--resume", only_run())
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGCONT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
