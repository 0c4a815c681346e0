"""Any ADC through read_u16(): the codes that are due by the clock are read when the device asks for them, between training steps.
Of several that are due only the last can still be read; the others count as lost.

The C firmware's counterpart is firmware/boards/arduino/converter_paced.cpp.
"""

if False:
    from kinds import ADC, array

import time


class Converter:
    """One channel.

    Args:
        adc: a machine.ADC.
        bits: resolution of the codes.
        rate: codes per second, which divides 1,000,000.
    """

    def __init__(self, adc: ADC, bits: int, rate: int) -> None:
        self._adc = adc
        self._shift = 16 - bits
        self._period = 1000000 // rate
        self._due = time.ticks_add(time.ticks_us(), self._period)
        self.lost = 0
        """Codes that nobody read in time, mod 2^32."""

    def take(self, codes: array[int]) -> int:
        """Takes one code, if one is due."""
        late = time.ticks_diff(time.ticks_us(), self._due)
        if late < 0:
            return 0
        missed = late // self._period
        if missed:
            self.lost = (self.lost + missed) & 0xFFFFFFFF
        self._due = time.ticks_add(self._due, (missed + 1) * self._period)
        codes[0] = self._adc.read_u16() >> self._shift
        return 1
