"""What the Uno's image takes, and that it compiles cleanly whatever is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chip_support import RAM_START, Chip, Host, image, symbols

STATIC_RAM = 1500
FLASH = 32 * 1024 - 512  # what a bootloader leaves


def test_the_image_fits() -> None:
    found = symbols(image())
    assert (found["_end"] & 0xFFFF) - RAM_START <= STATIC_RAM


def test_the_image_is_small() -> None:
    assert symbols(image())["__data_load_end"] <= FLASH


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
    assert codes == pytest.approx(adc_rate * passed, abs=3)
    assert after.noise_filled == 200
