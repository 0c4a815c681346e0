"""Starts uno-sim: the image of an Arduino Uno R3 in a simulated ATmega328P, with a virtual sMTJ at its pin A0."""

from __future__ import annotations

import os
from pathlib import Path

from mtjlearn.firmware import build_firmware, build_simulator
from mtjlearn.virtual.process import BoardProcess, fault_options

POWER_CUT = 3
"""Exit status of a board whose power was cut (cut_after_writes)."""


def start_uno_sim(
    *,
    seed: int = 1,
    preset: str = "recording",
    device_noise: str = "smtj",
    voltages: str | os.PathLike[str] | None = None,
    fault: str | None = None,
    fault_after: float = 0.0,
    fault_lasts: float | None = None,
    speed: float | None = None,
    eeprom: str | os.PathLike[str] | None = None,
    profile: str | os.PathLike[str] | None = None,
    image: str = "uno",
    elf: str | os.PathLike[str] | None = None,
    bootloader: str | os.PathLike[str] | None = None,
    reset_on_open: bool = False,
    cut_after_writes: int = 0,
    hang: float = 0.0,
    tcp_port: int | None = None,
) -> BoardProcess:
    """Starts a simulated Uno on a pseudo-terminal or a TCP port. What is missing is compiled first, which takes seconds, once.

    Args:
        seed: of the virtual sMTJ and of what RAM holds at the start, 0 .. 2^64 - 1.
        preset: voltages at the pin: ``recording`` (36.2 and 48.0 mV, appendix A of the paper) or ``bench`` (a junction
            of 3 or 6 kOhm in a divider of 3.3 V over 100 kOhm: 96 and 187 mV).
        device_noise: ``smtj``; ``gaussian`` or ``bernoulli`` for comparison; the faults ``stuck``, ``open``, ``short``,
            ``saturating``, ``slow``, ``drifting``.
        voltages: file of 32-bit floats, the voltage of each sample in mV, from the start again after the last: for sources
            that are not a junction. It replaces ``device_noise``; None: no file.
        fault: what the noise becomes in the middle of the run, a name as above; None: nothing.
        fault_after: seconds of the board's own time until then.
        fault_lasts: seconds after which the noise is as it was; None: forever.
        speed: multiple of real time, 0 .. 1000; 0: as fast as it goes; None: as fast as it goes while bytes flow, real
            time once the line was silent for a second.
        eeprom: file that keeps the EEPROM, 1024 bytes; it need not exist.
        profile: JSON file for cycles by function, stack and lost bytes, written when the board ends.
        image: the firmware, an environment of platformio.ini: ``uno``, or ``uno_streamed``, which learns from a host's stream
            alone.
        elf: another image than the firmware of this project.
        bootloader: Intel hex file of a bootloader; the chip starts there. Without ``elf`` the rest of its flash is
            empty.
        reset_on_open: opening the pseudo-terminal resets the chip, as on a real Uno.
        cut_after_writes: the power is cut at this write of an EEPROM byte, which is torn as the seed decides: the process
            ends with POWER_CUT and leaves the EEPROM's file as it is then. Each start writes up to three bytes to count
            itself. 0: never.
        hang: seconds of simulated time after which the program runs away into an endless loop, which the watchdog
            ends a second later; 0: never.
        tcp_port: serve this port of 127.0.0.1, 0 for any free one; None: a pseudo-terminal.

    Raises:
        ToolMissing: a compiler or the simulator's library is not installed; the text names the command that installs it.
        FirmwareError: the firmware does not compile.
        BoardProcessError: the board does not start, e.g. because an option is out of range.
    """
    if elf is None and bootloader is None:
        elf = build_firmware(image)
    command: list[str | Path] = [build_simulator("uno"), "--seed", str(seed), "--preset", preset, "--device-noise", device_noise]
    command += ["--speed", f"{speed:g}"] if speed is not None else []
    for option, file in (("--elf", elf), ("--bootloader", bootloader), ("--eeprom", eeprom), ("--profile", profile)):
        command += [option, os.fspath(file)] if file is not None else []
    command += ["--reset-on-open"] if reset_on_open else []
    command += ["--cut-after-writes", str(cut_after_writes)] if cut_after_writes else []
    command += ["--hang", f"{hang:g}"] if hang else []
    command += ["--tcp", str(tcp_port)] if tcp_port is not None else []
    command += ["--voltages", os.fspath(voltages)] if voltages is not None else []
    command += fault_options(fault, fault_after, fault_lasts)
    return BoardProcess(command)
