"""The sending half of the link: cumulative go-back-N with credit. No I/O; time is passed in, in seconds.

At most MAX_OUTSTANDING frames are unacknowledged, and their encoded bytes never exceed the credit that the device last
gave.

Losses are found in two ways. The device acknowledges at once when it drops a bad frame, which shows in the counters of
that ACK. This alone does not prove that one of our frames is gone (it may have been noise between two frames), and
sending again what is not lost makes the device acknowledge old frames, which must not look like further losses. So the
window goes back when the next ACK asks for the same frame again: then a later frame has arrived and found a gap. When
only one frame is in flight no later one can come, and it is sent again at once. This happens once, until there is
progress. Everything else is left to the time-out, after which one frame goes alone: if only ACKs were lost, its ACK
shows this and nothing else is repeated.
"""

from __future__ import annotations

from collections import deque

from mtjlearn.wire.command import Command
from mtjlearn.wire.frame import encode_frame
from mtjlearn.wire.messages import MAX_OUTSTANDING, Ack, SamplePart

RTO_FIRST = 0.1
"""Time-out before any round trip was measured."""
RTO_FLOOR = 0.025
RTO_CAP = 0.25


class Sender:
    """Queue, window and time-out of one session.

    Args:
        session: number of the session.
        nonce: of the session.
        window: credit to begin with, in encoded bytes.
    """

    def __init__(self, session: int, nonce: int, window: int) -> None:
        self._session = session
        self._nonce = nonce
        self._credit = window
        self.queue: deque[Command] = deque()
        self.flight: deque[Command] = deque()
        """Sent and not acknowledged. The first `_out` of them count as on their way, the rest is due to be sent
        again."""
        self._out = 0
        self._out_bytes = 0
        self.base = 0
        """Number of the first command that is not acknowledged."""
        self._next = 0
        self._damage = (0, 0)
        self._suspect = False
        self._recovering = False
        self._alone = False
        self._timer = 0.0
        self._rto = RTO_FIRST
        self._srtt: float | None = None
        self._rttvar = 0.0
        self._in_sample = False
        """Parts of a sample were sent, and what completes it was not."""
        self.questions_only = False
        """While set, only questions leave the queue."""
        self.sent = 0
        self.resent = 0

    @property
    def busy(self) -> bool:
        """Something is queued or in flight."""
        return bool(self.flight or self.queue)

    @property
    def rto(self) -> float:
        """The time-out now, in seconds."""
        return self._rto

    def submit(self, command: Command, now: float, *, first: bool = False) -> None:
        """Queues a command behind its parts; with `first` before all others that wait, but never among another sample's parts."""
        if not self.busy:
            self._timer = now
        if not first:
            self.queue.extend((*command.parts, command))
            return
        at = self._after_sample() if command.parts else 0
        if self.queue and at == 0:
            self.queue[0].frame = b""  # encoded with the number that this command takes now
        for place, member in enumerate((*command.parts, command), at):
            self.queue.insert(place, member)

    def deadline(self) -> float | None:
        """When transmit() must be called at the latest; None: not before something happens."""
        return self._timer + self._rto if self.busy else None

    def acknowledge(self, ack: Ack, now: float) -> list[Command]:
        """Takes an ACK of this session; returns the commands it acknowledges for the first time, in order."""
        progress = (ack.next_seq - self.base) & 0xFF
        if progress > len(self.flight):
            return []
        damage = (ack.bad_frames, ack.rx_overruns)
        damaged = damage != self._damage
        self._damage = damage
        self._credit = ack.credit
        acknowledged = [self._retire() for _ in range(progress)]
        if acknowledged:
            self._timer = now
            self._alone = self._recovering = self._suspect = False
            if not acknowledged[-1].resent:
                self._measure(now - acknowledged[-1].sent_at)
        if self.flight and not self._recovering:
            if (damaged and len(self.flight) == 1) or (self._suspect and not progress):
                self._go_back(now)
            elif damaged:
                self._suspect = True
        return acknowledged

    def transmit(self, now: float) -> bytes:
        """The bytes to send now."""
        force = False
        if self.busy and now >= self._timer + self._rto:
            self._rto = min(2 * self._rto, RTO_CAP)
            self._go_back(now)
            # Without credit this is the probe that finds out whether the ACK that reopened the window was lost.
            self._alone = force = True
        output = []
        while self._out < (1 if self._alone else MAX_OUTSTANDING):
            if self._out < len(self.flight):
                command = self.flight[self._out]
                size = len(command.frame)
            elif self.queue and (self.queue[0].question or not self.questions_only):
                command = self.queue[0]
                if not command.frame:
                    command.frame = encode_frame(command.type, self._session, self._next, command.payload, self._nonce)
                size = len(command.frame)
            else:
                break
            if self._out_bytes + size > self._credit and not force:
                break
            force = False
            if not self._out:
                self._timer = now
            output.append(self._launch(command, now))
        return b"".join(output)

    @property
    def next_seq(self) -> int:
        """The number that the next new frame gets."""
        return self._next & 0xFF

    def note_sent(self, command: Command, now: float) -> None:
        """Takes note of a command that was sent with the next number, not by transmit(): for replays."""
        command.number = self._next
        command.sent_at = now
        self._next += 1
        self.flight.append(command)
        self._out += 1
        self._out_bytes += len(command.frame)
        self.sent += 1

    def _after_sample(self) -> int:
        """Place in the queue behind the sample whose first parts have been sent."""
        if not self._in_sample:
            return 0
        return next((place + 1 for place, command in enumerate(self.queue) if command.parts), 0)

    def _launch(self, command: Command, now: float) -> bytes:
        if self._out < len(self.flight):
            command.resent = True
            self.resent += 1
        else:
            self.queue.popleft()
            command.number = self._next
            self._next += 1
            self.flight.append(command)
            self.sent += 1
            self._in_sample = command.type == SamplePart.TYPE or (self._in_sample and not command.parts)
        command.sent_at = now
        self._out += 1
        self._out_bytes += len(command.frame)
        return command.frame

    def _retire(self) -> Command:
        command = self.flight.popleft()
        self.base += 1
        if self._out:
            self._out -= 1
            self._out_bytes -= len(command.frame)
        return command

    def _go_back(self, now: float) -> None:
        self._out = self._out_bytes = 0
        self._recovering = True
        self._suspect = False
        self._timer = now

    def _measure(self, rtt: float) -> None:
        """RFC 6298; only frames that were sent once count (Karn)."""
        if self._srtt is None:
            self._srtt, self._rttvar = rtt, rtt / 2
        else:
            self._rttvar += (abs(self._srtt - rtt) - self._rttvar) / 4
            self._srtt += (rtt - self._srtt) / 8
        self._rto = min(max(self._srtt + 4 * self._rttvar, RTO_FLOOR), RTO_CAP)
