"""A clock of microseconds mod 2^32, made of a port's ticks, which wrap around earlier. Boards of chips call it in every turn."""

import time

_UNITS = 0x3FFFFF
"""2^32 us in units of 1,024 us, less one."""


class Microseconds:
    """Counts in small integers, so that a turn leaves no garbage."""

    def __init__(self) -> None:
        self._last = time.ticks_us()
        self._rest = 0
        self._units = 0

    def clock(self) -> int:
        """Time in units of 1,024 us, mod 2^16. To be called every few minutes at least."""
        now = time.ticks_us()
        passed = self._rest + time.ticks_diff(now, self._last)
        self._last = now
        self._rest = passed & 1023
        self._units = (self._units + (passed >> 10)) & _UNITS
        return self._units & 0xFFFF

    def micros(self) -> int:
        """Microseconds mod 2^32. May allocate."""
        self.clock()
        return self._units << 10 | self._rest
