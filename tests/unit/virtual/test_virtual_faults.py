"""Faults of the virtual sMTJ: what each does to the codes, and that one begins and ends in the middle of a run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import NoReturn

import numpy as np
import pytest
from plain_client import memory_client, noise_codes

from mtjlearn.discovery import open_board
from mtjlearn.firmware import ToolMissing
from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice, Preset
from mtjlearn.virtual.native import native_program

pytestmark = pytest.mark.thorough

RATE = 9615
SPLIT = (48.0 - 36.2) * 1024 / 1100


def codes(noise: DeviceNoise, count: int, preset: Preset = Preset.RECORDING, then: DeviceNoise | None = None) -> np.ndarray:
    """Codes of a source that is healthy for 1,000 codes and then for `count` of this kind, or after `then`."""
    board = InProcessDevice(seed=5, codes_per_step=100, preset=preset)
    client = memory_client(board)
    assert len(np.unique(noise_codes(client.noise(1000)))) > 8
    board.set_noise(noise)
    values = noise_codes(client.noise(count))
    if then is not None:
        board.set_noise(then)
        return noise_codes(client.noise(count))
    return values


def switching(values: np.ndarray) -> float:
    high = values > (values.min() + values.max()) / 2
    return float(np.mean(high[1:] != high[:-1]))


@pytest.mark.parametrize("preset", Preset)
def test_saturating(preset: Preset) -> None:
    values = codes(DeviceNoise.SATURATING, 20_000, preset)
    assert np.mean(values == 1023) == pytest.approx(0.5, abs=0.03)  # all of the high state
    assert values.max() == 1023
    low = {Preset.RECORDING: 36.2 / 48.0, Preset.BENCH: (3 / 103) / (6 / 106)}[preset]
    assert np.median(values[values < 1023]) == pytest.approx(1.2 * 1024 * low, abs=2)
    assert switching(values) == pytest.approx(0.26, abs=0.02)


def test_slow_and_healed() -> None:
    assert switching(codes(DeviceNoise.SLOW, 200_000)) == pytest.approx(0.0073, abs=0.001)  # 71 per second
    assert switching(codes(DeviceNoise.SLOW, 20_000, then=DeviceNoise.SMTJ)) == pytest.approx(0.26, abs=0.02)


def test_drifting_from_its_beginning_on_and_healed() -> None:
    values = codes(DeviceNoise.DRIFTING, 10 * RATE).reshape(10, RATE)
    means = values.mean(axis=1)
    assert np.polyfit(np.arange(10), means, 1)[0] == pytest.approx(0.1 * SPLIT, rel=0.1)
    assert means[0] == pytest.approx(38.7 + 0.05 * SPLIT, abs=0.3)
    assert values.std(axis=1) == pytest.approx(np.full(10, 5.6), abs=0.4)  # both levels alike
    assert codes(DeviceNoise.DRIFTING, 4 * RATE, then=DeviceNoise.SMTJ).mean() == pytest.approx(38.7, abs=0.2)


@pytest.mark.parametrize("board", ["native", "uno-sim", "m4-sim"])
def test_a_fault_begins_and_ends(board: str, tool_missing: Callable[[str], NoReturn]) -> None:
    begins, lasts = 2.0, 0.25
    options = {"virtual_clock": 500} if board == "m4-sim" else {}
    try:
        with open_board(board, fault="short", fault_after=begins, fault_lasts=lasts, **options) as opened:
            rate = opened.info.adc_rate
            recording = opened.noise(round((begins + lasts + 0.5) * rate))
    except ToolMissing as missing:
        tool_missing(str(missing))
    zeros = recording.codes == 0
    assert np.count_nonzero(zeros) == pytest.approx(lasts * rate, rel=0.1)  # a busy machine may have lost some
    assert np.all(np.diff(np.flatnonzero(zeros)) == 1)
    assert zeros[0] == zeros[-1] == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--fault", "pink"], "--fault does not take 'pink'"),
        (["--fault-after", "-1"], "--fault-after does not take '-1'"),
        (["--fault-lasts", "soon"], "--fault-lasts does not take 'soon'"),
    ],
)
def test_mistakes_are_named(options: list[str], named: str) -> None:
    run = subprocess.run([native_program(), *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert run.returncode == 2
    assert named in run.stderr
