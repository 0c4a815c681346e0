"""The command line of the virtual board as a table, one row for each option, with the names and texts of the native board: a test
compares the two. A mistake ends the process with one line that names the option.
"""

if False:
    from kinds import Callable, Container, NoReturn

import sys
from array import array
from math import inf, isfinite

from virtual import sensors
from virtual.converter import FIFO
from virtual.smtj import HEALTHY, KINDS, PRESETS

_PROGRAM = "mtjlearn-micropython"
_HELP_COLUMN = 26
"""Where the explanations begin."""

_USAGE = (
    "Usage: " + _PROGRAM + " [OPTION]...\n"
    "A virtual board: the firmware in MicroPython, with a virtual sMTJ at its ADC. Prints one line of JSON that names the port,\n"
    "and ends on SIGTERM, or when the pipe at its standard input is closed.\n"
)


class Options:
    """The board's options, with their defaults."""

    def __init__(self) -> None:
        self.tcp: int | None = None
        self.seed = 1
        self.preset = "recording"
        self.device_noise = HEALTHY
        self.voltages: array[float] | None = None
        self.fault = HEALTHY
        self.fault_after = 0.0
        self.fault_lasts = inf
        self.adc_bits = 10
        self.adc_rate = 9615
        self.adc_reference = 1100
        self.virtual_clock = 0
        self.arena = 65536
        self.max_payload = 240
        self.eeprom: str | None = None
        self.eeprom_bytes: int | None = None


def _refuse(text: str) -> NoReturn:
    sys.stderr.write("{}: {}; see {} --help\n".format(_PROGRAM, text, _PROGRAM))
    sys.exit(2)


def _mistake(option: str, value: str) -> NoReturn:
    _refuse("--{} does not take '{}'".format(option, value))


def _number(least: int, most: int, step: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        digits = text.strip().lstrip("+")
        value = int(digits)
        # int() takes more than digits.
        if not all("0" <= digit <= "9" for digit in digits) or not least <= value <= most or (value - least) % step:
            raise ValueError
        return value

    return read


def _decimal(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise ValueError
        return value

    return read


def _choice(names: Container[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return read


def _voltages(path: str) -> array[float]:
    """Reads a file of 32-bit floats in the computer's byte order."""
    with open(path, "rb") as file:
        data = file.read()
    if not data or len(data) % 4:
        raise ValueError
    voltages = array("f", data)
    if not all(isfinite(voltage) for voltage in voltages):
        raise ValueError
    return voltages


def _text(text: str) -> str:
    return text


_ROWS = (
    ("pty", None, "serve a pseudo-terminal (default)", None),
    ("tcp", "PORT", "serve 127.0.0.1:PORT, one client at a time; 0: any free port", _number(0, 65535)),
    ("seed", "N", "seed of the virtual sMTJ (default 1)", _number(0, 0xFFFFFFFFFFFFFFFF)),
    ("preset", "NAME", "voltages at the pin: recording (36.2 and 48.0 mV, default) or bench (96 and 187 mV)", _choice(PRESETS)),
    ("device-noise", "NAME", "smtj (default), gaussian, bernoulli, stuck, open, short, saturating, slow, drifting", _choice(KINDS)),
    (
        "voltages",
        "FILE",
        "in place of the junction: the voltage of each sample in mV, 32-bit floats; begins again after the last",
        _voltages,
    ),
    ("fault", "NAME", "what the noise becomes in the middle of the run: a name as above", _choice(KINDS)),
    ("fault-after", "SECONDS", "of the board's own time until then (default 0)", _decimal(0.0, 1e9)),
    ("fault-lasts", "SECONDS", "after which the noise is as it was (default: forever)", _decimal(0.0, 1e9)),
    ("adc-bits", "N", "10 (default), 12 or 14", _number(10, 14, 2)),
    ("adc-rate", "HZ", "codes per second, 1 to 1000000 (default 9615)", _number(1, 1000000)),
    ("adc-reference", "MV", "voltage of full scale, 100 to 10000 (default 1100)", _number(100, 10000)),
    (
        "virtual-clock",
        "CODES",
        "this many codes for each training step, 1 to 1024, instead of real time: a seed repeats exactly",
        _number(1, FIFO),
    ),
    ("arena", "BYTES", "memory for a network, 1024 to 1048576 (default 65536)", _number(1024, 1048576)),
    ("max-payload", "BYTES", "64 to 240 (default 240)", _number(64, 240)),
    (
        "eeprom",
        "FOLDER",
        "keep the nonvolatile memory and the count of starts in this folder; without it they end with the process",
        _text,
    ),
    ("eeprom-bytes", "N", "of that memory, 1024 to 65535 (default 16384)", _number(1024, 65535)),
)


def _print_row(name: str, value: str | None, text: str) -> None:
    start = "  --" + name + (" " + value if value else "")
    print(start + " " * (_HELP_COLUMN - len(start)) + text)


def _print_help() -> NoReturn:
    print(_USAGE)
    for name, value, text, _ in _ROWS:
        _print_row(name, value, text)
    _print_row("help", None, "this text")
    print("\n" + sensors.HELP, end="")
    sys.exit(0)


def read(arguments: list[str]) -> Options:
    """Reads the command line into Options. On --help and on a mistake it prints and ends the process."""
    options = Options()
    rows = {row[0]: row for row in _ROWS}
    at = 0
    while at < len(arguments):
        name, equals, value = arguments[at].partition("=")
        at += 1
        if name == "--help":
            _print_help()
        row = rows.get(name[2:]) if name.startswith("--") else None
        if row is None:
            _refuse("'{}' is not an option".format(name))
        name, takes, _, reader = row
        if takes and not equals:
            if at == len(arguments):
                _refuse("--{} needs a value".format(name))
            value = arguments[at]
            at += 1
        elif equals and not takes:
            _refuse("--{} takes no value".format(name))
        if reader is None:
            options.tcp = None
            continue
        try:
            setattr(options, name.replace("-", "_"), reader(value))
        except (ValueError, OSError):
            _mistake(name, value)
    return options
