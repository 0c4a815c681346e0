"""What m4-sim counts: instructions of training steps, the same in every run, interrupts apart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.discovery import open_board
from mtjlearn.firmware import build_firmware, find_arm_gcc
from mtjlearn.network import Network
from mtjlearn.virtual.m4_sim import start_m4_sim

CODES = np.random.default_rng(4).choice([34, 45], 200).astype(np.uint16)
STEPS = 200
STEP, DRAW, FORWARD, NORMALISE, UPDATE, INTERRUPTS = range(6)


def profile(tmp_path: Path, *sizes: tuple[int, ...]) -> dict[str, Any]:
    """STEPS training steps of each network."""
    path = tmp_path / "profile.json"
    rng = np.random.default_rng(1)
    with open_board("m4-sim", profile=path) as board:
        for shape in sizes:
            board.configure(Network(shape, learning_rate=0.2 / sum(shape[1:])), injected=True)
            board.inject(CODES)
            x, target = rng.integers(-4096, 4097, (STEPS, shape[0])), rng.integers(-4096, 4097, (STEPS, shape[-1]))
            board.train(x.astype(np.int16), target.astype(np.int16))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found["steps"] = np.array(found["steps"]).reshape(len(sizes), STEPS, 6)
    return found


def test_counts_are_plausible_and_repeat_exactly(tmp_path: Path) -> None:
    first, second = (profile(tmp_path, (2, 3, 1), (4, 8, 3)) for _ in range(2))
    steps = first["steps"]
    assert first["unit"] == "instructions"
    # Interrupts fall where they may, and are in no other column.
    assert np.array_equal(steps[:, :, :INTERRUPTS], second["steps"][:, :, :INTERRUPTS])
    assert np.all(steps >= 0)
    assert np.array_equal(steps[:, :, STEP], steps[:, :, DRAW : UPDATE + 1].sum(axis=2))
    small, large = np.median(steps, axis=1)
    # 2-3-1 draws 8 values and has 13 parameters; 4-8-3 draws 22 and has 67.
    assert 8 * 7 < small[DRAW] < large[DRAW] < 22 * 14
    assert 13 * 7 < small[UPDATE] < large[UPDATE] < 67 * 14
    assert 19 < small[NORMALISE] == large[NORMALISE] < 40
    assert small[STEP] <= 580 < large[STEP]
    # No step costs much more than another; a skipped one costs less.
    assert np.all(steps[:, :, STEP].max(axis=1) < 1.1 * np.median(steps[:, :, STEP], axis=1))


def test_interrupts_stack_and_total_are_reported(tmp_path: Path) -> None:
    found = profile(tmp_path, (4, 8, 3))
    received, sent = found["interrupts"]["uart_rx"], found["interrupts"]["uart_tx"]
    assert found["interrupts"]["adc"] == {"calls": 0, "cycles": 0}
    assert received["calls"] > STEPS * 7 * 2
    assert 10 < received["cycles"] / received["calls"] < 60
    assert 10 < sent["cycles"] / sent["calls"] < 60
    assert found["rx_overruns"] == 0
    assert 100 < found["stack_bytes"] < 2048
    assert found["untouched_bytes"] > 8192
    assert found["cycles"] > found["steps"][:, :, STEP].sum() + received["cycles"] + sent["cycles"]


def test_the_profiled_functions_are_those_of_the_plain_image() -> None:
    """The wrappers stand around the functions; their code is the same, calls to wrapped functions aside."""
    sizes = []
    for target in ("mps2", "mps2-profile"):
        nm = find_arm_gcc().with_name("arm-none-eabi-nm")
        run = subprocess.run([nm, "-S", build_firmware(target)], capture_output=True, text=True, check=True)
        symbols = [line.split() for line in run.stdout.splitlines()]
        sizes.append({name: size for _, size, kind, name in (s for s in symbols if len(s) == 4) if name.startswith("anp_")})
    assert sizes[0] == sizes[1]
    assert {"anp_train", "anp_noise_draw", "anp_global_factor", "anp_update_layers", "anp_update_matrix"} <= sizes[0].keys()


def test_a_profile_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    board = start_m4_sim(profile=tmp_path / "missing" / "profile.json")
    board.close()
    assert board.process.returncode == 1


@pytest.mark.parametrize("clock", [0, 5])
def test_a_profile_has_a_virtual_clock(tmp_path: Path, clock: int) -> None:
    with open_board("m4-sim", profile=tmp_path / "profile.json", virtual_clock=clock) as board:
        board.configure(Network((2, 3, 1)))
        board.train(np.ones((50, 2), np.int16), np.ones((50, 1), np.int16))
        per_step = clock or 16
        assert board.status().codes == -(-200 // per_step) * per_step + 50 * per_step
