"""A stand-in for the module machine of a Pico, on the Unix port: the registers of ADC and watchdog, as the RP2040's datasheet
describes them, and the clock that drives the converter. What a restart leaves alone is in a file.
"""

import os
import time

import uctypes

PWRON_RESET = 1
WDT_RESET = 3

_ADC = 0x4004C000
_SCRATCH = 0x4005800C
_ADC_CLOCK = 48000000
_FIFO_CODES = 4
_SLOWER = 10
"""Than the clock: a stand-in takes long for a code."""


class Chip:
    """The hardware behind the registers.

    Attributes:
        by_hand: codes come from convert() alone, not with the time.
        stalled: the DMA does not get to the bus.
    """

    def __init__(self):
        self.by_hand = False
        self.stalled = False
        self.channels = []
        self.control = 1
        self.fifo_control = 0
        self.divider = 0
        self.fifo = []
        self.codes = 0
        """Converted so far."""
        self.state = 1
        self.level = 0
        self.converted_at = time.ticks_us()
        self.kept = os.getenv("MTJLEARN_FAKE_CHIP")
        self.scratch = 0
        self.restarted = False
        if self.kept:
            try:
                with open(self.kept) as file:
                    self.scratch = int(file.read())
                    self.restarted = True
            except OSError:
                pass

    def noise(self):
        """A telegraph signal of two levels with some noise on it."""
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        if self.state >> 16 & 15 == 0:
            self.level ^= 1
        return 1000 + 300 * self.level + (self.state >> 20 & 31)

    def convert(self, count=1, code=None):
        """Ends this many conversions."""
        for _ in range(count):
            if not self.control & 8:
                return
            self.codes += 1
            value = self.noise() if code is None else code(self.codes - 1)
            if len(self.fifo) == _FIFO_CODES:
                self.fifo_control |= 1 << 11
            elif self.fifo_control & 1:
                self.fifo.append(value)
            self.carry()

    def carry(self):
        """The DMA empties the FIFO."""
        while self.fifo and self.fifo_control & 8 and not self.stalled:
            running = [channel for channel in self.channels if channel.busy]
            if not running:
                return
            running[0].transfer(self.fifo.pop(0))

    def pass_time(self):
        """What the converter did since the last look."""
        if self.by_hand or not self.control & 8:
            return
        period = ((self.divider >> 8) + 1) * 1000000 // _ADC_CLOCK * _SLOWER
        due = time.ticks_diff(time.ticks_us(), self.converted_at) // period
        self.converted_at = time.ticks_add(self.converted_at, due * period)
        self.convert(due)

    def store(self, address, code):
        """What the DMA does on the bus."""
        uctypes.bytearray_at(address, 2)[:] = bytes((code & 255, code >> 8))


chip = Chip()


class _Memory:
    def __getitem__(self, address):
        chip.pass_time()
        if address == _ADC:
            return chip.control | 1 << 8
        if address == _ADC + 8:
            return chip.fifo_control | len(chip.fifo) << 16
        if address == _ADC + 12:
            return chip.fifo.pop(0)
        if address == _ADC + 16:
            return chip.divider
        if address == _SCRATCH:
            return chip.scratch
        raise ValueError(hex(address))

    def __setitem__(self, address, value):
        if address == _ADC:
            if value & 8 and not chip.control & 8:
                chip.converted_at = time.ticks_us()
            chip.control = value
        elif address == _ADC + 8:
            # Ones clear the two flags.
            flags = chip.fifo_control & (3 << 10) & ~value
            chip.fifo_control = value & 0x0F00000F | flags
        elif address == _ADC + 16:
            chip.divider = value
        elif address == _SCRATCH:
            chip.scratch = value
            if chip.kept:
                with open(chip.kept + ".scratch", "w") as file:
                    file.write(str(value))
        else:
            raise ValueError(hex(address))


mem32 = _Memory()


def reset_cause():
    """A restart of the program's is one of the watchdog to this chip."""
    return WDT_RESET if chip.restarted else PWRON_RESET


def reset():
    """Ends the process at once; who serves the pseudo-terminal starts it again."""
    if chip.kept:
        with open(chip.kept, "w") as file:
            file.write(str(chip.scratch))
    os.system("kill -9 $PPID")


class Pin:
    """A pin that nothing is connected to."""

    OUT = 1

    def __init__(self, name, mode=0):
        self.on = 0

    def value(self, on=None):
        """Sets or returns it."""
        if on is not None:
            self.on = on
        return self.on


class ADC:
    """Switches the converter on."""

    def __init__(self, pin):
        chip.control |= 1


class WDT:
    """Never bites."""

    def __init__(self, *, timeout):
        assert timeout <= 8388
        self.fed = 0

    def feed(self):
        """Counts."""
        self.fed += 1
