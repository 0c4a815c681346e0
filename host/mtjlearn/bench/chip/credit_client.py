"""The leanest host: uses the credit to the last byte, keeps within it, and never repeats anything.

`mtjlearn.board` sends again what is not acknowledged in time, and on a busy computer also when nothing was lost. Here every byte
that a board loses is the board's fault.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable

from mtjlearn.bench.phases import BenchError
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.frame import Frame, FrameDecoder, Numbering, encode_frame
from mtjlearn.wire.messages import Ack, Hello, Message, Telemetry, Welcome
from mtjlearn.wire.transport import Transport

_HELLOS = 50
_HELLO_WAIT = 0.1
_PATIENCE = 20.0


class CreditClient:
    """One session over a line that loses nothing.

    Args:
        line: to the board, which must have started.

    Raises:
        BenchError: the board does not answer.
    """

    def __init__(self, line: Transport) -> None:
        self._line = line
        self._nonce = int.from_bytes(os.urandom(4), "little")
        self._decoder = FrameDecoder(Numbering(self._nonce))
        self._number = 0
        self._flight: deque[int] = deque()
        self.telemetry: list[Telemetry] = []
        self.ack = Ack(0, 0, 0, 0, 0)
        """The last one."""
        self.welcome = self._open()
        """What the board said of itself."""
        self._session = self.welcome.session
        self.ack = Ack(0, self.welcome.receive_window, 0, 0, 0)

    def execute(self, message: Message) -> None:
        """One command without an answer.

        Raises:
            BenchError: the board does not acknowledge it.
        """
        self.stream([Command.of(message)])

    def stream(self, commands: Iterable[Command]) -> int:
        """Commands without answers, as many under way as the credit allows; returns how many.

        Raises:
            BenchError: the board stops acknowledging.
        """
        waiting = iter(commands)
        following = next(waiting, None)
        count = 0
        while following is not None or self._flight:
            output = b""
            while following is not None and len(self._flight) < messages.MAX_OUTSTANDING:
                frame = encode_frame(following.type, self._session, self._number, following.payload, self._nonce)
                if sum(self._flight) + len(frame) > self.ack.credit:
                    break
                output += frame
                self._flight.append(len(frame))
                self._number += 1
                count += 1
                following = next(waiting, None)
            if output:
                self._line.write(output)
            self._take()
        return count

    def collect(self, reports: int) -> list[Telemetry]:
        """Waits for this many more reports of the board.

        Raises:
            BenchError: none comes any more.
        """
        first, until = len(self.telemetry), time.monotonic() + _PATIENCE
        while (count := len(self.telemetry)) < first + reports:
            self._note(self._frames(_HELLO_WAIT))
            if len(self.telemetry) > count:
                until = time.monotonic() + _PATIENCE
            elif time.monotonic() > until:
                raise BenchError(f"the board has reported nothing for {_PATIENCE:g} s; run it again")
        return self.telemetry[first:]

    def _open(self) -> Welcome:
        hello = Hello(self._nonce, messages.VERSION, messages.VERSION)
        for _ in range(_HELLOS):
            self._line.write(encode_frame(hello.TYPE, messages.SESSION_NONE, 0, hello.pack()))
            for frame in self._frames(_HELLO_WAIT):
                welcome = Welcome.unpack(frame.payload) if frame.type == Welcome.TYPE else None
                if welcome is not None and welcome.nonce == self._nonce:
                    return welcome
        raise BenchError("the board does not answer; run it again")

    def _take(self) -> None:
        """Waits for an acknowledgement of something."""
        before = len(self._flight)
        until = time.monotonic() + _PATIENCE
        while len(self._flight) == before:
            if time.monotonic() > until:
                raise BenchError(f"the board has acknowledged nothing for {_PATIENCE:g} s; run it again")
            self._note(self._frames(_HELLO_WAIT))

    def _note(self, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.session != self._session:
                continue
            if frame.type == Ack.TYPE:
                self.ack = Ack.unpack(frame.payload)
                open_frames = (self._number - self.ack.next_seq) & 0xFF
                self._decoder.numbering.expected = self._number - open_frames
                while len(self._flight) > open_frames:
                    self._flight.popleft()
            elif frame.type == Telemetry.TYPE:
                self.telemetry.append(Telemetry.unpack(frame.payload))

    def _frames(self, timeout: float) -> list[Frame]:
        return [frame for frame in self._decoder.feed(self._line.read(timeout)) if isinstance(frame, Frame)]
