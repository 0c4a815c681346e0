"""Frames: 00 | COBS(type, session, seq, payload, CRC-32) | 00, see shared/protocol.toml.

The session decodes and encodes with it. Both directions work in one buffer each, without a second copy: the decoder writes what it
decoded, the encoder replaces the zeros of the frame by COBS codes where they stand. A payload lies at an even place of its buffer.
"""

import binascii
import struct

import micropython
from messages import MAX_PAYLOAD, SESSION_NONE
from micropython import const

OVERHEAD = const(7)
"""Type, session, seq, CRC-32."""
ENCODED = const(10)
"""Bytes that a payload has more on the line: with COBS and both delimiters."""
RECEIVE_PAYLOAD = const(4)
"""Where the payload starts in a receive buffer."""
TRANSMIT_PAYLOAD = const(6)
"""Where it starts in a transmit buffer."""

NOTHING = const(0)
"""The frame continues, or nothing stood between two delimiters."""
FRAME = const(1)
"""The receive buffer holds a frame whose checksum is right, until the next byte."""
BAD_FRAME = const(2)
"""Something that is not a frame ended here; it is dropped."""

HALF_TURN = const(128)
"""Numbers from the oldest that a frame may have to the one expected next."""
SEED_STEP = 0x9E3779B1
"""By how much the seed grows every 256 numbers."""

_RECEIVE_FRAME = const(1)
_TRANSMIT_FRAME = const(3)
_CRC_BYTES = const(4)
_MASK = 0xFFFFFFFF

# Places in a decoder's state, one byte each.
_CAPACITY = const(0)
_LENGTH = const(1)
_BLOCK = const(2)
_ZERO = const(3)
_STARTED = const(4)
_TOO_LONG = const(5)


def receive_bytes(max_payload: int) -> int:
    """Bytes of a receive buffer."""
    return max_payload + 8


def transmit_bytes(max_payload: int) -> int:
    """Bytes of a transmit buffer."""
    return max_payload + 11


@micropython.viper
def _take(state: ptr8, buffer: ptr8, line: ptr8, at: int, end: int) -> int:
    """Decodes bytes of the line from `at` on, below `end`, up to a delimiter. Returns where it stopped."""
    capacity = int(state[_CAPACITY])
    length = int(state[_LENGTH])
    block = int(state[_BLOCK])
    while at < end:
        byte = int(line[at])
        at += 1
        if byte == 0:
            break
        if block != 0 and state[_STARTED] != 0:
            block -= 1
        else:
            if state[_STARTED] == 0:
                state[_STARTED] = 1
                state[_TOO_LONG] = 0
                state[_ZERO] = 0
                length = 0
            zero = int(state[_ZERO])
            block = byte - 1
            state[_ZERO] = 1 if byte != 255 else 0
            if zero == 0:
                continue
            byte = 0
        if length == capacity:
            # It is dropped, so its rest may overwrite it.
            state[_TOO_LONG] = 1
            length = 0
        buffer[_RECEIVE_FRAME + length] = byte
        length += 1
    state[_LENGTH] = length
    state[_BLOCK] = block
    return at


@micropython.viper
def _stuff(buffer: ptr8, count: int) -> object:
    """Replaces the zeros among the `count` bytes of a frame by COBS codes, and sets the delimiters."""
    buffer[1] = 0
    code = 2
    distance = 1
    at = _TRANSMIT_FRAME
    end = at + count
    # At most 247 bytes: no COBS block is ever full, so the frame grows by its first code alone and stays in place.
    while at < end:
        if buffer[at] == 0:
            buffer[code] = distance
            code = at
            distance = 0
        distance += 1
        at += 1
    buffer[code] = distance
    buffer[end] = 0


class Decoder:
    """What is known of the frame that is being received, and what the session says of the CRC's seed.

    Args:
        buffer: receive_bytes(max_payload) of them.
        max_payload: at most 240.
    """

    def __init__(self, buffer: bytearray, max_payload: int) -> None:
        if not 0 <= max_payload <= MAX_PAYLOAD or len(buffer) < receive_bytes(max_payload):
            raise ValueError("a receive buffer is too small, or its payloads are too large")
        self.buffer = buffer
        self._view = memoryview(buffer)
        self._state = bytearray(6)
        self._state[_CAPACITY] = max_payload + OVERHEAD
        self.taken = 0
        """Bytes that the last decode() took."""
        self.next_seq = 0
        """Low byte of the number expected next, the session's."""
        self.oldest_seed = 0
        """Of the CRC of a frame half a turn older, the session's."""

    def decode(self, line: bytearray, start: int, end: int) -> int:
        """Takes bytes of the line, `taken` of them: all up to `end`, or those up to the end of a frame.

        Args:
            line: received bytes.
            start: where the first one stands.
            end: where they end.
        """
        state = self._state
        at = start
        while at < end:
            at = _take(state, self.buffer, line, at, end)
            if line[at - 1] == 0 and state[_STARTED]:
                self.taken = at - start
                return self._end()
        self.taken = at - start
        return NOTHING

    def _end(self) -> int:
        state = self._state
        state[_STARTED] = 0
        if state[_TOO_LONG] or state[_BLOCK] or state[_LENGTH] < OVERHEAD or not self._checksum_holds():
            return BAD_FRAME
        return FRAME

    def _checksum_holds(self) -> bool:
        end = _RECEIVE_FRAME + self._state[_LENGTH] - _CRC_BYTES
        seed = self.seed(self.buffer[2], self.buffer[3])
        return bool(struct.unpack_from("<I", self.buffer, end)[0] == binascii.crc32(self._view[_RECEIVE_FRAME:end], seed))

    def seed(self, session: int, seq: int) -> int:
        """What the CRC of a frame with this header continues from.

        A seq stands for the number nearest to the one expected next, that is for one of the 256 from half a turn before it on.
        """
        if session == SESSION_NONE:
            return 0
        if seq < ((self.next_seq + HALF_TURN) & 255):
            return (self.oldest_seed + SEED_STEP) & _MASK
        return self.oldest_seed

    # The frame that decode() announced.

    def type(self) -> int:
        """Its type."""
        return self.buffer[1]

    def session(self) -> int:
        """The number of its session."""
        return self.buffer[2]

    def seq(self) -> int:
        """Its sequence number."""
        return self.buffer[3]

    def length(self) -> int:
        """Bytes of its payload."""
        return self._state[_LENGTH] - OVERHEAD

    def payload(self) -> memoryview:
        """Its payload, in the receive buffer."""
        return self._view[RECEIVE_PAYLOAD : RECEIVE_PAYLOAD + self.length()]


def encode(buffer: bytearray, kind: int, session: int, seq: int, length: int, seed: int) -> None:
    """Makes a frame of the payload that already lies in the buffer from TRANSMIT_PAYLOAD on.

    The frame starts at the buffer's second byte and has `length` + ENCODED bytes.

    Args:
        buffer: transmit_bytes(length) of them.
        kind: type of the message.
        session: its number.
        seq: the sequence number.
        length: bytes of the payload, at most 240.
        seed: Decoder.seed()'s.
    """
    buffer[3] = kind
    buffer[4] = session
    buffer[5] = seq
    end = TRANSMIT_PAYLOAD + length
    struct.pack_into("<I", buffer, end, binascii.crc32(memoryview(buffer)[_TRANSMIT_FRAME:end], seed))
    _stuff(buffer, length + 3 + _CRC_BYTES)
