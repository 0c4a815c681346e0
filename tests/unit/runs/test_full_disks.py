"""Disks that are full, and run directories that vanish: one line, nothing half written, the state true, the run resumable."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_support import Watcher, result_of, train

from mtjlearn.runs import Checkpoint, Run, RunError, list_runs, read_checkpoint, read_metrics
from mtjlearn.training import default_plan
from mtjlearn.training import train as train_plan

pytestmark = pytest.mark.thorough

CHECKPOINT = Checkpoint(1, 2, 3, np.arange(9, dtype=np.int16))


class FullDisk:
    """From the n-th write to a run on, nothing goes to the disk; meta.json can be overwritten as on a real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self._left = after
        self.hit = False
        self._fsync = os.fsync
        self._write = os.write
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "write", self.write)

    def fsync(self, descriptor: int) -> None:
        self._count()
        self._fsync(descriptor)

    def write(self, descriptor: int, data: bytes) -> int:
        status = os.fstat(descriptor)
        if b'"command"' not in data or len(data) > max(status.st_size, status.st_blocks * 512):
            self._count()
        return self._write(descriptor, data)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.hit = True
            raise OSError(errno.ENOSPC, "No space left on device")


def work(run: Run) -> None:
    with run:
        run.keep()
        for step in range(4):
            run.metric(step=step, loss=0.5)
            run.save_weights(CHECKPOINT)
        run.finish({"test_accuracy": 0.5})


def refusal(action: Callable[[], None]) -> str | None:
    """What a RunError says; None if nothing is refused."""
    try:
        action()
    except RunError as error:
        return str(error)
    return None


@pytest.mark.parametrize("after", range(24))
def test_a_disk_that_is_full_at_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    with monkeypatch.context() as patch:
        disk = FullDisk(patch, after)
        said = refusal(lambda: work(Run.create(tmp_path, "train", "iris", 7, {})))
    if said is None:
        assert not disk.hit or list_runs(tmp_path)[0].state == "finished"
    else:
        assert "No space left" in said
        assert "make room" in said
    assert not list(tmp_path.rglob(".*"))
    for summary in list_runs(tmp_path):
        assert not summary.problems
        assert summary.state in ("finished", "failed")
        assert json.loads((summary.path / "meta.json").read_text())["state"] == summary.state
        if summary.state == "failed":
            work(Run.open(summary.path))
            assert list_runs(tmp_path)[0].state == "finished"


def test_the_first_error_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        run = Run.create(tmp_path, "train", "iris", 7, {})
        run.keep()
        FullDisk(patch, 0)
        with pytest.raises(ValueError, match="the first"), run:
            raise ValueError("the first")
    assert run.meta["error"] == "the first"


def work_without_directory(run: Run, lose: Callable[[Path], object]) -> None:
    with run:
        run.keep()
        lose(run.path)
        run.save_weights(CHECKPOINT)


def test_a_run_that_is_moved_or_removed(tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    for lose in (lambda path: path.rename(moved), shutil.rmtree):
        run = Run.create(tmp_path, "train", "a", 7, {})
        with pytest.raises(RunError, match=r"there is no folder .*; make it, or put it back"):
            work_without_directory(run, lose)
        assert not run.path.exists()
    assert json.loads((moved / "meta.json").read_text())["state"] == "failed"
    work(Run.open(moved))


def test_plots_and_logs_that_fail_are_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mtjlearn.plots.write_atomic", full)
    monkeypatch.setattr("mtjlearn.noise.recording.write_atomic", full)
    monkeypatch.setattr("mtjlearn.wire.linklog.LinkLog.write", full)
    plan = default_plan("xor", seed=0, board="native", epochs=1, reference=False)
    run = Run.create(tmp_path, "train", plan.name, 0, plan.config())
    watcher = Watcher()
    report = train_plan(plan, run, watcher)
    said = "\n".join(watcher.notes)
    for name in ("loss.png", "noise.npz", "noise.png"):
        assert f"{run.path / name} cannot be written: the disk is full" in said
    assert "link.log ends early (No space left on device)" in said
    checkpoint = read_checkpoint(run.path)
    assert checkpoint is not None
    assert checkpoint.steps == report.steps > 0
    assert read_metrics(run.path)
    assert list_runs(tmp_path)[0].state == "finished"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a small disk, which root may")
def test_a_real_disk_that_is_full_while_a_board_learns(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", tmp_path], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        found = train("xor", "--board", "native", "--epochs", "2", "--no-reference", "--runs", tmp_path / "runs")
        assert found.exit_code == 2, found.output
        assert "make room" in found.stderr.splitlines()[-1]
        assert "Traceback" not in found.output
        [left] = list_runs(tmp_path / "runs")
        assert json.loads((left.path / "meta.json").read_text())["state"] == "interrupted"
        assert not list(tmp_path.rglob(".*"))
        subprocess.run(["mount", "-o", "remount,size=16m", tmp_path], check=True)
        result_of(train("--resume", left.path))
    finally:
        subprocess.run(["umount", tmp_path], check=True)
