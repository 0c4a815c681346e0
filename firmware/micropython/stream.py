"""The noise stream: raw codes to the host. It is read from the noise buffer, which gives the line 200 codes of slack and costs no
memory; codes that left the buffer unsent are a hole, which shows in the numbers of the frames. The device calls send() after every
batch of codes.
"""

if False:
    from kinds import Device

import struct

import micropython
from messages import LAYOUT_NOISE_CODES, SIZE_NOISE_CODES, TYPE_NOISE_CODES
from micropython import const

_FRAME_CODES = const(100)
"""Half the noise buffer: while a frame waits for room, as many codes again may arrive before the first is overwritten."""

_BUFFER = const(200)
"""NOISE_BUFFER, as a number that viper knows."""
_MASK = 0xFFFFFFFF


@micropython.viper
def _pack(out: ptr8, at: int, ring: ptr16, place: int, count: int, bits: int) -> object:
    """`count` codes from `place` in the noise buffer on, lowest bits first, from `at` on in `out`."""
    mask = (1 << bits) - 1
    waiting = 0
    filled = 0
    while count:
        waiting |= (ring[place] & mask) << filled
        filled += bits
        place += 1
        if place == _BUFFER:
            place = 0
        while filled >= 8:
            out[at] = waiting & 255
            waiting >>= 8
            filled -= 8
            at += 1
        count -= 1
    if filled:
        out[at] = waiting


class Stream:
    """What is still to be sent."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.active = False
        self.waits = False
        """A frame could be sent if only the converter had more codes."""
        self._left = 0
        """Codes to send until the stream ends by itself; 0: it does not."""
        self._next = 0
        """Number of the code to send next."""
        self._burst = 0
        """Codes of a contiguous burst; 0: one code after the other."""
        self._burst_left = 0

    def start(self, count: int, burst: int) -> None:
        """Starts with the next code of the converter. count 0: until stop()."""
        self.active = True
        self._left = count
        self._next = self._device.intake.next
        self._burst = burst
        self._burst_left = burst

    def stop(self) -> None:
        """Ends it."""
        self.active = False

    def _frame_codes(self, bits: int) -> int:
        codes = min((self._device.session.max_payload - SIZE_NOISE_CODES) * 8 // bits, _FRAME_CODES)
        if self._burst_left:
            codes = min(codes, self._burst_left)
        return min(codes, self._left) if self._left else codes

    def _unsent(self) -> int:
        """Codes in the noise buffer that are still to be sent."""
        intake = self._device.intake
        behind = (intake.next - self._next) & _MASK
        if behind <= intake.contiguous:
            return behind
        # The codes that come next are gone: continue behind the hole, with a new burst.
        self._next = (intake.next - intake.contiguous) & _MASK
        self._burst_left = self._burst
        return intake.contiguous

    def _frame_sent(self, codes: int) -> None:
        self._next = (self._next + codes) & _MASK
        if self._burst_left:
            self._burst_left -= codes
            if self._burst_left == 0:
                self._burst_left = self._burst
                self._next = self._device.intake.next
        if self._left:
            self._left -= codes
            self.active = self._left != 0

    def send(self) -> None:
        """Sends as many full frames as there are codes and room for."""
        board, intake, session = self._device.board, self._device.intake, self._device.session
        bits = board.adc_bits
        self.waits = False
        while self.active:
            waiting = self._unsent()
            codes = self._frame_codes(bits)
            length = SIZE_NOISE_CODES + (codes * bits + 7) // 8
            # The stream gives way to answers: a larger one would wait forever on a full line if the stream took every bit of it.
            if session.held or session.ack_due or not session.reserve(length):
                return
            if waiting < codes:
                self.waits = True
                return
            struct.pack_into(LAYOUT_NOISE_CODES, session.reply, 0, self._next, board.micros(), bits, codes)
            _pack(session.reply, SIZE_NOISE_CODES, intake.noise.ring, intake.place(waiting), codes, bits)
            session.send(TYPE_NOISE_CODES, length)
            self._frame_sent(codes)
