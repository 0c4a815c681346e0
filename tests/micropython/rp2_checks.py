"""Checks of the Pico's converter and clock, with stand-ins for the chip's modules. tests/micropython/test_rp2.py runs them."""

import sys
import time
from array import array

from boards import microseconds, paced, rp2_converter
from machine import chip

RATE = 10000


def counting(number):
    """A code by which its conversion is known."""
    return number & 4095


def made():
    """A converter of which every conversion is done by hand."""
    chip.by_hand = True
    chip.channels.clear()
    chip.fifo.clear()
    chip.fifo_control = chip.codes = 0
    chip.stalled = False
    return rp2_converter.Converter(26, RATE, "a board with RP2040")


def taken(converter, most=16):
    """All codes that it has, in batches of the device's size."""
    codes, found = array("H", bytes(2 * most)), []
    while True:
        count = converter.take(codes)
        found += codes[:count]
        if count < most:
            return found


def check_registers():
    """The converter runs from its channel at the rate, and its FIFO asks the DMA at each code."""
    made()
    assert chip.control & 8
    assert chip.control >> 12 & 7 == 0
    assert 48000000 // ((chip.divider >> 8) + 1) == RATE
    assert chip.fifo_control & 9 == 9
    assert chip.fifo_control >> 24 & 15 == 1


def check_order():
    """All codes arrive in order, over many wraps of the ring, in batches that do not divide it."""
    converter, number = made(), 0
    for turn in range(700):
        count = turn * 7 % 61
        chip.convert(count, counting)
        assert taken(converter) == [counting(number + i) for i in range(count)], turn
        number += count
    assert number > 8 * rp2_converter.RING
    assert converter.lost == 0


def check_full_ring():
    """As many codes as the ring may hold are all there; with more the oldest are lost, and counted before what follows."""
    converter = made()
    chip.convert(1792, counting)
    assert len(taken(converter)) == 1792
    first = chip.codes
    chip.convert(1793, counting)
    found = taken(converter)
    assert len(found) == 1024
    assert converter.lost == 1793 - 1024
    assert found[0] == counting(first + converter.lost)
    chip.convert(5, counting)
    assert taken(converter) == [counting(first + 1793 + i) for i in range(5)]


def check_overtaken():
    """A device that stood still for many rings finds the newest codes, in order, and every lost one counted."""
    converter = made()
    chip.convert(10 * rp2_converter.RING + 3, counting)
    found = taken(converter)
    assert len(found) + converter.lost == chip.codes
    assert found == [counting(chip.codes - len(found) + i) for i in range(len(found))]


def check_chain():
    """When a channel has carried its round, the other goes on without a gap, and so back."""
    converter = made()
    for channel in (0, 1, 0):
        chip.convert(5, counting)
        taken(converter)
        # As if all whole rings of the round were done.
        left = chip.channels[channel].count % rp2_converter.RING
        converter._taken = (converter._taken + chip.channels[channel].count - left) & 0x7FFFFFF
        chip.channels[channel].shorten(left)
        start = chip.codes
        for _ in range(2):
            chip.convert(1200, counting)
            assert taken(converter) == [counting(start + i) for i in range(1200)]
            start = chip.codes
        assert chip.channels[1 - channel].busy
        assert not chip.channels[channel].busy
    assert converter.lost == 0


def check_dropped():
    """Codes that the FIFO dropped, because the DMA had no bus, make a hole: nothing from before it comes with what follows."""
    converter = made()
    chip.convert(20, counting)
    chip.stalled = True
    chip.convert(9, counting)
    chip.stalled = False
    chip.carry()
    assert taken(converter) == []
    assert converter.lost == 20 + 4 + 1
    chip.convert(3, counting)
    assert taken(converter) == [counting(29 + i) for i in range(3)]
    assert converter.lost == 25


def check_overtaken_while_reading():
    """What the DMA overwrote while it was read is not returned."""
    converter = made()
    chip.convert(100, counting)
    waits, asked = converter._waiting, []

    def late():
        if asked:
            chip.convert(3000, counting)
        asked.append(1)
        return waits()

    converter._waiting = late
    codes = array("H", bytes(32))
    assert converter.take(codes) == 0
    assert converter.lost == 16


def check_turn():
    """A turn ends although codes come as fast as they are taken, and the next one goes on where it stopped."""
    from boards.chip import Chip

    class Bare(Chip):
        def __init__(self):
            self._converter, self._given = made(), 0

    board = Bare()
    codes, count, number = array("H", bytes(32)), 16, 0
    while count == 16:
        chip.convert(16, counting)
        count = board.adc_read(codes)
        assert count == 0 or codes[0] == counting(number)
        number += count
        assert number <= 2048
    assert board.adc_lost() == 0
    board._given = 0
    assert board.adc_read(codes) == 16
    assert codes[0] == counting(number)


def check_clock():
    """Microseconds mod 2^32 over wraps of the ticks, in which each look finds what passed."""
    now = [0]
    ticks = 1 << 30

    class Time:
        @staticmethod
        def ticks_us():
            return now[0] % ticks

        @staticmethod
        def ticks_diff(a, b):
            return (a - b + ticks // 2) % ticks - ticks // 2

    microseconds.time = Time
    clock, total = microseconds.Microseconds(), 0
    for step in [0, 1, 1023, 1, 500000000, 536000000, 17] + 7 * [530000000]:
        total += step
        now[0] = total
        assert clock.micros() == total % (1 << 32), step
        assert clock.clock() == total // 1024 % 65536
    microseconds.time = time


def check_paced():
    """A code that is due is read once; of several the last, and the others are lost."""
    now = [0]

    class Time:
        ticks_us = staticmethod(lambda: now[0])
        ticks_add = staticmethod(lambda a, b: a + b)
        ticks_diff = staticmethod(lambda a, b: a - b)

    class Adc:
        @staticmethod
        def read_u16():
            return 0xABC0

    paced.time = Time
    converter, codes = paced.Converter(Adc, 12, 1000), array("H", bytes(32))
    assert converter.take(codes) == 0
    now[0] = 1000
    assert converter.take(codes) == 1
    assert codes[0] == 0xABC
    assert converter.take(codes) == 0
    now[0] = 4999
    assert converter.take(codes) == 1
    assert converter.lost == 2
    now[0] = 5000
    assert converter.take(codes) == 1
    paced.time = time


def check_hello_while_loading():
    """From the first look for somebody who wants the REPL until the device runs, a byte 3 is no Ctrl-C: every HELLO has one."""
    import entry

    interrupts = []

    class Micropython:
        kbd_intr = staticmethod(interrupts.append)

    class Line:
        asks = False

        def asks_for_repl(self, milliseconds, pressed):
            return self.asks

    class Main:
        started = None

        @classmethod
        def main(cls, *arguments):
            cls.started = arguments

    entry.micropython = Micropython
    entry.Stdio = Line
    entry.print = lambda *words: None
    sys.modules["main"] = Main
    entry.run("rp2", "0123abcd")
    assert Main.started == ("rp2", ["0123abcd"])
    assert interrupts == [-1]
    Line.asks, Main.started = True, None
    entry.run("rp2", "0123abcd")
    assert Main.started is None
    assert interrupts[-1] == 3


def check_no_led():
    """A board without the pin LED starts, and its training steps show nowhere."""
    from boards import chip as chips
    from boards import rp2

    class Machine:
        mem32 = rp2.machine.mem32
        ADC = rp2.machine.ADC
        WDT = rp2.machine.WDT

        class Pin:
            OUT = 1

            def __init__(self, name, mode=0):
                if name == "LED":
                    raise ValueError('unknown named pin "LED"')

    rp2.machine = rp2_converter.machine = chips.machine = Machine
    chips._FOLDER = "data"
    assert rp2.repl_light() is None
    rp2.open_board(["0123abcd"]).led(1)


def check_fault():
    """A fault of the firmware is written down once, and the chip restarts: the seconds for the REPL lie before the next one."""
    import os

    from boards import chip as chips

    restarts = []

    class Machine:
        @staticmethod
        def reset():
            # What failed before must be there already.
            restarts.append(os.stat("fault.txt")[6])

    class Bare(chips.Chip):
        def __init__(self):
            pass

    chips.machine = Machine
    chips._FAULT = "fault.txt"
    for _ in range(2):
        Bare().failed(ValueError("a fault"))
    assert len(restarts) == 2
    assert restarts[0] == restarts[1]
    with open("fault.txt") as file:
        assert "a fault" in file.read()


def check_long_frame():
    """A frame of many samples is one turn, in which each step feeds the watchdog and gets new codes."""
    from boards.chip import Chip
    from machine import WDT

    class Bare(Chip):
        def __init__(self):
            self._watchdog = WDT(timeout=8000)
            self._converter, self._given = made(), 0

    board, number, codes = Bare(), 0, array("H", bytes(32))
    for step in range(60):
        chip.convert(50, counting)
        board.advance()
        count = 16
        while count == 16:
            count = board.adc_read(codes)
            assert list(codes)[:count] == [counting(number + i) for i in range(count)], step
            number += count
    assert number == 60 * 50
    assert board.adc_lost() == 0
    assert board._watchdog.fed == 60


def check_skip():
    """A resumed epoch's samples are passed over in one loop that ends in the same state."""
    from halves import halves, number_at, put_number
    from noise import random_next, random_skip

    one, many = halves(2), halves(2)
    for seed in (1, 0x12345678, 0xFFFFFFFF, 0x80000000):
        for count in (0, 1, 2, 1000):
            put_number(one, 0, 2, seed)
            put_number(many, 0, 2, seed)
            for _ in range(count):
                random_next(one)
            random_skip(many, count)
            assert number_at(one, 0, 2) == number_at(many, 0, 2), (seed, count)


globals()["check_" + sys.argv[1]]()
print("passed")
