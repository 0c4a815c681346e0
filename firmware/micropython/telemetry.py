"""Telemetry: progress every this many training steps, dropped and counted when the host does not read. steps.py calls it after
every step.
"""

if False:
    from kinds import Device

import struct

from learner import COUNTED_LAST_LOSS
from mean import Mean, mean_of
from messages import LAYOUT_TELEMETRY, SIZE_TELEMETRY, TYPE_TELEMETRY

_MICROS_PER_SECOND = 1000000
_MASK = 0xFFFFFFFF


def _per_second(steps: int, micros: int) -> int:
    # Beyond 32 bits in steps of half, as on a small chip: the same figure on every board.
    while steps > _MASK // _MICROS_PER_SECOND:
        steps //= 2
        micros //= 2
    return mean_of(steps * _MICROS_PER_SECOND, micros)


class Telemetry:
    """Counts down to the next message, and sums losses until then. Off at first."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.interval = 0
        """Training steps; 0: off."""
        self._left = 0
        self._loss = Mean()
        self._micros = 0
        self._sequence = 0
        self.dropped = 0

    def init(self) -> None:
        """Off, counters 0."""
        self.interval = 0
        self._sequence = 0
        self.dropped = 0

    def start(self, interval: int) -> None:
        """Begins a new interval here."""
        self.interval = interval
        self._begin(self._device.board.micros())

    def step(self) -> None:
        """After each training step."""
        if self.interval == 0:
            return
        net = self._device.net
        self._loss.add(net.counters[COUNTED_LAST_LOSS + 1], net.counters[COUNTED_LAST_LOSS])
        self._left -= 1
        if self._left == 0:
            self._report()

    def _begin(self, micros: int) -> None:
        self._left = self.interval
        self._loss.clear()
        self._micros = micros

    def _report(self) -> None:
        net, session = self._device.net, self._device.session
        micros = self._device.board.micros()
        if session.reserve(SIZE_TELEMETRY):
            struct.pack_into(
                LAYOUT_TELEMETRY,
                session.reply,
                0,
                self._sequence,
                self.dropped,
                net.steps,
                self._loss.of(self.interval),
                net.skipped,
                net.saturations,
                _per_second(self.interval, (micros - self._micros) & _MASK),
            )
            session.send(TYPE_TELEMETRY, SIZE_TELEMETRY)
        else:
            self.dropped = (self.dropped + 1) & 0xFFFF
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._begin(micros)
