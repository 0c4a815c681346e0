"""The host's end of a session, without I/O: bytes and the time go in, bytes and events come out.

A link opens with HELLO, repeated until the device answers (opening the port may have reset it), refuses a device of
another protocol version, carries commands in order and exactly once, matches answers and refusals to them, and notices
a device that is gone: one that restarted ignores the old session, so nothing is heard from it while it is asked.
"""

from __future__ import annotations

import enum
import struct
from collections import deque
from dataclasses import dataclass

from mtjlearn.wire import messages
from mtjlearn.wire.command import Command, Refusal
from mtjlearn.wire.errors import BoardError, BoardLost, BoardTimeout, ImplausibleAnswer, PortBusy, VersionMismatch
from mtjlearn.wire.frame import BadFrame, Frame, FrameDecoder, Numbering, encode_frame
from mtjlearn.wire.messages import Message
from mtjlearn.wire.plausible import holds_together, strange_welcome
from mtjlearn.wire.sender import RTO_CAP, Sender

HELLO_INTERVAL = 0.1
"""Seconds between two HELLOs."""
OPEN_TIMEOUT = 5.0
"""Seconds until a device that does not answer HELLO is given up."""
SILENCE = 1.5
"""Seconds without any frame of the session, while something is asked of the device, until it counts as lost."""
WRITING_SILENCE = 8.0
"""The same while a command is executed that writes the device's memory, 3.4 ms per byte of a checkpoint: 0.9 s for a 4-8-3 on an
Uno, 6.8 s for the largest on a Mega."""
STALL = 5.0
"""Seconds without progress, though the device is heard, until the line counts as too bad."""
ASKED = 50
"""Times that a question is asked again because its answer did not come."""
EVENTS = 65536
"""Telemetry messages, and frames of noise codes, kept for the owner."""

_ANOTHER_HOST = (
    messages.Err.TYPE,
    messages.SESSION_NONE,
    messages.Err(messages.Hello.TYPE, messages.Error.ANOTHER_HOST, 0).pack(),
)
_VERSION_PREFIX = struct.Struct("<IB")  # nonce and version open every version's WELCOME


class LinkState(enum.Enum):
    """Where a link stands."""

    OPENING = "opening"
    OPEN = "open"
    LOST = "lost"


@dataclass
class LinkCounters:
    """What the link went through; bad_frames and rx_overruns are the device's, mod 2^16."""

    sent: int = 0
    resent: int = 0
    asked_again: int = 0
    received: int = 0
    received_bad: int = 0
    bad_frames: int = 0
    rx_overruns: int = 0


class Link:
    """One session with a device.

    Args:
        now: time in seconds, of any clock that only goes forward; all calls use the same one.
        nonce: 0 .. 2^32 - 1, another one for each session.
        timeout: seconds until a device that does not answer HELLO is given up.
    """

    def __init__(self, now: float, nonce: int, timeout: float = OPEN_TIMEOUT) -> None:
        self.state = LinkState.OPENING
        self.failure: BoardError | None = None
        """Why the link is lost."""
        self.welcome: messages.Welcome | None = None
        self.telemetry: deque[messages.Telemetry] = deque(maxlen=EVENTS)
        self.noise: deque[messages.NoiseCodes] = deque(maxlen=EVENTS)
        """What came unasked, in order; the owner takes it out. Their numbers show what was pushed out at the old
        end."""
        hello = messages.Hello(nonce, messages.VERSION, messages.VERSION)
        self._hello = encode_frame(hello.TYPE, messages.SESSION_NONE, 0, hello.pack())
        self.nonce = nonce
        """Of HELLO."""
        self._version = messages.VERSION
        self._next_hello = now
        self._timeout = timeout
        self._opening_until = now + timeout
        self._numbering = Numbering(nonce)
        self._decoder = FrameDecoder(self._numbering)
        self._session = messages.SESSION_NONE
        self._sender = Sender(messages.SESSION_NONE, nonce, 0)
        self._heard = self._moved = self._called = now
        self._asked: list[tuple[float, Command]] = []
        self._unsettled: list[Command] = []
        self._matched_errors = 0
        self._device_errors = 0
        self._probe: Command | None = None
        self._probed_fault = False
        self._counters = LinkCounters()

    @property
    def idle(self) -> bool:
        """Nothing is queued, in flight or waiting for an answer."""
        return not (self._sender.busy or self._asked or self._unsettled)

    @property
    def queued(self) -> int:
        """Commands that have not been sent yet."""
        return len(self._sender.queue)

    @property
    def counters(self) -> LinkCounters:
        """Figures for diagnosis."""
        self._counters.sent, self._counters.resent = self._sender.sent, self._sender.resent
        return self._counters

    def submit(self, command: Command, now: float) -> None:
        """Queues a command; transmit() sends it when the window allows.

        Raises:
            BoardError: the link is lost or not open yet.
        """
        if self.state is not LinkState.OPEN:
            raise self.failure or BoardLost("the session with the board is not open yet")
        if self.idle:
            self._heard = self._moved = now
        if not self._sender.queue:
            self._release()
        self._sender.submit(command, now)

    def drop_queued(self) -> None:
        """Forgets the submitted commands that have not been sent yet."""
        self._sender.queue = deque(command for command in self._sender.queue if command.asked_before or command is self._probe)
        self._release()

    def fail(self, failure: BoardError) -> None:
        """Declares the link lost, e.g. because the port is gone."""
        if self.state is not LinkState.LOST:
            self.state = LinkState.LOST
            self.failure = failure

    def deadline(self) -> float | None:
        """When transmit() must be called at the latest; None: not before something is received or submitted."""
        if self.state is LinkState.OPENING:
            return min(self._next_hello, self._opening_until)
        if self.state is LinkState.LOST or self.idle:
            return None
        times = [self._heard + self._silence, self._moved + self._stall, *(due for due, _ in self._asked)]
        sender = self._sender.deadline()
        return min(times) if sender is None else min(sender, *times)

    def transmit(self, now: float) -> bytes:
        """The bytes to send now; also where time-outs take effect."""
        if self.state is LinkState.OPENING:
            return self._knock(now)
        if self.state is LinkState.LOST:
            return b""
        if now > self._called + 2 * RTO_CAP:
            # Nobody called for long although deadline() asked for it: this process slept, and says nothing about the
            # board.
            self._heard = self._moved = now
        self._called = now
        if not self.idle:
            self._check_alive(now)
        for due, command in [pair for pair in self._asked if pair[0] <= now]:
            if command.asked_before == ASKED:
                self.fail(BoardLost("the board accepts a question but never answers it; reset the board, then reconnect"))
                return b""
            self._asked.remove((due, command))
            self._counters.asked_again += 1
            command.ask_again()
            self._sender.submit(command, now, first=True)
        return self._sender.transmit(now) if self.state is LinkState.OPEN else b""

    def receive(self, data: bytes, now: float) -> None:
        """Takes bytes from the device."""
        for frame in self._decoder.feed(data):
            self.take(frame, now)
        if self._unsettled:
            self._settle(now)

    def take(self, frame: Frame | BadFrame, now: float) -> None:
        """Takes one frame from the device, or what is none."""
        if isinstance(frame, BadFrame):
            self._counters.received_bad += self.state is LinkState.OPEN
        elif frame.session == self._session and self.state is LinkState.OPEN:
            self._take(frame, now)
        elif self.state is LinkState.OPENING and frame.type == messages.Welcome.TYPE:
            self._greet(frame, now)
        elif self.state is LinkState.OPENING and (frame.type, frame.session, frame.payload) == _ANOTHER_HOST:
            self.fail(PortBusy("another host is connected to this board; close it and try again"))

    # --- opening ---

    def _knock(self, now: float) -> bytes:
        if now >= self._opening_until:
            self.fail(
                BoardTimeout(f"no answer within {self._timeout:g} s: is this the right port, and is the firmware on the board?")
            )
            return b""
        if now < self._next_hello:
            return b""
        self._next_hello = now + HELLO_INTERVAL
        return self._hello

    def _greet(self, frame: Frame, now: float) -> None:
        if len(frame.payload) < _VERSION_PREFIX.size:
            return
        nonce, version = _VERSION_PREFIX.unpack_from(frame.payload)
        if nonce != self.nonce:
            return
        if version != self._version:
            side = "host: install a newer mtjlearn" if version > messages.VERSION else "board: flash the newer firmware"
            self.fail(
                VersionMismatch(
                    f"the board speaks protocol version {version}, this host version {messages.VERSION}; update the {side}"
                )
            )
            return
        try:
            welcome = messages.Welcome.unpack(frame.payload)
        except messages.MessageError:
            welcome = None
        if welcome is None or (version == messages.VERSION and welcome.schema != messages.SCHEMA):
            theirs = f"{welcome.schema:08x}" if welcome is not None else "of another size"
            self.fail(
                VersionMismatch(
                    f"board and host both say protocol version {version}, but their definitions differ "
                    f"(board {theirs}, host {messages.SCHEMA:08x}); flash the firmware that came with this mtjlearn "
                    "(a virtual board: install it again)"
                )
            )
        elif strange := strange_welcome(welcome):
            self.fail(ImplausibleAnswer(f"the board says {strange}"))
        elif welcome.session != messages.SESSION_NONE:
            self.welcome = welcome
            self._session = welcome.session
            self._sender = Sender(welcome.session, self.nonce, welcome.receive_window)
            self._heard = self._moved = now
            self.state = LinkState.OPEN

    # --- open ---

    @property
    def _silence(self) -> float:
        """Seconds without any frame until the device counts as lost."""
        return WRITING_SILENCE if self._writing else SILENCE

    @property
    def _stall(self) -> float:
        """Seconds without any progress until a device that answers counts as lost."""
        return STALL + (WRITING_SILENCE if self._writing else 0.0)

    @property
    def _writing(self) -> bool:
        return any(command.type in messages.WRITERS for command in self._sender.flight)

    def _check_alive(self, now: float) -> None:
        if now >= self._heard + self._silence:
            waited = f"{self._silence:g} s"
            self.fail(BoardLost(f"the board has not answered for {waited}: it restarted, hangs, or the cable is out; reconnect"))
        elif now >= self._moved + self._stall:
            stalled = f"{self._stall:g} s"
            self.fail(BoardLost(f"the board answers but received nothing intact for {stalled}; check cable and baud rate"))

    def _take(self, frame: Frame, now: float) -> None:
        kind = messages.MESSAGES.get(frame.type)
        try:
            message = kind.unpack(frame.payload) if kind is not None else None
        except messages.MessageError:
            message = None
        if message is None or not holds_together(message):
            self._counters.received_bad += 1
            return
        if strange := message.strange():
            self.fail(ImplausibleAnswer(f"the board says {strange}"))
            return
        self._heard = now
        self._counters.received += 1
        if isinstance(message, messages.Ack):
            self._acknowledge(message, now)
        elif isinstance(message, messages.Telemetry):
            self.telemetry.append(message)
        elif isinstance(message, messages.NoiseCodes):
            self.noise.append(message)
        elif isinstance(message, messages.Err):
            self._refuse(frame.seq, Refusal(message.code, message.detail))
        else:
            self._answer(frame.seq, message)

    def _acknowledge(self, ack: messages.Ack, now: float) -> None:
        self._counters.bad_frames, self._counters.rx_overruns = ack.bad_frames, ack.rx_overruns
        acknowledged = self._sender.acknowledge(ack, now)
        self._numbering.expected = self._sender.base
        if acknowledged:
            self._moved = now
            # Without progress there is nothing new to settle.
            self._device_errors = ack.errors
        for command in acknowledged:
            if command.refusal is not None or command.answer is not None:
                command.done = True
            elif command.question:
                self._asked.append((now + self._sender.rto, command))
            else:
                self._unsettled.append(command)
        self._count([command for command in acknowledged if command.refusal is not None])

    def _answer(self, seq: int, message: Message) -> None:
        command = self._find(seq)
        if command is not None and command.answer is None and isinstance(message, messages.ANSWERS.get(command.type, ())):
            command.answer = message
            self._finish_asked(command)

    def _refuse(self, seq: int, refusal: Refusal) -> None:
        command = self._find(seq)
        if command is not None and command.refusal is None:
            command.refusal = refusal
            if command not in self._sender.flight:
                self._count([command])
            self._finish_asked(command)

    def _count(self, refused: list[Command]) -> None:
        """Counts refusals that arrived, of acknowledged commands only: of those the device's counter tells."""
        self._matched_errors += len(refused)
        # What is refused now was refused each time it was asked, and those ERRs got lost.
        self._matched_errors += min(sum(command.asked_before for command in refused), self._missing())

    def _find(self, seq: int) -> Command | None:
        """The command with this seq that is in flight, waits for an answer or is not settled."""
        candidates = [*self._sender.flight, *(command for _, command in self._asked), *self._unsettled]
        return next((command for command in candidates if command.number & 0xFF == seq), None)

    def _finish_asked(self, command: Command) -> None:
        for pair in self._asked:
            if pair[1] is command:
                self._asked.remove(pair)
                command.done = True
                return

    def _settle(self, now: float) -> None:
        """Finishes acknowledged commands once the device's count of refusals agrees with the refusals that arrived.

        When an ERR got lost, STATUS names the last refused command; nothing but questions is sent until it is in.
        Should several be missing, the rest cannot be told apart: then all that were in doubt count as refused for the
        same reason, and the owner learns from STATUS what was done.
        """
        if self._probe is not None:
            if not self._probe.done:
                return
            self._blame(self._probe)
            self._probe = None
            # The device takes samples again after a fault once it was asked for STATUS, and this was such a question. What
            # is queued behind the samples that it refused must not slip in before the owner knows of them.
            self._sender.questions_only = self._probed_fault
        if not self._missing():
            for command in self._unsettled:
                command.done = True
            self._unsettled.clear()
        elif self._unsettled:
            self._probe = Command.of(messages.GetStatus())
            self._sender.questions_only = True
            self._sender.submit(self._probe, now, first=True)

    def _release(self) -> None:
        """Lets queued commands leave again that waited for the owner to learn of a refusal."""
        self._probed_fault = False
        self._sender.questions_only = self._probe is not None

    def _blame(self, probe: Command) -> None:
        status = probe.answer
        if isinstance(status, messages.Status):
            refusal = Refusal(status.last_error, status.last_error_detail)
            self._probed_fault = status.last_error == messages.Error.NOISE_FAULT
            if self._missing():
                self._refuse(status.last_error_seq, refusal)
        else:  # a board that refuses even to tell
            refusal = probe.refusal or Refusal(messages.Error.UNKNOWN_TYPE, probe.type)
        if self._missing():
            for command in self._unsettled:
                command.refusal = command.refusal or refusal
        self._matched_errors = self._device_errors

    def _missing(self) -> int:
        """Refusals that the device counted and that did not arrive."""
        return (self._device_errors - self._matched_errors) & 0xFF
