"""What streaming to a chip makes of a simulator's counts, which are faked. The device in this process answers."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mtjlearn.bench.chip import autonomous, credit_client, streaming
from mtjlearn.bench.chip.credit_client import CreditClient
from mtjlearn.bench.chip.profile import Interrupt
from mtjlearn.bench.phases import BenchError
from mtjlearn.bench.tasks import TASKS
from mtjlearn.bench.workload import workload
from mtjlearn.board.board import configure_message
from mtjlearn.board.samples import checked_samples, train_commands
from mtjlearn.inprocess.board import start_inprocess
from mtjlearn.wire.frame import FrameDecoder
from mtjlearn.wire.messages import SetTelemetry, Telemetry, Welcome


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def client_of(**options: Any) -> CreditClient:
    return CreditClient(start_inprocess(**options).open_transport())


def test_the_leanest_host_streams_within_the_credit() -> None:
    client = client_of(max_payload=64)
    load = workload((2, 3, 1))
    client.execute(configure_message(load.network))
    client._line.read(0.1)
    client.execute(SetTelemetry(50))
    rows = checked_samples(load.network, *load.samples())
    commands = list(train_commands(rows, client.welcome.max_payload))
    assert client.stream(iter(commands)) == len(commands) > 10
    assert not client._flight
    assert client.ack.next_seq == client._number & 0xFF == (2 + len(commands)) & 0xFF
    assert (client.ack.errors, client.ack.rx_overruns, client.ack.bad_frames) == (0, 0, 0)
    assert [report.step for report in client.telemetry] == [50, 100, 150, 200, 250]
    assert client.stream([]) == 0


def bare(line: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> CreditClient:
    """A host in the middle of a session."""
    monkeypatch.setattr(credit_client, "time", clock)
    client = CreditClient.__new__(CreditClient)
    client._line, client._decoder, client._session = line, FrameDecoder(), 1
    client.telemetry, client._flight, client._number = [], deque([10]), 1
    return client


def test_a_board_that_falls_silent_is_waited_for_as_long_as_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    waits: list[float] = []

    def read(seconds: float) -> bytes:
        waits.append(seconds)
        clock.now += 5.0
        return b""

    client = bare(SimpleNamespace(read=read), clock, monkeypatch)
    with pytest.raises(BenchError, match="reported nothing for 20 s"):
        client.collect(1)
    assert len(waits) == 5
    with pytest.raises(BenchError, match="acknowledged nothing for 20 s"):
        client._take()
    assert len(waits) == 10
    assert set(waits) == {0.1}


def test_reports_that_come_slowly_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = Clock(), itertools.count(1)
    client = bare(None, clock, monkeypatch)
    client.telemetry = ["old"]

    def frames(seconds: float) -> list[Any]:
        clock.now += 15.0
        return ["report"] if next(calls) % 2 == 0 else []

    monkeypatch.setattr(client, "_frames", frames)
    monkeypatch.setattr(client, "_note", client.telemetry.extend)
    # Each comes after 30 s, of which it was silent for 15 when somebody looked.
    assert client.collect(3) == ["report"] * 3


def test_a_board_that_does_not_answer_is_greeted_fifty_times() -> None:
    written: list[bytes] = []
    line: Any = SimpleNamespace(write=written.append, read=lambda seconds: b"")
    with pytest.raises(BenchError, match="does not answer"):
        CreditClient(line)
    assert len(written) == 50


# --- streaming


def profile(rows: int, step: int = 2000, **interrupts: tuple[int, int]) -> dict[str, Any]:
    """A simulator's profile whose training steps take this many cycles; half as many in the first ones."""
    steps = [[step // 2 if place < 7 else step, 5, 4, 3, 2, 1] for place in range(rows)]
    counted = {name: {"calls": calls, "cycles": cycles} for name, (calls, cycles) in interrupts.items()}
    return {
        **{"unit": "cycles", "steps": steps, "interrupts": counted, "cycles": 10**6},
        **{"stack_bytes": 100, "untouched_bytes": 50, "rx_overruns": 3},
    }


class Uno:
    """The device in this process as a simulated Uno, and a profile that somebody wrote."""

    def __init__(self, counted: Callable[[], dict[str, Any]]) -> None:
        self._line, self._counted = start_inprocess().open_transport(), counted

    def write(self, data: bytes) -> None:
        self._line.write(data)

    def read(self, seconds: float) -> bytes:
        return self._line.read(seconds)

    def write_profile(self, path: Path) -> None:
        path.write_text(json.dumps(self._counted()))


class Tests:
    """The measuring program: its frames and noise tests."""

    asked: list[tuple[int, ...]]

    def __enter__(self) -> Tests:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def time_frame(self, payload_bytes: int, repeats: int) -> tuple[float, float]:
        return 10.0 + payload_bytes, 100.0 + payload_bytes

    def time_tests(self, codes: int, repeats: int) -> float:
        self.asked.append((codes, repeats))
        return 3.0 * codes


@pytest.fixture
def tests_asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Calls of the program that times the noise tests."""
    Tests.asked = []
    monkeypatch.setattr(streaming, "ResidentImage", Tests)
    return Tests.asked


class Serial(CreditClient):
    """Says that the device in this process is at the end of a serial line."""

    def _open(self) -> Welcome:
        return replace(super()._open(), line_rate=11_520)


def test_what_streaming_makes_of_counts(monkeypatch: pytest.MonkeyPatch, tests_asked: list[tuple[int, ...]]) -> None:
    samples = 80 * 40
    counted = profile(samples + 7, adc=(10, 460), uart_rx=(5, 3 * samples), uart_tx=(1, samples))
    monkeypatch.setattr(streaming, "SteppedUno", lambda latency: Uno(lambda: counted))
    monkeypatch.setattr(streaming, "CreditClient", Serial)
    told: list[tuple[int, int, str]] = []
    found = streaming.stream(workload((2, 3, 1)), 80, progress=lambda *now: told.append(now))
    assert told == [(0, 80, "streaming"), (50, 80, "streaming")]
    # 240 bytes of payload hold 40 samples of 6; a microsecond has 16 cycles.
    assert found.cycles == pytest.approx({"step": 2000, "uart": 4, "decode": 16 * 340 / 40, "encode": 16 * (10 + 8) / 40})
    assert found.code_cycles == pytest.approx({"interrupt": 46, "tests": 48})
    assert tests_asked == [(1, 400)]
    adc_rate = client_of().welcome.adc_rate
    assert found.line_limit == pytest.approx(11_520 * 40 / (240 + streaming.OVERHEAD))
    assert found.learner_limit == pytest.approx((16e6 - adc_rate * 94) / sum(found.cycles.values()))
    assert found.rx_overruns == (0, 3)
    assert (found.net, found.frames) == ("2-3-1", 80)
    assert found.samples_per_s > 0
    figures = found.figures
    assert figures["rx_overruns"] == {"firmware": 0, "uart": 3}
    assert (figures["cycles_a_sample"], figures["cycles_a_code"]) == (found.cycles, found.code_cycles)


def test_the_share_is_of_the_lesser_limit() -> None:
    limits = {"line_limit": 200.0, "learner_limit": 400.0}
    for swapped in (limits, dict(zip(limits, reversed(limits.values()), strict=True))):
        found = streaming.Streaming("net", 1, 150.0, **swapped, rx_overruns=(0, 0), cycles={}, code_cycles={})
        assert found.share == found.figures["share"] == 0.75


@pytest.mark.parametrize(("step", "at_once"), [(100.0, 1), (16e6 / 9615 * 3.2, 3), (16e6, 16)])
def test_noise_tests_cost_by_how_many_codes_come_in_a_step(tests_asked: list[tuple[int, ...]], step: float, at_once: int) -> None:
    counted: Any = SimpleNamespace(interrupts={"adc": Interrupt(4, 180)})
    assert streaming.cycles_a_code(counted, 9615, step) == {"interrupt": 45.0, "tests": pytest.approx(48.0)}
    assert tests_asked == [(at_once, 400)]


def test_rates_are_averaged_over_time_without_the_first() -> None:
    reports = [Telemetry(0, 0, 0, 0, 0, 0, rate) for rate in (1, 100, 300)]
    assert streaming._rate(reports) == pytest.approx(150)
    with pytest.raises(BenchError, match="more than 400 samples"):
        streaming._rate(reports[:1])


@pytest.mark.parametrize("learning", TASKS, ids=lambda learning: learning.name)
def test_autonomous_rates_are_next_to_what_the_step_allows(
    monkeypatch: pytest.MonkeyPatch, tests_asked: list[tuple[int, ...]], learning: Any
) -> None:
    # Of the last 4,000 steps, which take 2,000 cycles each, as do all but the first seven.
    monkeypatch.setattr(autonomous, "SteppedUno", lambda latency: Uno(lambda: profile(4007, adc=(10, 460))))
    monkeypatch.setattr(autonomous, "stream", lambda load, frames: SimpleNamespace(samples_per_s=float(frames)))
    monkeypatch.setattr(autonomous, "TASKS", (learning,))
    told: list[tuple[int, int, str]] = []
    [(name, found)] = autonomous.uno_autonomous(lambda *now: told.append(now)).items()
    assert told == [(0, 1, learning.load.name)]
    assert (name, found["task"], found["streamed_per_s"]) == (learning.load.name, learning.name, 400)
    adc_rate = client_of().welcome.adc_rate
    assert found["limit"] == pytest.approx((16e6 - adc_rate * (46 + 48)) / 2000)
    assert found["share"] == pytest.approx(found["steps_per_s"] / found["limit"])
    assert found["codes_a_step"] == pytest.approx(adc_rate / found["steps_per_s"])
