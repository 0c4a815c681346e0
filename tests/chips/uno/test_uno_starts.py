"""Starts of the Uno: why, how many, and that a hang ends."""

from __future__ import annotations

import pytest
from chip_support import CLOCK, Chip, Host

from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.messages import ResetCause

SETTLED = 700_000
"""Cycles after which a start has told the EEPROM of itself."""
BOOTLOADER = 0x7E00
VERSION = 0x7FFE
SECOND = CLOCK

# What optiboot does before it starts the program: it takes MCUSR, clears it, and leaves it in r2 from version 4.6 on.
# clr r1; in r2, MCUSR or in r3, MCUSR; out MCUSR, r1; jmp 0.
OLD_BOOTLOADER = [0x2411, 0xB634, 0xBE14, 0x940C, 0x0000]
NEW_BOOTLOADER = [0x2411, 0xB624, 0xBE14, 0x940C, 0x0000]


def started(bootloader: list[int] | None = None, version: int = 0xFFFF) -> Chip:
    """A chip that runs its program, with a bootloader or without."""
    chip = Chip()
    if bootloader is not None:
        chip.load(BOOTLOADER, bootloader)
        chip.load(VERSION, [version])
        chip.start_at(BOOTLOADER)
        chip.reset()
    chip.run(SETTLED)
    return chip


def ask(chip: Chip, nonce: int = 2) -> tuple[int, ResetCause]:
    welcome = Host(chip, nonce).welcome
    return welcome.boot_count, ResetCause(welcome.reset_cause)


def software_reset(chip: Chip) -> None:
    host = Host(chip)
    command = Command.of(messages.Reset())
    host.link.submit(command, chip.seconds)
    host.finish([command])


BOOTLOADERS = {"none": (None, 0xFFFF), "old": (OLD_BOOTLOADER, 0x0404), "new": (NEW_BOOTLOADER, 0x0500)}
"""A bootloader may clear MCUSR and tell, or clear it and not tell."""


@pytest.mark.parametrize("bootloader", BOOTLOADERS)
def test_a_reset_by_the_host_is_told(bootloader: str) -> None:
    chip = started(*BOOTLOADERS[bootloader])
    software_reset(chip)  # its acknowledgement came
    chip.run(SETTLED)
    assert ask(chip)[1] is ResetCause.SOFTWARE


@pytest.mark.parametrize("bootloader", BOOTLOADERS)
def test_a_hang_ends_and_is_told(bootloader: str) -> None:
    chip = started(*BOOTLOADERS[bootloader])
    count, _ = ask(chip)
    chip.hang(None)
    chip.run(SECOND + SECOND // 4 + SETTLED)
    assert ask(chip, 3) == (count + 1, ResetCause.WATCHDOG)
    software_reset(chip)
    chip.run(SETTLED)
    assert ask(chip, 4) == (count + 2, ResetCause.SOFTWARE)


@pytest.mark.parametrize("bootloader", BOOTLOADERS)
def test_the_reset_button_is_told(bootloader: str) -> None:
    chip = started(*BOOTLOADERS[bootloader])
    chip.reset()
    chip.run(SETTLED)
    assert ask(chip)[1] is ResetCause.EXTERNAL


def test_power_on_is_told_and_counted_from_one() -> None:
    assert ask(started()) == (1, ResetCause.POWER_ON)


def test_learning_for_seconds_does_not_look_like_a_hang() -> None:
    chip = started()
    host = Host(chip)
    host.configure(4, 8, 3)
    host.stream(host.frames(400))
    assert chip.seconds > 1.2
    assert host.status().steps == 1600


def cell(count: int) -> bytes:
    return bytes([count & 255, count >> 8, (count & 255) ^ (count >> 8) ^ 0x5A])


def memory(newest: int) -> bytes:
    """An EEPROM after this many starts."""
    places = [b"\xff" * 3] * 4
    for count in range(newest - 3, newest + 1):
        places[count % 4] = cell(count % 65536)
    return b"\xff" * 1012 + b"".join(places)


@pytest.mark.parametrize("newest", [5, 254, 255, 256, 511, 65535, 65536 + 3])
def test_starts_are_counted_with_few_writes(newest: int) -> None:
    chip = Chip(eeprom=memory(newest))
    chip.run(SETTLED)
    assert ask(chip)[0] == (newest + 1) % 65536
    assert chip.eeprom == memory(newest + 1)
    assert chip.eeprom_writes() <= 3


@pytest.mark.parametrize("newest", [6, 255, 511, 65535])
def test_a_power_cut_at_any_write_loses_no_count(newest: int) -> None:
    for writes in range(1, 4):
        for torn in (None, 0x00, 0xFF):
            chip = Chip(eeprom=memory(newest))
            while chip.eeprom_writes() < writes and chip.cycle() < SETTLED:
                chip.run(500)
            eeprom = bytearray(chip.eeprom)
            if torn is not None:
                changed = [i for i, (old, new) in enumerate(zip(memory(newest), eeprom, strict=True)) if old != new]
                eeprom[changed[-1]] = torn
            again = Chip(eeprom=bytes(eeprom))
            again.run(SETTLED)
            assert ask(again)[0] in ((newest + 1) % 65536, (newest + 2) % 65536)
