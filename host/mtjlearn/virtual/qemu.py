"""Starts QEMU with the image of a Cortex-M, and around it the program that is its virtual sMTJ and its line."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.firmware import ToolMissing, build_firmware, build_simulator
from mtjlearn.virtual.process import BoardProcess, fault_options

PROFILE_CLOCK = 16
"""Codes for each training step where a profile is wanted and no virtual clock was asked for."""
_QEMU = "qemu-system-arm"


@dataclass(frozen=True)
class QemuOptions:
    """What start_m4_sim() and start_m0_sim() take, in their order."""

    seed: int
    preset: str
    device_noise: str
    voltages: str | os.PathLike[str] | None
    fault: str | None
    fault_after: float
    fault_lasts: float | None
    virtual_clock: int
    profile: str | os.PathLike[str] | None
    elf: str | os.PathLike[str] | None


def start_qemu(chip: str, image: str, options: QemuOptions) -> BoardProcess:
    """Starts a simulated Cortex-M on a pseudo-terminal.

    Args:
        chip: ``m0`` or ``m4``.
        image: as build_firmware() takes it; ``-profile`` is appended where instructions are counted.
        options: of the board.

    Raises:
        ToolMissing: QEMU or a compiler is not installed; the text names the command that installs it.
        FirmwareError: the firmware does not compile.
        BoardProcessError: the board does not start, e.g. because an option is out of range.
    """
    qemu = shutil.which(_QEMU)
    if qemu is None:
        raise ToolMissing(f"{_QEMU} is missing; install it: apt-get install qemu-system-arm")
    profile = options.profile
    elf = build_firmware(image if profile is None else f"{image}-profile") if options.elf is None else options.elf
    command: list[str | Path] = [build_simulator("qemu"), "--chip", chip, "--qemu", qemu, "--elf", os.fspath(elf)]
    command += ["--seed", str(options.seed), "--preset", options.preset, "--device-noise", options.device_noise]
    clock = options.virtual_clock or (PROFILE_CLOCK if profile is not None else 0)
    command += ["--virtual-clock", str(clock)] if clock else []
    command += ["--profile", os.fspath(profile)] if profile is not None else []
    command += ["--voltages", os.fspath(options.voltages)] if options.voltages is not None else []
    command += fault_options(options.fault, options.fault_after, options.fault_lasts)
    return BoardProcess(command)
