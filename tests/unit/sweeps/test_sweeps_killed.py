"""Sweeps in processes of this computer: killed at any moment, interrupted, and with runs that end their process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from sweep_support import counted, troubled

from mtjlearn.sweeps import SweepError, grid, read_results, run_sweep
from mtjlearn.sweeps.journal import JOURNAL

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(os.name != "posix", reason="kills process groups")]

POINTS = 12
"""Times two seeds."""
WORKERS = 2
SCRIPT = PROJECT / "tests" / "support" / "sweep_killed.py"


def start(directory: Path, given: dict[str, Any]) -> subprocess.Popen[bytes]:
    """The sweep in a process group of its own."""
    command = [sys.executable, str(SCRIPT), str(directory), json.dumps({"points": POINTS, "workers": WORKERS} | given)]
    return subprocess.Popen(command, process_group=0, stderr=subprocess.PIPE, preexec_fn=_as_in_a_shell)


def _as_in_a_shell() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def await_rows(directory: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Until the journal has this many lines."""
    journal = directory / JOURNAL
    while not journal.exists() or journal.read_bytes().count(b"\n") < count:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.005)


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGKILL, id="killed"), pytest.param(signal.SIGINT, id="interrupted", marks=pytest.mark.slow)]
)
def test_a_sweep_that_is_ended_in_the_middle_equals_one_that_is_not(tmp_path: Path, how: signal.Signals) -> None:
    log = tmp_path / "log"
    settings = {"log": str(log), "sleep": 0.02}
    with start(tmp_path / "s", settings) as process:
        await_rows(tmp_path / "s", 6, process)
        os.killpg(process.pid, how)
        process.wait(30)
        assert process.returncode == -how
    kept = len(read_results(tmp_path / "s").rows)
    assert 6 <= kept < 2 * POINTS
    points = grid({"x": range(POINTS)}, seeds=range(2))
    resumed = run_sweep(counted, points, tmp_path / "s", settings=settings, workers=0)
    assert resumed.computed == 2 * POINTS - kept
    computed = len(log.read_text().splitlines())
    assert computed <= 2 * POINTS + 2 * WORKERS, "what was kept was computed again"
    whole = run_sweep(counted, points, tmp_path / "w", settings=settings, workers=0)
    assert [{**row, "seconds": 0} for row in resumed.rows] == [{**row, "seconds": 0} for row in whole.rows]


@pytest.mark.slow
def test_a_run_that_ends_its_process_is_found_and_fails_alone(tmp_path: Path) -> None:
    found = run_sweep(troubled, grid({"x": [0, 2, 4, 5, 6]}), tmp_path / "s", workers=WORKERS)
    assert [row["status"] for row in found.rows] == ["ok", "failed", "ok", "ok", "ok"]
    assert "the process that computed it died" in found.rows[1]["error"]
    assert found.column("y") == [0, 4, 5, 6]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a small disk, which root may")
@pytest.mark.parametrize("kilobytes", [4, 16, 24, 32])
def test_a_real_disk_that_is_full(tmp_path: Path, kilobytes: int) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", disk], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        settings = {"log": str(tmp_path / "log"), "sleep": 0.0}
        points = grid({"x": range(60)}, seeds=range(2))
        with pytest.raises(SweepError, match=r"cannot be written: the disk is full .*make room"):
            run_sweep(counted, points, disk / "s", settings=settings, workers=0)
        assert not list(disk.rglob(".*"))
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        kept = len(read_results(disk / "s").rows) if (disk / "s" / JOURNAL).exists() else 0
        resumed = run_sweep(counted, points, disk / "s", settings=settings, workers=0)
        assert (resumed.computed, resumed.damaged) == (120 - kept, 0)
    finally:
        subprocess.run(["umount", disk], check=True)
