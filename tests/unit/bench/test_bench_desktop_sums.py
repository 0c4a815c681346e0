"""What the measurements on this computer make of a clock's readings: a faked clock and faked boards, nothing is measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mtjlearn.bench.desktop import autonomous, host, micropython, reference, timing
from mtjlearn.bench.desktop.timing import Spread
from mtjlearn.bench.phases import PHASES, BenchError
from mtjlearn.bench.tasks import TASKS
from mtjlearn.bench.workload import workload
from mtjlearn.wire.messages import Task


class Clock:
    """Stands still but where somebody lets time pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    process_time = perf_counter

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all measurements."""
    found = Clock()
    for module in (autonomous, host, reference, timing):
        monkeypatch.setattr(module, "time", found)
    return found


def taking(clock: Clock, seconds: Callable[..., float]) -> Callable[..., None]:
    """A function that takes this long, by its arguments."""
    return lambda *args, **_: clock.sleep(seconds(*args))


def test_a_spread_is_median_and_extremes() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(median=3.0, minimum=1.0, maximum=8.0)


def test_a_round_trip_is_timed_after_one_that_does_not_count(clock: Clock) -> None:
    trips = iter([9.0, 0.1, 0.4, 0.2])
    board: Any = SimpleNamespace(status=lambda: clock.sleep(next(trips)))
    assert timing.time_round_trip(board, repeats=3) == Spread(*map(pytest.approx, (0.2, 0.1, 0.4)))


def test_streaming_is_timed_for_as_long_as_asked(clock: Clock) -> None:
    sent: list[tuple[int, int]] = []
    slow = iter([50.0])

    def train(x: np.ndarray, targets: np.ndarray) -> None:
        sent.append((len(x), len(targets)))
        clock.sleep(next(slow, 0.0) + len(x) / 1000)

    board: Any = SimpleNamespace(configure=lambda network: None, train=train)
    found = timing.time_stream(board, workload((2, 3, 1)), repeats=3, seconds=0.5)
    assert sent == [(256, 256)] * 2 + [(500, 500)] * 3
    assert found == Spread(*[pytest.approx(1000)] * 3)


def test_a_step_is_timed_in_nanoseconds(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []

    class Learner:
        def __init__(self, network: object) -> None:
            self.codes = 0

        def put_codes(self, codes: np.ndarray) -> None:
            self.codes = len(codes)

        def train(self, x: np.ndarray, target: np.ndarray, order: np.ndarray) -> None:
            assert self.codes == 200
            assert order.tolist() == [step % len(x) for step in range(len(order))]
            steps.append(len(order))
            clock.sleep(len(order) * 1e-3)

    monkeypatch.setattr(timing, "Learner", Learner)
    found = timing.time_step(workload((2, 3, 1)), repeats=2, seconds=0.7)
    assert steps == [256, 256, 700, 700]
    assert found == Spread(*[pytest.approx(1e6)] * 3)


def test_phases_are_those_of_the_median_step_without_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter([(9.0, 9.0, 9.0, 9.0), (10.0, 1.0, 2.0, 3.0), (30.0, 1.0, 2.0, 3.0), (20.0, 2.0, 3.0, 4.0)])

    def take(nanos: list[float]) -> None:
        nanos[:] = [256 * value for value in next(measured)]

    lib = SimpleNamespace(phases_take=take)
    monkeypatch.setattr(timing, "_phases", SimpleNamespace(load=lambda: (SimpleNamespace(new=lambda kind: [0.0] * 4), lib)))
    monkeypatch.setattr(
        timing, "Learner", lambda network, library: SimpleNamespace(put_codes=lambda codes: None, train=lambda x, target: None)
    )
    found = timing.time_phases(workload((2, 3, 1)), repeats=3)
    assert found == dict(zip(PHASES, (20.0, 2.0, 11.0, 3.0, 4.0), strict=True))


def test_the_models_replicas_count_together(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def model(network: object, seeds: range) -> SimpleNamespace:
        assert list(seeds) == [1, 2, 3]

        def train(x: np.ndarray, target: np.ndarray) -> None:
            trained.append((x.shape, target.shape))
            clock.sleep(0.01)

        return SimpleNamespace(put_codes=lambda codes: None, train=train)

    load = workload((2, 3, 1))
    monkeypatch.setattr(timing, "FixedNetwork", model)
    monkeypatch.setattr(type(load), "samples", lambda self: (np.zeros((4, 2)), np.zeros((4, 1))))
    found = timing.time_model(load, 3, repeats=2, steps=5)
    assert trained == [((2,), (1,))] * 15
    assert found == Spread(*[pytest.approx(300)] * 3)


def test_autonomous_steps_per_second_are_those_of_the_boards_count(clock: Clock) -> None:
    board: Any = SimpleNamespace(status=lambda: SimpleNamespace(steps=round(500 * (clock.now - 90))))
    assert autonomous._steps_a_second(board) == pytest.approx(500)


@pytest.mark.parametrize("learning", TASKS, ids=lambda learning: learning.name)
def test_a_board_begins_its_task_and_has_made_a_step(clock: Clock, learning: Any) -> None:
    did: list[Any] = []
    begun = clock.now
    board: Any = SimpleNamespace(
        configure=did.append,
        upload_dataset=lambda x, targets: did.append((x.shape, targets.shape)),
        start_autonomous=did.append,
        status=lambda: SimpleNamespace(steps=int(clock.now > begun + 0.05)),
    )
    autonomous._begin(board, learning)
    uploaded = [((100, 4), (100, 3))] if learning.task is Task.DATASET else []
    assert did == [learning.load.network, *uploaded, learning.schedule]
    assert clock.now > begun + 0.05


def test_tasks_run_in_real_time_and_on_the_virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks: list[int] = []
    told: list[tuple[int, int, str]] = []

    class Opened:
        def __init__(self, name: str, virtual_clock: int) -> None:
            assert name == "native"
            clocks.append(virtual_clock)

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    speeds = itertools.cycle([30.0, 10.0, 20.0])
    monkeypatch.setattr(autonomous, "open_board", Opened)
    monkeypatch.setattr(autonomous, "time_stream", lambda board, load, repeats: Spread(5.0 * repeats, 0.0, 9.0))
    monkeypatch.setattr(autonomous, "_begin", lambda board, learning: None)
    monkeypatch.setattr(autonomous, "_steps_a_second", lambda board: next(speeds))
    found = autonomous.native_autonomous(3, lambda *now: told.append(now))
    assert clocks == [0, 4] * 3
    assert told == [(place, 6, name) for place, name in enumerate(np.repeat(["2-2-2-1", "2-3-1", "4-8-3"], 2))]
    figures = {"steps_per_s": 20.0, "min": 10.0, "max": 30.0, "streamed_per_s": 15.0}
    assert found == {
        name: {"task": task, "real_time": figures, "virtual_clock": figures}
        for name, task in (("2-2-2-1", "teacher"), ("2-3-1", "xor"), ("4-8-3", "dataset"))
    }


def test_an_epoch_costs_what_its_fastest_round_says(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = {"bp": iter([2.0, 1.0]), "anp": iter([3.0, 4.0]), "danp": iter([8.0, 6.0])}
    shown: list[tuple[Any, ...]] = []

    def program(sizes: object, rule: str, dtype: str, x: np.ndarray, t: np.ndarray) -> Callable[[], None]:
        shown.append((dtype, rule, x.shape, x.dtype, t.shape, int(t.min()), int(t.max())))
        return (lambda: clock.sleep(next(rounds[rule]))) if dtype == "float32" else (lambda: clock.sleep(1.0))

    monkeypatch.setattr(reference, "_reference", program)
    monkeypatch.setattr(reference, "_torch_programs", lambda *_: {("torch, plain", "danp"): lambda: clock.sleep(2.0)})
    monkeypatch.setattr(reference, "_memory", lambda sizes, dtype, x, t: {"float32": 1.5, "float64": 3.0}[dtype])
    told: list[tuple[int, int, str]] = []
    found = reference.measure_reference(2, (3, 4, 10), 5, lambda *now: told.append(now))
    assert shown == [
        (dtype, rule, (320, 3), np.float32, (320,), 0, 9) for dtype in ("float32", "float64") for rule in ("bp", "anp", "danp")
    ]
    # 60,000 samples are 937.5 batches of 64, of which a round has five.
    assert found["cpu_s_per_epoch"]["numpy float32"] == pytest.approx({"bp": 187.5, "anp": 562.5, "danp": 1125.0})
    assert found["cpu_s_per_epoch"]["torch, plain"] == pytest.approx({"danp": 375.0})
    assert found["danp_ratios"] is None
    assert found["memory_mib"] == {"float32": 1.5, "float64": 3.0}
    assert (found["network"], found["samples"], found["batch"], found["rounds"]) == ("3-4-10", 60_000, 64, 2)
    assert [now[:2] for now in told] == [(done, 14) for done in range(14)]
    assert told[0][2] == "numpy float32 bp"


def test_ratios_are_medians_over_rounds() -> None:
    spent = {
        ("numpy float32", "danp"): [1.0, 2.0, 4.0],
        ("torch, authors", "danp"): [3.0, 4.0, 40.0],
        ("torch, plain", "danp"): [2.0, 8.0, 4.0],
    }
    assert reference._ratios(spent) == {"authors_over_numpy": 3.0, "numpy_over_plain_torch": 0.5}


@pytest.mark.parametrize(("rule", "decorrelated"), [("bp", False), ("anp", False), ("danp", True)])
def test_the_measured_reference_learns_by_its_rule(rule: str, decorrelated: bool) -> None:
    found = reference._new((3, 4, 2), rule, "float32")
    assert found.network.decorrelate == (decorrelated,) * 2
    assert not found.network.normalised
    assert (found.rule.value == "bp") is (rule == "bp")


def test_memory_is_that_of_the_arrays_in_mib() -> None:
    x, t = np.zeros((200, 40), np.float32), np.zeros(200, np.int64)
    single, double = (reference._memory((40, 200, 2), dtype, x, t) for dtype in ("float32", "float64"))
    weights = 4 * (41 * 200 + 201 * 2) / 2**20
    assert 4 * weights < single < 60 * weights
    assert 1.3 < double / single < 2.5


def test_the_reference_is_timed_over_all_steps(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []

    class Reference:
        def __init__(self, network: Any, noise: Any, compiled: bool) -> None:
            assert network.learning_rate == pytest.approx(0.2 / 6)
            assert compiled

        def train(self, x: np.ndarray, target: np.ndarray, epochs: int) -> None:
            assert (x.shape[1], target.shape[1], epochs) == (2, 1, 1)
            trained.append(len(x))
            clock.sleep(len(x) / 500)

    monkeypatch.setattr(host, "Reference", Reference)
    assert host._steps_per_s((2, 5, 1), True, 1000) == pytest.approx(500)
    assert trained == [64, 1000]
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    assert host._steps_per_s((2, 5, 1), True, 1000) == pytest.approx(1e12)


def test_a_file_of_rows_is_the_same_each_time(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    host._write_rows(path, 10_500)
    header, *lines = path.read_text().splitlines()
    assert header == "x1,x2,x3,x4,y"
    assert len(lines) == 10_500
    rows = np.loadtxt(lines, delimiter=",")
    rest = rows[:, 4] - rows[:, :4] @ [1, -0.5, 0.3, 0.2]
    assert rest.std() == pytest.approx(0.1, rel=0.05)
    assert rows[:, :4].std(axis=0) == pytest.approx([1.0] * 4, rel=0.05)
    assert len(np.unique(rows[:, 0])) > 10_000


def test_a_commands_cost_is_its_processs(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    said, status = b"", 0

    class Process:
        def __init__(self, command: list[str], stdout: int, stderr: Any) -> None:
            assert command[1:] == ["-m", "mtjlearn", "validate", "--json"]
            stderr.write(said)
            self.pid = 7

        def __enter__(self) -> Process:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def wait4(pid: int, options: int) -> tuple[int, int, SimpleNamespace]:
        assert (pid, options) == (7, 0)
        clock.sleep(2.5)
        return pid, status, SimpleNamespace(ru_utime=1.5, ru_stime=0.25, ru_maxrss=3 * 2**20)

    monkeypatch.setattr(host.subprocess, "Popen", Process)
    monkeypatch.setattr(host.os, "wait4", wait4)
    for platform, memory in (("linux", 3 * 2**10), ("darwin", 3)):
        monkeypatch.setattr(host.sys, "platform", platform)
        assert host._cost(["validate", "--json"]) == {"cpu_s": 1.75, "wall_s": 2.5, "memory_mib": memory}
    said, status = b"first\nmtjlearn: the board is gone\n", 1 << 8
    with pytest.raises(BenchError, match=r"^mtjlearn validate failed: the board is gone$"):
        host._cost(["validate", "--json"])
    said = b""
    with pytest.raises(BenchError, match=r"failed: $"):
        host._cost(["validate", "--json"])
    monkeypatch.setattr(host.sys, "platform", "win32")
    with pytest.raises(BenchError, match="WSL"):
        host._cost(["validate", "--json"])


@pytest.mark.parametrize("compiled", [True, False])
def test_the_hosts_costs_are_of_a_training_a_validation_and_the_reference(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    told: list[tuple[int, int, str]] = []
    monkeypatch.setattr(host, "_cost", lambda arguments: {"cpu_s": float(len(arguments)), "words": arguments})
    monkeypatch.setattr(host, "is_compiled", lambda: compiled)
    monkeypatch.setattr(host, "_steps_per_s", lambda sizes, compiled, steps: (sizes, compiled, steps))
    found = host.measure_host(12, lambda *now: told.append(now), lambda compiled: 70 if compiled else 30)
    assert [now[:2] for now in told] == [(0, 3), (1, 3), (2, 3)]
    assert found["rows"] == 12
    assert found["train"]["words"][:1] == ["train"]
    assert found["train"]["words"][2:8] == ["--target", "y", "--board", "native", "--epochs", "1"]
    assert found["validate"]["words"] == ["validate", "--board", "inprocess", "--json"]
    for sizes in ((2, 2, 2, 1), (4, 8, 3)):
        entry = found["reference"]["-".join(map(str, sizes))]
        assert entry == {"compiled": (sizes, True, 70) if compiled else None, "numpy": (sizes, False, 30)}


def test_micropythons_rates_are_next_to_those_of_c(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, str]] = []
    sizes = {"module_bytes": 10, "learner_bytes": 20, "arena_bytes": 30}

    def measured(load: Any, repeats: int, *, viper: bool) -> dict[str, Any]:
        assert repeats == 3
        return {"us": [100.0, 200.0, 50.0], **sizes} if viper else {"us": [1000.0, 4000.0, 2000.0], "module_bytes": 0}

    monkeypatch.setattr(micropython, "_run", measured)
    monkeypatch.setattr(micropython, "time_step", lambda load, repeats: Spread(median=500.0, minimum=250.0, maximum=1000.0))
    found = micropython.micropython_steps(3, lambda *now: told.append(now))
    assert told == [(0, 2, "2-2-2-1"), (1, 2, "4-8-3")]
    for one in found.values():
        assert one["viper"] == {"steps_per_s": 10_000, "min": 5000, "max": 20_000}
        assert one["bytecode"] == {"steps_per_s": 500, "min": 250, "max": 1000}
        assert one["c"] == {"steps_per_s": 2e6, "min": 1e6, "max": 4e6}
        assert one["ratio"] == 0.005
        assert {name: one[name] for name in sizes} == sizes
