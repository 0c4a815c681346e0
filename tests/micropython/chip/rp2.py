"""A stand-in for the module rp2 of a Pico, on the Unix port: DMA channels with a wrapping write address, chained to each other."""

import uctypes
from machine import chip

_REQUEST_ADC = 36


class DMA:
    """A channel."""

    def __init__(self):
        self.channel = len(chip.channels)
        chip.channels.append(self)
        self.busy = False
        self._left = 0
        self._reload = 0
        self._address = 0
        self._control = {}

    @property
    def count(self):
        """Transfers left."""
        chip.pass_time()
        return self._left

    def pack_ctrl(self, **fields):
        """The fields themselves stand for the register."""
        return fields

    def config(self, *, read, write, count, ctrl, trigger=False):
        """Sets the registers."""
        assert read == 0x4004C00C
        assert ctrl["size"] == 1
        assert not ctrl["inc_read"]
        assert ctrl["ring_sel"]
        assert ctrl["treq_sel"] == _REQUEST_ADC
        assert 0 < count < 1 << 28
        self._address = uctypes.addressof(write)
        self._reload = count
        self._control = ctrl
        if trigger:
            self.start()

    def start(self):
        """Begins as many transfers as were configured, at the address where the last ones ended."""
        self._left = self._reload
        self.busy = True

    def transfer(self, code):
        """Carries one code."""
        chip.store(self._address, code)
        mask = (1 << self._control["ring_size"]) - 1
        self._address = self._address & ~mask | (self._address + 2) & mask
        self._left -= 1
        if not self._left:
            self.busy = False
            if self._control["chain_to"] != self.channel:
                chip.channels[self._control["chain_to"]].start()

    def shorten(self, count):
        """For tests: as if all but this many transfers were done."""
        self._left = count


def bootsel_button():
    """Nobody presses it."""
    return 0
