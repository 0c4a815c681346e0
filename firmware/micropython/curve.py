"""The curve that a device keeps of its learning: few points, over ever longer intervals (shared/numerics.md, section 11).
training.py calls it after every epoch.
"""

from halves import bytes_of, halves
from mean import Mean
from messages import CURVE_POINTS
from micropython import const

_MANTISSA_BITS = const(11)
_MANTISSA = const(2047)


def _encode(loss: int) -> int:
    exponent = 0
    while loss >> _MANTISSA_BITS:
        loss >>= 1
        exponent += 1
    return exponent << _MANTISSA_BITS | loss


def _decode(point: int) -> int:
    return (point & _MANTISSA) << (point >> _MANTISSA_BITS)


class Curve:
    """Points of 16 bits, mantissa 11 and exponent 5, merged in pairs when all places are full.

    Attributes:
        filled: points.
        interval: steps of a point, which begins as the steps of an epoch.
    """

    def __init__(self) -> None:
        self._points = halves(CURVE_POINTS)
        self._sum = Mean()
        self.init(0)

    def init(self, epoch_steps: int) -> None:
        """No point yet."""
        self.filled = 0
        self.interval = epoch_steps
        self._epochs = 1
        """Of a point."""
        self._left = 1
        """Epochs until the next point."""
        self._sum.clear()

    def add(self, epoch: Mean) -> None:
        """After each epoch, with the sum of its losses."""
        self._sum.add(epoch.high, epoch.low)
        self._left -= 1
        if self._left:
            return
        self._points[self.filled] = _encode(self._sum.of(self.interval))
        self._sum.clear()
        self.filled += 1
        if self.filled == CURVE_POINTS:
            self._merge()
        self._left = self._epochs

    def points(self) -> bytearray:
        """Their bytes, as CURVE has them."""
        return bytes_of(self._points)[: 2 * self.filled]

    def _merge(self) -> None:
        points = self._points
        self.filled = CURVE_POINTS // 2
        for i in range(self.filled):
            points[i] = _encode((_decode(points[2 * i]) + _decode(points[2 * i + 1])) // 2)
        self.interval *= 2
        self._epochs *= 2
