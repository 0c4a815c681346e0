"""Frames on the line: ``00 | COBS(type u8, session u8, seq u8, payload, CRC-32 LE) | 00`` (shared/protocol.toml).

COBS leaves no zero inside a frame, so a receiver finds the next frame after any damage; the CRC is IEEE 802.3
(zlib.crc32) over everything before it.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from cobs import cobs

from mtjlearn.wire.messages import MAX_PAYLOAD

HEADER = 3
CRC = 4
OVERHEAD = HEADER + CRC + 3
"""Bytes of an encoded frame beyond its payload: header, CRC, one byte of COBS and both delimiters."""
MAX_FRAME = MAX_PAYLOAD + OVERHEAD
"""Bytes of the largest encoded frame, delimiters included."""
_MAX_BODY = MAX_FRAME - 2


class Frame(NamedTuple):
    """A frame whose CRC held."""

    type: int
    session: int
    seq: int
    payload: bytes


class BadFrame(NamedTuple):
    """What arrived between two delimiters and is no frame."""

    reason: str
    data: bytes


def encode_frame(type_: int, session: int, seq: int, payload: bytes) -> bytes:
    """The bytes to send, both delimiters included.

    Raises:
        ValueError: a header field outside 0 .. 255, or a payload over MAX_PAYLOAD bytes.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload of {len(payload)} bytes is larger than {MAX_PAYLOAD}")
    body = bytes((type_, session, seq)) + payload
    encoded: bytes = cobs.encode(body + zlib.crc32(body).to_bytes(CRC, "little"))
    return b"\0" + encoded + b"\0"


def decode_body(data: bytes) -> Frame | BadFrame:
    """What the bytes between two delimiters mean."""
    if len(data) > _MAX_BODY:
        return BadFrame("too long", data)
    try:
        body = cobs.decode(data)
    except cobs.DecodeError:
        return BadFrame("not COBS", data)
    if len(body) < HEADER + CRC:
        return BadFrame("too short", data)
    if zlib.crc32(body[:-CRC]) != int.from_bytes(body[-CRC:], "little"):
        return BadFrame("wrong CRC", data)
    return Frame(body[0], body[1], body[2], body[HEADER:-CRC])


class FrameDecoder:
    """Finds frames in a stream of bytes, however it is cut into chunks."""

    def __init__(self) -> None:
        self._pending = b""
        self._overlong = False

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """The frames, good and bad, that end within these bytes, in order."""
        parts = (self._pending + data).split(b"\0")
        self._pending = parts.pop()
        found: list[Frame | BadFrame] = []
        for part in parts:
            if self._overlong:
                self._overlong = False
                found.append(BadFrame("too long", part))
            elif part:
                found.append(decode_body(part))
        if len(self._pending) > _MAX_BODY:
            # Garbage without a delimiter must not fill the memory; what is dropped is reported when its delimiter
            # comes.
            self._pending = b""
            self._overlong = True
        return found
