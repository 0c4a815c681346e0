"""The simplest host there can be, for tests of the device: one command at a time, nothing sent twice."""

from __future__ import annotations

import itertools
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.frame import Frame, FrameDecoder, Numbering, encode_frame
from mtjlearn.wire.messages import BlobKind, Message, NoiseCodes, NoiseSource, Options

Answer = TypeVar("Answer", bound=Message)

PATIENCE = 20.0
"""Seconds to wait for an answer over a real line; machines that run tests stall."""


@dataclass
class PlainClient:
    """One session over a line.

    Args:
        write: sends bytes.
        read: what has come, perhaps nothing yet.
        nonce: of the session.
    """

    write: Callable[[bytes], object]
    read: Callable[[], bytes]
    nonce: int = 1
    unasked: list[Message] = field(default_factory=list)
    """Telemetry and noise codes, in order."""

    def __post_init__(self) -> None:
        self._decoder = FrameDecoder()
        self._waiting: deque[Frame] = deque()
        self._number = 0
        hello = messages.Hello(self.nonce, messages.VERSION, messages.VERSION)
        self.write(encode_frame(hello.TYPE, messages.SESSION_NONE, 0, hello.pack()))
        welcomes = (messages.Welcome.unpack(frame.payload) for frame in self._frames() if frame.type == messages.Welcome.TYPE)
        # A host that was killed may have left the answer to its own HELLO on the line.
        self.welcome = next(welcome for welcome in welcomes if welcome.nonce == self.nonce)
        self._decoder.numbering = Numbering(self.nonce)

    def send(self, type_: int, payload: bytes) -> list[Message]:
        """Sends a command and returns the answers that came before its acknowledgement."""
        self.push(type_, payload)
        return self.finish()

    def push(self, type_: int, payload: bytes) -> None:
        """Sends a command without waiting."""
        self.write(self.frame(type_, payload))

    def frame(self, type_: int, payload: bytes, ahead: int = 0) -> bytes:
        """The next command's frame, or that of one behind it."""
        return encode_frame(type_, self.welcome.session, self._number + ahead, payload, self.nonce)

    def decode(self, data: bytes) -> list[Frame]:
        """The whole frames among these bytes, which came in this session."""
        numbering = Numbering(self.nonce, self._number)
        return [frame for frame in FrameDecoder(numbering).feed(data) if isinstance(frame, Frame)]

    @property
    def next_seq(self) -> int:
        """The seq of the next command."""
        return self._number & 0xFF

    def skip(self, count: int) -> None:
        """Takes note of commands that were sent otherwise."""
        self._number += count
        self._decoder.numbering.expected = self._number

    def finish(self) -> list[Message]:
        """Waits for the acknowledgement of the command pushed last."""
        seq = self.next_seq
        self.skip(1)
        answers = []
        for frame in self._frames():
            if frame.session != self.welcome.session:
                continue
            message = messages.MESSAGES[frame.type].unpack(frame.payload)
            if isinstance(message, messages.Ack):
                if message.next_seq == self.next_seq:
                    return answers
            elif isinstance(message, messages.Telemetry | NoiseCodes):
                self.unasked.append(message)
            else:
                assert frame.seq == seq
                answers.append(message)
        raise AssertionError("unreachable")

    def tell(self, message: Message) -> None:
        """A command that is executed and has no answer."""
        assert self.send(message.TYPE, message.pack()) == []

    def ask(self, message: Message, kind: type[Answer]) -> Answer:
        """A command and its answer."""
        (answer,) = self.send(message.TYPE, message.pack())
        assert isinstance(answer, kind)
        return answer

    def refusal(self, type_: int, payload: bytes) -> tuple[int, int]:
        """Code and detail of a command that is refused."""
        (answer,) = self.send(type_, payload)
        assert isinstance(answer, messages.Err)
        assert answer.command == type_
        return answer.code, answer.detail

    def refused(self, message: Message) -> tuple[int, int]:
        """Like refusal(), for a well-formed command."""
        return self.refusal(message.TYPE, message.pack())

    def status(self) -> messages.Status:
        """STATUS."""
        return self.ask(messages.GetStatus(), messages.Status)

    def listen(self, enough: Callable[[list[Message]], bool]) -> None:
        """Waits until enough has come unasked."""
        while not enough(self.unasked):
            self.unasked.append(self._next_unasked())

    def noise(self, count: int) -> list[NoiseCodes]:
        """A noise stream of this many codes."""
        self.unasked.clear()
        self.tell(messages.Noise(count, 0))
        missing = count - sum_codes(self.unasked)
        while missing > 0:
            self.unasked.append(self._next_unasked())
            missing -= sum_codes(self.unasked[-1:])
        return [message for message in self.unasked if isinstance(message, NoiseCodes)]

    def weights(self) -> bytes:
        """All weights."""
        return self.blob(BlobKind.WEIGHTS)

    def blob(self, kind: BlobKind) -> bytes:
        """All of a blob."""
        data = b""
        while True:
            chunk = self.ask(messages.GetBlob(kind, len(data)), messages.Blob)
            assert chunk.offset == len(data)
            data += chunk.data
            if len(data) == chunk.total:
                return data

    def _next_unasked(self) -> Message:
        frame = next(self._frames())
        return messages.MESSAGES[frame.type].unpack(frame.payload)

    def _frames(self) -> Iterator[Frame]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            while self._waiting:
                yield self._waiting.popleft()
            self._waiting += [frame for frame in self._decoder.feed(self.read()) if isinstance(frame, Frame)]
        raise AssertionError("the device does not answer")


def memory_client(board: InProcessDevice, nonce: int = 1) -> PlainClient:
    """A session with an in-process device."""

    def read() -> bytes:
        board.poll()
        return board.take()

    return PlainClient(board.push, read, nonce)


def configure(network: Network, *, injected: bool = False) -> messages.Configure:
    """CONFIGURE for a network."""
    assert network.rounding is not None
    return messages.Configure(
        loss=network.loss,
        weight_format=network.weight_format,
        rounding=network.rounding,
        options=Options.NORMALISED * network.normalised | Options.ANTITHETIC * network.antithetic,
        decorrelate=sum(1 << layer for layer, on in enumerate(network.decorrelate) if on),
        noise_source=NoiseSource.INJECTED if injected else NoiseSource.ADC,
        rule=network.rule_code,
        slope=network.shift,
        sigma=network.sigma_q,
        noise_std=network.noise_std_q,
        learning_rate=network.learning_rate_q,
        decorrelation_rate=network.decorrelation_rate_q,
        seed=network.seed,
        sizes=np.array(network.sizes, np.uint16),
    )


def set_blob(kind: BlobKind, data: bytes, chunk: int = 200) -> list[messages.SetBlob]:
    """The chunks of a blob."""
    crc = zlib.crc32(data)
    starts = range(0, len(data), chunk)
    return [messages.SetBlob(kind, start, len(data), crc, data[start : start + chunk]) for start in starts]


def sum_codes(unasked: list[Message]) -> int:
    """Noise codes in these messages."""
    return sum(message.count for message in unasked if isinstance(message, NoiseCodes))


def unpack(message: NoiseCodes) -> npt.NDArray[np.int64]:
    """The codes of a NOISE_CODES, read from one long number."""
    number = int.from_bytes(message.packed, "little")
    mask = (1 << message.bits) - 1
    return np.array([number >> (message.bits * index) & mask for index in range(message.count)])


def noise_codes(stream: list[NoiseCodes]) -> npt.NDArray[np.int64]:
    """All codes of a stream without holes."""
    for before, after in itertools.pairwise(stream):
        assert after.first == (before.first + before.count) % 2**32
    return np.concatenate([unpack(message) for message in stream])
