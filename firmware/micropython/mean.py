"""Sums of losses and their means. Telemetry and trainings call it after every step, so a sum is kept in two small
numbers: their sum would be an object of the heap beyond 2^30.
"""

from micropython import const

_LOW_BITS = const(16)
_LOW = const(0xFFFF)
_MOST = 0xFFFFFFFF


class Mean:
    """A sum of losses, which are below 2^31."""

    def __init__(self) -> None:
        self.high = 0
        self.low = 0

    def clear(self) -> None:
        """Begins again."""
        self.high = 0
        self.low = 0

    def add(self, high: int, low: int) -> None:
        """Adds a loss of high * 2^16 + low."""
        low += self.low
        self.low = low & _LOW
        self.high += high + (low >> _LOW_BITS)

    def of(self, count: int) -> int:
        """The sum over `count`, rounded down, at most 2^32 - 1; 0 of nothing."""
        return mean_of(self.high << _LOW_BITS | self.low, count)


def mean_of(total: int, count: int) -> int:
    """A sum over `count`, rounded down, at most 2^32 - 1; 0 of nothing."""
    return min(total // count, _MOST) if count else 0
