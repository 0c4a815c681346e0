"""A device in Python and a line with a virtual clock, to drive the host's link without waiting."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Protocol

from cobs import cobs

from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.frame import CRC, HEADER, BadFrame, Frame, FrameDecoder, Numbering, encode_frame
from mtjlearn.wire.messages import Message
from mtjlearn.wire.session import Link, LinkState

Fault = Callable[[bytes], bytes]


def welcome(nonce: int, **changes: object) -> messages.Welcome:
    fields: dict[str, object] = {
        "nonce": nonce,
        "version": messages.VERSION,
        "session": 7,
        "schema": messages.SCHEMA,
        "build": 1,
        "board": "model",
        "boot_count": 1,
        "reset_cause": 1,
        "receive_window": 1024,
        "max_payload": 240,
        "features": 31,
        "adc_bits": 10,
        "adc_rate": 9615,
        "adc_reference": 1100,
        "line_rate": 0,
        "arena": 65536,
        "activation_bits": 12,
        "weight32_bits": 28,
        "loss_bits": 24,
        "memory": 1024,
        "restored": 0,
        "last_error": 0,
    }
    return messages.Welcome(**{**fields, **changes})  # type: ignore[arg-type]


class ModelDevice:
    """The device's end of a session, kept as simple as the protocol allows.

    `executed` holds the payloads of all TRAIN commands in the order of their execution; a TRAIN whose payload is in
    `refuses` is refused instead. One in `faults` is refused once because of the noise source, and so are all that follow until
    GET_STATUS.
    """

    def __init__(self, window: int = 1024) -> None:
        self.window = window
        self.credit = window
        self.executed: list[bytes] = []
        self.refuses: set[bytes] = set()
        self.faults: set[bytes] = set()
        self.locked = False
        self.hellos = 0
        self.old_frames = 0
        self.session = 0
        self.welcome_changes: dict[str, object] = {}
        self.restart()

    def restart(self) -> None:
        self.nonce: int | None = None
        self.open = False
        self.decoder = FrameDecoder()

    def exchange(self, data: bytes) -> bytes:
        return b"".join(self.take(frame) for frame in self.decoder.feed(data))

    def take(self, frame: Frame | BadFrame) -> bytes:
        if isinstance(frame, BadFrame):
            self.bad_frames = getattr(self, "bad_frames", 0) + 1
            return self.ack() if self.open else b""
        if frame.type == messages.Hello.TYPE:
            return self.greet(messages.Hello.unpack(frame.payload))
        if not self.open or frame.session != self.session:
            return b""
        if frame.seq != self.number & 0xFF:
            self.old_frames += 1
            return self.ack()
        reply = self.execute(frame)
        self.decoder.numbering.expected += 1
        return reply + self.ack()

    @property
    def number(self) -> int:
        return self.decoder.numbering.expected

    def greet(self, hello: messages.Hello) -> bytes:
        self.hellos += 1
        if hello.nonce != self.nonce:
            self.nonce, self.open = hello.nonce, True
            self.session = self.session % 255 + 1
            self.decoder.numbering = Numbering(hello.nonce)
            self.bad_frames = self.errors = 0
            self.last = (0, 0, 0)
        answer = welcome(hello.nonce, **{"session": self.session, "receive_window": self.window, **self.welcome_changes})
        return encode_frame(answer.TYPE, 0, 0, answer.pack())

    def execute(self, frame: Frame) -> bytes:
        if frame.type == messages.Train.TYPE:
            if frame.payload in self.refuses:
                return self.refuse(frame, messages.Error.OUT_OF_RANGE, len(self.executed))
            self.locked |= frame.payload in self.faults
            self.faults.discard(frame.payload)
            if self.locked:
                return self.refuse(frame, messages.Error.NOISE_FAULT, messages.NoiseFault.STUCK)
            self.executed.append(frame.payload)
        elif frame.type == messages.GetMetrics.TYPE:
            return self.send(messages.Metrics(len(self.executed), 0, 0))
        elif frame.type == messages.GetStatus.TYPE:
            code, seq, detail = self.last
            self.locked = False
            return self.send(messages.Status(1, len(self.executed), 0, 0, 0, 0, 1, 0, 200, 0, 0, 0, code, seq, detail, 0))
        elif frame.type == messages.GetBlob.TYPE:
            return self.refuse(frame, messages.Error.NOT_CONFIGURED, 0)
        return b""

    def refuse(self, frame: Frame, code: int, detail: int) -> bytes:
        self.errors = (self.errors + 1) & 0xFF
        self.last = (code, frame.seq, detail)
        return self.send(messages.Err(frame.type, code, detail))

    def send(self, message: Message) -> bytes:
        return self.frame(message.TYPE, message.pack())

    def frame(self, type_: int, payload: bytes) -> bytes:
        assert self.nonce is not None
        return encode_frame(type_, self.session, self.number, payload, self.nonce)

    def ack(self) -> bytes:
        return self.send(messages.Ack(self.number & 0xFF, self.credit, self.bad_frames, 0, self.errors))


class Device(Protocol):
    def exchange(self, data: bytes) -> bytes: ...


class Rig:
    """A link and a device, with a line of the given latency between them, on a virtual clock.

    `up` and `down` may damage every piece of bytes that goes to the device and to the host, and `stall` may hold it up;
    what comes after it waits behind it.
    """

    def __init__(self, device: Device, *, latency: float = 0.002, nonce: int = 1, timeout: float = 5.0) -> None:
        self.device = device
        self.latency = latency
        self.now = 100.0
        self.link = Link(self.now, nonce, timeout)
        self.up: Fault = lambda data: data
        self.down: Fault = lambda data: data
        self.stall: Callable[[], float] = lambda: 0.0
        self.keep_sent = True
        self.sent: list[tuple[float, bytes]] = []
        self._events: list[tuple[float, int, bool, bytes]] = []
        self._number = count()
        self._free = {True: 0.0, False: 0.0}

    def new_link(self, nonce: int) -> None:
        """The host crashes, and another one opens the port, which discards what was on the line."""
        self.link = Link(self.now, nonce)
        self._events.clear()

    def open(self) -> Rig:
        self.run(lambda: self.link.state is not LinkState.OPENING)
        assert self.link.state is LinkState.OPEN, self.link.failure
        return self

    def submit(self, *commands: Command) -> list[Command]:
        for command in commands:
            self.link.submit(command, self.now)
        return list(commands)

    def finish(self, *commands: Command, limit: float = 60.0) -> list[Command]:
        """Submits, and runs until all are done or the link is lost."""
        self.submit(*commands)
        self.run(lambda: all(c.done for c in reversed(commands)), limit)  # the last one is done last
        return list(commands)

    def run(self, until: Callable[[], bool], limit: float = 60.0) -> None:
        """Runs until the condition holds or the link is lost; fails after `limit` virtual seconds."""
        end = self.now + limit
        while not until() and self.link.state is not LinkState.LOST:
            self._send()
            if self.link.state is LinkState.LOST:
                break
            times = [self._events[0][0]] if self._events else []
            deadline = self.link.deadline()
            times += [max(deadline, self.now)] if deadline is not None else []
            assert times, "nothing will ever happen"
            self.now = min(times)
            assert self.now <= end, "no end in sight"
            self._deliver()

    def wait(self, seconds: float) -> None:
        """Lets time pass; what is on the line arrives."""
        end = self.now + seconds
        self._send()
        while self._events and self._events[0][0] <= end:
            self.now = self._events[0][0]
            self._deliver()
            self._send()
        self.now = end

    def _send(self) -> None:
        data = self.link.transmit(self.now)
        if data:
            if self.keep_sent:
                self.sent.append((self.now, data))
            self._post(True, self.up(data))

    def _post(self, to_device: bool, data: bytes) -> None:
        if data:
            arrival = max(self.now + self.latency + self.stall(), self._free[to_device])
            self._free[to_device] = arrival
            heapq.heappush(self._events, (arrival, next(self._number), to_device, data))

    def _deliver(self) -> None:
        while self._events and self._events[0][0] <= self.now:
            _, _, to_device, data = heapq.heappop(self._events)
            if to_device:
                answer = self.device.exchange(data)
                if answer:
                    self._post(False, self.down(answer))
            else:
                self.link.receive(data, self.now)


def train(payload: bytes) -> Command:
    return Command(messages.Train.TYPE, payload)


def frames(data: bytes) -> list[Frame]:
    """Whole frames of any session; nobody looks at their CRC."""
    bodies = [cobs.decode(part) for part in data.split(b"\0") if part]
    return [Frame(body[0], body[1], body[2], body[HEADER:-CRC]) for body in bodies]


def drop_frames(*types: int, times: int = 1) -> Fault:
    """Drops whole frames of these types, this many times."""
    left = [times]

    def fault(data: bytes) -> bytes:
        kept = []
        for part in filter(None, data.split(b"\0")):
            if cobs.decode(part)[0] in types and left[0] > 0:
                left[0] -= 1
            else:
                kept.append(b"\0" + part + b"\0")
        return b"".join(kept)

    return fault


def flip_once(place: int) -> Fault:
    """Damages one byte of the stream, counted over all pieces."""
    passed = [0]

    def fault(data: bytes) -> bytes:
        start, passed[0] = passed[0], passed[0] + len(data)
        if start <= place < passed[0]:
            return data[: place - start] + bytes([data[place - start] ^ 0x55]) + data[place - start + 1 :]
        return data

    return fault
