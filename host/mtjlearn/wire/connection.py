"""A session in real time: a link, a transport, one reader thread, and calls that wait.

The reader thread takes bytes in and sends what an ACK releases; time-outs run in the thread that waits for something.
Without a waiting call nothing is outstanding, so there is nothing to time out.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardError, BoardLost
from mtjlearn.wire.link import OPEN_TIMEOUT, Link, LinkCounters, LinkState
from mtjlearn.wire.messages import Message, NoiseCodes, Telemetry, Welcome
from mtjlearn.wire.transport import Transport

_QUEUE_HIGH = 64
_QUEUE_LOW = 24
"""A stream fills the queue up to the first mark whenever it falls to the second, so that threads switch seldom."""
_READ_POLL = 0.1
_WAIT_POLL = 0.25
_ABANDON = 2.0
"""Seconds that an interrupted stream waits for the frames already on their way."""


class Connection:
    """An open session.

    Args:
        transport: the line; the connection closes it.
        timeout: seconds until a board that does not answer is given up.

    Raises:
        BoardTimeout: no answer.
        VersionMismatch: the board speaks another version.
        BoardLost: the board vanished meanwhile.
    """

    def __init__(self, transport: Transport, timeout: float = OPEN_TIMEOUT) -> None:
        self.transport = transport
        self._changed = threading.Condition(threading.Lock())
        self._waiting: list[Callable[[], bool]] = []
        self._closing = False
        self._link = Link(time.monotonic(), secrets.randbits(32), timeout)
        self._reader = threading.Thread(target=self._read, name=f"reader of {transport.name}", daemon=True)
        self._reader.start()
        try:
            self._await_open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the reader thread and gives the port back. The session on the board simply stays behind."""
        self._closing = True
        if self._reader is not threading.current_thread():
            self._reader.join()
        self.transport.close()
        with self._changed:
            self._link.fail(BoardLost("the connection was closed; open the board again"))
            self._changed.notify_all()

    def restart(self, timeout: float = OPEN_TIMEOUT) -> None:
        """Opens a new session over the same line, e.g. after the board restarted. Raises as the constructor."""
        with self._changed:
            self._link = Link(time.monotonic(), secrets.randbits(32), timeout)
        if not self._reader.is_alive():
            raise BoardLost(f"the board at {self.transport.name} is gone; connect it again")
        self._await_open()

    @property
    def welcome(self) -> Welcome:
        """What the board said of itself."""
        assert self._link.welcome is not None
        return self._link.welcome

    @property
    def lost(self) -> BoardError | None:
        """Why the session is lost; None while it is not."""
        return self._link.failure

    @property
    def counters(self) -> LinkCounters:
        """Frames sent, sent again, damaged and so on in this session."""
        return self._link.counters

    @property
    def telemetry(self) -> deque[Telemetry]:
        """Telemetry not taken yet, oldest first; popleft() takes it."""
        return self._link.telemetry

    @property
    def noise(self) -> deque[NoiseCodes]:
        """Frames of noise codes not taken yet, oldest first; popleft() takes them."""
        return self._link.noise

    def execute(self, message: Message) -> Command:
        """Sends one command and waits until it is done: executed and answered, or refused.

        Raises:
            BoardLost: the board vanished.
        """
        command = Command.of(message)
        with self._changed:
            self._link.submit(command, time.monotonic())
            self._flush()
            self._wait(lambda: command.done)
        return command

    def stream(self, commands: Iterable[Command], done: Callable[[Command], None]) -> Command | None:
        """Sends many commands, as many at a time as the board takes.

        Args:
            commands: what to send; taken as it is needed.
            done: called in this thread with every command once it is done, in order.

        Returns:
            The first command that was refused, or None. After a refusal only what was already on its way is still
            executed.

        Raises:
            BoardLost: the board vanished. As with any other exception, `done` has then been called for all that is
                known to be done.
        """
        source = iter(commands)
        pending: deque[Command] = deque()
        refused: Command | None = None

        def report() -> None:
            nonlocal refused
            while pending and pending[0].done:
                if pending[0].refusal is not None:
                    refused = refused or pending[0]
                done(pending.popleft())

        try:
            more = True
            while more or pending:
                with self._changed:
                    # Behind a refusal nothing more is submitted, also before it was reported.
                    refusing = any(command.refusal is not None for command in pending)
                    if more and not refusing and self._link.queued <= _QUEUE_LOW:
                        more = self._refill(source, pending)
                        self._flush()
                    self._wait_for_stream(pending)
                report()
                if refused is not None and more:
                    more = False
                    self._abandon(pending)
        except BaseException:
            with contextlib.suppress(BoardError):
                self._abandon(pending)
            while pending and pending[0].done:
                # What interrupted may be `done` itself; it is told the rest all the same.
                with contextlib.suppress(BaseException):
                    done(pending.popleft())
            raise
        return refused

    def wait_for_noise(self, timeout: float) -> bool:
        """Waits until there are noise codes to take; False after `timeout` seconds without any."""
        with self._changed:
            return self._wait(lambda: bool(self._link.noise), timeout)

    # --- with the lock held ---

    def _refill(self, source: Iterable[Command], pending: deque[Command]) -> bool:
        room = _QUEUE_HIGH - self._link.queued
        batch = list(islice(source, room))
        now = time.monotonic()
        for command in batch:
            self._link.submit(command, now)
            pending.append(command)
        return len(batch) == room

    def _wait_for_stream(self, pending: deque[Command]) -> None:
        def ready() -> bool:
            head = pending[0]
            return head.done and (self._link.queued <= _QUEUE_LOW or head.refusal is not None)

        if pending:
            self._wait(ready, _WAIT_POLL)

    def _wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        until = None if timeout is None else time.monotonic() + timeout
        self._waiting.append(ready)
        try:
            while not ready():
                if self._link.failure is not None:
                    raise self._link.failure
                now = time.monotonic()
                if until is not None and now >= until:
                    return False
                times = [now + _WAIT_POLL, *(t for t in (until, self._link.deadline()) if t is not None)]
                if min(times) > now:
                    self._changed.wait(min(times) - now)
                self._flush()
            return True
        finally:
            self._waiting.remove(ready)

    def _flush(self) -> None:
        data = self._link.transmit(time.monotonic())
        if data:
            try:
                self.transport.write(data)
            except BoardError as error:
                self._link.fail(error)

    # --- without the lock ---

    def _await_open(self) -> None:
        with self._changed:
            self._flush()
            self._wait(lambda: self._link.state is LinkState.OPEN)

    def _abandon(self, pending: deque[Command]) -> None:
        with self._changed:
            self._link.drop_queued()
            while pending and pending[-1].number < 0:
                pending.pop()
            if pending:
                self._wait(lambda: pending[-1].done, _ABANDON)

    def _read(self) -> None:
        while not self._closing:
            try:
                data = self.transport.read(_READ_POLL)
            except BoardError as error:
                with self._changed:
                    self._link.fail(error)
                    self._changed.notify_all()
                return
            if data:
                with self._changed:
                    self._link.receive(data, time.monotonic())
                    self._flush()
                    if self._link.failure is not None or any(ready() for ready in self._waiting):
                        self._changed.notify_all()
