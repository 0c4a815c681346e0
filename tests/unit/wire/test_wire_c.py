"""The device's end of the wire in C, byte for byte: frames against other implementations, then sessions."""

from __future__ import annotations

import itertools
import subprocess
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from cobs import cobs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mtjlearn.wire import messages
from mtjlearn.wire.messages import Ack, Err, Error, GetStatus, Hello, Prediction, Reset, Status, Stop, Train, Welcome

pytestmark = pytest.mark.thorough

WIRE = "firmware/lib/wire/src"


class Frame(NamedTuple):
    type: int
    session: int
    seq: int
    payload: bytes


NONCE = 7


def seeded(body: bytes, number: int, nonce: int = NONCE) -> bytes:
    crc = zlib.crc32(body, (nonce + number // 256 * 0x9E3779B1) % 2**32 if body[1] else 0)
    return b"\0" + cobs.encode(body + crc.to_bytes(4, "little")) + b"\0"


def encode(type_: int, session: int, number: int, payload: bytes = b"", nonce: int = NONCE) -> bytes:
    return seeded(bytes((type_, session, number % 256)) + payload, number, nonce)


def decode(line: bytes, number: int = 0, nonce: int = NONCE) -> Frame:
    """A frame that the device sent when it had executed about this many commands."""
    assert line[0] == line[-1] == 0
    body = cobs.decode(line[1:-1])
    nearest = min((number // 256 * 256 + turn * 256 + body[2] for turn in (-1, 0, 1)), key=lambda of: abs(of - number))
    assert line == seeded(body[:-4], nearest, nonce)
    return Frame(body[0], body[1], body[2], body[3:-4])


def decode_all(lines: Iterable[bytes]) -> list[Frame]:
    """All frames of a session with the nonce above, or of several, whose nonces WELCOME tells."""
    found: list[Frame] = []
    number, nonce = 0, NONCE
    for line in lines:
        frame = decode(line, number, nonce)
        found.append(frame)
        if frame.type == Welcome.TYPE:
            welcome = Welcome.unpack(frame.payload)
            if welcome.session and welcome.nonce != nonce:
                number, nonce = 0, welcome.nonce
        else:
            number += (frame.seq - number + 128) % 256 - 128
    return found


class Shell:
    """Scripts a session in C and reads what it did."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def __call__(self, lines: Iterable[str]) -> list[tuple[str, str]]:
        run = subprocess.run([self._program], input="\n".join(lines), capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        words = [line.partition(" ") for line in run.stdout.splitlines()]
        return [(word, rest) for word, _, rest in words]

    def frames(self, lines: Iterable[str]) -> list[Frame]:
        return decode_all(bytes.fromhex(rest) for word, rest in self(lines) if word == "tx")


@pytest.fixture(scope="session")
def shell(compile_c: Callable[..., Path], project: Path) -> Shell:
    sources = ["tests/c/session_shell.c", *sorted((project / WIRE).glob("*.c"))]
    return Shell(compile_c(sources, [WIRE]))


def rx(*frames: bytes) -> str:
    return f"rx {b''.join(frames).hex()}"


def hello(nonce: int = NONCE, low: int = messages.VERSION, high: int = messages.VERSION) -> bytes:
    return encode(Hello.TYPE, 0, 0, Hello(nonce, low, high).pack())


SESSION = 1 + NONCE
"""Number of the first session after a start, with the nonce above."""


def command(number: int, type_: int = Train.TYPE, payload: bytes = b"\1\0", session: int = SESSION, nonce: int = NONCE) -> bytes:
    return encode(type_, session, number, payload, nonce)


def acks(frames: Iterable[Frame]) -> list[Ack]:
    return [Ack.unpack(frame.payload) for frame in frames if frame.type == Ack.TYPE]


def handled(events: Iterable[tuple[str, str]]) -> list[str]:
    return [rest for word, rest in events if word == "handle"]


# --- frames ---

PAYLOADS = st.lists(st.binary(max_size=64) | st.lists(st.sampled_from([0, 0, 1, 255]), max_size=64).map(bytes), max_size=30)


@given(PAYLOADS)
@settings(max_examples=60)
@example([bytes(64), b"\1" * 64, b"", b"\0", b"\xff" * 64])
def test_frames_pass_both_ways_unchanged(shell: Shell, payloads: list[bytes]) -> None:
    frames = [command(seq, messages.Predict.TYPE, payload) for seq, payload in enumerate(payloads)]
    events = shell([rx(hello()), *map(rx, frames)])
    assert handled(events) == [f"{messages.Predict.TYPE} {payload.hex()}" for payload in payloads]
    sent = decode_all(bytes.fromhex(rest) for word, rest in events if word == "tx")
    replies = [frame for frame in sent if frame.type == Prediction.TYPE]
    assert [frame.payload for frame in replies] == [bytes(255 - byte for byte in payload) for payload in payloads]
    assert [frame.seq for frame in replies] == list(range(len(payloads)))
    assert {frame.session for frame in replies} <= {SESSION}


def expected_of(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Good frames and bad ones among what stands between two delimiters."""
    good = bad = 0
    for piece in filter(None, pieces):
        try:
            body = cobs.decode(piece)
        except cobs.DecodeError:
            body = b""
        nearest = body[2] - 256 * (body[2] >= 128) if len(body) >= 7 else 0
        whole = 7 <= len(body) <= 71 and seeded(body[:-4], nearest) == b"\0" + piece + b"\0"
        good, bad = good + whole, bad + (not whole)
    return good, bad


@given(st.lists(st.binary(max_size=90) | st.sampled_from([command(0), command(0, payload=bytes(60)), b"\0", b"\xff"])))
@settings(max_examples=100)
@example([bytes(range(1, 256)) * 3, command(0)])
@example([b"\0", cobs.encode(bytes(300)), b"\0"])
def test_decoder_agrees_with_another_on_any_bytes(shell: Shell, pieces: list[bytes]) -> None:
    noise = b"".join(pieces) + b"\0"
    good, bad = expected_of(noise.split(b"\0"))
    last = acks(shell.frames([rx(hello()), rx(noise), "ack"]))[-1]
    assert last.bad_frames == bad
    assert (last.next_seq == 1) == (good > 0)  # every good frame is the same command, executed once


@pytest.mark.parametrize("excess", [1, 2, 30, 183, 1000])
def test_a_frame_too_long_is_skipped_and_counted_although_its_crc_holds(shell: Shell, excess: int) -> None:
    events = [rx(hello()), rx(command(0, payload=bytes(64 + excess)), command(0))]
    assert len(handled(shell(events))) == 1
    assert acks(shell.frames(events))[-1].bad_frames == 1


def test_every_bit_of_a_frame_is_covered_by_its_crc(shell: Shell) -> None:
    body = cobs.decode(command(0)[1:-1])
    flipped = [bytes(b ^ (1 << bit if i == at else 0) for i, b in enumerate(body)) for at in range(9) for bit in range(8)]
    lines = [rx(hello()), *(rx(b"\0", cobs.encode(damaged), b"\0") for damaged in flipped)]
    assert handled(shell(lines)) == []
    assert acks(shell.frames(lines))[-1].bad_frames == len(flipped) == 8 * len(body)


def test_a_whole_frame_at_the_beginning_of_a_longer_one_does_not_count(shell: Shell) -> None:
    body = cobs.decode(command(0, payload=bytes(range(64)))[1:-1])
    lines = [rx(hello()), rx(b"\0", cobs.encode(body + b"more"), b"\0")]
    assert handled(shell(lines)) == []
    assert acks(shell.frames(lines))[-1].bad_frames == 1


def test_a_cobs_block_that_ends_early_is_bad_although_the_crc_holds(shell: Shell) -> None:
    damaged = bytearray(command(0))
    code = 1
    while code + damaged[code] < len(damaged) - 1:
        code += damaged[code]
    damaged[code] += 1  # the last block now claims one byte more than there are
    events = [rx(hello()), rx(bytes(damaged))]
    assert handled(shell(events)) == []
    assert acks(shell.frames(events))[-1].bad_frames == 1


# --- handshake ---


def test_hello_opens_a_session_and_says_what_the_device_is(shell: Shell) -> None:
    (frame,) = shell.frames([rx(hello())])
    assert frame[:3] == (Welcome.TYPE, 0, 0)
    welcome = Welcome.unpack(frame.payload)
    assert (welcome.nonce, welcome.version, welcome.session) == (7, messages.VERSION, SESSION)
    assert (welcome.schema, welcome.max_payload, welcome.board) == (messages.SCHEMA, 64, "shell")
    assert welcome.receive_window == 192


def test_the_same_hello_again_leaves_the_session_as_it_is(shell: Shell) -> None:
    events = [rx(hello(), command(0)), rx(hello()), rx(command(1))]
    assert [rest for word, rest in shell(events) if word == "opened"] == [str(SESSION)]
    assert acks(shell.frames(events))[-1].next_seq == 2


def test_a_new_hello_starts_again_from_zero_under_another_number(shell: Shell) -> None:
    refused = command(0, Stop.TYPE, b"")
    lines = [rx(hello(), b"xx\0", refused), "overruns 5", rx(command(1)), rx(hello(nonce=8)), "ack"]
    frames = shell.frames(lines)
    assert acks(frames)[-2] == Ack(next_seq=2, credit=192, bad_frames=1, rx_overruns=5, errors=1)
    assert acks(frames)[-1] == Ack(next_seq=0, credit=192, bad_frames=0, rx_overruns=0, errors=0)
    assert frames[-1].session != SESSION


def test_numbers_never_repeat_at_once_and_never_are_zero(shell: Shell) -> None:
    numbers = [int(rest) for word, rest in shell([rx(*map(hello, range(600)))]) if word == "opened"]
    assert len(numbers) == 600
    assert set(numbers) == set(range(1, 256))
    assert all(a != b for a, b in itertools.pairwise(numbers))


def test_a_restart_takes_another_number_even_for_the_same_nonce(shell: Shell) -> None:
    lines = [line for boot in (1, 2, 3) for line in (f"boot {boot}", rx(hello()))]
    numbers = [rest for word, rest in shell(lines) if word == "opened"]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize(("low", "high"), [(messages.VERSION + 1, 255), (0, messages.VERSION - 1)])
def test_another_version_is_answered_without_a_session(shell: Shell, low: int, high: int) -> None:
    frames = shell.frames([rx(hello(), command(0)), rx(hello(9, low, high)), rx(command(1))])
    refusal = Welcome.unpack(frames[2].payload)
    assert (refusal.nonce, refusal.version, refusal.session) == (9, messages.VERSION, 0)
    assert acks(frames)[-1].next_seq == 2  # the session of the host before continues


def test_a_range_of_versions_that_includes_the_device_is_fine(shell: Shell) -> None:
    (frame,) = shell.frames([rx(hello(low=0, high=255))])
    assert Welcome.unpack(frame.payload).session == SESSION


def test_welcome_waits_for_room(shell: Shell) -> None:
    size = Welcome.LAYOUT.size + 10
    events = shell([f"room {size - 1}", rx(hello(), command(0)), f"room {size + 20}", "poll"])
    assert [word for word, _ in events] == ["rest", "opened", "tx", "handle", "tx", "rest"]
    assert events[0] == ("rest", str(len(command(0))))


@pytest.mark.parametrize("wrong", [encode(Hello.TYPE, 0, 0, b"12345"), encode(Train.TYPE, 0, 0), command(0)])
def test_nothing_but_a_hello_opens_a_session(shell: Shell, wrong: bytes) -> None:
    events = shell([rx(wrong), rx(b"damaged\0"), "ack", "send 141 00"])
    assert events == [("rest", "0"), ("rest", "0"), ("sent", "0")]


# --- commands ---


def test_commands_run_once_and_in_order_through_the_wrap_of_seq(shell: Shell) -> None:
    lines = [rx(hello()), *(rx(command(seq, payload=seq.to_bytes(2, "little"))) for seq in range(600))]
    assert handled(shell(lines)) == [f"{Train.TYPE} {seq.to_bytes(2, 'little').hex()}" for seq in range(600)]
    assert [ack.next_seq for ack in acks(shell.frames(lines))] == [(seq + 1) & 255 for seq in range(600)]


@pytest.mark.parametrize("seq", [*range(1, 256, 37), 127, 128, 255, 2, 0])
def test_any_other_seq_is_acknowledged_at_once_and_not_run(shell: Shell, seq: int) -> None:
    lines = [rx(hello(), command(0)), rx(command(seq if seq != 1 else 3))]
    assert len(handled(shell(lines))) == 1
    assert [ack.next_seq for ack in acks(shell.frames(lines))] == [1, 1]


def test_frames_of_another_session_and_of_a_device_are_ignored(shell: Shell) -> None:
    lines = [rx(hello(), command(0, session=SESSION + 1), command(0, session=0), command(0, type_=Ack.TYPE))]
    assert len(shell.frames(lines)) == 1  # the WELCOME


def test_a_hello_with_a_sessions_number_is_a_command_like_any_other(shell: Shell) -> None:
    payload = Hello(9, messages.VERSION, messages.VERSION).pack()
    events = shell([rx(hello(), encode(Hello.TYPE, SESSION, 0, payload))])
    assert [word for word, _ in events] == ["opened", "tx", "handle", "tx", "rest"]
    assert handled(events) == [f"{Hello.TYPE} {payload.hex()}"]
    # With another session's number it is nothing, and opens nothing.
    assert [word for word, _ in shell([rx(hello(), encode(Hello.TYPE, SESSION + 1, 0, payload))])] == ["opened", "tx", "rest"]


def test_another_frame_without_a_session_is_nothing(shell: Shell) -> None:
    lines = [rx(hello(), command(0), command(1, session=0), encode(Reset.TYPE, 0, 1)), "ack"]
    assert len(handled(shell(lines))) == 1
    assert acks(shell.frames(lines))[1:] == [Ack(next_seq=1, credit=192, bad_frames=0, rx_overruns=0, errors=0)]


@pytest.mark.parametrize("later", [256, 512])
def test_a_frame_that_returns_is_bad(shell: Shell, later: int) -> None:
    lines = [rx(hello()), *(rx(command(number)) for number in range(later)), rx(command(0)), rx(command(later))]
    assert len(handled(shell(lines))) == later + 1
    assert [(ack.next_seq, ack.bad_frames) for ack in acks(shell.frames(lines))[-2:]] == [(later % 256, 1), (later % 256 + 1, 1)]


@pytest.mark.parametrize("behind", [1, 8, 100])
def test_an_old_frame_is_acknowledged_across_the_turn(shell: Shell, behind: int) -> None:
    lines = [rx(hello()), *(rx(command(number)) for number in range(257)), rx(command(257 - behind))]
    assert len(handled(shell(lines))) == 257
    assert (acks(shell.frames(lines))[-1].next_seq, acks(shell.frames(lines))[-1].bad_frames) == (1, 0)


def test_the_nonce_seeds_every_frame_of_a_session(shell: Shell) -> None:
    events = shell([rx(hello(0xFFFFFFFF)), *(rx(command(number, session=1, nonce=0xFFFFFFFF)) for number in range(300))])
    opened = [int(rest) for word, rest in events if word == "opened"]
    session = opened[0]
    lines = [rx(hello(0xFFFFFFFF)), *(rx(command(number, session=session, nonce=0xFFFFFFFF)) for number in range(300))]
    assert len(handled(shell(lines))) == 300  # the seed wraps with the nonce


def test_an_ack_while_the_transmitter_is_full_says_what_holds_when_it_leaves(shell: Shell) -> None:
    size = Ack.LAYOUT.size + 10
    lines = [rx(hello()), "room 0", rx(command(0)), "ack", rx(command(1)[:-3] + b"\0"), "poll", f"room {size}", "poll", "poll"]
    events = shell(lines)
    assert len(handled(events)) == 1
    assert acks(shell.frames(lines)) == [Ack(next_seq=1, credit=192, bad_frames=1, rx_overruns=0, errors=0)]


def test_a_bad_frame_is_answered_at_once(shell: Shell) -> None:
    frames = shell.frames([rx(hello()), rx(command(0)[:-3] + b"\0"), rx(b"\0\0\0")])
    assert acks(frames) == [Ack(next_seq=0, credit=192, bad_frames=1, rx_overruns=0, errors=0)]


def test_a_refused_command_is_acknowledged_and_counted(shell: Shell) -> None:
    frames = shell.frames([rx(hello(), command(0), command(1, Stop.TYPE, b""))])
    assert [frame.type for frame in frames] == [Welcome.TYPE, Ack.TYPE, Err.TYPE, Ack.TYPE]
    assert frames[2].seq == 1
    assert Err.unpack(frames[2].payload) == Err(command=Stop.TYPE, code=Error.WRONG_MODE, detail=0x01020304)
    assert [ack.errors for ack in acks(frames)] == [0, 1]


def test_an_err_without_room_is_still_counted(shell: Shell) -> None:
    lines = [rx(hello()), "room 0", rx(command(0, Stop.TYPE, b"")), "room 100", "poll"]
    (ack,) = acks(shell.frames(lines))
    assert (ack.next_seq, ack.errors) == (1, 1)


def test_credit_and_overruns_are_told(shell: Shell) -> None:
    frames = shell.frames(["overruns 65535", rx(hello()), "credit 0", "overruns 2", rx(command(0)), "credit 99", "ack"])
    assert [(ack.credit, ack.rx_overruns) for ack in acks(frames)] == [(0, 3), (99, 3)]


def test_reset_closes_the_session_for_good(shell: Shell) -> None:
    events = shell([rx(hello(), command(0, Reset.TYPE, b"")), rx(command(1)), "ack", "poll"])
    assert len(handled(events)) == 1
    assert [word for word, _ in events].count("tx") == 1


# --- no room ---


def test_a_command_put_off_is_neither_acknowledged_nor_overtaken(shell: Shell) -> None:
    events = shell([rx(hello()), "later 1", rx(command(0), command(1)), "poll", "later 0", "poll"])
    rest = len(command(1))
    assert [(word, text) for word, text in events if word != "tx"] == [
        ("opened", str(SESSION)),
        ("rest", "0"),
        ("rest", str(rest)),
        ("rest", str(rest)),
        ("handle", f"{Train.TYPE} 0100"),
        ("handle", f"{Train.TYPE} 0100"),
        ("rest", "0"),
    ]


def test_a_session_that_is_closed_puts_nothing_off(shell: Shell) -> None:
    events = shell([rx(hello()), "later 1", rx(command(0)), "close", rx(hello(nonce=9)), "later 0", "poll"])
    assert [(word, text) for word, text in events if word in ("opened", "rest")] == [
        ("opened", str(SESSION)),
        ("rest", "0"),
        ("rest", "0"),
        ("opened", str(SESSION + 1)),
        *[("rest", "0")] * 2,
    ]
    assert not handled(events)


def test_a_reply_waits_for_room_and_comes_once(shell: Shell) -> None:
    lines = [rx(hello()), "room 9", rx(command(0, GetStatus.TYPE, b"")), "poll", "room 500", "poll", "poll"]
    frames = shell.frames(lines)
    assert [frame.type for frame in frames] == [Welcome.TYPE, Status.TYPE, Ack.TYPE]


def test_an_ack_without_room_comes_at_the_next_poll(shell: Shell) -> None:
    size = Ack.LAYOUT.size + 10
    lines = [rx(hello()), f"room {size - 1}", rx(command(0), command(1)), "poll", f"room {size}", "poll", "poll"]
    assert [ack.next_seq for ack in acks(shell.frames(lines))] == [2]


def test_an_ack_that_is_due_keeps_its_place(shell: Shell) -> None:
    size = Ack.LAYOUT.size + 10
    busy = [rx(hello()), "room 0", rx(command(0))]
    events = shell([*busy, f"room {size + 13}", "send 141 01020304", f"room {size + 14}", "send 141 01020304"])
    assert [rest for word, rest in events if word == "sent"] == ["0", "1"]


@pytest.mark.parametrize(("length", "sent"), [(0, "1"), (64, "1"), (65, "0")])
def test_no_payload_larger_than_promised_is_sent(shell: Shell, length: int, sent: str) -> None:
    events = shell([rx(hello()), f"send 141 {'5a' * length}"])
    assert events[-1] == ("sent", sent)
