"""Memory of 16-bit values that viper, bytecode and bytes reach alike.

Every int16 of the learner is one element of an array of typecode "H", as its two's complement: a load is `(v ^ 32768) - 32768`, a
store is `v & 65535`. Longer integers are halves, the lowest first, so that the bytes are those of the C firmware.
"""

if False:
    from kinds import Halves

import array

import uctypes


def halves(count: int) -> array.array[int]:
    """An array of this many halves, all 0."""
    # Made of bytes, the values would stand in memory twice for a moment.
    values = array.array("H", range(count))
    for i in range(count):
        values[i] = 0
    return values


def bytes_of(values: array.array[int]) -> bytearray:
    """The bytes of an array, as a bytearray that shares its memory."""
    return uctypes.bytearray_at(uctypes.addressof(values), 2 * len(values))


def number_at(values: Halves, at: int, count: int) -> int:
    """The number that `count` halves hold, from place `at` on."""
    number = 0
    for i in range(count - 1, -1, -1):
        number = number << 16 | values[at + i]
    return number


def put_number(values: Halves, at: int, count: int, number: int) -> None:
    """Stores a number in `count` halves; what is beyond them is cut off."""
    for i in range(count):
        values[at + i] = number & 65535
        number >>= 16
