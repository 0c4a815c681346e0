"""Examples of firmware/lib/anp in the simulated Uno: the voltages of the sensors are scripted, what the chip prints is checked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from chip_support import CLOCK, Chip
from simulated_avr import Example

from mtjlearn.datasets import load, read_features
from mtjlearn.firmware import find_avr_gcc, find_host_cc
from mtjlearn.firmware.sizes import ImageSize

CORE = Path("/usr/share/arduino/hardware/arduino/avr")
TURN = CLOCK // 100
PORTD, SENSOR_POWER = 0x2B, 1 << 4


def chip_of(example: Example, name: str, **options: bytes) -> Chip:
    """A chip that runs an example, fast."""
    chip = Chip(example(name) / "uno/firmware.elf", **options)
    chip.hurry()
    return chip


def read_until(chip: Chip, text: str, seconds: float) -> str:
    """What the chip prints until a line with this text has ended, within some seconds of its time."""
    said, until = "", chip.seconds + seconds
    while text not in said or not said.endswith("\n"):
        assert chip.seconds < until, said
        chip.run(TURN)
        said += chip.take().decode()
    return said


def test_each_example_compiles_for_the_uno(library: Path, tmp_path: Path, arduino_core: None) -> None:
    """With more warnings than PlatformIO asks for, in a second each; the slow tests below link and run them."""
    folders = [f"-I{folder}" for folder in (library / "src", CORE / "cores/arduino", CORE / "variants/standard")]
    options = ["-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO=10819", "-std=gnu++11", "-Os", "-Wall", "-Wextra", "-Werror"]
    sketches = sorted(library.glob("examples/*/*.ino"))
    assert len(sketches) == 5
    for sketch in sketches:
        command = [find_avr_gcc(), *options, *folders, "-include", "Arduino.h", "-xc++", "-c", sketch, "-o", tmp_path / "sketch.o"]
        subprocess.run(command, check=True)


def test_the_inference_part_brings_no_learner(example: Example) -> None:
    elf = example("PredictFromAModel") / "uno/firmware.elf"
    assert ImageSize.read(elf).ram < 400
    assert not [name for name in Chip(elf).symbols if name.startswith(("anp_train", "anp_noise", "anp_configure"))]


IRIS_ON_THIS_COMPUTER = """
#include <stdio.h>
#include "iris.h"
int main(void)
{
    float features[IRIS_INPUTS];
    int16_t outputs[IRIS_OUTPUTS];
    while (scanf("%f,%f,%f,%f", features, features + 1, features + 2, features + 3) == 4) {
        iris_outputs(features, outputs);
        printf("%s, scores %d %d %d\\n", iris_classes[iris_predict(features)], outputs[0], outputs[1], outputs[2]);
    }
    return 0;
}
"""


def test_predict_from_a_model(example: Example, library: Path, tmp_path: Path) -> None:
    """The chip says what this computer says, and names most irises rightly."""
    dataset = load("iris", seed=0)
    table = read_features("iris", dataset.feature_names).values[dataset.test_rows]
    lines = [",".join(f"{value:.1f}" for value in row) for row in table]
    (tmp_path / "main.c").write_text(IRIS_ON_THIS_COMPUTER)
    folders = [f"-I{folder}" for folder in (library / "examples/PredictFromAModel", library / "src")]
    command = [find_host_cc(), "-Wall", "-Wextra", "-Werror", *folders, "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    here = subprocess.run([tmp_path / "main"], input="\n".join(lines), capture_output=True, text=True, check=True).stdout
    chip = chip_of(example, "PredictFromAModel")
    read_until(chip, "cm?", 1)
    there = []
    for line in lines:
        chip.push(f"{line}\n".encode())
        there.append(read_until(chip, "us", 1))
    assert [line.strip().rpartition(", ")[0] for line in there] == here.splitlines()
    right = [line.split(",")[0] == dataset.classes[number] for line, number in zip(there, dataset.y_test, strict=True)]
    assert np.mean(right) > 0.9
    assert all(int(line.split()[-2]) < 1000 for line in there), "microseconds of a prediction"


@pytest.mark.slow
def test_spot_an_anomaly(example: Example) -> None:
    """A vibration of 5 Hz, which for a second becomes one of 12 Hz."""
    rate, begins, ends = 1000.0, 6.5, 7.5
    seconds = np.arange(0, 10, 1 / rate)
    hertz = np.where((seconds > begins) & (seconds < ends), 12.0, 5.0)
    wave = 2500 + 1200 * np.sin(2 * np.pi * np.cumsum(hertz) / rate)
    chip = chip_of(example, "SpotAnAnomaly")
    chip.play(1, wave + np.random.default_rng(1).normal(0, 15, wave.size), rate)
    said = read_until(chip, "Anomaly!", 9)
    assert re.findall(r"^[A-Z].*?(?=\r)", said, re.MULTILINE) == ["Learning what is normal.", "Watching.", "Anomaly!"]
    assert begins < chip.seconds < begins + 0.2
    read_until(chip, "Normal again.", 9)
    assert ends < chip.seconds < ends + 1


def voltage(seconds: float) -> float:
    """At A3, from which firmware/virtual/sensors.h makes A1 and A2."""
    u, v = np.sin(2 * np.pi * 0.7 * seconds), np.sin(2 * np.pi * 0.7 * (1 + 5**0.5) / 2 * seconds)
    return float(5 * (0.5 + 0.2 * u * (1 + v)))


@pytest.mark.slow
def test_learn_then_sleep(example: Example) -> None:
    """It learns, keeps it, switches the sensor off, and predicts it every eight seconds, also after the power was off."""
    first = chip_of(example, "LearnThenSleep")
    said = read_until(first, "Learned.", 60)
    assert said.startswith("Learning.")
    assert float(re.findall(r"error:([\d.]+)", said)[-1]) < 0.25
    assert not first.memory()[PORTD] & SENSOR_POWER

    again = chip_of(example, "LearnThenSleep", eeprom=first.eeprom)
    said = read_until(again, "predicted:", 1)
    assert said.startswith("Learned before.")
    errors, moments = [], []
    for _ in range(10):
        moments.append(again.seconds)
        errors.append(float(said.split(":")[-1]) - voltage(again.seconds))
        said = read_until(again, "predicted:", 10)
    assert np.diff(moments) == pytest.approx(8.2, abs=0.1)
    spread = np.std([voltage(second) for second in np.arange(0, 80, 0.1)])
    assert np.sqrt(np.mean(np.square(errors))) < 0.5 * spread


@pytest.mark.slow
def test_it_sleeps_and_forgets(example: Example) -> None:
    """Half a network is none: with another checksum in the EEPROM it learns; with this one it sleeps all but milliseconds."""
    first = chip_of(example, "LearnThenSleep")
    read_until(first, "Learned.", 60)
    damaged = bytes([first.eeprom[0] ^ 1]) + first.eeprom[1:]
    assert "Learning." in read_until(chip_of(example, "LearnThenSleep", eeprom=damaged), "\n", 1)
    chip = Chip(first.elf, eeprom=first.eeprom)
    read_until(chip, "predicted:", 1)
    read_until(chip, "predicted:", 10)
    chip.measure()
    begun = chip.cycle()
    read_until(chip, "predicted:", 10)
    assert chip.asleep() > 0.99 * (chip.cycle() - begun)
