"""`pio run -e native` builds the virtual board without a network, and it is the same board as the one that CMake builds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.board import Board
from mtjlearn.network import Network
from mtjlearn.virtual.native import start_native

NETWORK = Network((2, 4, 1), learning_rate=0.05, seed=7)
CODES_PER_STEP = 16


@pytest.fixture(scope="session")
def pio_program(pio_build: Callable[[str], Path]) -> Path:
    """The virtual board as PlatformIO builds it."""
    return pio_build("native") / "program"


def learned(program: Path | None) -> tuple[list[np.ndarray], tuple[object, ...]]:
    """Weights and status after 400 samples; the board's clock is virtual, so that its noise repeats."""
    inputs = np.random.default_rng(3).integers(-4096, 4097, (400, 2)).astype(np.int16)
    targets = (inputs[:, :1] // 2 - inputs[:, 1:] // 4).astype(np.int16)
    with start_native(seed=5, virtual_clock=CODES_PER_STEP, program=program) as native, Board.open(native.url) as board:
        board.configure(NETWORK)
        board.train(inputs, targets)
        status = board.status()
        return board.weights(), (status.steps, status.loss_sum, status.random_state, status.noise_deviation, status.codes)


def test_learns_exactly_like_the_board_that_cmake_builds(pio_program: Path) -> None:
    weights, status = learned(pio_program)
    expected_weights, expected_status = learned(None)
    assert status == expected_status
    assert status[0] == 400
    for layer, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(layer, expected)


def test_option_mistakes_are_told(pio_program: Path) -> None:
    run = subprocess.run([pio_program, "--adc-bits", "11"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--adc-bits does not take '11'" in run.stderr
