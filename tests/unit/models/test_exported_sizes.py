"""What an exported network costs on the ATmega328P."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from model_support import random_model

from mtjlearn.firmware import find_avr_gcc
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.models.export import export

MOST = 4096
"""Bytes of flash that a 4-8-3 network may add to a program (docs/models.md)."""
_PROGRAM = """
#include <avr/io.h>
#include "net.h"
volatile float in[NET_INPUTS];
int main(void)
{
    for (;;) {
        float features[NET_INPUTS];
        for (int i = 0; i < NET_INPUTS; i++)
            features[i] = in[i];
        PORTB = (uint8_t)net_predict(features);
    }
}
"""
_EMPTY = "#include <avr/io.h>\nint main(void) { for (;;) PORTB = 0; }\n"


def flash(source: str, folder: Path) -> int:
    (folder / "main.c").write_text(source)
    command = [str(find_avr_gcc()), "-mmcu=atmega328p", "-Os", "-Wall", "-Wextra", "-Werror", "-std=gnu11"]
    command += ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "main.c", "-o", "main.elf", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    return ImageSize.read(folder / "main.elf").flash


def test_a_network_for_iris_takes_less_than_four_kilobytes_of_an_uno(tmp_path: Path, needs_tool: Callable[[str, str], str]) -> None:
    export(random_model((4, 8, 3)), "c", tmp_path / "net.h", "net")
    added = flash(_PROGRAM, tmp_path) - flash(_EMPTY, tmp_path)
    assert 0 < added <= MOST


@pytest.mark.thorough
@pytest.mark.parametrize("chip", ["atmega328p", "attiny85"])
def test_it_compiles_with_every_optimisation(chip: str, tmp_path: Path, needs_tool: Callable[[str, str], str]) -> None:
    """The assembly needs registers that the compiler must find; an ATtiny has no multiplication, hence no assembly."""
    export(random_model((4, 8, 3)), "c", tmp_path / "net.h", "net")
    (tmp_path / "main.c").write_text(_PROGRAM)
    for options in (["-O0"], ["-Og"], ["-O1"], ["-O2"], ["-O3"], ["-Os", "-flto", "-mcall-prologues"]):
        command = [str(find_avr_gcc()), f"-mmcu={chip}", *options, "-Wall", "-Wextra", "-Wconversion", "-Werror", "-std=gnu11"]
        subprocess.run([*command, "main.c", "-o", "main.elf", "-lm"], cwd=tmp_path, check=True)
