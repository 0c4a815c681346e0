"""Sweeps on a Dask cluster of two workers, each with a board of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_support import Cluster
from pyarrow import parquet
from sweep_support import counted, troubled

from mtjlearn.cli.view.sweeping import BOARD_VARIABLE, train_point
from mtjlearn.sweeps import SweepError, grid, run_sweep
from mtjlearn.sweeps.journal import JOURNAL
from mtjlearn.virtual.native import start_native

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="kills process groups")]

POINTS = grid({"eta": [0.1, 0.2, 0.4], "sigma": [0.05, 0.1]}, seeds=range(4))
SETTINGS = {"data": "xor", "epochs": 1}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as found:
        yield found


def untimed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_each_worker_owns_a_virtual_board_and_a_kill_changes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    axes = ("--over", "eta=.1,.2,.4", "--over", "sigma=.05,.1", "--seeds", "0:4", "--epochs", "1", "--board", "native")
    command = [
        sys.executable,
        "-m",
        "mtjlearn",
        "sweep",
        "xor",
        *axes,
        "--scheduler",
        cluster.address,
        "--directory",
        "s",
        "--json",
    ]
    journal = tmp_path / "s" / JOURNAL
    with subprocess.Popen(command, cwd=tmp_path, process_group=0, stderr=subprocess.PIPE) as process:
        while not journal.exists() or journal.read_bytes().count(b"\n") < 6:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    kept = journal.read_bytes().count(b"\n")
    resumed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(resumed.stdout)["computed"] == len(POINTS) - kept
    whole = run_sweep(train_point, POINTS, tmp_path / "w", settings={**SETTINGS, "board": "native"}, workers=0)
    rows = parquet.read_table(tmp_path / "s" / "results.parquet").drop_columns(["command"]).to_pylist()
    assert untimed(rows) == untimed(whole.rows)


def test_real_boards_are_named_by_their_workers(tmp_path: Path) -> None:
    with start_native(tcp_port=0) as first, start_native(tcp_port=0) as second:
        boards = tuple({BOARD_VARIABLE: board.url} for board in (first, second))
        with Cluster(2, boards) as cluster:
            settings = {**SETTINGS, "board": "worker"}
            options = {"scheduler": cluster.address, "board_resource": True}
            found = run_sweep(train_point, POINTS[:8], tmp_path / "s", settings=settings, **options)
            assert [row["status"] for row in found.rows] == ["ok"] * 8
            first.kill()
            second.kill()
            with pytest.raises(SweepError, match=r"boards were lost one after the other .*finished runs are kept"):
                run_sweep(train_point, POINTS, tmp_path / "s", settings=settings, **options)


def test_runs_without_boards_and_runs_that_fail(cluster: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    points = grid({"x": range(6)}, seeds=range(2))
    found = run_sweep(counted, points, tmp_path / "s", settings={"log": str(log)}, scheduler=cluster.address)
    assert found.computed == len(log.read_text().splitlines()) == 12
    failed = run_sweep(troubled, grid({"x": [0, 1, 3]}), tmp_path / "t", scheduler=cluster.address)
    assert [row["status"] for row in failed.rows] == ["ok", "failed", "failed"]


def test_a_cluster_that_cannot_compute_the_runs(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(SweepError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1"):
        run_sweep(troubled, grid({"x": [0]}), tmp_path / "s", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(SweepError, match="each worker owns its board"):
        run_sweep(troubled, grid({"x": [0]}), tmp_path / "s", scheduler=cluster.address, boards=["/dev/ttyACM0"])
    with Cluster(0) as empty, pytest.raises(SweepError, match="has no workers; start one with: dask worker tcp://"):
        run_sweep(troubled, grid({"x": [0]}), tmp_path / "s", scheduler=empty.address)
    with Cluster(1, resources="") as plain, pytest.raises(SweepError, match=r"owns a board; start one with: .*--resources board=1"):
        run_sweep(troubled, grid({"x": [0]}), tmp_path / "s", scheduler=plain.address, board_resource=True)


def test_a_cluster_that_ends(tmp_path: Path) -> None:
    with Cluster() as cluster:
        points = grid({"x": range(40)}, seeds=range(2))

        def end(done: int, total: int, note: str) -> None:
            if done == 4:
                cluster.kill()

        settings = {"log": str(tmp_path / "log"), "sleep": 0.05}
        with pytest.raises(SweepError, match="is gone; start it again"):
            run_sweep(counted, points, tmp_path / "s", settings=settings, scheduler=cluster.address, progress=end)
    resumed = run_sweep(counted, points, tmp_path / "s", settings=settings, workers=0)
    assert 70 <= resumed.computed <= 76
