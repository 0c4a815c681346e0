"""The noise tests on the chip: what they count, and what a code costs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.firmware import find_avr_gcc, firmware_root
from mtjlearn.firmware.images import firmware_image
from mtjlearn.noise.health import HealthLimits
from mtjlearn.noise.health_monitor import HealthMonitor

HERE = Path(__file__).resolve().parent
BATCHES = 2500
BATCH = 16


def source(switching: int, count: int) -> np.ndarray:
    """The codes of health.c."""
    codes = np.empty(count, dtype=np.uint16)
    generator, junction = 1, 0
    for i in range(count):
        generator = (generator * 1664525 + 1013904223) % 2**32
        junction ^= (generator >> 24) < switching
        codes[i] = (43 if junction else 32) + ((generator >> 16) & 3)
    return codes


def on_the_chip(folder: Path, rate: int, switching: int) -> list[int]:
    firmware = firmware_root() / "firmware"
    folders = [firmware / "src", firmware / "lib" / "anp" / "src", firmware / "lib" / "wire" / "src"]
    flags = [flag for flag in firmware_image("uno").flags if not flag.startswith("-I")]
    image = folder / "health.elf"
    command = [find_avr_gcc(), *flags, "-ffunction-sections", "-fno-strict-aliasing", *(f"-I{path}" for path in folders)]
    command += [f"-DRATE={rate}", f"-DSWITCHING={switching}", f"-DBATCHES={BATCHES}", "-Werror"]
    command += [
        *sorted(folders[1].glob("*.[cS]")),
        firmware / "src" / "health.c",
        firmware / "boards" / "uno" / "arithmetic.c",
        HERE / "health.c",
        "-Wl,--gc-sections",
        "-o",
        image,
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    simulator = ["simavr", "-m", "atmega328p", "-f", "16000000", image]
    run = subprocess.run(simulator, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    line = re.search(r"h ([0-9 ]+) e", (run.stdout + run.stderr).decode("utf-8", "replace"))
    assert line, run.stdout + run.stderr
    return [int(number) for number in line[1].split()]


@pytest.mark.parametrize(("rate", "switching", "cycles"), [(9615, 67, 56), (38_462, 21, 52)])
def test_counts_and_cycles(tmp_path: Path, needs_tool: Callable[[str, str], str], rate: int, switching: int, cycles: int) -> None:
    needs_tool("simavr", "simavr")
    monitor = HealthMonitor(HealthLimits.of_junction(rate), 1023)
    for batch in np.split(source(switching, BATCHES * BATCH), BATCHES):
        monitor.take(batch.tolist())
        if monitor.levels is None and len(monitor.codes) == 200:
            monitor.calibrate()
    codes, total, most, calibration, *counted = on_the_chip(tmp_path, rate, switching)
    assert codes == BATCHES * BATCH
    assert monitor.levels is not None
    names = ("run", "ones", "switches", "different", "lag", "last_ones", "last_switches", "windows", "fault")
    counted[6] = counted[6].bit_length()  # the chip has a mask
    assert counted == [*monitor.levels, *(int(getattr(monitor, name)) for name in names)]
    print(f"{rate} Hz: {total / codes:.1f} cycles per code, {most} in the slowest batch, {calibration} for the calibration")
    assert total / codes < cycles
    assert most < 25_000
    assert calibration < 1_000_000
