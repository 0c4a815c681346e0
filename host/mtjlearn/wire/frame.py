"""Frames on the line: ``00 | COBS(type u8, session u8, seq u8, payload, CRC-32 LE) | 00`` (shared/protocol.toml).

COBS leaves no zero inside a frame, so a receiver finds the next frame after any damage; the CRC is IEEE 802.3
(zlib.crc32) over everything before it, from a seed that the line does not carry: the nonce of the session and how often its
sequence numbers have come round. A frame that returns later than that, or in another session, is damaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cobs import cobs

from mtjlearn.wire.messages import MAX_PAYLOAD, SESSION_NONE

HEADER = 3
CRC = 4
OVERHEAD = HEADER + CRC + 3
"""Bytes of an encoded frame beyond its payload: header, CRC, one byte of COBS and both delimiters."""
MAX_FRAME = MAX_PAYLOAD + OVERHEAD
"""Bytes of the largest encoded frame, delimiters included."""
_MAX_BODY = MAX_FRAME - 2
SEED_STEP = 0x9E3779B1
"""By how much a session's seed grows every 256 numbers (firmware/lib/wire/src/frame.h says why it is not 1)."""


class Frame(NamedTuple):
    """A frame whose CRC held."""

    type: int
    session: int
    seq: int
    payload: bytes


class BadFrame(NamedTuple):
    """What arrived between two delimiters and is not a frame."""

    reason: str
    data: bytes


@dataclass
class Numbering:
    """What seeds the CRCs of a session, in both directions.

    Args:
        nonce: of the HELLO that opened the session.
        expected: number of the command that comes next, counted from 0; a frame's seq stands for the nearest number.
    """

    nonce: int = 0
    expected: int = 0

    def seed(self, session: int, seq: int) -> int:
        """The seed of a frame with this header."""
        return frame_seed(session, self.nearest(seq), self.nonce)

    def nearest(self, seq: int) -> int:
        """The number that a frame's seq stands for."""
        return self.expected + ((seq - self.expected + 128) & 0xFF) - 128


class Unseeded(Numbering):
    """Of frames without a session, and of all frames up to version 2 of the protocol."""

    def seed(self, session: int, seq: int) -> int:
        """Nothing."""
        return 0


def frame_seed(session: int, number: int, nonce: int) -> int:
    """What the CRC of the session's frame with this number continues from."""
    return 0 if session == SESSION_NONE else (nonce + (number >> 8) * SEED_STEP) & 0xFFFFFFFF


def encode_frame(type_: int, session: int, number: int, payload: bytes, nonce: int = 0) -> bytes:
    """The bytes to send, both delimiters included.

    Args:
        type_: message type.
        session: number of the session.
        number: of the command, counted from 0 in the session; seq is its low byte.
        payload: what it carries.
        nonce: of the session.

    Raises:
        ValueError: type or session outside 0 .. 255, or a payload over MAX_PAYLOAD bytes.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload of {len(payload)} bytes is larger than {MAX_PAYLOAD}")
    body = bytes((type_, session, number & 0xFF)) + payload
    crc = zlib.crc32(body, frame_seed(session, number, nonce))
    encoded: bytes = cobs.encode(body + crc.to_bytes(CRC, "little"))
    return b"\0" + encoded + b"\0"


_UNSEEDED = Unseeded()


def decode_body(data: bytes, numbering: Numbering = _UNSEEDED) -> Frame | BadFrame:
    """What the bytes between two delimiters mean."""
    if len(data) > _MAX_BODY:
        return BadFrame("too long", data)
    try:
        body = cobs.decode(data)
    except cobs.DecodeError:
        return BadFrame("not COBS", data)
    if len(body) < HEADER + CRC:
        return BadFrame("too short", data)
    if zlib.crc32(body[:-CRC], numbering.seed(body[1], body[2])) != int.from_bytes(body[-CRC:], "little"):
        return BadFrame("wrong CRC", data)
    return Frame(body[0], body[1], body[2], body[HEADER:-CRC])


def fitting_seed(data: bytes) -> int | None:
    """The one seed with which the bytes between two delimiters have the right CRC; None if they cannot be a frame."""
    try:
        body = cobs.decode(data)
    except cobs.DecodeError:
        return None
    if len(body) < HEADER + CRC:
        return None
    register = ~int.from_bytes(body[-CRC:], "little") & 0xFFFFFFFF
    for byte in reversed(body[:-CRC]):
        index = _PLACES[register >> 24]
        register = ((register ^ _TABLE[index]) << 8 & 0xFFFFFFFF) | (index ^ byte)
    return ~register & 0xFFFFFFFF


_TABLE = [zlib.crc32(bytes((value,)), 0xFFFFFFFF) ^ 0xFFFFFFFF for value in range(256)]
"""What a byte does to a register of zeros."""
_PLACES = {entry >> 24: value for value, entry in enumerate(_TABLE)}


class FrameDecoder:
    """Finds frames in a stream of bytes, however it is cut into chunks.

    Args:
        numbering: of the session; its owner keeps it up to date, also while it takes what feed() gives.
    """

    def __init__(self, numbering: Numbering | None = None) -> None:
        self.numbering = numbering or Unseeded()
        self._pending = b""
        self._overlong = False

    def feed(self, data: bytes) -> Iterator[Frame | BadFrame]:
        """The frames, good and bad, that end within these bytes, in order; each is checked when it is taken."""
        return (part if isinstance(part, BadFrame) else decode_body(part, self.numbering) for part in self._split(data))

    def _split(self, data: bytes) -> Iterable[bytes | BadFrame]:
        """What stands between delimiters."""
        parts = (self._pending + data).split(b"\0")
        self._pending = parts.pop()
        found: list[bytes | BadFrame] = []
        for part in parts:
            if self._overlong:
                self._overlong = False
                found.append(BadFrame("too long", part))
            elif part:
                found.append(part)
        if len(self._pending) > _MAX_BODY:
            # Garbage without a delimiter must not fill the memory; what is dropped is reported when its delimiter
            # comes.
            self._pending = b""
            self._overlong = True
        return found
