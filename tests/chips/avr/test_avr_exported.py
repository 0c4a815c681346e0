"""An exported network on the simulated ATmega328P: 1,000 rows give the outputs that NumPy finds, to the last bit."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from model_support import random_model

from mtjlearn.firmware import find_avr_gcc
from mtjlearn.models import Model, predict
from mtjlearn.models.export import export
from mtjlearn.models.predict import input_factors

HERE = Path(__file__).resolve().parent
ROWS = 1000
TIMER = 8 * 65536
"""Cycles after which the program's timer begins again."""


def steps(model: Model) -> np.ndarray:
    """What 1 of a random int16 means for each input: the largest is about 5 deviations."""
    return np.maximum(model.input_scaling.std / 6553.6, 1e-6).astype(np.float32)


def rows(model: Model, count: int) -> np.ndarray:
    """The rows that the program makes for itself."""
    state, drawn = 1, np.empty((count, len(model.inputs)), dtype=np.int16)
    for place in range(drawn.size):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        drawn.flat[place] = np.uint16(state >> 16).astype(np.int16)
    away = drawn.astype(np.float32) * steps(model)
    return (away + input_factors(model.input_scaling)[0]).astype(np.float64)


def checksums(outputs: np.ndarray) -> list[tuple[int, int]]:
    """The program's, after each 100 rows."""
    found, value = [], 2166136261
    for number, row in enumerate(outputs.tolist(), 1):
        for output in row:
            value = (value ^ output & 0xFFFF) * 16777619 & 0xFFFFFFFF
        if number % 100 == 0:
            found.append((number, value))
    return found


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        pytest.param((4, 8, 3), ROWS, id="iris"),
        pytest.param((13, 8, 3), ROWS, id="wine", marks=pytest.mark.slow),
        pytest.param((64, 32, 10), ROWS, id="digits", marks=pytest.mark.slow),
    ],
)
def test_the_chip_finds_the_same_outputs(sizes: tuple[int, ...], count: int, tmp_path: Path) -> None:
    model = random_model(sizes, largest=4000)
    export(model, "c", tmp_path / "exported.h", "exported")
    numbers = ", ".join(f"{value:.9e}f" for value in steps(model).tolist())
    (tmp_path / "steps.h").write_text(f"static const float steps[] = {{{numbers}}};\n")
    image = tmp_path / "exported.elf"
    command = [find_avr_gcc(), "-mmcu=atmega328p", "-Os", "-Wall", "-Wextra", "-Werror", "-std=gnu11", f"-DROWS={count}"]
    command += [f"-I{tmp_path}", "-include", "steps.h", HERE / "exported.c", "-o", image, "-lm"]
    subprocess.run(command, check=True)
    simulator = ["simavr", "-m", "atmega328p", "-f", "16000000", image]
    run = subprocess.run(simulator, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", (run.stdout + run.stderr).decode("utf-8", "replace"))
    outputs = predict(model, rows(model, count)).outputs
    assert np.unique(outputs).size > count / 3
    assert [(int(row), int(value)) for row, value in re.findall(r"row (\d+) (\d+)", said)] == checksums(outputs)
    (cycles,) = re.findall(r"cycles (\d+)", said)
    assert 0 < int(cycles) < TIMER
