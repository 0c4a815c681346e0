"""Sweeps on ports of this computer: each is used by one run at a time, and one that vanishes by none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mtjlearn.cli.view.sweeping import train_point
from mtjlearn.sweeps import SweepError, grid, run_sweep
from mtjlearn.virtual.native import start_native
from mtjlearn.wire.errors import BoardLost

POINTS = grid({"eta": [0.1, 0.2]}, seeds=range(3))


def gone(point: dict[str, Any]) -> dict[str, Any]:
    """A task whose board ``b`` is not there."""
    if point["board"] == "b":
        raise BoardLost("its cable came out")
    return {"port": point["board"]}


def lost_once(point: dict[str, Any]) -> dict[str, Any]:
    """A virtual board dies in the first run, or in every run."""
    mark = Path(point["mark"])
    if point.get("always") or not mark.exists():
        mark.touch()
        raise BoardLost("the process of the virtual board has ended")
    return {"y": point["eta"]}


def test_a_port_that_vanishes_gets_no_more_runs(tmp_path: Path) -> None:
    found = run_sweep(gone, POINTS, tmp_path / "s", workers=0, boards=["b", "a"])
    assert {row["status"] for row in found.rows} == {"ok"}
    assert set(found.column("port")) == {"a"}
    with pytest.raises(SweepError, match=r"all boards are lost \(its cable came out\); connect them"):
        run_sweep(gone, POINTS, tmp_path / "t", workers=0, boards=["b"])


def test_a_virtual_board_that_dies_costs_no_run(tmp_path: Path) -> None:
    settings = {"mark": str(tmp_path / "mark")}
    found = run_sweep(lost_once, POINTS, tmp_path / "s", workers=0, settings=settings)
    assert [row["y"] for row in found.rows] == [point["eta"] for point in POINTS]
    with pytest.raises(SweepError, match="3 boards were lost one after the other"):
        run_sweep(lost_once, POINTS, tmp_path / "t", workers=0, settings={**settings, "always": True})


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="starts boards as processes")
def test_two_ports_share_a_sweep(tmp_path: Path) -> None:
    with start_native(tcp_port=0) as first, start_native(tcp_port=0) as second:
        killed: list[int] = []

        def kill(done: int, total: int, note: str) -> None:
            if done == 3 and not killed:
                killed.append(done)
                first.kill()

        settings = {"data": "xor", "board": "port", "epochs": 3}
        ports = [first.url, second.url]
        found = run_sweep(train_point, POINTS, tmp_path / "s", settings=settings, workers=2, boards=ports, progress=kill)
        assert killed
        assert {row["status"] for row in found.rows} == {"ok"}
