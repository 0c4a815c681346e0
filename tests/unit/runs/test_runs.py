"""Run directories: whatever happens to the process or to a file, the rest stays readable."""

from __future__ import annotations

import contextlib
import enum
import errno
import json
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from places import PROJECT

from mtjlearn.network import Loss, Network
from mtjlearn.runs import Checkpoint, Run, RunError, list_runs, read_checkpoint, read_config, read_metrics
from mtjlearn.runs.storage import Lock, LockedError, describe, is_locked, plain, write_atomic

HOST = PROJECT / "host"

CHECKPOINT = Checkpoint(3, 17, 377, np.array([1, -32767, 5], np.int16), np.array([16384], np.int16), 4294967295)


def make(root: Path, **config) -> Run:
    return Run.create(root, "train", "iris", 7, {"epochs": 5, **config})


def test_a_new_run_is_named_and_described(tmp_path):
    network = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY)
    with Run.create(
        tmp_path / "runs",
        "train",
        "My data (2).csv",
        7,
        {"network": network, "eta": 0.1, "target": None, "path": Path("a.csv"), "sizes": (4, np.int64(8))},
        board={"name": "native", "build": 5},
    ) as run:
        assert re.fullmatch(r"\d{8}-\d{6}-train-My-data-2-.csv-s7", run.path.name)
        config = tomllib.loads((run.path / "config.toml").read_text())
        assert config["network"]["loss"] == "cross_entropy"
        assert config["network"]["sizes"] == [4, 8, 3]
        assert (config["eta"], config["path"], config["sizes"]) == (0.1, "a.csv", [4, 8])
        assert "target" not in config
        assert config == run.config
        meta = json.loads((run.path / "meta.json").read_text())
        assert meta["state"] == "running"
        assert meta["board"] == {"name": "native", "build": 5}
        assert meta["versions"]["numpy"] == np.__version__
        assert run.link_log == run.path / "link.log"
        run.update(board={"name": "uno"})
        run.finish({"test_accuracy": np.float64(0.96), "bad": float("nan")})
    meta = json.loads((run.path / "meta.json").read_text())
    assert meta["state"] == "finished"
    assert meta["board"] == {"name": "uno"}
    assert meta["result"] == {"test_accuracy": 0.96, "bad": None}
    assert meta["ended"] >= meta["started"]


def test_runs_of_the_same_second_get_different_directories(tmp_path):
    runs = [make(tmp_path) for _ in range(4)]
    assert len({run.path for run in runs}) == 4
    assert len(list_runs(tmp_path)) == 4


@pytest.mark.parametrize(
    ("leave", "state", "error"),
    [(None, "interrupted", None), (KeyboardInterrupt(), "interrupted", None), (ValueError("no noise"), "failed", "no noise")],
)
def test_leaving_the_block_says_how_it_ended(tmp_path, leave, state, error):
    with contextlib.suppress(KeyboardInterrupt, ValueError), make(tmp_path) as run:
        run.keep()
        if leave is not None:
            raise leave
    summary = list_runs(tmp_path)[0]
    assert (summary.state, run.meta["error"]) == (state, error)
    with pytest.raises(RunError, match="closed already"):
        run.finish({})


def test_a_failed_start_leaves_no_run_directory(tmp_path):
    with pytest.raises(ValueError, match="no board"), make(tmp_path):
        raise ValueError("no board")
    assert not list(tmp_path.iterdir())
    with make(tmp_path) as run:
        run.interrupt()
    with pytest.raises(ValueError, match="no board"), Run.open(run.path) as again:
        raise ValueError("no board")
    assert again.meta["state"] == "failed"
    assert list_runs(tmp_path)[0].state == "failed"


def test_metrics_are_read_back_in_order(tmp_path):
    with make(tmp_path) as run:
        run.metric(step=1, loss=np.float32(0.5), when=None)
        run.metric(step=2, loss=float("inf"), label="ü\n")
        assert read_metrics(run.path) == [
            {"step": 1, "loss": 0.5, "when": None},
            {"step": 2, "loss": None, "label": "ü\n"},
        ]


def test_weights_are_read_back_exactly(tmp_path):
    with make(tmp_path) as run:
        assert run.load_weights() is None
        run.save_weights(CHECKPOINT)
        run.save_weights(Checkpoint(4, 0, 480, np.array([2**31 - 1, -5], np.int32)))
        latest = run.load_weights()
        assert latest is not None
        assert latest.weights.dtype == np.int32
        assert latest.weights.tolist() == [2**31 - 1, -5]
        assert latest.matrices.size == 0
        run.save_weights(CHECKPOINT)
    first = read_checkpoint(run.path)
    assert first is not None
    assert (first.epoch, first.samples, first.steps, first.random_state) == (3, 17, 377, 4294967295)
    assert first.weights.dtype == np.int16
    assert first.matrices.tolist() == [16384]


def test_a_resumed_run_goes_on_from_its_checkpoint(tmp_path):
    with make(tmp_path) as run:
        run.metric(step=400, reference_loss=0.5)
        run.metric(step=370, loss=3.0)
        run.save_weights(CHECKPOINT)
        run.metric(step=380, loss=2.0)
        run.metric(event="board lost", step=380)
    with open(run.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"step": 390, "lo')
    with Run.open(run.path) as again:
        assert again.meta["state"] == "running"
        again.metric(step=380, loss=1.0)
        again.finish({"steps": 380})
    assert read_metrics(run.path) == [
        {"step": 400, "reference_loss": 0.5},
        {"step": 370, "loss": 3.0},
        {"event": "board lost", "step": 380},
        {"event": "resumed", "step": 377},
        {"step": 380, "loss": 1.0},
    ]
    with pytest.raises(RunError, match="is finished; start a new run"):
        Run.open(run.path)


def test_only_one_process_writes_to_a_run(tmp_path):
    run = make(tmp_path)
    with pytest.raises(RunError, match="in use by another process"):
        Run.open(run.path)
    assert list_runs(tmp_path)[0].state == "running"
    run.interrupt()
    assert list_runs(tmp_path)[0].state == "interrupted"
    Run.open(run.path).fail("x")


def test_a_directory_that_is_no_run_is_refused_and_left_alone(tmp_path):
    with pytest.raises(RunError, match=r"is not a run: meta\.json is missing"):
        Run.open(tmp_path)
    assert not list(tmp_path.iterdir())
    assert list_runs(tmp_path / "missing") == []
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").touch()
    assert list_runs(tmp_path) == []
    with pytest.raises(RunError, match="no run directory can be made in"):
        make(tmp_path / "file")


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["meta.json", "config.toml", "metrics.jsonl", "weights.npz"])
def test_a_file_cut_at_any_byte_leaves_a_list_and_a_clear_refusal(tmp_path, name):
    with make(tmp_path) as run:
        for step in range(3):
            run.metric(step=step, loss=1.0)
        run.save_weights(CHECKPOINT)
    content = (run.path / name).read_bytes()
    for length in range(len(content)):
        (run.path / name).write_bytes(content[:length])
        (summary,) = list_runs(tmp_path)
        assert (summary.command, summary.name, summary.seed) == ("train", "iris", 7)
        if name == "metrics.jsonl":
            assert not summary.problems
            assert len(read_metrics(run.path)) == content[:length].count(b"\n")
            continue
        if not summary.problems:  # what is cut off may be a line end, or a whole entry of the configuration
            assert name == "config.toml" or length == len(content) - 1
            continue
        assert summary.state == ("damaged" if name == "meta.json" else "interrupted")
        assert name in summary.problems[0]
        with pytest.raises(RunError, match=re.escape(name)):
            Run.open(run.path)
        assert not is_locked(run.path / "lock")


def test_a_missing_file_and_a_damaged_line_are_named(tmp_path):
    with make(tmp_path) as run:
        run.metric(step=1)
    (run.path / "metrics.jsonl").write_bytes(b'{"step": 1}\n\0\0\0\n{"step": 2}\n')
    (run.path / "config.toml").unlink()
    (summary,) = list_runs(tmp_path)
    assert len(summary.problems) == 2
    assert "config.toml is missing" in summary.problems[0]
    assert "metrics.jsonl is damaged in line 2; remove that line" in summary.problems[1]
    (run.path / "meta.json").unlink()
    assert list_runs(tmp_path)[0].started.startswith("20")


def test_runs_are_listed_newest_first_and_drafts_not_at_all(tmp_path):
    for day in ("20260101", "20260301", "20260201"):
        make(tmp_path).finish({})
        (newest,) = (path for path in tmp_path.iterdir() if not path.name.startswith("20260"))
        newest.rename(tmp_path / f"{day}-120000-train-iris-s7")
    (tmp_path / ".20260401-120000-train-iris-s7-99").mkdir()
    assert [summary.path.name[:8] for summary in list_runs(tmp_path)] == ["20260301", "20260201", "20260101"]


WRITER = """
import sys, numpy as np
from pathlib import Path
from mtjlearn.runs import Run, Checkpoint
print("ready", flush=True)
number = 0
while True:
    with Run.create(Path(sys.argv[1]), "train", f"n{number}", 1, {"number": number}) as run:
        for step in range(1, 6):
            run.metric(step=step, loss=1 / step, filler="x" * 50)
            run.save_weights(Checkpoint(step, 0, step, np.full(500, step, np.int16)))
        run.finish({"steps": step})
    number += 1
"""


@pytest.mark.thorough
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL needs a POSIX system")
def test_a_process_killed_at_any_moment_leaves_readable_runs(tmp_path):
    moments = random.Random(1)
    attempt = interrupted = 0
    while attempt < 12 or (interrupted == 0 and attempt < 60):
        root = tmp_path / str(attempt)
        environment = {**os.environ, "PYTHONPATH": str(HOST)}
        with subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.08 * 2 ** (attempt // 12)))
            process.send_signal(signal.SIGKILL)
        for summary in list_runs(root):
            assert not summary.problems
            assert summary.state in ("finished", "interrupted")
            assert f"n{read_config(summary.path)['number']}" == summary.name
            metrics, checkpoint = read_metrics(summary.path), read_checkpoint(summary.path)
            assert [record["step"] for record in metrics] == list(range(1, len(metrics) + 1))
            steps = checkpoint.steps if checkpoint is not None else 0
            assert steps <= len(metrics) <= steps + 1
            if checkpoint is not None:
                assert np.all(checkpoint.weights == steps)
            if summary.state == "interrupted":
                interrupted += 1
                Run.open(summary.path).interrupt()
                assert len(read_metrics(summary.path)) == steps + 1
        attempt += 1
    assert interrupted


def test_write_atomic_keeps_the_old_content_when_it_cannot_write(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="a lock needs the right to write there")
def test_whether_a_lock_is_held_shows_without_the_right_to_write(tmp_path, monkeypatch):
    def read_only(path, flags, *args, opened=os.open):
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, flags, *args)

    lock = Lock(tmp_path / "lock")
    monkeypatch.setattr(os, "open", read_only)
    assert is_locked(tmp_path / "lock")
    lock.release()
    assert not is_locked(tmp_path / "lock")


@pytest.mark.skipif(sys.platform == "win32", reason="its locks are others")
def test_a_file_system_without_locks_locks_nobody_out(tmp_path, monkeypatch):
    import fcntl

    def without(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    lock = Lock(tmp_path / "lock")
    assert not is_locked(tmp_path / "lock")
    Lock(tmp_path / "lock").release()
    lock.release()


def test_a_lock_excludes_until_released(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    lock = Lock(path)
    assert is_locked(path)
    with pytest.raises(LockedError):
        Lock(path)
    lock.release()
    assert not is_locked(path)
    Lock(path).release()


def test_plain_values():
    class Colour(enum.Enum):
        DEEP_RED = 1

    assert plain({1: (True, None, 2, "x"), "e": Colour.DEEP_RED, "a": np.arange(3)}) == {
        "1": [True, None, 2, "x"],
        "e": "deep_red",
        "a": [0, 1, 2],
    }
    assert plain([-float("inf"), np.nan, np.bool_(True)]) == [None, None, True]
    with pytest.raises(TypeError, match="a set cannot be stored"):
        plain({"a": {1}})


@pytest.mark.parametrize("text", [".".join("a" * 101) + ".b = 1\n", "# " + "x" * 2**16])
def test_settings_that_would_take_for_ever_to_read_are_refused(tmp_path, text):
    with make(tmp_path) as run:
        run.interrupt()
    (run.path / "config.toml").write_text(text)
    with pytest.raises(RunError, match=r"config\.toml is damaged \((a key of )?more than (100 parts|65,536 bytes)\)"):
        Run.open(run.path)


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    out = tmp_path / "stdout"
    out.symlink_to("/proc/self/fd/1")
    no_file = "it is a device or a pipe; name a file"
    for path, words in ((pipe, no_file), (out, no_file), (tmp_path, "it is a directory; name a file")):
        with pytest.raises(OSError, match="it is a") as caught:
            write_atomic(path, b"content")
        assert words in describe(path, caught.value)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert out.is_symlink()
    assert sorted(tmp_path.iterdir()) == [pipe, out]
