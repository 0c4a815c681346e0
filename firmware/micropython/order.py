"""The order in which an epoch takes its samples (shared/numerics.md, section 11): a congruential sequence, numbers beyond the
samples passed over. tasks.py calls it.
"""

import array

import micropython
from halves import halves, number_at, put_number
from micropython import const
from noise import random_next

# Places in Order.sequence: x = a x + c mod mask + 1.
_A = const(0)
_C = const(1)
_X = const(2)
_MASK = const(3)


@micropython.viper
def next_index(sequence: object, samples: int, count: int) -> int:
    """The last one of the next `count` indices below `samples`."""
    s = ptr32(sequence)
    low = s[_A] & 255
    high = s[_A] >> 8
    c = s[_C]
    mask = s[_MASK]
    x = s[_X]
    while count:
        x = ((((high * x) & 255) << 8) + low * x + c) & mask
        if x < samples:
            count -= 1
    s[_X] = x
    return x


class Order:
    """An epoch's order, and the generator that it is drawn from.

    Attributes:
        random: state of the generator, two halves.
        start: that state when the epoch began.
    """

    def __init__(self) -> None:
        self.random = halves(2)
        self.start = halves(2)
        self._sequence = array.array("i", [0] * 4)

    def seed(self, number: int) -> None:
        """The state of the generator."""
        put_number(self.random, 0, 2, number)

    def keep(self) -> None:
        """An epoch begins, or may begin, from the state as it is now."""
        self.start[0], self.start[1] = self.random[0], self.random[1]

    def go_back(self) -> None:
        """The state as it was when keep() was called."""
        self.random[0], self.random[1] = self.start[0], self.start[1]

    def begin(self, samples: int) -> None:
        """A new epoch of this many samples."""
        mask = 0
        while mask < samples - 1:
            mask = mask << 1 | 1
        random, sequence = self.random, self._sequence
        random_next(random)
        sequence[_A] = random[0] & mask & ~3 | 1
        sequence[_C] = random[1] & mask | 1
        random_next(random)
        sequence[_X] = random[1] & mask
        sequence[_MASK] = mask

    def next(self, samples: int) -> int:
        """Index of the next sample."""
        return next_index(self._sequence, samples, 1)

    def skip(self, samples: int, count: int) -> None:
        """Passes over samples that were taken before a checkpoint."""
        next_index(self._sequence, samples, count)

    @property
    def state(self) -> int:
        """`start` as a number."""
        return number_at(self.start, 0, 2)

    @state.setter
    def state(self, number: int) -> None:
        put_number(self.start, 0, 2, number)
