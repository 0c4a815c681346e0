"""Watches one board: opens it, asks it some times per second, waits when it is away, and lends its port to a training.

A port has one owner. While another program has it, the page shows what that program's run directory says.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal, TypeVar

from mtjlearn.board import Board, BoardError, BoardRefused, BoardTimeout, Health, Progress
from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.scope import Scope
from mtjlearn.discovery import open_board
from mtjlearn.errors import UserError
from mtjlearn.wire.errors import PortBusy
from mtjlearn.wire.messages import Features, State, Task

POLL = 0.4
"""Seconds between two looks at a board."""
RETRY = 1.0
"""Seconds between two attempts to open a board that is away."""
CODES = 1000
"""Noise codes of a look."""
PATIENCE = 60.0
"""Seconds that a job may take, at most: a dataset for an Uno's EEPROM does."""
FINDINGS_EVERY = 4
"""Looks after which histogram and verdict are computed again."""

Watched = Literal["opening", "here", "away", "busy", "lent", "released"]
Result = TypeVar("Result")
Clock = Callable[[], float]


class BoardWatch:
    """A thread that publishes ``board:<name>``.

    Args:
        name: as open_board() takes it; not one of the virtual boards, which would end with each session.
        hub: gets what is seen.
        wait: waits for some seconds, or until an event is set.
        clock: time in seconds.
    """

    def __init__(
        self,
        name: str,
        hub: Hub,
        *,
        open_: Callable[[str], Board] = open_board,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
        clock: Clock = time.monotonic,
    ) -> None:
        self.name = name
        self.state: Watched = "opening"
        self.text = ""
        """Why it is not here."""
        self._hub = hub
        self._open, self._wait, self._clock = open_, wait, clock
        self._jobs: queue.Queue[Callable[[Board | None], None]] = queue.Queue()
        self._woken = threading.Event()
        self._wanted: Watched = "here"
        self._closed = threading.Event()
        self._lending = threading.Lock()
        self._starts: int | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=f"watch {name}", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def close(self) -> None:
        """Ends, and waits until it has."""
        self._ended = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def do(self, job: Callable[[Board], Result]) -> Result:
        """Lets the board do something between two looks.

        Raises:
            BoardError: it is not here, or it fails.
        """
        future: Future[Result] = Future()
        if not self._thread.is_alive():
            raise BoardError(f"{self.name} is not watched any longer; start the page again")

        def work(board: Board | None) -> None:
            if not future.set_running_or_notify_cancel():  # who asked has been told that it failed
                return
            if board is None:
                future.set_exception(BoardError(f"{self.name} is {self.state}; wait until it is back"))
                return
            try:
                future.set_result(job(board))
            except Exception as error:
                future.set_exception(error)

        self._jobs.put(work)
        self._woken.set()
        try:
            return future.result(PATIENCE)
        except TimeoutError:
            future.cancel()
            raise BoardError(f"{self.name} has not answered for {PATIENCE:g} s; reset it") from None

    def lend(self, state: Literal["lent", "released"]) -> None:
        """Closes the port, so that another program can have it, until take_back().

        Raises:
            BoardError: a training has it already, or another page takes it back meanwhile.
        """
        with self._lending:
            if self._wanted == "lent":
                raise BoardError(f"{self.name} trains already; stop that first")
            self._closed.clear()
            self._wanted = state
        self._woken.set()
        while self._thread.is_alive() and not self._closed.wait(POLL):
            if self._wanted != state:
                raise BoardError(f"{self.name} was taken back by another page; try again")

    def watch_again(self) -> None:
        """Opens the port again, unless a training has it."""
        with self._lending:
            if self._wanted == "lent":
                return
            self._wanted = "here"
        self._woken.set()

    def take_back(self) -> None:
        """Opens the port again."""
        self._wanted = "here"
        self._woken.set()

    def _work(self) -> None:
        while not self._ended:
            if self._wanted != "here":
                self._show(self._wanted, "")
                self._closed.set()
                self._pause(RETRY)
                continue
            try:
                with self._open(self.name) as board:
                    self._follow(board)
            except PortBusy as error:
                self._show("busy", str(error))
            except UserError as error:
                self._show("away", str(error))
            except Exception as error:  # else the page would stand still and say nothing
                self._show("away", f"unexpected: {type(error).__name__}: {error}; please report it")
            else:
                continue
            self._pause(RETRY)
        self._closed.set()
        self._serve(None)

    def _follow(self, board: Board) -> None:
        info = board.info
        back = "" if self._starts is None else "it had not restarted" if info.boot_count == self._starts else "it has restarted"
        self._starts = info.boot_count
        looks = Looks(board, self._clock)
        while not self._ended and self._wanted == "here":
            self._serve(board)
            self.state, self.text = "here", back
            self._publish(looks.take())
            self._pause(POLL)

    def _show(self, state: Watched, text: str) -> None:
        self.state, self.text = state, text
        self._publish({})
        self._serve(None)

    def _publish(self, seen: dict[str, Any]) -> None:
        self._hub.publish(f"board:{self.name}", {"name": self.name, "state": self.state, "text": self.text, **seen})

    def _serve(self, board: Board | None) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            job(board)

    def _pause(self, seconds: float) -> None:
        if self._jobs.empty() and not self._ended:
            self._wait(self._woken, seconds)
        self._woken.clear()


class Looks:
    """What is seen of an open board, look by look."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._scope = Scope(board.info)
        self._findings: dict[str, Any] | None = None
        self._count = 0
        self._autonomous = True
        self._before: tuple[float, int] | None = None
        self._rate: float | None = None

    def take(self) -> dict[str, Any]:
        """Looks once.

        Raises:
            BoardError: the board is lost.
        """
        board, info = self._board, self._board.info
        health, status, progress = board.health(), board.status(), self._progress()
        silent = self._listen(health) if Features.ADC_LIVE in info.features else "the board has no converter"
        fault = health.fault.name.lower() if health.fault else None
        if silent is None and (self._count % FINDINGS_EVERY == 0 or self._findings is None):
            self._findings = self._scope.findings(health)
        self._count += 1
        return {
            "info": {
                "name": info.name,
                "build": info.build,
                "starts": info.boot_count,
                "adc_rate": info.adc_rate,
                "adc_bits": info.adc_bits,
                "memory": info.memory,
                "restored": info.restored,
            },
            "silent": silent,
            "trace": self._scope.trace(),
            "findings": self._findings,
            "health": {"fault": fault, "text": health.describe(), "faults": health.faults},
            "configured": status.state != State.UNCONFIGURED,
            "steps": status.steps,
            "skipped": status.skipped,
            "saturations": status.saturations,
            "autonomous": None if progress is None else self._learning(progress),
        }

    def _listen(self, health: Health) -> str | None:
        """Records; why there is nothing to be heard, if so."""
        try:
            self._scope.add(self._board.noise(CODES), health)
        except BoardTimeout as error:
            return str(error)
        return None

    def _progress(self) -> Progress | None:
        if not self._autonomous:
            return None
        try:
            return self._board.progress()
        except BoardRefused:  # its firmware learns from a stream alone
            self._autonomous = False
            return None

    def _learning(self, progress: Progress) -> dict[str, Any] | None:
        if progress.task is Task.NONE:
            return None
        now = self._clock()
        if self._before is not None and progress.steps > self._before[1] and now > self._before[0]:
            rate = (progress.steps - self._before[1]) / (now - self._before[0])
            self._rate = rate if self._rate is None else 0.8 * self._rate + 0.2 * rate
        elif self._before is not None and progress.steps < self._before[1]:
            self._rate = None
        self._before = (now, progress.steps)
        total = progress.total
        curve = self._board.curve()
        left = (total - progress.steps) / self._rate if progress.running and total is not None and self._rate else None
        return {
            "task": progress.task,
            "activity": progress.activity,
            "running": progress.running,
            "stop_reason": progress.stop_reason,
            "epoch": progress.epoch,
            "steps": progress.steps,
            "total": total,
            "rate": self._rate,
            "left": left,
            "learning_rate": progress.learning_rate,
            "epoch_loss": progress.epoch_loss,
            "accuracy": progress.accuracy,
            "curve": {"steps": curve.steps, "losses": [float(f"{loss:.5g}") for loss in curve.losses]},
        }
