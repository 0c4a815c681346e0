"""The ATmega's parts of firmware/boards/arduino in the simulated chip."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from chip_support import ADC, CLOCK, Chip

from mtjlearn.firmware import ToolMissing, build_simulator, find_avr_gcc
from mtjlearn.inprocess.device import DeviceNoise
from mtjlearn.wire.messages import ResetCause

HERE = Path(__file__).resolve().parent
PERIOD = 13 * 128
SCRATCH = 0x700
SETTLING = CLOCK * 25 // 1000


@pytest.fixture(scope="module")
def image(project: Path, tmp_path_factory: pytest.TempPathFactory, tool_missing: Callable[[str], None]) -> Path:
    target = tmp_path_factory.mktemp("avr") / "parts.elf"
    try:
        build_simulator("uno")
        compiler = find_avr_gcc()
    except ToolMissing as missing:
        tool_missing(str(missing))
    firmware = project / "firmware"
    parts = ("chip_avr", "codes", "converter_avr", "memory_avr", "nonvolatile_avr")
    sources = [HERE / "avr/parts.cpp", *(firmware / f"boards/arduino/{name}.cpp" for name in parts)]
    flags = ["-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO_ARCH_AVR", "-DSERIAL_RX_BUFFER_SIZE=64", "-DCODES_WAITING=32"]
    includes = [f"-I{folder}" for folder in (HERE / "avr", firmware / "boards/arduino", firmware / "lib/wire/src")]
    command = [compiler.with_name("avr-g++"), "-std=gnu++11", "-Os", "-Wall", "-Wextra", *flags, *includes, *sources, "-o", target]
    subprocess.run(command, check=True)
    return target


def test_the_internal_reference_settles_before_the_first_code(image: Path) -> None:
    chip = Chip(image)
    chip.run(SETTLING)
    assert chip.handler(ADC).calls == 0
    chip.run(5 * PERIOD)
    assert chip.handler(ADC).calls > 0


def test_other_pins_are_read_between_the_noise_and_every_code_is_counted(image: Path) -> None:
    chip = Chip(image, noise=DeviceNoise.SHORT)
    rng = np.random.default_rng(1)
    chip.run(SETTLING + 20 * PERIOD)
    taken, seen, holes, before, count = 0, set(), 0, 0, 300
    for _ in range(count):
        pin = int(rng.integers(4, 8))
        assert chip.invoke("analog", pin) == 1024 * (pin - 3) // 5
        assert chip.took < 30 * 128
        for _ in range(int(rng.integers(0, 4))):
            chip.run(int(rng.integers(0, 4 * PERIOD)))
            got = chip.invoke("take", SCRATCH, 32)
            memory = chip.memory()
            seen |= {memory[SCRATCH + index] for index in range(2 * got)}
            taken += got
            lost = chip.invoke("lost", wide=True)
            holes += lost != before
            before = lost
    while True:  # what came before the last hole, and the hole
        got = chip.invoke("take", SCRATCH, 32)
        taken += got
        if not got and not chip.invoke("take", SCRATCH, 32):
            break
    calls = chip.handler(ADC).calls
    assert seen == {0}
    assert holes > 50
    assert taken + chip.invoke("lost", wide=True) == pytest.approx(calls + count, abs=2)


def test_the_eeprom_is_written_byte_by_byte_without_waiting(image: Path) -> None:
    chip = Chip(image)
    assert chip.invoke("bytes") == 1024 - 2 * 64  # the last two blocks of 64 count the starts
    for address in (0, 255, 256, 895):
        assert chip.invoke("ready") & 255
        chip.invoke("store", address, address % 251)
        assert chip.took < 200
        assert not chip.invoke("ready") & 255
        chip.run(CLOCK * 35 // 10_000)
    writes = chip.eeprom_writes()
    chip.invoke("store", 0, 0)
    assert chip.eeprom_writes() == writes
    assert [chip.invoke("load", address) & 255 for address in (0, 1, 255, 256, 895)] == [0, 255, 4, 5, 895 % 251]


def test_the_last_error_outlives_a_reset_and_no_power_cycle(image: Path) -> None:
    chip = Chip(image)
    assert chip.invoke("start") == ResetCause.POWER_ON
    chip.invoke("leave_error", 9)
    chip.reset()
    assert chip.invoke("start") == ResetCause.EXTERNAL | 9 << 8
    chip.reset()
    assert chip.invoke("start") == ResetCause.EXTERNAL
