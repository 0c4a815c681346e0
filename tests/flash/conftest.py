"""A simulated Uno as it is sold: nothing but a bootloader is in its flash.

The bootloader is optiboot, compiled from the sources of Debian's arduino-core-avr. Without the LED's flashes at the start:
today's compilers make it too large for its 512 bytes with them, the hex file in that package too.
"""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtjlearn.firmware import find_avr_gcc
from mtjlearn.virtual.process import BoardProcess
from mtjlearn.virtual.uno_sim import start_uno_sim

OPTIBOOT = Path("/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c")
OPTIBOOT_FLAGS = (
    *("-Os", "-w", "-mmcu=atmega328p", "-DF_CPU=16000000L", "-DBAUD_RATE=115200", "-DLED_START_FLASHES=0"),
    *("-fno-inline-small-functions", "-fno-split-wide-types", "-mrelax", "-nostartfiles"),
    *("-Wl,--relax", "-Wl,--section-start=.text=0x7e00", "-Wl,--section-start=.version=0x7ffe"),
)


@pytest.fixture(scope="session")
def bootloader(tmp_path_factory: pytest.TempPathFactory, needs_tool: Callable[[str, str], str]) -> Path:
    """Intel hex file of optiboot."""
    needs_tool("avrdude", "avrdude")
    needs_tool("simavr", "simavr libsimavr-dev libelf-dev")
    if not OPTIBOOT.exists():
        needs_tool("optiboot", "arduino-core-avr")
    folder = tmp_path_factory.mktemp("optiboot")
    compiler = find_avr_gcc()
    subprocess.run([compiler, *OPTIBOOT_FLAGS, OPTIBOOT, "-o", folder / "boot.elf"], check=True)
    copy = [compiler.with_name("avr-objcopy"), "-O", "ihex", "-j", ".text", "-j", ".version"]
    subprocess.run([*copy, folder / "boot.elf", folder / "boot.hex"], check=True)
    return folder / "boot.hex"


@pytest.fixture
def empty_uno(bootloader: Path) -> Iterator[BoardProcess]:
    """An Uno as it is sold: nothing but the bootloader is in its flash."""
    # In real time: the bootloader gives up after a second.
    with start_uno_sim(bootloader=bootloader, reset_on_open=True, speed=1.0) as board:
        yield board


@pytest.fixture
def silent() -> Iterator[str]:
    """A pseudo-terminal that nobody serves."""
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)
