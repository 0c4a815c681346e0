"""Run directories are read while others write to them: torn lines, resumed runs, damage, and what was never there."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.dashboard import rundirs
from mtjlearn.dashboard.following import MOST_CELLS, Follower
from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.rundirs import MOST_LIVE, RunsWatch
from mtjlearn.dashboard.series import MOST_POINTS, Series
from mtjlearn.runs import Checkpoint, Run

PATIENCE = 60.0
DEEP = b'{"command": "train", "name": "x", "seed": 0, "started": "", "state": "running", "result": {"a": %s0%s}}' % (
    *(b"[" * 600, b"]" * 600),
)
NETWORK = {"epochs": 10, "rule": "anp", "network": {"sizes": [2, 3, 1]}}


def begun(root: Path, seed: int = 0, **meta: object) -> Run:
    run = Run.create(root, "train", "iris", seed, NETWORK, **{"total_steps": 1000, **meta})
    run.keep()
    return run


def test_a_run_is_followed_while_it_is_written(tmp_path: Path) -> None:
    with begun(tmp_path, board={"name": "native", "url": "/dev/pts/9"}) as run:
        follower = Follower(run.path)
        follower.update()
        seen = follower.view()
        assert (seen["state"], seen["step"], seen["curves"], seen["rate"]) == ("running", 0, {}, None)
        assert (seen["board"], seen["port"], seen["sizes"], seen["total"]) == ("native", "/dev/pts/9", [2, 3, 1], 1000)
        run.metric(step=100, epoch=1, loss=0.5, skipped=3, saturations=7, seconds=0.5)
        follower.update()
        seen = follower.view()
        assert seen["curves"] == {"loss": [(100, 0.5)]}
        assert (seen["skipped"], seen["saturations"], seen["rate"], seen["left"]) == (3, 7, 200.0, 4.5)
        run.metric(step=200, epoch=2, loss=0.25, skipped=3, saturations=9, seconds=0.5, test_accuracy=0.9)
        run.metric(event="noise_fault", step=200, fault="stuck")
        follower.update()
        seen = follower.view()
        assert seen["curves"] == {"loss": [(100, 0.5), (200, 0.25)], "test_accuracy": [(200, 0.9)]}
        assert [event["fault"] for event in seen["events"]] == ["stuck"]
        run.finish({"test_accuracy": 0.95})
    follower.update()
    seen = follower.view()
    assert (seen["state"], seen["left"], seen["result"]) == ("finished", None, {"test_accuracy": 0.95})


def test_a_line_that_is_half_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        follower = Follower(run.path)
        with (run.path / "metrics.jsonl").open("ab", buffering=0) as file:
            file.write(b'{"step": 1, "loss": 0.5}\n{"step": 2, "lo')
            follower.update()
            assert follower.view()["curves"] == {"loss": [(1, 0.5)]}
            file.write(b'ss": 0.25}\n')
            follower.update()
        assert follower.view()["curves"] == {"loss": [(1, 0.5), (2, 0.25)]}
        assert follower.problem is None


def test_what_was_recorded_before_the_first_step_is_shown(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        follower = Follower(run.path)
        run.metric(step=0, skipped=5, saturations=2)
        follower.update()
        seen = follower.view()
    assert (seen["step"], seen["skipped"], seen["saturations"]) == (0, 5, 2)


def test_a_resumed_run_goes_back_to_its_checkpoint(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        follower = Follower(run.path)
        for step in (10, 20, 30):
            run.metric(step=step, loss=0.5)
        follower.update()
        run.metric(event="resumed", step=10)
        run.metric(step=20, loss=0.4)
        follower.update()
        seen = follower.view()
    assert seen["curves"] == {"loss": [(10, 0.5), (20, 0.4)]}
    assert [event["event"] for event in seen["events"]] == ["resumed"]


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        follower = Follower(run.path)
        run.metric(step=10, loss=0.5)
        run.metric(step=20, loss=0.5)
        follower.update()
        (run.path / "metrics.jsonl").write_text('{"step": 5, "loss": 1.0}\n')
        follower.update()
        assert follower.view()["curves"] == {"loss": [(5, 1.0)]}


def test_weights_are_those_of_the_last_checkpoint(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        follower = Follower(run.path)
        follower.update()
        assert follower.layers() == []
        values = np.array([4096, -4096, 2048, 0, 0, 0, 0, 0, 32767, 1, 2, 3, -32767], dtype=np.int16)
        run.save_weights(Checkpoint(0, 0, 1, values))
        follower.update()
        first, second = follower.layers()
    assert (first["units"], first["inputs"], first["rows"], first["columns"]) == (3, 2, 3, 3)
    assert first["values"][:3] == [1.0, -1.0, 0.5]
    assert (first["saturated"], second["saturated"]) == (1, 1)
    assert second["least"] == -32767 / 4096
    assert (second["rows"], second["columns"], second["most"]) == (1, 4, 3 / 4096)


def test_a_large_layer_is_averaged(tmp_path: Path) -> None:
    config = {"network": {"sizes": [784, 100]}}
    with Run.create(tmp_path, "train", "mnist", 0, config) as run:
        run.keep()
        run.save_weights(Checkpoint(0, 0, 1, np.full(785 * 100, 0.5)))
        follower = Follower(run.path)
        follower.update()
        (layer,) = follower.layers()
    assert layer["rows"] * layer["columns"] == len(layer["values"]) <= MOST_CELLS
    assert set(layer["values"]) == {0.5}
    assert (layer["units"], layer["inputs"], layer["saturated"]) == (100, 784, 0)


def test_weights_of_another_network_are_a_problem_not_a_crash(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        run.save_weights(Checkpoint(0, 0, 1, np.zeros(5, np.int16)))
        follower = Follower(run.path)
        follower.update()
        assert "weights of this run's network" in str(follower.view()["problem"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.jsonl", b"{\n"),
        ("metrics.jsonl", b'[1]\n{"step": 2}\n'),
        ("weights.npz", b"PK"),
        ("meta.json", b"{}"),
        ("meta.json", b"\xff"),
        ("metrics.jsonl", b'{"step": 1%s, "loss": 0.5, "seconds": 0.1}\n' % (b"0" * 400)),
        ("metrics.jsonl", b'{"step": 1, "event": "\\ud800"}\n'),
        ("meta.json", DEEP),
    ],
)
def test_damage_is_shown(tmp_path: Path, name: str, content: bytes) -> None:
    with begun(tmp_path) as run:
        (run.path / name).write_bytes(content)
        follower = Follower(run.path)
        follower.update()
        for _ in range(2):  # it stays so
            follower.update()
            assert f"{name} is damaged" in str(follower.view()["problem"])


@pytest.mark.parametrize("network", ["x", {"sizes": "2-3"}, {"sizes": [2]}, {"sizes": [2, -3]}, {"sizes": [2, "3"]}])
def test_a_run_from_elsewhere_may_say_anything(tmp_path: Path, network: object) -> None:
    with Run.create(tmp_path, "train", "x", 0, {"network": network}, board=[1], total_steps="many", data=None) as run:
        run.keep()
        run.metric(step="x", loss="y")
        run.metric(step=3, loss="y", seconds="z", event=7)
        run.save_weights(Checkpoint(0, 0, 1, np.zeros(13, np.int16)))
        follower = Follower(run.path)
        follower.update()
        seen = follower.view()
    assert (seen["sizes"], seen["total"], seen["board"], seen["curves"]) == (None, None, None, {})
    assert follower.layers() == []


def test_a_file_that_vanishes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with begun(tmp_path) as run:
        run.metric(step=1, loss=0.5)
        follower = Follower(run.path)

        def vanish() -> None:
            raise FileNotFoundError(2, "No such file or directory")

        with monkeypatch.context() as patched:
            patched.setattr(follower, "_read_metrics", vanish)
            follower.update()
        assert "metrics.jsonl cannot be read: No such file" in str(follower.view()["problem"])
        follower.update()
        assert follower.view()["problem"] is None
        assert follower.view()["curves"] == {"loss": [(1, 0.5)]}


def test_a_run_whose_process_died_is_interrupted(tmp_path: Path) -> None:
    run = begun(tmp_path)
    meta = (run.path / "meta.json").read_text()
    run.interrupt()
    (run.path / "meta.json").write_text(meta)
    follower = Follower(run.path)
    follower.update()
    assert follower.view()["state"] == "interrupted"


# --- the directory ---


def test_runs_are_listed_and_those_that_run_are_followed(tmp_path: Path) -> None:
    hub = Hub()
    watch = RunsWatch(tmp_path / "runs", hub)
    watch.look()
    assert hub.value("runs")["runs"] == []
    assert hub.value("trainings") == []
    with begun(tmp_path / "runs", 1) as run:
        run.metric(step=10, loss=0.5)
        watch.look()
        (listed,) = hub.value("runs")["runs"]
        assert (listed["name"], listed["seed"], listed["state"]) == ("iris", 1, "running")
        assert [live["run"] for live in hub.value("trainings")] == [run.path.name]
        run.save_weights(Checkpoint(0, 0, 1, np.zeros(13, np.int16)))
        watch.look()
        assert len(hub.value("weights")[run.path.name]) == 2
        run.finish({"test_accuracy": 0.5})
    watch.look()
    (listed,) = hub.value("runs")["runs"]
    assert (listed["state"], listed["test_accuracy"]) == ("finished", 0.5)
    (live,) = hub.value("trainings")  # it stays in view
    assert (live["state"], live["step"]) == ("finished", 10)


def test_what_is_followed_is_bounded_and_newer_runs_take_its_place(tmp_path: Path) -> None:
    hub = Hub()
    watch = RunsWatch(tmp_path, hub)
    for seed in range(2 * MOST_LIVE):
        with begun(tmp_path, seed) as run:
            watch.look()
            run.finish({})
        watch.look()
    assert len(hub.value("trainings")) == MOST_LIVE
    assert len(hub.value("runs")["runs"]) == 2 * MOST_LIVE


def test_a_run_that_is_removed_vanishes(tmp_path: Path) -> None:
    hub = Hub()
    watch = RunsWatch(tmp_path, hub)
    with begun(tmp_path) as run:
        watch.look()
        for path in run.path.iterdir():
            path.unlink()
        run.path.rmdir()
        watch.look()
        assert hub.value("runs")["runs"] == hub.value("trainings") == []
        assert watch.find(run.path.name) is None
        run.path.mkdir()  # for the end of the run


def test_only_runs_of_the_list_are_found(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with begun(tmp_path / "elsewhere") as other, begun(tmp_path / "runs") as run:
        watch = RunsWatch(tmp_path / "runs", Hub())
        watch.look()
        found = watch.find(run.path.name)
        assert found is not None
        assert found.view()["name"] == "iris"
        for name in ("..", ".", "", "nothing", f"../elsewhere/{other.path.name}", str(other.path)):
            assert watch.find(name) is None


def test_a_damaged_run_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        (run.path / "meta.json").write_text("{")
        watch = RunsWatch(tmp_path, hub := Hub())
        watch.look()
    (listed,) = hub.value("runs")["runs"]
    assert listed["state"] == "damaged"
    assert "meta.json is damaged" in listed["error"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["meta.json", "metrics.jsonl", "weights.npz", "config.toml", "lock"])
def test_a_pipe_in_a_run_from_elsewhere_is_not_waited_for(tmp_path: Path, name: str) -> None:
    with begun(tmp_path) as run:
        run.metric(step=1, loss=0.5)
        other = tmp_path / "20260101-000000-train-x-s0"
        shutil.copytree(run.path, other)
        (other / name).unlink(missing_ok=True)
        os.mkfifo(other / name)
        watch = RunsWatch(tmp_path, hub := Hub())
        with ThreadPoolExecutor(1) as pool:
            pool.submit(watch.look).result(PATIENCE)
        assert {row["run"] for row in hub.value("runs")["runs"]} == {run.path.name, other.name}


def test_what_nobody_expected_is_said_and_the_next_look_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, failed = Hub(), threading.Event()
    watch = RunsWatch(tmp_path, hub)
    look = watch.look

    def fail() -> None:
        if not failed.is_set():
            failed.set()
            raise MemoryError("none left")
        look()

    seen = []
    publish = hub.publish

    def note(topic: str, value: Any) -> None:
        seen.append(value)
        publish(topic, value)

    monkeypatch.setattr(hub, "publish", note)
    monkeypatch.setattr(watch, "look", fail)
    monkeypatch.setattr(rundirs, "POLL", 0.01)
    watch.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while hub.value("weights") is None and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        watch.close()
    assert "MemoryError: none left" in seen[0]["problem"]
    assert hub.value("runs")["problem"] is None


# --- curves ---


def test_a_long_curve_keeps_its_shape_and_its_bound() -> None:
    series, count = Series(), 100_000
    for step in range(count):
        series.add(step, float(step))
    points = series.points
    assert MOST_POINTS / 2 <= len(points) <= MOST_POINTS + 1
    assert points[-1][0] == count - 1
    steps = [step for step, _ in points]
    assert steps == sorted(set(steps))
    # A point is the mean of the values that end at its step.
    assert all(abs(value - (step - (series.width - 1) / 2)) <= 1 for step, value in points[:-1])


def test_a_short_curve_is_exact() -> None:
    series = Series()
    for step in range(10):
        series.add(step, step / 3)
    assert series.points == [(step, float(f"{step / 3:.5g}")) for step in range(10)]
    assert json.loads(json.dumps(series.points))[3] == [3, 1.0]


def test_what_is_recorded_later_of_the_same_step_counts(tmp_path: Path) -> None:
    with begun(tmp_path) as run:
        run.metric(step=100, epoch=1, loss=0.5, skipped=3, saturations=7, seconds=0.5)
        run.metric(step=100, skipped=4)
        follower = Follower(run.path)
        follower.update()
        assert (follower.view()["skipped"], follower.view()["saturations"]) == (4, 7)
