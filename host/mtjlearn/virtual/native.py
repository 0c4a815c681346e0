"""Starts the native board: the firmware as a process of its own, with a virtual sMTJ at its ADC."""

from __future__ import annotations

import os
from pathlib import Path

from mtjlearn.firmware.compiled import native_file
from mtjlearn.virtual.process import BoardProcess, fault_options

PROGRAM = "mtjlearn-native"
_WITHOUT_PROGRAM = (
    "this installation has no native virtual board, which needs Linux, macOS or Windows' WSL, and gcc or clang when mtjlearn is "
    "installed; use --board inprocess"
)


def native_program() -> Path:
    """The path of the installed board.

    Raises:
        NotBuiltError: if it was not built.
    """
    return native_file(PROGRAM, _WITHOUT_PROGRAM)


def start_native(
    *,
    seed: int = 1,
    preset: str = "recording",
    device_noise: str = "smtj",
    voltages: str | os.PathLike[str] | None = None,
    fault: str | None = None,
    fault_after: float = 0.0,
    fault_lasts: float | None = None,
    adc_bits: int = 10,
    adc_rate: int = 9615,
    adc_reference: int = 1100,
    virtual_clock: int = 0,
    arena: int = 65536,
    max_payload: int = 240,
    eeprom: str | os.PathLike[str] | None = None,
    eeprom_bytes: int | None = None,
    tcp_port: int | None = None,
    program: Path | None = None,
) -> BoardProcess:
    """Starts a native board on a pseudo-terminal or a TCP port.

    Args:
        seed: of the virtual sMTJ, 0 .. 2^64 - 1.
        preset: voltages at the pin: ``recording`` (36.2 and 48.0 mV, appendix A of the paper) or ``bench`` (a junction
            of 3 or 6 kOhm in a divider of 3.3 V over 100 kOhm: 96 and 187 mV).
        device_noise: ``smtj``; ``gaussian`` or ``bernoulli`` for comparison; the faults ``stuck``, ``open``, ``short``,
            ``saturating``, ``slow``, ``drifting``.
        voltages: file of 32-bit floats, the voltage of each sample in mV, from the start again after the last: for sources
            that are not a junction. It replaces ``device_noise``; None: no file.
        fault: what the noise becomes in the middle of the run, a name as above; None: nothing.
        fault_after: seconds of the board's own time until then.
        fault_lasts: seconds after which the noise is as it was; None: forever.
        adc_bits: 10, 12 or 14.
        adc_rate: codes per second, 1 .. 1,000,000.
        adc_reference: voltage of full scale in mV, 100 .. 10,000.
        virtual_clock: codes that arrive for each training step, up to 1024: then a seed repeats a run exactly; 0: real
            time.
        arena: memory for a network in bytes, 1024 .. 1,048,576.
        max_payload: largest payload in bytes, 64 .. 240.
        eeprom: file that keeps the nonvolatile memory and the count of starts; it need not exist. None: they last as long
            as the process.
        eeprom_bytes: of that memory, 1,024 .. 65,535; None: as many as the file has, or 16,384.
        tcp_port: serve this port of 127.0.0.1, 0 for any free one; None: a pseudo-terminal.
        program: another build of the board than the installed one.

    Raises:
        NotBuiltError: if the board was not built.
        BoardProcessError: if it does not start, e.g. because an option is out of range or the port is taken.
    """
    command: list[str | Path] = [program or native_program()]
    command += ["--pty"] if tcp_port is None else ["--tcp", str(tcp_port)]
    command += ["--seed", str(seed), "--preset", preset, "--device-noise", device_noise]
    command += ["--adc-bits", str(adc_bits), "--adc-rate", str(adc_rate), "--adc-reference", str(adc_reference)]
    command += ["--arena", str(arena), "--max-payload", str(max_payload)]
    command += ["--virtual-clock", str(virtual_clock)] if virtual_clock else []
    command += ["--voltages", os.fspath(voltages)] if voltages is not None else []
    command += fault_options(fault, fault_after, fault_lasts)
    command += ["--eeprom", os.fspath(eeprom)] if eeprom is not None else []
    command += ["--eeprom-bytes", str(eeprom_bytes)] if eeprom_bytes is not None else []
    return BoardProcess(command)
