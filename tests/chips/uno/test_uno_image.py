"""What the Uno's image takes, and that it compiles cleanly whatever is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chip_support import RAM_START, Chip, Host, image, symbols

from mtjlearn.firmware import build_firmware
from mtjlearn.wire.messages import Features

STATIC_RAM = 1524
LEFT = {"uno": 32 * 1024 - 512, "uno_streamed": 32 * 1024 - 512, "nano": 30 * 1024}
"""Bytes of flash that a bootloader leaves."""
RESERVE = {"uno": 512, "uno_streamed": 9728, "nano": 256}
"""Of these for ordinary changes to come, within which no image is to grow unnoticed."""


def test_the_image_fits() -> None:
    found = symbols(image())
    assert (found["_end"] & 0xFFFF) - RAM_START <= STATIC_RAM


@pytest.mark.parametrize("name", LEFT)
def test_the_image_leaves_its_reserve(name: str) -> None:
    found = symbols(build_firmware(name))
    left = LEFT[name] - found["__data_load_end"]
    assert left >= RESERVE[name], f"{name}: {left} bytes of flash are left, {RESERVE[name]} are to be"
    assert (found["_end"] & 0xFFFF) - RAM_START <= STATIC_RAM


def test_a_nano_learns_alone_and_has_neither_int32_weights_nor_live_tasks() -> None:
    told = Host(Chip(build_firmware("nano"))).welcome
    assert told.features & (Features.MEMORY | Features.DECORRELATION) == Features.MEMORY | Features.DECORRELATION
    assert not told.features & (Features.INT32_WEIGHTS | Features.ANALOG | Features.ANP_EXACT | Features.FEEDBACK)


def test_debians_compiler_makes_it_too_and_does_not_warn(needs_tool: Callable[[str, str], str]) -> None:
    assert image(compiler=Path(needs_tool("avr-gcc", "gcc-avr avr-libc"))).is_file()


@pytest.mark.parametrize(
    ("flags", "line_rate", "adc_rate", "adc_reference"),
    [
        ((), 25000, 9615, 1100),
        (("-DUNO_BAUD=115200", "-DUNO_ADC_PRESCALER=64"), 11764, 19230, 1100),
        (("-DUNO_ADC_PRESCALER=32", "-DUNO_REFERENCE_MV=5000"), 25000, 38461, 5000),
    ],
    ids=["usual", "slow line", "fast converter"],
)
def test_what_is_chosen_works_and_is_told(flags: tuple[str, ...], line_rate: int, adc_rate: int, adc_reference: int) -> None:
    chip = Chip(image(*flags))
    host = Host(chip)
    told = host.welcome
    assert (told.line_rate, told.adc_rate, told.adc_reference) == (line_rate, adc_rate, adc_reference)
    before, begun = host.status(), chip.seconds
    chip.run(1_600_000)
    after, passed = host.status(), chip.seconds - begun
    codes = (after.codes + after.codes_lost) - (before.codes + before.codes_lost)
    assert codes == pytest.approx(adc_rate * passed, abs=3 + 11)  # up to eleven wait for others
    assert after.noise_filled == 200
