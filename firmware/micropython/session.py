"""The device's end of a session, as a state machine without I/O: handshake, commands in order and exactly once, acknowledgements
with credit, counters. The device calls it in every turn and gets commands from it.

    session.poll()
    taken = session.receive(line, start, end)    # keep line[start + taken : end] for the next turn
"""

if False:
    from kinds import Handler, Line

import struct
from array import array

import frame
import uctypes
from messages import (
    DEVICE_TYPES,
    LAYOUT_ACK,
    LAYOUT_ERR,
    LAYOUT_HELLO,
    SESSION_NONE,
    SIZE_ACK,
    SIZE_ERR,
    SIZE_HELLO,
    SIZE_WELCOME,
    TYPE_ACK,
    TYPE_ERR,
    TYPE_HELLO,
    TYPE_WELCOME,
    VERSION,
)
from micropython import const

DONE = const(0)
"""What a command's handler says: executed, or refused with refuse(); acknowledge it."""
LATER = const(1)
"""Call again with the same command at the next poll."""

_MASK = 0xFFFFFFFF


class Session:
    """One line's session.

    Args:
        line: has write_room(), write(bytes, count) and receive_overruns(), those of a board.
        handler: has handle(kind, payload), which executes one command and says DONE or LATER; welcome(nonce, number), which builds
            the WELCOME in `reply`; and opened(), since whatever the host before had asked for ends. The command's seq is
            `decoder.next_seq`. Its payload stays until it is done. A command with a reply first calls reserve() and returns LATER
            when there is no room; then it builds the reply and calls send(). Every type below 0x80 comes to handle(), unknown ones
            too.
        max_payload: largest payload taken and sent, 64 .. 240 bytes.
        credit: encoded bytes that the host may have in flight, reported in every ACK.
        boot_count: starts of the device as far as it can count them, so that the first session after a restart has another number
            than the one before it even if the host's HELLO is repeated; else 0.
    """

    def __init__(self, line: Line, handler: Handler, max_payload: int, credit: int, boot_count: int) -> None:
        self.max_payload = max_payload
        self.credit = credit
        self.boot_count = boot_count
        self._line = line
        self._handler = handler
        # Payloads hold 16-bit values, so the buffer is made of them.
        halves = array("H", bytes(frame.receive_bytes(max_payload) + 1 & ~1))
        self.buffer = uctypes.bytearray_at(uctypes.addressof(halves), 2 * len(halves))
        self.values = memoryview(halves)[frame.RECEIVE_PAYLOAD // 2 :]
        """The payload of the command in 16-bit values, unsigned."""
        self.decoder = frame.Decoder(self.buffer, max_payload)
        halves = array("H", bytes(frame.transmit_bytes(max_payload) + 1 & ~1))
        self._transmit = uctypes.bytearray_at(uctypes.addressof(halves), 2 * len(halves))
        self._frame = memoryview(self._transmit)[1:]
        self.reply = memoryview(self._transmit)[frame.TRANSMIT_PAYLOAD :]
        """Where a payload is built after reserve(), until the next call of any method here."""
        self.reply_values = memoryview(halves)[frame.TRANSMIT_PAYLOAD // 2 :]
        """The same place in 16-bit values."""
        self.nonce = 0
        self.open = False
        self.number = SESSION_NONE
        """1 .. 255; stays that of the last session when none is open."""
        self.held = False
        """The receive buffer holds a frame that waits for room, or for its handler."""
        self.ack_due = False
        self.bad_frames = 0
        self.overruns_before = 0
        self.errors = 0
        """Commands refused in this session, mod 2^8."""
        self.last_error = 0
        self.last_error_seq = 0
        self.last_error_detail = 0

    def receive(self, line: bytearray, start: int, end: int) -> int:
        """Takes received bytes; returns how many. Fewer than there are only when a frame is held: continue after the next poll."""
        at = start
        while at < end and not self.held:
            event = self.decoder.decode(line, at, end)
            at += self.decoder.taken
            if event == frame.FRAME:
                self._take_frame()
            elif event == frame.BAD_FRAME:
                self.bad_frames = (self.bad_frames + 1) & 0xFFFF
                self.acknowledge()
        return at - start

    def poll(self) -> None:
        """Tries a held frame again and sends an ACK that is due."""
        if self.held:
            self._take_frame()
        if self.ack_due:
            self.acknowledge()

    def reserve(self, length: int) -> bool:
        """Whether a payload of this length can be built in `reply` now.

        False without a session, without room for the frame, or beyond max_payload: a command with a reply is left for later then,
        telemetry is dropped.
        """
        return self.open and self._has_room(length)

    def send(self, kind: int, length: int) -> None:
        """Sends the payload that was built, numbered like the command expected next: in handle() it is the answer."""
        self._send(kind, self.number, self.decoder.next_seq, length)

    def refuse(self, code: int, detail: int) -> None:
        """In handle(), which then returns DONE: refuses the command.

        An ERR that finds no room is not sent: the errors counter in the next ACK shows it, and last_error holds it.
        """
        self.errors = (self.errors + 1) & 0xFF
        self.last_error = code
        self.last_error_seq = self.decoder.next_seq
        self.last_error_detail = detail
        if self.reserve(SIZE_ERR):
            struct.pack_into(LAYOUT_ERR, self.reply, 0, self.decoder.type(), code, detail)
            self.send(TYPE_ERR, SIZE_ERR)

    def acknowledge(self) -> None:
        """Sends an ACK now or as soon as there is room. Does nothing without a session."""
        if not self.open:
            return
        self.ack_due = False
        if not self.reserve(SIZE_ACK):
            self.ack_due = True
            return
        overruns = (self._line.receive_overruns() - self.overruns_before) & 0xFFFF
        struct.pack_into(LAYOUT_ACK, self.reply, 0, self.decoder.next_seq, self.credit, self.bad_frames, overruns, self.errors)
        self.send(TYPE_ACK, SIZE_ACK)

    def _has_room(self, length: int) -> bool:
        """Also without a session."""
        # An ACK that is due keeps its place, else a stream of telemetry could hold it off forever.
        due = SIZE_ACK + frame.ENCODED if self.ack_due else 0
        return length <= self.max_payload and self._line.write_room() >= length + frame.ENCODED + due

    def _send(self, kind: int, number: int, seq: int, length: int) -> None:
        frame.encode(self._transmit, kind, number, seq, length, self.decoder.seed(number, seq))
        self._line.write(self._frame, length + frame.ENCODED)

    def _open(self, nonce: int) -> None:
        # The first number comes from the nonce and the count of starts, so that a device that restarts does not take the one it
        # had: frames of the session before may still be under way. Mod 255, the sum of a number's bytes is the number.
        total = self.number if self.number != SESSION_NONE else self.boot_count + nonce
        self.number = 1 + total % 255
        self.nonce = nonce
        self.open = True
        self.decoder.next_seq = 0
        self.decoder.oldest_seed = (nonce - frame.SEED_STEP) & _MASK
        self.ack_due = False
        self.bad_frames = 0
        self.overruns_before = self._line.receive_overruns()
        self.errors = 0
        self.last_error = 0
        self.last_error_seq = 0
        self.last_error_detail = 0
        self._handler.opened()

    def _greet(self) -> bool:
        """False when there is no room for the answer: then nothing was done."""
        if self.decoder.length() != SIZE_HELLO:
            return True
        if not self._has_room(SIZE_WELCOME):
            return False
        nonce, oldest, newest = struct.unpack_from(LAYOUT_HELLO, self.buffer, frame.RECEIVE_PAYLOAD)
        understood = oldest <= VERSION <= newest
        if understood and not (self.open and nonce == self.nonce):
            self._open(nonce)
        self._handler.welcome(nonce, self.number if understood else SESSION_NONE)
        self._send(TYPE_WELCOME, SESSION_NONE, self.decoder.seq(), SIZE_WELCOME)
        return True

    def _take_command(self) -> int:
        decoder = self.decoder
        if not self.open or decoder.session() != self.number or decoder.type() >= DEVICE_TYPES:
            return DONE
        if decoder.seq() == decoder.next_seq:
            if self._handler.handle(decoder.type(), decoder.payload()) == LATER:
                return LATER
            decoder.next_seq = (decoder.next_seq + 1) & 0xFF
            if decoder.next_seq == frame.HALF_TURN:
                decoder.oldest_seed = (decoder.oldest_seed + frame.SEED_STEP) & _MASK
        self.acknowledge()
        return DONE

    def _take_frame(self) -> None:
        if self.decoder.type() == TYPE_HELLO and self.decoder.session() == SESSION_NONE:
            self.held = not self._greet()
        else:
            self.held = self._take_command() == LATER
