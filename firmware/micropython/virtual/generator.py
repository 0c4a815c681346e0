"""Random numbers of the virtual board: SplitMix64 (Steele, Lea and Flood 2014), 64 bits of state, one stream per use. The virtual
sMTJ calls it; the numbers are those of firmware/virtual/generator.c, bit for bit.
"""

from array import array
from math import log, sqrt

import micropython

_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_ALL = 0xFFFFFFFFFFFFFFFF
UNIT = 2.0**-52

WORDS = array("I", (word for value in (_GOLDEN_GAMMA, _FIRST, _SECOND, _ALL) for word in (value & 0xFFFFFFFF, value >> 32)))
"""What draw() needs besides a stream's state."""


def _mix(z: int) -> int:
    z = (z ^ z >> 30) * _FIRST & _ALL
    z = (z ^ z >> 27) * _SECOND & _ALL
    return z ^ z >> 31


@micropython.viper
def draw(state: ptr32, constants: ptr32) -> int:
    """The upper 52 bits of the next 64."""
    # Words of 64 bits wrap by themselves under viper, whose shifts are arithmetic. A constant beyond 30
    # bits would be an object.
    some = 0x3FFFFFFF
    every = int(constants[7]) << 32 | int(constants[6])
    z = (int(state[1]) << 32 | int(state[0])) + (int(constants[1]) << 32 | int(constants[0])) & every
    state[0] = z & (some << 2 | 3)
    state[1] = z >> 32 & (some << 2 | 3)
    z = (z ^ z >> 30 & (some << 4 | 15)) * (int(constants[3]) << 32 | int(constants[2])) & every
    z = (z ^ z >> 27 & (some << 7 | 127)) * (int(constants[5]) << 32 | int(constants[4])) & every
    z = z ^ z >> 31 & (some << 3 | 7)
    return z >> 12 & (some << 22 | 0x3FFFFF)


class Generator:
    """One stream. Different streams of one seed are unrelated.

    Attributes:
        state: for draw().
        spare: the second of a pair of normal deviates; None: it was taken.
    """

    def __init__(self, seed: int, stream: int) -> None:
        # Mixed twice, so that neighbouring seeds and streams start at places of the one long cycle that are far apart.
        state = _mix(_mix(seed + _GOLDEN_GAMMA & _ALL) + stream * _GOLDEN_GAMMA & _ALL)
        self.state = array("I", (state & 0xFFFFFFFF, state >> 32))
        self.spare: float | None = None

    def bit(self) -> int:
        """The highest bit of a draw."""
        return draw(self.state, WORDS) >> 51

    def uniform(self) -> float:
        """In (0, 1)."""
        return (draw(self.state, WORDS) + 0.5) * UNIT

    def exponential(self) -> float:
        """Mean 1."""
        return -log(self.uniform())

    def gaussian(self) -> float:
        """Mean 0, standard deviation 1."""
        spare = self.spare
        if spare is not None:
            self.spare = None
            return spare
        # Marsaglia's polar method: a uniform point in the unit disc gives two normal deviates.
        square = 1.0
        while square >= 1.0:
            u = 2.0 * self.uniform() - 1.0
            v = 2.0 * self.uniform() - 1.0
            square = u * u + v * v
        factor = sqrt(-2.0 * log(square) / square)
        self.spare = v * factor
        return u * factor
