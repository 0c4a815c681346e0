"""A session in real time: calls that submit commands to the engine's thread and wait for what became of them.

Everything here may be interrupted between any two steps: the engine alone changes the link.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from mtjlearn.wire.command import Command
from mtjlearn.wire.engine import Engine, Waiter
from mtjlearn.wire.errors import BoardError, BoardLost
from mtjlearn.wire.messages import Message, NoiseCodes, Telemetry, Welcome
from mtjlearn.wire.session import OPEN_TIMEOUT, LinkCounters, LinkState
from mtjlearn.wire.transport import Transport

_QUEUE_HIGH = 64
_QUEUE_LOW = 24
"""A stream fills the queue up to the first mark whenever it falls to the second, so that threads switch seldom."""
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
        self._engine = Engine(transport, timeout)
        try:
            self._await_open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the session's thread and gives the port back. The session on the board simply stays behind."""
        self._engine.close()

    def __del__(self) -> None:
        # Interrupted before its owner knew it: the port must not stay taken.
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.closing = True

    def restart(self, timeout: float = OPEN_TIMEOUT) -> None:
        """Opens a new session over the same line, e.g. after the board restarted. Raises as the constructor."""
        if self._engine.ended:
            raise BoardLost(f"the board at {self.transport.name} is gone; connect it again")
        waiter = Waiter(self._is_open)
        self._engine.restart(timeout, waiter)
        self._engine.wait(waiter)

    @property
    def welcome(self) -> Welcome:
        """What the board said of itself."""
        welcome = self._engine.link.welcome
        if welcome is None:
            raise self.lost or BoardLost("the session with the board is not open; reconnect")
        return welcome

    @property
    def lost(self) -> BoardError | None:
        """Why the session is lost; None while it is not."""
        return self._engine.link.failure

    @property
    def counters(self) -> LinkCounters:
        """Frames sent, sent again, damaged and so on in this session."""
        return self._engine.link.counters

    @property
    def trained(self) -> int:
        """Samples that the board acknowledged as trained, since the connection was made."""
        waiter = Waiter(lambda: True)  # what is done is counted before it rings
        self._engine.admit(waiter)
        with contextlib.suppress(BoardError):
            self._engine.wait(waiter)
        return self._engine.trained

    @property
    def telemetry(self) -> deque[Telemetry]:
        """Telemetry not taken yet, oldest first; popleft() takes it."""
        return self._engine.link.telemetry

    @property
    def noise(self) -> deque[NoiseCodes]:
        """Frames of noise codes not taken yet, oldest first; popleft() takes them."""
        return self._engine.link.noise

    def execute(self, message: Message) -> Command:
        """Sends one command and waits until it is done: executed and answered, or refused.

        Raises:
            BoardLost: the board vanished.
        """
        self._await_open()
        command = Command.of(message)
        waiter = Waiter(lambda: command.done)
        self._engine.submit((command,))
        self._engine.admit(waiter)
        self._engine.wait(waiter)
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

        self._await_open()
        try:
            more = True
            while more or pending:
                # Behind a refusal nothing more is submitted, also before it was reported.
                refusing = any(command.refusal is not None for command in pending)
                batch: list[Command] = []
                if more and not refusing and self._engine.link.queued <= _QUEUE_LOW:
                    room = _QUEUE_HIGH - self._engine.link.queued
                    batch = list(islice(source, room))
                    more = len(batch) == room
                    pending.extend(batch)
                if pending:
                    self._submit_and_wait(batch, pending[0])
                report()
                if refused is not None and more:
                    more = False
                    self._abandon(pending)
        except BaseException:
            with contextlib.suppress(BoardError):
                self._abandon(pending)
            while pending and pending[0].done:
                # What interrupted may be `done` itself; it gets the rest all the same.
                with contextlib.suppress(BaseException):
                    done(pending.popleft())
            raise
        return refused

    def wait_for_noise(self, timeout: float) -> bool:
        """Waits until there are noise codes to take; False after `timeout` seconds without any."""
        noise = self.noise
        if noise:
            return True
        waiter = Waiter(lambda: bool(noise))
        self._engine.admit(waiter)
        return self._engine.wait(waiter, timeout)

    def _await_open(self) -> None:
        if not self._is_open():
            waiter = Waiter(self._is_open)
            self._engine.admit(waiter)
            self._engine.wait(waiter)

    def _is_open(self) -> bool:
        return self._engine.link.state is LinkState.OPEN

    def _submit_and_wait(self, batch: list[Command], head: Command) -> None:
        link = self._engine.link
        waiter = Waiter(lambda: head.done and (link.queued <= _QUEUE_LOW or head.refusal is not None))
        if batch:
            self._engine.submit(batch)
        self._engine.admit(waiter)
        # Not forever: behind a refusal that is still to be found out the queue stands still.
        self._engine.wait(waiter, _WAIT_POLL)

    def _abandon(self, pending: deque[Command]) -> None:
        """Takes back what has not been sent, and waits for what has."""
        sent = tuple(pending)

        def settled() -> bool:
            return all(command.done or command.number < 0 for command in sent)

        waiter = Waiter(settled)
        self._engine.drop_queued(waiter)
        self._engine.wait(waiter, _ABANDON)
        while pending and pending[-1].number < 0:
            pending.pop()
