"""Voltages at the virtual board's other analog pins, for live tasks: smooth, and the same in every run.
firmware/virtual/sensors.h has the formulas.
"""

from math import ldexp, sin

_TURN = 6.283185307179586
_FIRST_HZ = 0.7
_GOLDEN = 1.618033988749895
_PINS = 7

HELP = (
    "Pins A1 .. A7 carry parts of the reference: 1/2 + 2/5 u, 1/2 + 2/5 v, 1/2 + 1/5 u (1 + v), 1/5, 2/5, 3/5, 4/5,\n"
    "where u and v are sines of 0.7 Hz and 1.133 Hz.\n"
)


def _part(pin: int, seconds: float) -> float:
    """What pin 1 .. 7 carries this many seconds after the start, as a part of full scale; 0 of any other pin."""
    u = sin(_TURN * _FIRST_HZ * seconds)
    v = sin(_TURN * _FIRST_HZ * _GOLDEN * seconds)
    if pin == 1:
        return 0.5 + 0.4 * u
    if pin == 2:
        return 0.5 + 0.4 * v
    if pin == 3:
        return 0.5 + 0.2 * u * (1.0 + v)
    return (pin - 3) / 5.0 if 3 < pin <= _PINS else 0.0


def code(pin: int, seconds: float, bits: int) -> int:
    """The code of a pin."""
    return int(ldexp(_part(pin, seconds), bits))
