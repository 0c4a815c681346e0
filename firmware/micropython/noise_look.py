"""A look at the newest codes of the noise buffer: how many are on either side of a threshold, their sums and ends. The noise
tests tell the kinds of faults by it.
"""

if False:
    from kinds import Noise

from array import array

import micropython
from micropython import const

_BUFFER = const(200)
"""messages.NOISE_BUFFER."""


@micropython.viper
def _look_over(ring: ptr16, look: ptr32) -> object:
    # Of `look`: place behind the newest code, codes, threshold, full scale; then what is found (Look).
    place = int(look[0])
    left = int(look[1])
    threshold = int(look[2])
    full_scale = int(look[3])
    total = 0
    total_above = 0
    above = 0
    ends = 0
    low = 65535 if left else 0
    high = 0
    while left:
        left -= 1
        if place == 0:
            place = _BUFFER
        place -= 1
        code = int(ring[place])
        total += code
        if code > threshold:
            total_above += code
            above += 1
        if code == 0 or code == full_scale:
            ends += 1
        if code < low:
            low = code
        if code > high:
            high = code
    look[4] = total
    look[5] = total_above
    look[6] = above
    look[7] = ends
    look[8] = low
    look[9] = high


class Look:
    """What the codes up to one of them look like. Sides: 0 up to a threshold, 1 beyond it."""

    def __init__(self) -> None:
        self._values = array("I", bytes(40))

    def at(self, noise: Noise, age: int, most: int, threshold: int, full_scale: int) -> int:
        """Looks at `most` codes, fewer if the buffer has fewer, that end `age` codes before its newest. Returns how many."""
        values = self._values
        count = noise.filled - age
        if count < 0:
            count = 0
        if count > most:
            count = most
        place = noise.position
        values[0] = place - age if place >= age else place + _BUFFER - age
        values[1] = count
        values[2] = threshold
        values[3] = full_scale
        _look_over(noise.ring, values)
        return count

    def count(self, side: int) -> int:
        """Codes of a side."""
        values = self._values
        return values[6] if side else values[1] - values[6]

    def sum(self, side: int) -> int:
        """Their sum."""
        values = self._values
        return values[5] if side else values[4] - values[5]

    @property
    def ends(self) -> int:
        """Codes that are 0 or full scale."""
        return self._values[7]

    @property
    def low(self) -> int:
        """The least code."""
        return self._values[8]

    @property
    def high(self) -> int:
        """The largest."""
        return self._values[9]
