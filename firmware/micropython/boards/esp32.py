"""An ESP32, as the example of another port of MicroPython: an ADC that is read when a code is due, the port of the REPL at 115,200
baud, and no place that a restart leaves alone.

The C firmware's counterpart is firmware/boards/arduino with its files for the ESP32.
"""

import machine
import messages
from boards.chip import Chip
from boards.paced import Converter
from micropython import const

_PIN = const(36)
"""A0."""
_LIVE_PINS = (39, 32, 33, 34, 35, 37, 38)
"""A1 .. A7."""
_BITS = const(12)
_RATE = const(1000)
_CAUSES = {
    machine.PWRON_RESET: messages.RESET_CAUSE_POWER_ON,
    machine.HARD_RESET: messages.RESET_CAUSE_EXTERNAL,
    machine.WDT_RESET: messages.RESET_CAUSE_WATCHDOG,
    machine.SOFT_RESET: messages.RESET_CAUSE_SOFTWARE,
}


class Esp32(Chip):
    """The board.

    Args:
        build: its build id.
    """

    name = "esp32"
    arena_bytes = 24576
    receive_window = 250
    """The port keeps 259 bytes, and loses what comes while it is full."""
    adc_bits = _BITS
    adc_rate = _RATE
    adc_reference = 1100
    line_rate = 11520
    has_analog = True

    def __init__(self, build: int) -> None:
        # Other attenuations see nothing below about 150 mV.
        self._adc = machine.ADC(machine.Pin(_PIN), atten=machine.ADC.ATTN_0DB)
        self._live = [machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB) for pin in _LIVE_PINS]
        super().__init__(build, Converter(self._adc, _BITS, _RATE), None)

    def analog(self, pin: int) -> int:
        """Code of A1 .. A7."""
        return self._live[pin - 1].read_u16() >> 16 - _BITS

    def left(self) -> tuple[int, int]:
        """The cause as the chip knows it."""
        return _CAUSES.get(machine.reset_cause(), messages.RESET_CAUSE_UNKNOWN), 0


def repl_button() -> bool:
    """Whether BOOT is held, which is GPIO 0 to ground."""
    return not machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP).value()


def repl_light() -> None:
    """Most of these boards have no LED of their own."""
    return None


def open_board(arguments: list[str]) -> Esp32:
    """The board, with its build id as the argument."""
    return Esp32(int(arguments[0], 16))
