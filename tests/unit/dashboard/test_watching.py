"""A board is watched: what is seen of it, a fault of its noise, jobs between two looks, and its port lent to others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from mtjlearn.board import Board, BoardError, BoardTimeout, PortBusy, Schedule
from mtjlearn.dashboard import watching
from mtjlearn.dashboard.desk import Desk
from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.watching import BoardWatch
from mtjlearn.discovery import BoardPort
from mtjlearn.inprocess.board import InProcessBoard
from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice
from mtjlearn.network import Network
from mtjlearn.training.autonomous import begin, plan_task
from mtjlearn.wire.messages import Task

PATIENCE = 40.0


class Desktop:
    """An in-process board whose looks a test waits for."""

    def __init__(self) -> None:
        self.device = InProcessDevice(codes_per_step=16)
        self.board = InProcessBoard(self.device)
        self.problem: BoardError | None = None
        self.opened = 0
        self.hub = Hub()
        self.looked = threading.Condition()
        self.looks = 0
        self.time = 0.0
        self.watch = BoardWatch("desk", self.hub, open_=self.open, wait=self.wait, clock=lambda: self.time)

    def open(self, name: str) -> Board:
        if self.problem is not None:
            raise self.problem
        self.opened += 1
        return Board(lambda: self.board.open_transport(None))

    def wait(self, woken: threading.Event, seconds: float) -> None:
        with self.looked:
            self.looks += 1
            self.time += seconds
            self.looked.notify_all()
        woken.wait(0.001)

    def seen(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What is published, once it is so."""

        def check() -> bool:
            found = self.hub.value("board:desk")
            return found is not None and holds(found)

        with self.looked:
            assert self.looked.wait_for(check, PATIENCE), {**self.hub.value("board:desk"), "trace": ...}
        found: dict[str, Any] = self.hub.value("board:desk")
        return found


@pytest.fixture
def desk() -> Iterator[Desktop]:
    made = Desktop()
    made.watch.start()
    try:
        yield made
    finally:
        made.watch.close()
        assert not made.watch._thread.is_alive()


def here(seen: dict[str, Any]) -> bool:
    return bool(seen["state"] == "here")


def test_the_noise_of_a_healthy_junction(desk: Desktop) -> None:
    seen = desk.seen(lambda seen: here(seen) and seen["findings"] is not None)
    assert seen["info"]["adc_rate"] == 9615
    assert (seen["health"]["fault"], seen["silent"], seen["autonomous"]) == (None, None, None)
    trace, findings = seen["trace"], seen["findings"]
    assert 200 <= len(trace["millivolts"]) <= 300
    assert trace["interval"] == pytest.approx(1 / 9615)
    assert 30 < min(trace["millivolts"]) < 40 < 45 < max(trace["millivolts"]) < 55
    assert sum(findings["histogram"]["shares"]) == pytest.approx(1, abs=0.01)
    assert findings["levels"] == pytest.approx([36.2, 48.0], abs=1)
    assert findings["autocorrelation"][0] == 1
    assert abs(findings["autocorrelation"][-1]) < 0.2
    assert findings["verdict"] == "good", findings["hints"]


def test_a_fault_is_seen_with_its_advice_and_what_came_before_is_forgotten(desk: Desktop) -> None:
    plan = plan_task(Schedule(Task.XOR, steps=2**31), sizes=None, seed=0)
    desk.watch.do(lambda board: begin(board, plan))  # its own tests see the codes that it learns from
    desk.seen(lambda seen: here(seen) and seen["autonomous"] and seen["findings"] is not None)
    desk.watch.do(lambda board: desk.device.set_noise(DeviceNoise.OPEN))
    seen = desk.seen(lambda seen: here(seen) and seen["health"]["fault"] == "open" and seen["findings"]["verdict"] == "unusable")
    assert "check its contacts" in seen["health"]["text"]
    desk.watch.do(lambda board: desk.device.set_noise(DeviceNoise.SMTJ))
    seen = desk.seen(lambda seen: here(seen) and seen["health"]["fault"] is None and seen["findings"]["verdict"] == "good")
    assert seen["health"]["faults"] >= 1


def test_a_converter_that_is_silent(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.seen(here)

    def silent(*arguments: object) -> None:
        raise BoardTimeout("no noise codes for 2 s; check the board's ADC and try again")

    monkeypatch.setattr(Board, "noise", silent)
    seen = desk.seen(lambda seen: here(seen) and seen["silent"] is not None)
    assert "check the board's ADC" in seen["silent"]
    assert seen["health"] is not None


def test_autonomous_learning_with_its_curve_and_time_left(desk: Desktop) -> None:
    plan = plan_task(Schedule(Task.XOR, steps=2**31), sizes=None, seed=0)
    desk.watch.do(lambda board: begin(board, plan))
    seen = desk.seen(lambda seen: here(seen) and (seen["autonomous"] or {}).get("left") is not None)
    learning = seen["autonomous"]
    assert (learning["task"], learning["running"], learning["total"]) == ("xor", True, 2**31)
    assert learning["left"] == pytest.approx((2**31 - learning["steps"]) / learning["rate"])
    assert len(learning["curve"]["steps"]) == len(learning["curve"]["losses"]) > 0
    desk.watch.do(Board.halt)
    seen = desk.seen(lambda seen: here(seen) and not seen["autonomous"]["running"])
    assert (seen["autonomous"]["stop_reason"], seen["autonomous"]["left"]) == ("host", None)


def test_a_board_that_goes_away_and_comes_back(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.seen(here)

    def lost(board: Board) -> None:
        desk.problem = BoardError("the cable is out")
        raise desk.problem

    with monkeypatch.context() as patched:
        patched.setattr(Board, "status", lost)
        assert desk.seen(lambda seen: seen["state"] == "away")["text"] == "the cable is out"
        with pytest.raises(BoardError, match="desk is away; wait until it is back"):
            desk.watch.do(Board.status)
    desk.problem = PortBusy("another program uses it")
    assert desk.seen(lambda seen: seen["state"] == "busy")["text"] == "another program uses it"
    desk.problem = None
    assert desk.seen(here)["text"] == "it had not restarted"
    desk.watch.do(lambda board: board.reset())
    desk.problem = BoardError("out again")
    with monkeypatch.context() as patched:
        patched.setattr(Board, "health", lost)
        desk.seen(lambda seen: seen["state"] == "away")
    desk.problem = None
    assert desk.seen(lambda seen: here(seen) and seen["text"] != "")["text"] == "it has restarted"


def test_a_port_is_lent_and_taken_back(desk: Desktop) -> None:
    desk.seen(here)
    desk.watch.lend("lent")
    opened = desk.opened
    assert desk.hub.value("board:desk")["state"] == "lent"
    with Board(lambda: desk.board.open_transport(None)) as board:  # nobody else has it now
        board.configure(Network((2, 3, 1)))
    with pytest.raises(BoardError, match="desk is lent"):
        desk.watch.do(Board.status)
    assert desk.opened == opened
    desk.watch.take_back()
    assert desk.seen(lambda seen: here(seen) and seen["configured"])["steps"] == 0


def test_what_fails_in_a_job_reaches_who_asked(desk: Desktop) -> None:
    desk.seen(here)
    with pytest.raises(BoardError):
        desk.watch.do(Board.save_checkpoint)  # nothing is configured
    assert here(desk.seen(here))


def test_a_job_that_never_ends_is_given_up(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.seen(here)
    monkeypatch.setattr(watching, "PATIENCE", 0.01)
    end = threading.Event()
    with pytest.raises(BoardError, match="has not answered for"):
        desk.watch.do(lambda board: end.wait())
    end.set()


def test_a_job_that_was_given_up_is_not_done_later(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.seen(here)
    begun, end, done = threading.Event(), threading.Event(), []

    def occupy(board: Board) -> None:
        begun.set()
        end.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        occupied = pool.submit(desk.watch.do, occupy)
        assert begun.wait(PATIENCE)
        monkeypatch.setattr(watching, "PATIENCE", 0.01)
        with pytest.raises(BoardError, match="has not answered for"):
            desk.watch.do(lambda board: done.append("too late"))
        monkeypatch.undo()
        end.set()
        occupied.result(PATIENCE)
    assert desk.watch.do(lambda board: "next") == "next"
    assert not done


def test_a_board_is_lent_once_and_watching_it_again_does_not_take_it(desk: Desktop) -> None:
    desk.seen(here)
    desk.watch.lend("lent")
    for state in ("lent", "released"):
        with pytest.raises(BoardError, match="desk trains already"):
            desk.watch.lend(state)  # type: ignore[arg-type]
    desk.watch.watch_again()
    opened, looks = desk.opened, desk.looks
    with desk.looked:
        assert desk.looked.wait_for(lambda: desk.looks > looks + 2, PATIENCE)
    assert desk.opened == opened
    desk.watch.take_back()
    desk.seen(here)
    desk.watch.lend("released")
    desk.watch.watch_again()
    desk.seen(here)


def test_lending_ends_when_another_page_takes_the_board_back() -> None:
    made = Desktop()
    opening, go_on = threading.Event(), threading.Event()
    opened = made.open

    def slow(name: str) -> Board:
        opening.set()
        go_on.wait(PATIENCE)
        return opened(name)

    made.watch = BoardWatch("desk", made.hub, open_=slow, wait=made.wait)
    made.watch.start()
    try:
        assert opening.wait(PATIENCE)
        with ThreadPoolExecutor(1) as pool:
            lent = pool.submit(made.watch.lend, "released")
            while made.watch._wanted != "released":
                time.sleep(0.001)
            made.watch.take_back()
            with pytest.raises(BoardError, match="taken back by another page"):
                lent.result(PATIENCE)
    finally:
        go_on.set()
        made.watch.close()


def test_an_error_that_nobody_expected_does_not_stop_the_watching(desk: Desktop) -> None:
    desk.seen(here)
    desk.watch.lend("released")
    desk.problem = ValueError("strange")  # type: ignore[assignment]
    desk.watch.take_back()
    assert "ValueError: strange" in desk.seen(lambda seen: seen["state"] == "away")["text"]
    desk.problem = None
    desk.seen(here)


def test_lending_a_board_that_has_ended_does_not_wait() -> None:
    made = Desktop()
    made.watch.start()
    made.seen(here)
    made.watch.close()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(made.watch.lend, "lent").result(PATIENCE)
    with pytest.raises(BoardError):
        made.watch.do(Board.status)


# --- the desk ---


def test_ports_are_listed_and_opened_only_when_asked_for() -> None:
    hub = Hub()
    ports = [BoardPort("native", "virtual", known=True, virtual=True), BoardPort("/dev/none", "Arduino Uno R3", known=True)]
    desk = Desk((), hub, lambda: ports)
    desk.look()
    assert hub.value("boards") == [{"name": "/dev/none", "description": "Arduino Uno R3", "watched": False}]
    assert hub.value("board:/dev/none") is None
    with pytest.raises(BoardError, match="/dev/none is not watched"):
        desk.find("/dev/none")
    assert desk.is_connected("/dev/none")
    assert not desk.is_connected("native")
    assert not desk.is_connected("/dev/other")


def test_codes_with_a_hole_are_shown_up_to_it(desk: Desktop) -> None:
    from mtjlearn.board import NoiseChunk, NoiseRecording
    from mtjlearn.dashboard.scope import Scope

    seen = desk.seen(here)
    assert seen["trace"] is not None
    info = desk.watch.do(lambda board: board.info)
    health = desk.watch.do(Board.health)
    chunks = [NoiseChunk(0, 0, np.full(40, 30, np.uint16)), NoiseChunk(100, 0, np.full(90, 50, np.uint16))]
    scope = Scope(info)
    assert scope.trace() is None
    assert scope.findings(health) is None
    scope.add(NoiseRecording.of(chunks, 9615), health)
    trace = scope.trace()
    assert trace is not None
    assert len(trace["millivolts"]) == 90
    assert set(trace["millivolts"]) == {round(50.5 * info.millivolts_per_code, 2)}
