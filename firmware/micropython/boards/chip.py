"""What boards of chips have in common: the line is the REPL's port, the clock counts a port's ticks. Checkpoints, the count of
starts and a report of the firmware's first fault are files in the flash. A board of a chip is a subclass of Chip with its converter
(boards/rp2.py, boards/esp32.py).
"""

if False:
    from kinds import Converter, array

import os
import sys
import time

import machine
import messages
from boards.board import Board, Start
from boards.microseconds import Microseconds
from boards.stdio import Stdio
from micropython import const
from starts import count_start
from storage import Folder

_WATCHDOG_MS = const(8000)
_TURN_CODES = const(1024)
"""Codes given out in one turn without a step, or for one step, at most: where they come faster than they can be tested, a turn
must end all the same.
"""
_LEAVING_MS = const(25)
"""What the port still holds is sent in this time."""
_PATIENCE_MS = const(1000)
"""With a host that does not read."""
_FOLDER = "mtjlearn_data"
_STARTS = _FOLDER + "/starts"
_FAULT = _FOLDER + "/fault.txt"


class Chip(Board):
    """A board that restarts by restarting its chip.

    Args:
        build: its build id.
        converter: has take(codes) and lost, as adc_read() and adc_lost().
        led: the pin of the LED; None: the board has none.
    """

    memory_bytes = 65535

    def __init__(self, build: int, converter: Converter, led: machine.Pin | None) -> None:
        self.build = build
        self.storage = Folder(_FOLDER)
        self._converter = converter
        self._led = led
        self._line = Stdio()
        self._clock = Microseconds()
        self._start = Start(1, messages.RESET_CAUSE_UNKNOWN)
        self._given = 0
        """Codes, in this turn or for this step."""
        self._kept = 0
        """The device's last error, as left for the next start."""
        self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)

    def read(self, buffer: bytearray) -> int:
        """Takes received bytes."""
        return self._line.read(buffer)

    def write_room(self) -> int:
        """Bytes that write() would take now."""
        return self._line.room()

    def write(self, buffer: bytearray | memoryview, count: int) -> None:
        """Queues bytes for sending."""
        self._line.write(buffer, count)

    def adc_read(self, codes: array[int]) -> int:
        """Takes ADC codes."""
        if self._given >= _TURN_CODES:
            return 0
        count = self._converter.take(codes)
        self._given += count
        return count

    def adc_lost(self) -> int:
        """Codes lost since the start."""
        return self._converter.lost

    def advance(self) -> None:
        """A frame may hold a hundred samples of a large network, which take longer than the watchdog waits for a turn; each step
        gets the codes that came since the one before.
        """
        self._watchdog.feed()
        self._given = 0

    def micros(self) -> int:
        """The clock."""
        return self._clock.micros()

    def clock(self) -> int:
        """The same in units of 1,024 us."""
        return self._clock.clock()

    def led(self, on: int) -> None:
        """Shows that the device learns."""
        if self._led is not None:
            self._led.value(on)

    def left(self) -> tuple[int, int]:
        """Cause of this start of the chip, RESET_CAUSE_..., and the last error of the one before, as far as they were kept."""
        return messages.RESET_CAUSE_UNKNOWN, 0

    def keep(self, cause: int, error: int) -> None:
        """Leaves the cause and the last error for the next start, where the chip has a place for them."""

    def begin(self, cause: int | None, error: int) -> Start:
        """Counts the start in the flash."""
        if cause is None:
            cause, error = self.left()
        self._start = Start(count_start(_STARTS), cause, error)
        self._kept = 0
        self.keep(messages.RESET_CAUSE_WATCHDOG, 0)
        return self._start

    def reset(self) -> None:
        """Restarts the chip."""
        self.keep(messages.RESET_CAUSE_SOFTWARE, self._start.error)
        began = time.ticks_ms()
        while self._line.waiting and time.ticks_diff(time.ticks_ms(), began) < _PATIENCE_MS:
            self._line.flush()
        time.sleep_ms(_LEAVING_MS)
        machine.reset()

    def wait(self, busy: bool) -> bool:
        """Sends, feeds the watchdog, and sleeps until a byte arrives or a millisecond is over."""
        busy = self._line.flush() or busy
        self._given = 0
        self._watchdog.feed()
        if self._kept != self._start.error:
            self._kept = self._start.error
            self.keep(messages.RESET_CAUSE_WATCHDOG, self._kept)
        if not busy:
            self._line.sleep(1)
        return True

    def failed(self, error: Exception) -> None:
        """Writes a report, of the first fault alone: one that comes back must not wear the flash out. Then the chip restarts, with
        a heap that nothing has divided; the seconds for the REPL lie between one start that fails and the next, which is counted
        in the flash too.
        """
        try:
            os.stat(_FAULT)
        except OSError:
            try:
                with open(_FAULT, "w") as file:
                    sys.print_exception(error, file)
            except OSError:
                pass
        machine.reset()
