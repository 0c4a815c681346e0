"""Sweeps in this process: what a directory keeps, what is refused, what a damaged file costs."""

from __future__ import annotations

import errno
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from sweep_support import counted, number, troubled

from mtjlearn.runs.storage import Lock
from mtjlearn.sweeps import Results, SweepError, grid, read_results, run_sweep
from mtjlearn.sweeps.grid import parse_values
from mtjlearn.sweeps.journal import JOURNAL, read_journal
from mtjlearn.sweeps.search import run_search
from mtjlearn.sweeps.store import DESCRIPTION, LOCK

POINTS = grid({"x": [0.5, 2.0, 3.0], "kind": ["b", "a"]}, seeds=range(2))


def sweep(task: Any, points: list[dict[str, Any]], directory: Path, **options: Any) -> Results:
    """In this process."""
    return run_sweep(task, points, directory, workers=0, **options)


def untimed(results: Results) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in results.rows]


# --- points ---


def test_a_grid_has_all_combinations_and_each_once() -> None:
    points = grid({"eta": [0.1, np.float64(0.2), 0.1], "rule": "anp"}, seeds=range(2))
    assert points == [{"eta": eta, "rule": "anp", "seed": seed} for eta in (0.1, 0.2) for seed in (0, 1)]
    assert type(points[2]["eta"]) is float


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"x": []}, "at least one value"),
        ({"x": [float("nan")]}, "finite number"),
        ({"x": [[1, 2]]}, "finite number"),
        ({"status": [1]}, "rename it"),
        ({"seed": [1]}, "give it once"),
    ],
)
def test_a_grid_that_cannot_be(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SweepError, match=said):
        grid(parameters, seeds=range(2))


def test_points_with_other_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="these differ in y"):
        sweep(number, [{"x": 1}, {"x": 1, "y": 2}], tmp_path / "s")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (".1,.05", [".1", ".05"]),
        ("0:3", ["0", "1", "2"]),
        ("10:0:-5", ["10", "5"]),
        ("0.1*2^-0:4", ["0.1", "0.05", "0.025", "0.0125"]),
        ("2^3:6", ["8", "16", "32"]),
        ("lin:0:1:5", ["0", "0.25", "0.5", "0.75", "1"]),
        ("log:1e-4:1:5", ["0.0001", "0.001", "0.01", "0.1", "1"]),
        ("anp,danp", ["anp", "danp"]),
        ("2-4-1,2-8-1", ["2-4-1", "2-8-1"]),
        (".1,0.1*2^-0:2,.1", [".1", "0.1", "0.05"]),
    ],
)
def test_short_notation(text: str, values: list[str]) -> None:
    assert parse_values(text) == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (".1,,.2", "empty"),
        ("5:5", "0 values"),
        ("0:5:0", "step is 0"),
        ("0:999999999", "999,999,999 values"),
        ("log:0:1:5", "begins above 0"),
        ("lin:1:0:5", "below the second"),
        ("log:1:2", "lacks the number"),
        ("lin:0:1:1", "at least 2"),
        ("10^0:400", "beyond what a float"),
        ("0^-0:3", "beyond what a float"),
    ],
)
def test_notation_that_cannot_be(text: str, said: str) -> None:
    with pytest.raises(SweepError, match=said):
        parse_values(text)


# --- results ---


def test_a_row_per_run(tmp_path: Path) -> None:
    found = sweep(number, POINTS, tmp_path / "s", command=lambda row: f"run {row['x']} {row['seed']}")
    assert [{name: row[name] for name in ("x", "kind", "seed")} for row in found.rows] == POINTS
    table = parquet.read_table(found.path)
    assert table.column_names == ["x", "kind", "seed", "y", "curve", "word", "status", "error", "seconds", "command"]
    rows = table.to_pylist()
    assert [(row["x"], row["kind"], row["seed"]) for row in rows] == sorted((p["x"], p["kind"], p["seed"]) for p in POINTS)
    assert rows[0]["curve"] == [0, 1, 2]
    assert rows[-1]["command"] == "run 3.0 1"
    assert json.loads(table.schema.metadata[b"mtjlearn"])["parameters"] == ["x", "kind", "seed"]
    again = {(row["x"], row["kind"], row["seed"]): row["y"] for row in rows}
    assert all(again[row["x"], row["kind"], row["seed"]] == row["y"] for row in found.rows)


def test_nothing_is_computed_twice(tmp_path: Path) -> None:
    settings = {"log": str(tmp_path / "log")}
    some = sweep(counted, POINTS[:5], tmp_path / "s", settings=settings)
    more = sweep(counted, POINTS, tmp_path / "s", settings=settings)
    none = sweep(counted, POINTS[3:7], tmp_path / "s", settings=settings)
    assert (some.computed, more.computed, none.computed) == (5, len(POINTS) - 5, 0)
    assert len((tmp_path / "log").read_text().splitlines()) == len(POINTS)
    assert [row["seed"] for row in none.rows] == [point["seed"] for point in POINTS[3:7]]
    whole = sweep(counted, POINTS, tmp_path / "w", settings=settings)
    assert untimed(whole) == untimed(more)
    columns = [name for name in parquet.read_schema(whole.path).names if name != "seconds"]
    assert parquet.read_table(whole.path, columns=columns).equals(parquet.read_table(more.path, columns=columns))


def test_values_that_are_not_finite_stay(tmp_path: Path) -> None:
    found = sweep(diverge, grid({"x": [1]}), tmp_path / "s")
    assert np.isnan(found.column("loss")[0])
    again = read_results(tmp_path / "s")
    assert again.column("bound") == [float("inf")]
    assert parquet.read_table(found.path)["bound"].to_pylist() == [float("inf")]


def diverge(point: dict[str, Any]) -> dict[str, Any]:
    return {"loss": np.float32("nan"), "bound": float("inf"), "kind": None}


def test_numbers_and_words_in_a_column(tmp_path: Path) -> None:
    found = sweep(number, [{"x": 1, "seed": 0, "net": 4}, {"x": 1, "seed": 0, "net": "4-3"}], tmp_path / "s")
    assert parquet.read_table(found.path)["net"].to_pylist() == ["4", "4-3"]


# --- failures ---


def test_a_run_that_fails_stops_no_other(tmp_path: Path) -> None:
    points = grid({"x": [0, 1, 3, 4]})
    told: list[tuple[int, int, str]] = []
    found = sweep(troubled, points, tmp_path / "s", progress=lambda *values: told.append(values))
    assert [row["status"] for row in found.rows] == ["ok", "failed", "failed", "ok"]
    assert found.rows[1]["error"].startswith("ValueError: one is bad (sweep_support.py:")
    assert "y is neither a number" in found.rows[2]["error"]
    assert found.column("y") == [0, 4]
    assert told[0] == (0, 4, "")
    assert told[-1] == (4, 4, "2 failed")
    assert sweep(troubled, points, tmp_path / "s").computed == 0
    again = sweep(troubled, points, tmp_path / "s", retry_failed=True)
    assert again.computed == 2
    assert len(again.rows) == parquet.read_metadata(again.path).num_rows == 4


def test_a_task_that_returns_a_column_twice(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="returns seconds"):
        sweep(clash, grid({"x": [1]}), tmp_path / "s")


def clash(point: dict[str, Any]) -> dict[str, Any]:
    return {"seconds": 1}


# --- another sweep ---


def test_another_meaning_is_refused(tmp_path: Path) -> None:
    sweep(number, grid({"x": [1]}, seeds=[0]), tmp_path / "s", settings={"sleep": 0})
    for task, points, settings, said in (
        (troubled, grid({"x": [1]}, seeds=[0]), {"sleep": 0}, "not of sweep_support:troubled"),
        (number, grid({"x": [1]}, seeds=[0]), {"sleep": 0.01}, "with sleep = 0, not 0.01"),
        (number, grid({"x": [1], "z": [1]}, seeds=[0]), {"sleep": 0}, "over x, seed, not over x, z, seed"),
    ):
        with pytest.raises(SweepError, match=f"{said}; choose another directory"):
            sweep(task, points, tmp_path / "s", settings=settings)
    assert len(read_results(tmp_path / "s").rows) == 1


def test_another_version_is_another_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(number, grid({"x": [1]}, seeds=[0]), tmp_path / "s")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9")
    with pytest.raises(SweepError, match=r"was begun with mtjlearn .*, and this is 9.9; use that version"):
        sweep(number, grid({"x": [1]}, seeds=[0]), tmp_path / "s")


@pytest.mark.parametrize("task", [lambda point: {}, partial(number)])
def test_a_task_that_cannot_be_known_again(tmp_path: Path, task: Any) -> None:
    with pytest.raises(SweepError, match="a function of a module"):
        sweep(task, POINTS, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.png").touch()
    with pytest.raises(SweepError, match="not a sweep; choose another"):
        sweep(number, POINTS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    with pytest.raises(SweepError, match=r"sweep.json is missing"):
        read_results(tmp_path)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    sweep(number, POINTS, tmp_path / "s")
    lock = Lock(tmp_path / "s" / LOCK)
    with pytest.raises(SweepError, match="in use by another process"):
        sweep(number, POINTS, tmp_path / "s")
    assert len(read_results(tmp_path / "s").rows) == len(POINTS)
    lock.release()


@pytest.mark.parametrize("missing", ["pyarrow", "distributed", "optuna"])
def test_a_package_that_is_missing_is_named_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    settings = {"log": str(tmp_path / "log")}
    compute = {
        "optuna": lambda: run_search(counted, {"x": [1]}, tmp_path / "s", trials=1, objective="y", workers=0, settings=settings),
        "distributed": lambda: run_sweep(counted, POINTS, tmp_path / "s", settings=settings, scheduler="tcp://127.0.0.1:1"),
        "pyarrow": lambda: sweep(counted, POINTS, tmp_path / "s", settings=settings),
    }[missing]
    with pytest.raises(SweepError, match=r"pip install 'mtjlearn\[sweep\]'"):
        compute()
    assert not (tmp_path / "log").exists()


# --- damage ---


def test_a_journal_that_was_cut_or_changed_is_never_trusted(tmp_path: Path) -> None:
    points = grid({"x": [1, 2]}, seeds=[0])
    whole = untimed(sweep(number, points, tmp_path / "s"))
    journal = tmp_path / "s" / JOURNAL
    content = journal.read_bytes()
    ends = [index + 1 for index, byte in enumerate(content) if byte == ord("\n")]
    records, _ = read_journal(journal)
    assert len(records) == len(ends) == 2
    for index in sorted({*range(0, len(content), 5), *(end + at for end in ends for at in (-2, -1, 0))} - {len(content)}):
        journal.write_bytes(content[:index])
        left = sum(end <= index for end in ends)
        assert read_journal(journal) == (records[:left], int(index not in (0, *ends)))
        journal.write_bytes(content[:index] + bytes([content[index] ^ 4]) + content[index + 1 :])
        found, damaged = read_journal(journal)
        assert damaged
        assert len(found) == (index != ends[0] - 1)  # without the end of the first line there are no two
        assert all(record in records for record in found)
    journal.write_bytes(content[:-5])
    again = sweep(number, points, tmp_path / "s")
    assert (again.computed, again.damaged) == (1, 1)
    assert untimed(again) == whole
    assert untimed(sweep(number, points, tmp_path / "s")) == whole


def test_lines_of_another_sweep_are_not_trusted(tmp_path: Path) -> None:
    points = grid({"x": [1, 2]}, seeds=[0])
    sweep(number, points, tmp_path / "s")
    sweep(number, points, tmp_path / "t", settings={"sleep": 0.001})
    (tmp_path / "t" / JOURNAL).write_bytes((tmp_path / "s" / JOURNAL).read_bytes())
    assert sweep(number, points, tmp_path / "t", settings={"sleep": 0.001}).computed == 2


def test_a_damaged_description(tmp_path: Path) -> None:
    sweep(number, POINTS, tmp_path / "s")
    description = tmp_path / "s" / DESCRIPTION
    content = description.read_text()
    for bad in (content[:-9], "", "[]", "{}", content.replace('"settings": {}', '"settings": {"a": 1}')):
        description.write_text(bad)
        with pytest.raises(SweepError, match=r"sweep.json is damaged .*; remove it"):
            sweep(number, POINTS, tmp_path / "s")
    description.write_text(content.replace('"format": 1', '"format": 2'))
    with pytest.raises(SweepError, match="another version"):
        read_results(tmp_path / "s")
    description.unlink()
    assert sweep(number, POINTS, tmp_path / "s").computed == 0


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 99])
def test_a_disk_that_is_full_at_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    points, left = grid({"x": [1, 2, 3]}, seeds=[0]), after
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        nonlocal left
        if not data.endswith(b"}\n"):
            return write(descriptor, data)
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:100])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        if after < 99:
            with pytest.raises(SweepError, match=r"runs.journal cannot be written: the disk is full .*; make room"):
                sweep(number, points, tmp_path / "s")
        else:
            sweep(number, points, tmp_path / "s")
    kept = len(read_results(tmp_path / "s").rows)
    assert kept == {0: 0, 1: 0, 99: 3}.get(after, kept) <= 3
    again = sweep(number, points, tmp_path / "s")
    assert again.computed == 3 - kept
    assert not again.damaged


def test_results_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mtjlearn.sweeps.results.write_atomic", full)
        with pytest.raises(SweepError, match=r"results.parquet cannot be written: the disk is full"):
            sweep(number, POINTS, tmp_path / "s")
    again = sweep(number, POINTS, tmp_path / "s")
    assert again.computed == 0
    assert parquet.read_metadata(again.path).num_rows == len(POINTS)
