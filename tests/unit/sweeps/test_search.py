"""Searches in this process: what they find, and that an end at any moment changes nothing."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from pyarrow import parquet
from sweep_support import number, valley

from mtjlearn.sweeps import Results, SweepError, grid, run_sweep
from mtjlearn.sweeps.search import TRIALS, read_trials, run_search
from mtjlearn.sweeps.search_files import SEARCH, Interval
from mtjlearn.sweeps.slices import ranked

pytestmark = pytest.mark.thorough

SPACE = {"x": Interval(0.0, 1.0), "kind": ["a", "b"], "n": Interval(1, 64, log=True, integer=True)}


def search(task: Any, directory: Path, trials: int = 13, **options: Any) -> Results:
    """In this process."""
    usual: dict[str, Any] = {"space": SPACE, "objective": "y", "trials": trials, "seeds": (0, 1), "workers": 0}
    return run_search(task, directory=directory, **(usual | options))


def untimed(results: Results) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in results.rows]


def ended_at(call: int) -> Any:
    """The task, which Ctrl-C ends at this call of it."""
    calls = itertools.count()

    def task(point: dict[str, Any]) -> dict[str, Any]:
        if next(calls) == call:
            raise KeyboardInterrupt
        return valley(point)

    task.__module__, task.__qualname__ = valley.__module__, valley.__qualname__
    return task


@pytest.mark.slow
def test_a_search_finds_the_valley(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    found = search(valley, tmp_path / "s", trials=25, progress=lambda *values: told.append(values))
    assert len(found.rows) == found.computed == 50
    assert [row["trial"] for row in found.rows] == [trial for trial in range(25) for _ in range(2)]
    assert all(0 <= row["x"] <= 1 and row["kind"] in "ab" and 1 <= row["n"] <= 64 for row in found.rows)
    best = ranked(found, "y")[0]
    assert best.parameters["kind"] == "a"
    assert best.mean < 0.01
    assert told[0] == (0, 25, "")
    assert told[-1] == (25, 25, f"best y {best.mean:.4g}")
    assert parquet.read_table(found.path).column_names[:5] == ["trial", "x", "kind", "n", "seed"]
    again, kept = read_trials(tmp_path / "s")
    assert untimed(again) == untimed(found)
    assert (kept.objective, kept.maximise) == ("y", False)


@pytest.mark.parametrize(
    ("call", "together"), [(25, 1), *(pytest.param(*ends, marks=pytest.mark.slow) for ends in [(0, 1), (1, 1), (23, 4), (24, 4)])]
)
def test_a_search_that_was_ended_equals_one_that_was_not(tmp_path: Path, call: int, together: int) -> None:
    whole = search(valley, tmp_path / "w", together=together)
    with pytest.raises(KeyboardInterrupt):
        search(ended_at(call), tmp_path / "s", together=together)
    resumed = search(valley, tmp_path / "s", together=together)
    assert untimed(resumed) == untimed(whole)
    assert resumed.computed == 26 - call, "a run that was kept was computed again"


@pytest.mark.slow
def test_more_trials_continue_a_search(tmp_path: Path) -> None:
    whole = search(valley, tmp_path / "w")
    search(valley, tmp_path / "s", trials=4)
    assert untimed(search(valley, tmp_path / "s")) == untimed(whole)
    assert search(valley, tmp_path / "s").computed == 0


@pytest.mark.slow
def test_another_seed_searches_elsewhere(tmp_path: Path) -> None:
    first, second = (search(valley, tmp_path / str(seed), trials=3, seed=seed) for seed in (0, 1))
    assert [row["x"] for row in first.rows] != [row["x"] for row in second.rows]


@pytest.mark.slow
def test_a_torn_line_of_the_journal_is_removed(tmp_path: Path) -> None:
    whole = search(valley, tmp_path / "w")
    search(valley, tmp_path / "s", trials=5)
    journal = tmp_path / "s" / TRIALS
    journal.write_bytes(journal.read_bytes() + b'{"op_code":4,"worker_id":"')
    assert untimed(search(valley, tmp_path / "s")) == untimed(whole)


def test_what_diverges_is_worst_and_what_fails_does_not_count(tmp_path: Path) -> None:
    found = search(diverge, tmp_path / "s", trials=12, seeds=(0,), space={"x": Interval(0.0, 1.0)}, maximise=True)
    assert {row["status"] for row in found.rows} == {"ok", "failed"}
    best = ranked(found, "y", maximise=True)
    assert best[0].parameters["x"] < 0.5
    assert not best[-1].values.size or best[-1].mean != best[-1].mean
    with pytest.raises(SweepError, match="there is no number z to search by; the runs find y"):
        search(valley, tmp_path / "z", objective="z")


def diverge(point: dict[str, Any]) -> dict[str, Any]:
    if point["x"] > 0.8:
        raise ValueError("too large")
    return {"y": float("nan") if point["x"] > 0.5 else point["x"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"objective": "z"}, "with objective = y, not z"),
        ({"space": {"x": Interval(0.0, 2.0)}}, "with space = "),
        ({"seeds": (0,)}, r"with seeds = \[0, 1\], not \[0\]"),
        ({"settings": {"a": 1}}, "with settings = "),
        ({"maximise": True}, "with maximise = False"),
    ],
)
def test_another_search_is_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    search(valley, tmp_path / "s", trials=1)
    with pytest.raises(SweepError, match=f"{said}.*; choose another directory"):
        search(valley, tmp_path / "s", trials=1, **changed)


def test_searches_and_grids_do_not_mix(tmp_path: Path) -> None:
    search(valley, tmp_path / "s", trials=1)
    with pytest.raises(SweepError, match="is not a sweep"):
        run_sweep(number, grid({"x": [1]}, seeds=[0]), tmp_path / "s", workers=0)
    run_sweep(number, grid({"x": [1]}, seeds=[0]), tmp_path / "g", workers=0)
    with pytest.raises(SweepError, match="holds a sweep of a grid"):
        search(valley, tmp_path / "g")
    with pytest.raises(SweepError, match="cannot be called seed"):
        search(valley, tmp_path / "t", space={"seed": [1]})


def test_a_damaged_description(tmp_path: Path) -> None:
    search(valley, tmp_path / "s", trials=1)
    description = tmp_path / "s" / SEARCH
    content = description.read_text()
    for bad in (content[:-9], "[]", "{}", content.replace('"objective"', '"objectiv"')):
        description.write_text(bad)
        with pytest.raises(SweepError, match=r"search.json is damaged"):
            search(valley, tmp_path / "s", trials=1)


@pytest.mark.slow
def test_a_full_disk_ends_a_search_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = search(valley, tmp_path / "w")
    search(valley, tmp_path / "s", trials=3)

    def full(backend: Any, logs: list[dict[str, Any]]) -> None:
        with (tmp_path / "s" / TRIALS).open("ab") as file:
            file.write(b'{"op_code":')
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("optuna.storages.journal.JournalFileBackend.append_logs", full)
        with pytest.raises(SweepError, match=r"trials.journal cannot be written: the disk is full .*make room"):
            search(valley, tmp_path / "s", trials=4)
    assert untimed(search(valley, tmp_path / "s")) == untimed(whole)


SHARED = """
import sys
from sweep_support import counted
from mtjlearn.sweeps.search import run_search
from mtjlearn.sweeps.search_files import Interval
settings = {"log": sys.argv[2], "sleep": 0.02}
run_search(counted, {"x": Interval(0.0, 1.0)}, sys.argv[1], trials=24, objective="y", workers=0, settings=settings)
"""


@pytest.mark.slow
def test_several_processes_share_a_search_and_one_ends_what_a_dead_one_began(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SHARED, str(tmp_path / "s"), str(tmp_path / "log")]
    path = os.pathsep.join([str(PROJECT / "tests" / "support"), os.environ.get("PYTHONPATH", "")])
    processes = [subprocess.Popen(words, env={**os.environ, "PYTHONPATH": path}) for _ in range(3)]
    log = tmp_path / "log"
    while not log.exists() or log.read_text().count("\n") < 6:
        assert processes[0].poll() is None
        time.sleep(0.01)
    processes[0].kill()
    assert [process.wait(120) for process in processes] == [-signal.SIGKILL, 0, 0]
    found, _ = read_trials(tmp_path / "s")
    numbers = [row["trial"] for row in found.rows]
    if len(numbers) < 24:  # the one that was killed had begun the last of them
        assert subprocess.run(words, env={**os.environ, "PYTHONPATH": path}, check=True).returncode == 0
        numbers = [row["trial"] for row in read_trials(tmp_path / "s")[0].rows]
    assert numbers == list(range(24))
    assert log.read_text().count("\n") in (24, 25), "only the run that was under way at the kill may be computed twice"
