"""A Raspberry Pi Pico, or another board with an RP2040 or RP2350: the ADC on GP26, the USB port, the LED, and a register of the
watchdog that a restart leaves alone.

The C firmware's counterpart is firmware/boards/arduino with its files for the RP2040.
"""

import sys

import machine
import messages
import rp2
from boards.chip import Chip
from boards.rp2_converter import Converter
from micropython import const

_PIN = const(26)
_RATE = const(10000)
_SCRATCH = const(12)
"""The register, from the watchdog's base on."""
_MARK = const(0x5A3)
"""In its upper bits: the value is ours. Below 2^30 with what follows."""


def _watchdog_base(chip: str) -> int:
    return 0x400D8000 if "RP2350" in chip else 0x40058000


class Pico(Chip):
    """The board.

    Args:
        build: its build id.
    """

    name = "pico"
    arena_bytes = 24576
    receive_window = 500
    """The port keeps 511 bytes before it makes the host wait."""
    adc_bits = 12
    adc_rate = _RATE
    adc_reference = 3300

    def __init__(self, build: int) -> None:
        chip = getattr(sys.implementation, "_machine", "")
        self._scratch = _watchdog_base(chip) + _SCRATCH
        super().__init__(build, Converter(_PIN, _RATE, chip), repl_light())

    def left(self) -> tuple[int, int]:
        """From the register. A restart that was asked for is one of the watchdog to the chip."""
        value = machine.mem32[self._scratch]
        ours = value >> 16 == _MARK
        cause = machine.reset_cause()
        if cause == machine.PWRON_RESET:
            return messages.RESET_CAUSE_POWER_ON, 0
        if cause == machine.WDT_RESET:
            # What is not ours is somebody's machine.reset() at the REPL.
            return (value & 0xFF, value >> 8 & 0xFF) if ours else (messages.RESET_CAUSE_SOFTWARE, 0)
        return messages.RESET_CAUSE_UNKNOWN, 0

    def keep(self, cause: int, error: int) -> None:
        """In the register."""
        machine.mem32[self._scratch] = _MARK << 16 | error << 8 | cause


def repl_button() -> bool:
    """Whether BOOTSEL is held."""
    return bool(rp2.bootsel_button())


def repl_light() -> machine.Pin | None:
    """The LED, which is on while the REPL can be had; None: the board has none, or one of several colours."""
    try:
        return machine.Pin("LED", machine.Pin.OUT)
    except ValueError:
        return None


def open_board(arguments: list[str]) -> Pico:
    """The board, with its build id as the argument."""
    return Pico(int(arguments[0], 16))
