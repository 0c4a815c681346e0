"""The example of docs/porting.md: the firmware on a Cortex-M3, in QEMU, learns what the integer model learns."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from boards_page_support import check_stated
from numpy.typing import NDArray

from mtjlearn.board import Board, BoardRefused
from mtjlearn.datasets import load, predicted_classes, quantise
from mtjlearn.firmware import ToolMissing, build_firmware
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import NOISE_BUFFER, Network
from mtjlearn.wire.messages import Error, ResetCause

pytestmark = pytest.mark.slow

QEMU = (
    *("-machine", "lm3s6965evb", "-nodefaults", "-display", "none", "-serial", "pty"),
    *("-icount", "shift=0,align=off,sleep=on"),  # the timer that starts conversions then fires between two instructions, never late
)
SAMPLES_PER_CHUNK = 100
CODES_PER_CHUNK = 50
ONE = 4096
"""1.0 as an input or target."""


@pytest.fixture(scope="module")
def board(needs_tool: Callable[[str, str], str], tool_missing: Callable[[str], None], project: Path) -> Iterator[Board]:
    qemu = needs_tool("qemu-system-arm", "qemu-system-arm")
    try:
        image = build_firmware("lm3s6965")
    except ToolMissing as missing:
        tool_missing(str(missing))
    check_stated(project, "lm3s6965", image)
    with subprocess.Popen([qemu, *QEMU, "-kernel", image], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            named = re.search(r"/dev/pts/\d+", process.stdout.readline())
            assert named, "QEMU names no pseudo-terminal"
            with Board.open(named[0], timeout=20) as opened:
                yield opened
        finally:
            process.kill()


def learn(board: Board, network: Network, x: NDArray[np.int16], targets: NDArray[np.int16]) -> None:
    """Trains board and model with the same codes of two levels, and compares all that they keep."""
    model = FixedNetwork(network)
    board.configure(network, injected=True)
    chance = np.random.default_rng(network.seed)
    for start in range(0, len(x), SAMPLES_PER_CHUNK):
        part = slice(start, start + SAMPLES_PER_CHUNK)
        count = CODES_PER_CHUNK if start else NOISE_BUFFER
        codes = (600 + 40 * chance.integers(0, 2, count) + chance.integers(-1, 2, count)).astype(np.uint16)
        board.inject(codes)
        model.put_codes(codes)
        board.train(x[part], targets[part])
        for sample, target in zip(x[part], targets[part], strict=True):
            model.train(sample, target)
        status = board.status()
        assert (status.steps, status.loss_sum) == (int(model.steps), int(model.loss_sum[0]))
    assert status.random_state == int(model.random_state[0])
    for ours, theirs in zip(board.weights(), model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs[0])


def test_the_board_is_the_chip(board: Board) -> None:
    info = board.info
    assert (info.name, info.arena, info.memory) == ("lm3s6965", 40960, 0)
    assert (info.adc_bits, info.adc_rate, info.adc_reference) == (10, 40000, 3.0)
    assert int(info.build, 16) != 0


def test_xor_is_learned_as_the_model_learns_it(board: Board) -> None:
    x = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.int16) * ONE
    targets = np.array([[-1], [1], [1], [-1]], np.int16) * ONE
    order = np.random.default_rng(1).integers(0, 4, 1500)
    learn(board, Network((2, 4, 1), learning_rate=0.08, seed=1), x[order], targets[order])
    np.testing.assert_array_equal(np.sign(board.predict(x)), np.sign(targets))


def test_iris_is_learned_as_the_model_learns_it(board: Board) -> None:
    network = Network((4, 8, 3), learning_rate=0.08, seed=2)
    iris = quantise(load("iris", seed=0), network)
    order = np.random.default_rng(2).integers(0, len(iris.x_train), 600)
    learn(board, network, iris.x_train[order], iris.t_train[order])
    right = predicted_classes(board.predict(iris.x_test)) == predicted_classes(iris.t_test)
    assert np.mean(right) >= 0.8


def test_codes_come_from_the_converter(board: Board) -> None:
    """QEMU's converter returns 512 to 519 at random, which no junction does: the noise tests refuse to learn from it."""
    board.configure(Network((2, 4, 1), learning_rate=0.04, seed=1))
    codes = board.noise(4000).codes
    assert set(np.unique(codes)) == set(range(512, 520))
    with pytest.raises(BoardRefused) as refused:
        board.train(np.zeros((500, 2), np.int16), np.zeros((500, 1), np.int16))
    assert refused.value.code == Error.NOISE_FAULT


def test_a_reset_begins_anew(board: Board) -> None:
    starts = board.info.boot_count
    board.configure(Network((2, 4, 1), seed=1), injected=True)
    board.reset()
    assert (board.info.boot_count, board.info.reset_cause) == (starts + 1, ResetCause.SOFTWARE)
    assert board.status().steps == 0
