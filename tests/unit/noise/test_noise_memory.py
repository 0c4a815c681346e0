"""A recording of 10^8 samples, 2,500 s at 40 kHz, is read in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.noise import SimulatedSmtj, write_recording
from mtjlearn.noise.files import Part

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc"),
]

SAMPLES = 10**8
MEGABYTES = 400
"""Of a process that reads: 70 are Python and its packages, 34 the samples that are analysed; measured 267 and 273."""
READ = """
import sys
from pathlib import Path
from mtjlearn.cli.view.noise import read
source = read(Path(sys.argv[1]), 40e3, None, None)
assert source.whole.samples == int(sys.argv[2])
assert source.recording.values.size == 2**22
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def parts(samples: int) -> Iterator[Part]:
    block = SimulatedSmtj(None, "single", seed=1).volts(2**18)[0, :, 0]
    for start in range(0, samples, block.size):
        yield Part(np.roll(block, start % 7919)[: samples - start])


def peak(path: Path) -> float:
    """Megabytes that a process has at most while it reads."""
    run = subprocess.run([sys.executable, "-c", READ, str(path), str(SAMPLES)], capture_output=True, text=True, check=True)
    return int(run.stdout) / 1024


def test_parquet(tmp_path: Path) -> None:
    assert write_recording(tmp_path / "long.pqt", parts(SAMPLES), 40e3) == SAMPLES
    found = peak(tmp_path / "long.pqt")
    print(f"{found:.0f} MB")
    assert found < MEGABYTES


def test_text(tmp_path: Path) -> None:
    text = "".join(f"{value:.5f}\n" for part in parts(10**6) for value in part.values)
    with open(tmp_path / "long.csv", "w", encoding="utf-8") as file:
        file.write("volts\n")
        file.writelines(text for _ in range(SAMPLES // 10**6))
    found = peak(tmp_path / "long.csv")
    print(f"{found:.0f} MB")
    assert found < MEGABYTES
