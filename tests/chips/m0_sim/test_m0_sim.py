"""m0-sim: the firmware on a Cortex-M0 in QEMU learns what the same firmware learns on this computer, and its steps are counted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.board import Board
from mtjlearn.discovery import open_board
from mtjlearn.firmware import ToolMissing, build_firmware, find_arm_gcc
from mtjlearn.network import Network
from mtjlearn.virtual.m0_sim import start_m0_sim
from mtjlearn.wire.messages import Features, ResetCause

STEPS = 100
RNG = np.random.default_rng(6)
CODES = RNG.choice([34, 45], 200).astype(np.uint16)
NETWORK = Network((70, 8, 3), learning_rate=0.02, seed=5)
"""Its first layer has sums that 32 bits may not hold."""
X = RNG.integers(-4096, 4097, (STEPS, 70)).astype(np.int16)
TARGET = RNG.integers(-4096, 4097, (STEPS, 3)).astype(np.int16)
DRAW, FORWARD, NORMALISE, UPDATE, INTERRUPTS = range(1, 6)


@pytest.fixture(scope="module", autouse=True)
def _tools(tool_missing: Callable[[str], None]) -> None:
    try:
        start_m0_sim().close()
    except ToolMissing as missing:
        tool_missing(str(missing))


def learned(board: Board) -> list[bytes]:
    board.configure(NETWORK, injected=True)
    board.inject(CODES)
    board.train(X, TARGET)
    return [layer.tobytes() for layer in board.weights()]


def test_it_learns_what_other_boards_learn_and_counts_each_step(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    with open_board("m0-sim", profile=path) as board:
        info = board.info
        assert (info.name, info.arena, info.adc_bits, info.reset_cause) == ("m0-sim", 65536, 14, ResetCause.POWER_ON)
        assert Features.VIRTUAL_CLOCK | Features.ADC_LIVE in info.features
        on_chip = learned(board)
    with open_board("inprocess") as board:
        assert learned(board) == on_chip
    counted = json.loads(path.read_text(encoding="utf-8"))
    steps = np.array(counted["steps"])
    assert counted["unit"] == "instructions"
    assert steps.shape == (STEPS, 6)
    assert np.array_equal(steps[:, 0], steps[:, DRAW:INTERRUPTS].sum(axis=1))
    weights = 70 * 8 + 8 * 3
    assert 11 * weights < np.median(steps[:, UPDATE]) < 18 * weights
    assert 5 * weights < np.median(steps[:, FORWARD]) < 14 * weights
    assert counted["rx_overruns"] == 0


def test_a_reset_is_reported_and_the_memory_outlives_it() -> None:
    with open_board("m0-sim", virtual_clock=16) as board:
        board.configure(NETWORK)
        for starts in range(2, 12):
            board.reset()
            assert (board.info.boot_count, board.info.reset_cause) == (starts, ResetCause.SOFTWARE)


def test_the_profiled_functions_are_those_of_the_plain_image() -> None:
    """Their code is the same, and the kernels are in both images."""
    sizes = []
    for target in ("microbit", "microbit-profile"):
        nm = find_arm_gcc().with_name("arm-none-eabi-nm")
        run = subprocess.run([nm, "-S", build_firmware(target)], capture_output=True, text=True, check=True)
        symbols = [line.split() for line in run.stdout.splitlines()]
        sizes.append({name: size for _, size, kind, name in (s for s in symbols if len(s) == 4) if name.startswith("anp_")})
    assert sizes[0] == sizes[1]
    kernels = {"anp_pass_rows", "anp_product_rows", "anp_update_rows", "anp_draw_values", "anp_squares", "anp_squared_errors"}
    assert kernels <= sizes[0].keys()
