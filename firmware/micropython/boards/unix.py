"""The virtual board: the device in MicroPython's Unix port, with a virtual sMTJ at its ADC, on a pseudo-terminal or a TCP port.
It behaves as the native board does (firmware/boards/native).
"""

if False:
    from kinds import Options, array

import os
import sys
import time

import messages
from boards.board import Board, Start
from halves import halves
from starts import count_start
from storage import Folder
from virtual import option_table, sensors
from virtual.converter import FIFO, Converter
from virtual.line import Tcp, Terminal
from virtual.memory import Memory
from virtual.process import Process
from virtual.smtj import Junction

_RECEIVE_WINDOW = 4096
"""Bytes; what a pseudo-terminal holds."""
_BUSY_TURNS = 64
"""Turns without a look at the world outside, at most."""
_PARENT_CHECK_MS = 1000
_MEMORY_BYTES = 16384
_STARTS_BYTES = 4
"""Of the memory, as on the native board."""
_MICROS = 1000000
_TERMINAL = "MTJLEARN_TERMINAL"
_BUILD = "MTJLEARN_BUILD"


def _source(options: Options) -> Junction:
    junction = Junction(options.device_noise, options.preset, options.seed)
    junction.plan(options.fault, options.fault_after, options.fault_lasts)
    if options.voltages is not None:
        junction.play(options.voltages)
    return junction


def _folder(path: str) -> Folder:
    folder = Folder(path)
    try:
        is_folder = os.stat(path)[0] & 0o170000 == 0o040000
    except OSError:
        is_folder = False
    if not is_folder:
        sys.stderr.write(f"mtjlearn-micropython: {path}: is not a folder, and none can be made there; name another one\n")
        sys.exit(1)
    return folder


class Unix(Board):
    """A process on this computer."""

    name = "micropython"
    receive_window = _RECEIVE_WINDOW
    has_analog = True

    def __init__(self, options: Options) -> None:
        self.build = int(os.getenv(_BUILD) or "0")
        self.arena_bytes = options.arena
        self.arena = halves(options.arena // 2)
        self.max_payload = options.max_payload
        self.adc_bits = options.adc_bits
        self.adc_rate = options.adc_rate
        self.adc_reference = options.adc_reference
        self.features = messages.FEATURES_ADC_LIVE | (messages.FEATURES_VIRTUAL_CLOCK if options.virtual_clock else 0)
        self._converter = Converter(_source(options), options.adc_bits, options.adc_rate, options.adc_reference)
        self._codes_per_step = options.virtual_clock
        self._samples = 0
        """Taken by the converter since the start."""
        self._began = time.ticks_us()
        self._reads = False
        """The device asked for bytes in this turn."""
        self._turns = 0
        self._folder = options.eeprom
        self.storage = Memory() if options.eeprom is None else _folder(options.eeprom)
        self.memory_bytes = (options.eeprom_bytes or _MEMORY_BYTES) - _STARTS_BYTES
        self._starts = 0
        self._process = Process()
        self._line = Terminal(os.getenv(_TERMINAL)) if options.tcp is None else Tcp(options.tcp)
        print('{{"port": "{}"}}'.format(self._line.url))

    def _elapsed(self) -> int:
        """Microseconds since the start, by a clock that nobody sets."""
        return time.ticks_diff(time.ticks_us(), self._began)

    def _run_converter(self, samples: int) -> None:
        self._converter.run(samples)
        self._samples += samples

    def read(self, buffer: bytearray) -> int:
        """Takes received bytes."""
        self._reads = True
        return self._line.read(buffer)

    def write_room(self) -> int:
        """Bytes that write() would take now."""
        return self._line.room()

    def write(self, buffer: bytearray | memoryview, count: int) -> None:
        """Queues bytes for sending."""
        self._line.write(buffer, count)

    def adc_read(self, codes: array[int]) -> int:
        """Takes ADC codes."""
        if self._codes_per_step == 0:
            # The converter runs when somebody looks: as far as it would have got by now, but a millisecond at least. A turn takes
            # longer than a code, and would find one each time: an idle board could not sleep.
            due = self._elapsed() * self.adc_rate // _MICROS - self._samples
            if due * 1000 >= self.adc_rate:
                self._run_converter(due)
        return self._converter.take(codes)

    def adc_lost(self) -> int:
        """Codes lost since the start."""
        return self._converter.lost & 0xFFFFFFFF

    def advance(self) -> None:
        """Lets the codes of one step arrive on the virtual clock."""
        self._run_converter(self._codes_per_step)

    def micros(self) -> int:
        """The virtual clock, or the real one."""
        if self._codes_per_step == 0:
            return self._elapsed() & 0xFFFFFFFF
        return self._samples * 1000000 // self.adc_rate & 0xFFFFFFFF

    def analog(self, pin: int) -> int:
        """Of the time that micros() returns."""
        seconds = self._samples / self.adc_rate if self._codes_per_step else self._elapsed() / _MICROS
        return sensors.code(pin, seconds, self.adc_bits)

    def begin(self, cause: int | None, error: int) -> Start:
        """Counts the start, in the folder if there is one."""
        if self._folder is None:
            self._starts = self._starts + 1 & 0xFFFF
        else:
            counted = count_start(self._folder + "/starts")
            # Where the folder keeps nothing, a host must see the restart all the same.
            self._starts = counted if counted != self._starts else counted + 1 & 0xFFFF
        return Start(self._starts, messages.RESET_CAUSE_POWER_ON if cause is None else cause, error)

    def _sleep_ms(self) -> int:
        """How long the board may sleep when nothing arrives: real codes must be taken before the FIFO is full."""
        if self._codes_per_step:
            return _PARENT_CHECK_MS
        return max(1, min(10, FIFO // 4 * 1000 // self.adc_rate))

    def wait(self, busy: bool) -> bool:
        """Looks at the world outside, and sleeps if there is nothing to do."""
        # The device may have waited for the room that this makes.
        busy = self._line.flush() or busy
        self._turns = self._turns + 1 if busy else 0
        if self._turns % _BUSY_TURNS == 0:
            self._process.wait(self._line, self._reads, 0 if busy else self._sleep_ms())
        self._reads = False
        return not self._process.ended

    def failed(self, error: Exception) -> None:
        """Says what went wrong. Not often, should it fail at each start."""
        sys.print_exception(error, sys.stderr)
        time.sleep_ms(100)


def open_board(arguments: list[str]) -> Unix:
    """The board as the command line describes it. Ends the process when it cannot be."""
    return Unix(option_table.read(arguments))
