"""Programs for a Cortex-M in QEMU that are no firmware: how they are built and run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.firmware import find_arm_gcc, firmware_root

FIRMWARE = firmware_root() / "firmware"
LEARNER = FIRMWARE / "lib" / "anp" / "src"
BOARD = FIRMWARE / "boards" / "qemu"
CODE = ("-mthumb", "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-strict-aliasing", "-ffunction-sections")


@dataclass(frozen=True)
class Chip:
    """A processor, and the machine of QEMU that has it."""

    flags: tuple[str, ...]
    script: str
    machine: tuple[str, ...]


CHIPS = {
    "m4": Chip(("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"), "mps2.ld", ("mps2-an386",)),
    "m0": Chip(("-mcpu=cortex-m0plus",), "microbit.ld", ("microbit", "-global", "nrf51-soc.sram-size=262144")),
}


def run_in_qemu(chip: Chip, image: Path, sources: list[Path], *flags: str) -> str:
    """Builds the learner with a program that ends by failing with "all cases are done"; returns what it printed."""
    command = [find_arm_gcc(), *chip.flags, *CODE, *flags, f"-I{LEARNER}", f"-I{BOARD}", *sorted(LEARNER.glob("*.[cS]")), *sources]
    command += [BOARD / "semihosting.c", "-nostartfiles", "-Wl,--gc-sections", f"-T{BOARD / chip.script}"]
    built = subprocess.run([*command, "-o", image], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    simulator = ["qemu-system-arm", "-M", *chip.machine, "-nic", "none", "-display", "none", "-kernel", image]
    simulator += ["-semihosting-config", "enable=on,target=native"]
    run = subprocess.run(simulator, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert "all cases are done" in run.stderr
    return run.stdout
