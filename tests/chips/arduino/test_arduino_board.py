"""The device of firmware/boards/arduino on a fake Arduino: what it says, learns, loses and counts; a host that stops reading."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest
from plain_client import PlainClient, configure

from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Features, ResetCause

RECEIVER = 256
RATE = 1000
TURN_US = 250
"""Time of one turn of the main loop; a conversion comes on top."""
NETWORK = Network((4, 8, 3), learning_rate=0.05, seed=7)


class FakeArduino:
    """The program of tests/chips/arduino/board.cpp.

    Args:
        program: its path.
    """

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.sends = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        # The sanitizers say by it what they found.
        assert self.process.wait(10) == 0

    def command(self, text: str) -> str:
        """One command and its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the board has crashed"
        return answer.strip()

    def push(self, data: bytes) -> None:
        """Bytes arrive in the board's receiver."""
        self.command(f"push {data.hex()}")

    def loop(self, turns: int) -> None:
        """Lets the board work."""
        self.command(f"loop {turns} {TURN_US}")

    def take(self, most: int = 100_000) -> bytes:
        """The host reads."""
        return bytes.fromhex(self.command(f"take {most}"))

    def read(self) -> bytes:
        """Some turns, and all that the board sends meanwhile: its transmitter holds 64 bytes."""
        data = b""
        for _ in range(8):
            self.loop(1)
            data += self.take()
        return data

    def world(self) -> tuple[int, int, int, int]:
        """Bytes dropped by the receiver, resolution asked for, LED, microseconds."""
        dropped, resolution, led, micros = map(int, self.command("world").split())
        return dropped, resolution, led, micros


@pytest.fixture(scope="session")
def program(compile_arduino: Callable[..., Path], project: Path) -> Path:
    folders = ["boards/arduino", "src", "src/autonomous", "lib/anp/src", "lib/wire/src"]
    firmware = [path for folder in folders for path in sorted((project / "firmware" / folder).glob("*.c*"))]
    sources = ["tests/chips/arduino/board.cpp", "tests/chips/arduino/fake/fake.cpp", "tests/chips/arduino/fake/flash.cpp"]
    sources += [str(path.relative_to(project)) for path in firmware]
    flags = ['-DDEVICE_BOARD="fake"', "-DBOARD_ARENA=4096", f"-DLINE_RECEIVER={RECEIVER}", f"-DADC_RATE={RATE}", "-DADC_BITS=12"]
    return compile_arduino(sources, *flags, "-DNONVOLATILE_OTHER", "-DDEVICE_BUILD=0x1234abcdu")


@pytest.fixture
def board(program: Path) -> Iterator[FakeArduino]:
    with FakeArduino(program) as fake:
        yield fake


@pytest.fixture
def client(board: FakeArduino) -> PlainClient:
    return PlainClient(board.push, board.read)


def rows(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-4096, 4097, (count, 7))


def learn(board: FakeArduino, client: PlainClient, frames: int) -> None:
    """Configures the network, waits for a full noise buffer and trains frames of eight samples."""
    client.tell(configure(NETWORK))
    board.loop(200 * 1_000_000 // RATE // TURN_US + 10)
    for number in range(frames):
        client.tell(messages.Train(rows(8, number).ravel()))


def test_hello_says_what_the_board_is(client: PlainClient, board: FakeArduino) -> None:
    welcome = client.welcome
    assert (welcome.board, welcome.build) == ("fake", 0x1234ABCD)
    assert (welcome.boot_count, welcome.reset_cause) == (1, ResetCause.UNKNOWN)
    assert (welcome.adc_bits, welcome.adc_rate, welcome.adc_reference) == (12, RATE, 3300)
    assert (welcome.receive_window, welcome.max_payload, welcome.line_rate) == (RECEIVER * 7 // 8, RECEIVER * 7 // 8 - 10, 25_000)
    assert welcome.arena == 4096
    assert Features.ADC_LIVE in Features(welcome.features)
    assert Features.VIRTUAL_CLOCK not in Features(welcome.features)
    assert board.world()[1] == 12


def test_it_learns_and_shows_it(client: PlainClient, board: FakeArduino) -> None:
    learn(board, client, 40)
    status = client.status()
    assert (status.steps, status.saturations) == (320, 0)
    assert status.noise_deviation == pytest.approx(200 * 10, rel=0.05)  # two levels 20 codes apart
    assert board.world()[2] == 1  # the LED changes every 256 steps
    weights = client.weights()
    client.tell(messages.Train(rows(8, 99).ravel()))
    assert client.weights() != weights


def due(board: FakeArduino) -> int:
    """Codes that the converter has had the time for; the turns that bring an answer take those of two or three."""
    return board.world()[3] * RATE // 1_000_000


def test_codes_that_nobody_read_in_time_are_counted(client: PlainClient, board: FakeArduino) -> None:
    learn(board, client, 40)
    status = client.status()
    assert 0 <= due(board) - status.codes - status.codes_lost <= 4
    board.command("loop 1 12500")
    board.loop(4)
    after = client.status()
    assert after.codes_lost - status.codes_lost >= 11
    assert 0 <= due(board) - after.codes - after.codes_lost <= 4


def test_noise_stream_has_no_holes_when_the_loop_is_quick(client: PlainClient, board: FakeArduino) -> None:
    stream = client.noise(300)
    numbers = [message.first for message in stream]
    assert all(after - before == first.count for before, after, first in zip(numbers, numbers[1:], stream, strict=False))
    assert client.status().codes_lost == 0


def test_host_that_stops_reading_does_not_stop_the_board(client: PlainClient, board: FakeArduino) -> None:
    learn(board, client, 1)
    client.tell(messages.SetTelemetry(1))
    # The fake aborts when a write() would wait. Nobody takes what is sent: the transmitter and the ring fill up.
    trains = [messages.Train(rows(8, number).ravel()) for number in range(20)]
    for ahead, train in enumerate(trains):
        board.push(client.frame(train.TYPE, train.pack(), ahead))
        board.loop(40)
    before = board.world()[3]
    board.loop(1000)
    assert board.world()[3] - before >= 1000 * TURN_US
    # The host reads again: the counters are right, and every frame that was acknowledged was trained.
    sent = b"".join(board.read() for _ in range(100))
    assert sent
    fresh = PlainClient(board.push, board.read, nonce=2)
    status = fresh.status()
    assert status.steps == 8 * 21
    assert status.telemetry_dropped == 0  # counted again in every session


def test_closed_port_keeps_what_was_sent_until_it_opens(client: PlainClient, board: FakeArduino) -> None:
    board.command("dtr 0")
    ask = messages.GetStatus()
    board.push(client.frame(ask.TYPE, ask.pack()))
    board.loop(100)
    assert board.take() == b""
    board.command("dtr 1")
    answers = b"".join(board.read() for _ in range(4))
    assert answers.startswith(b"\x00")
    assert PlainClient(board.push, board.read, nonce=3).status().steps == 0


def test_bytes_beyond_the_credit_are_lost_and_counted(client: PlainClient, board: FakeArduino) -> None:
    learn(board, client, 1)
    assert board.world()[0] == 0
    train = messages.Train(rows(8).ravel())
    frames = b"".join(client.frame(train.TYPE, train.pack(), ahead) for ahead in range(8))
    board.push(frames)
    assert board.world()[0] == len(frames) - RECEIVER
    acks = [frame for frame in decode(client, b"".join(board.read() for _ in range(40))) if isinstance(frame, messages.Ack)]
    assert acks[-1].rx_overruns >= 1


def test_full_credit_overruns_nothing(client: PlainClient, board: FakeArduino) -> None:
    learn(board, client, 1)
    window = client.welcome.receive_window
    sent = 0
    for _ in range(50):
        flight, count = b"", 0
        while True:
            train = messages.Train(rows(3, sent).ravel())
            frame = client.frame(train.TYPE, train.pack(), count)
            if len(flight) + len(frame) > window:
                break
            flight, sent, count = flight + frame, sent + 1, count + 1
        board.push(flight)
        client.skip(count)
        acks = []
        while not acks or acks[-1].next_seq != client.next_seq:
            acks += [frame for frame in decode(client, board.read()) if isinstance(frame, messages.Ack)]
    assert acks[-1].rx_overruns == acks[-1].bad_frames == 0
    assert board.world()[0] == 0


def test_reset_begins_anew_once_its_acknowledgement_has_left(client: PlainClient, board: FakeArduino) -> None:
    client.tell(configure(NETWORK))
    client.tell(messages.Reset())
    board.loop(30_000 // TURN_US)
    again = PlainClient(board.push, board.read, nonce=2)
    assert (again.welcome.boot_count, again.welcome.reset_cause) == (2, ResetCause.SOFTWARE)
    assert again.welcome.session != client.welcome.session
    assert again.status().arena_used == 0


def decode(client: PlainClient, data: bytes) -> list[messages.Message]:
    """The messages of whole frames."""
    return [messages.MESSAGES[frame.type].unpack(frame.payload) for frame in client.decode(data)]
