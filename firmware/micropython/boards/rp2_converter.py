"""The ADC of an RP2040 or RP2350 at a fixed rate: free-running at a divided clock into its FIFO, from where two DMA channels carry
every code into a ring in memory, one after the other forever. No code needs the processor, so that none is lost while Python
collects garbage or the flash is written. boards/rp2.py calls it.

On an RP2040 the codes 512, 1536, 2560 and 3584 come too often (erratum E11: the converter's steps there are several codes wide).
"""

from array import array

import machine
import micropython
import rp2
import uctypes
from halves import halves
from micropython import const

_ADC_CLOCK = const(48000000)
RING = const(2048)
"""Codes; at 10,000 per second 0.2 s."""
_RING_BITS = const(12)
"""Of its bytes."""
_LATE = const(1792)
"""With more codes waiting the DMA could overtake the reader."""
_KEPT = const(1024)
"""Codes that stay when some were overwritten."""
_ROUND = const(0x8000000)
"""Codes that one channel carries before it starts the other: a multiple of the ring, and within the 28 bits of an RP2350."""

# Registers of the ADC, from its base on, and their bits.
_FCS = const(8)
_FIFO = const(12)
_DIV = const(16)
_CS_START_MANY = const(8)
_CS_INPUT = const(12)
_CS_INPUTS = const(7 << 12)
_FCS_UNDER = const(1 << 10)
_FCS_OVER = const(1 << 11)
_FCS_LEVEL = const(15 << 16)
_FCS_SETTINGS = const(1 | 1 << 3 | 1 << 24)
"""The FIFO is on and requests a transfer at its first code."""

_HALFWORD = const(1)


def _base_and_request(chip: str) -> tuple[int, int]:
    """Address of the ADC's registers and the number of its DMA request."""
    return (0x400A0000, 48) if "RP2350" in chip else (0x4004C000, 36)


@micropython.viper
def _copy(codes: object, ring: object, start: int, count: int) -> object:
    to = ptr16(codes)
    source = ptr16(ring)
    for i in range(count):
        to[i] = source[(start + i) & 2047]


class Converter:
    """One channel of the ADC, converting from now on.

    Args:
        pin: GPIO, 26 .. 29.
        rate: codes per second.
        chip: sys.implementation._machine, which names the chip.
    """

    def __init__(self, pin: int, rate: int, chip: str) -> None:
        base, request = _base_and_request(chip)
        machine.ADC(machine.Pin(pin))
        self._fcs = base + _FCS
        # The DMA wraps around where the address does.
        memory = halves(2 * RING)
        start = (-uctypes.addressof(memory) & (2 * RING - 1)) // 2
        self._ring = memoryview(memory)[start : start + RING]
        self._taken = 0
        self.lost = 0
        """Codes overwritten or dropped, mod 2^32, up to those that take() returned last."""

        registers = machine.mem32
        registers[base] = registers[base] & ~(_CS_START_MANY | _CS_INPUTS) | (pin - 26) << _CS_INPUT
        registers[base + _DIV] = (_ADC_CLOCK // rate - 1) << 8
        registers[self._fcs] = _FCS_SETTINGS | _FCS_OVER | _FCS_UNDER
        while registers[self._fcs] & _FCS_LEVEL:
            registers[base + _FIFO]
        self._first, self._second = rp2.DMA(), rp2.DMA()
        self._begin(self._second, self._first, base + _FIFO, request, False)
        self._begin(self._first, self._second, base + _FIFO, request, True)
        registers[base] = registers[base] | _CS_START_MANY

    def _begin(self, channel: rp2.DMA, other: rp2.DMA, source: int, request: int, trigger: bool) -> None:
        control = channel.pack_ctrl(
            size=_HALFWORD,
            inc_read=False,
            ring_size=_RING_BITS,
            ring_sel=True,
            chain_to=other.channel,
            treq_sel=request,
        )
        channel.config(read=source, write=self._ring, count=_ROUND, ctrl=control, trigger=trigger)

    def _waiting(self) -> int:
        """Codes since the last one taken, mod _ROUND. Of the two channels one is idle, with nothing or a whole round left."""
        return (-self._first.count - self._second.count - self._taken) & (_ROUND - 1)

    def _miss(self, count: int) -> None:
        self._taken = (self._taken + count) & (_ROUND - 1)
        self.lost = (self.lost + count) & 0xFFFFFFFF

    def take(self, codes: array[int]) -> int:
        """Takes codes, oldest first, as Board.adc_read() describes."""
        waiting = self._waiting()
        if machine.mem32[self._fcs] & _FCS_OVER:
            # Somewhere among those that wait. How many the FIFO dropped is not known; at least one.
            machine.mem32[self._fcs] = _FCS_SETTINGS | _FCS_OVER
            self._miss(waiting)
            self.lost = (self.lost + 1) & 0xFFFFFFFF
            return 0
        if waiting > _LATE:
            self._miss(waiting - _KEPT)
            waiting = _KEPT
        count = min(waiting, len(codes))
        _copy(codes, self._ring, self._taken, count)
        if self._waiting() > RING:
            # The processor stood still meanwhile, and what was read may be newer than it should be.
            self._miss(count)
            return 0
        self._taken = (self._taken + count) & (_ROUND - 1)
        return count
