"""The thread that owns a link and its line: nothing else changes them, so that an interrupt finds them whole.

KeyboardInterrupt reaches the main thread between any two of its steps. Were the link changed there, a command could be
left half submitted, and a lock half held. So other threads only leave jobs, and wait for answers in queues of their own:
an interrupt in the middle leaves at most a waiter that nobody asks any more.
"""

from __future__ import annotations

import _thread
import secrets
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from mtjlearn import interruption
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardError, BoardLost
from mtjlearn.wire.messages import Train
from mtjlearn.wire.session import Link, LinkState
from mtjlearn.wire.transport import Transport

_READ_POLL = 0.1
"""Seconds of one read, at most; a new job ends it early."""
_WAIT_POLL = 0.25
_END_PATIENCE = 5.0
"""Seconds for the thread to end: a line that takes nothing holds it for WRITE_TIMEOUT."""


class Waiter:
    """Waits until the engine has seen something.

    Args:
        ready: asked in the engine's thread after all that it does.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self.ready = ready
        self.over = False
        """It was ready, or the link is lost."""
        self._rung: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """Ends the wait."""
        self.over = True
        self._rung.put(None)

    def wait(self, timeout: float) -> None:
        """Returns after ring(), or after this many seconds."""
        with suppress(Empty):
            self._rung.get(timeout=timeout)


class Engine:
    """A link in real time. It ends with close(), or when its owner forgets it.

    Args:
        transport: the line; the engine closes it.
        timeout: seconds until a board that does not answer HELLO is given up.
    """

    def __init__(self, transport: Transport, timeout: float) -> None:
        self.transport = transport
        self.link = Link(time.monotonic(), secrets.randbits(32), timeout)
        self.trained = 0
        """Samples that the board acknowledged as trained."""
        self.closing = False
        self.ended = False
        """Nothing is sent or received any more."""
        self.closed = False
        """The port is given back."""
        self._training: deque[Command] = deque()
        self._jobs: deque[Callable[[], None]] = deque()
        self._waiters: deque[weakref.ref[Waiter]] = deque()
        self._farewell: SimpleQueue[None] = SimpleQueue()
        # threading.Thread.start() waits with a lock held, which an interrupt would leave behind.
        _thread.start_new_thread(self._run, ())

    # --- for other threads ---

    def submit(self, commands: Sequence[Command]) -> None:
        """Queues commands; while a session opens they wait for it."""
        self._give(partial(self._submit, commands))

    def admit(self, waiter: Waiter) -> None:
        """Lets a waiter be rung once it is ready."""
        self._waiters.append(weakref.ref(waiter))
        self.transport.wake()

    def drop_queued(self, waiter: Waiter) -> None:
        """Forgets the commands that have not been sent, then admits the waiter."""
        self._give(partial(self._drop, weakref.ref(waiter)))

    def restart(self, timeout: float, waiter: Waiter) -> None:
        """Begins a new session, then admits the waiter."""
        self._give(partial(self._restart, timeout, weakref.ref(waiter)))

    def wait(self, waiter: Waiter, timeout: float | None = None) -> bool:
        """Waits for a waiter that was given to the engine; False after `timeout` seconds.

        Raises:
            BoardError: the link is lost.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while not waiter.over:
            interruption.check()
            left = _WAIT_POLL if until is None else min(_WAIT_POLL, until - time.monotonic())
            if left <= 0:
                return False
            waiter.wait(left)
            if self.ended and not waiter.over:
                raise self.link.failure or BoardLost("the connection was closed; open the board again")
        if self.link.failure is not None and not waiter.ready():
            raise self.link.failure
        return True

    def close(self) -> None:
        """Ends the thread, which gives the port back. May be called again, e.g. after an interrupt."""
        self.closing = True
        self.transport.wake()
        until = time.monotonic() + _END_PATIENCE
        while not self.closed and time.monotonic() < until:
            with suppress(Empty):
                self._farewell.get(timeout=_WAIT_POLL)

    def _give(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)
        self.transport.wake()

    # --- in the engine's thread ---

    def _run(self) -> None:
        try:
            while not self.closing:
                self._turn()
        except BoardError as error:
            self.link.fail(error)
        except Exception as error:  # a mistake of ours must not leave others waiting without end
            self.link.fail(BoardLost(f"the link stopped ({type(error).__name__}: {error}); open the board again"))
        finally:
            self.link.fail(BoardLost("the connection was closed; open the board again"))
            self.ended = True
            self._ring()
            with suppress(BoardError, OSError):
                self.transport.close()
            self.closed = True
            self._farewell.put(None)

    def _turn(self) -> None:
        data = self.transport.read(self._patience())
        if data:
            self.link.receive(data, time.monotonic())
        while self._jobs and self.link.state is not LinkState.OPENING:
            self._jobs.popleft()()
        output = self.link.transmit(time.monotonic())
        if output:
            self.transport.write(output)
        self._count()
        self._ring()

    def _patience(self) -> float:
        deadline = self.link.deadline()
        return _READ_POLL if deadline is None else min(_READ_POLL, max(0.0, deadline - time.monotonic()))

    def _submit(self, commands: Sequence[Command]) -> None:
        if self.link.failure is not None:
            return  # whoever waits learns why
        now = time.monotonic()
        for command in commands:
            self.link.submit(command, now)
            if command.type == Train.TYPE:
                self._training.append(command)

    def _drop(self, waiter: weakref.ref[Waiter]) -> None:
        self.link.drop_queued()
        while self._training and self._training[-1].number < 0:
            self._training.pop()
        self._waiters.append(waiter)

    def _restart(self, timeout: float, waiter: weakref.ref[Waiter]) -> None:
        self._training.clear()
        self.link = Link(time.monotonic(), secrets.randbits(32), timeout)
        self._waiters.append(waiter)

    def _count(self) -> None:
        while self._training and self._training[0].done:
            command = self._training.popleft()
            self.trained += command.samples if command.refusal is None else 0

    def _ring(self) -> None:
        for _ in range(len(self._waiters)):
            reference = self._waiters.popleft()
            waiter = reference()
            if waiter is None:
                continue
            if waiter.ready() or self.link.failure is not None:
                waiter.ring()
            else:
                self._waiters.append(reference)
