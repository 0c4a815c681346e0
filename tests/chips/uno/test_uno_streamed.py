"""The Uno's image that learns from a host's stream alone: what it takes, learns and refuses, and what commands make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from chip_support import CLOCK, RAM_START, Chip, Host, symbols
from click.testing import CliRunner, Result

from mtjlearn.board import Board, BoardError, Schedule
from mtjlearn.cli import main as commands
from mtjlearn.discovery import open_board
from mtjlearn.firmware import build_firmware
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.validate.bit_exact import check_board
from mtjlearn.validate.cases import Case
from mtjlearn.virtual.uno_sim import start_uno_sim
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardRefused
from mtjlearn.wire.messages import Error, Features, NoiseFault, ResetCause, Task

FLASH, STATIC_RAM, UNTOUCHED = 22 * 1024, 1520, 300
STEPS = 40
ONLY_STREAM = "learns from a host's stream only; for autonomous learning: mtjlearn flash --board uno"
DECORRELATED = {"decorrelation_rate": 2**-10, "learning_rate": 0.03}


@pytest.fixture(scope="module")
def elf() -> Path:
    return build_firmware("uno_streamed")


@pytest.fixture
def board() -> Iterator[Board]:
    with open_board("uno-sim", image="uno_streamed") as opened:
        yield opened


def test_the_image_is_small(elf: Path) -> None:
    found = symbols(elf)
    assert found["__data_load_end"] <= FLASH
    assert (found["_end"] & 0xFFFF) - RAM_START <= STATIC_RAM


@pytest.mark.parametrize(
    "network",
    [
        Network((4, 8, 3), learning_rate=0.03, seed=1),
        Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, antithetic=True, learning_rate=0.03, seed=2),
        Network((4, 8, 3), decorrelate=(True, False), seed=3, **DECORRELATED),
        Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, decorrelate=(True, False), seed=4, **DECORRELATED),
        Network((4, 6, 3), decorrelate=(True, True), seed=5, **DECORRELATED),
        Network((2, 3, 2, 1), decorrelate=(True, True, True), normalised=False, seed=6, **DECORRELATED),
        Network((4, 8, 3), rule="anp-exact", learning_rate=0.5, seed=7),
        Network((4, 3, 2, 3), loss=Loss.CROSS_ENTROPY, rule="anp-exact", slope=7, antithetic=True, learning_rate=0.5, seed=8),
        Network((4, 3), rule="anp-exact", decorrelate=(True,), seed=9, **DECORRELATED),
    ],
    ids=lambda network: f"{network.name} {network.rule} {network.decorrelate} {network.loss.name.lower()}",
)
@pytest.mark.parametrize("full_scale", [False, True], ids=["usual", "full-scale"])
def test_it_trains_bit_for_bit_as_the_model_does(board: Board, network: Network, full_scale: bool) -> None:
    found = check_board(board, [Case(network, network.seed, full_scale)], STEPS)
    assert found.proven, found.first


def test_int32_weights_are_refused_before_they_are_sent(board: Board) -> None:
    assert Features.INT32_WEIGHTS not in board.info.features
    with pytest.raises(BoardError, match="int32 weights: use int16"):
        board.configure(Network((2, 2, 1), weight_format=WeightFormat.INT32))


def test_feedback_is_refused_before_it_is_sent(board: Board) -> None:
    assert Features.ANP_EXACT in board.info.features
    assert Features.FEEDBACK not in board.info.features
    with pytest.raises(BoardError, match="rule feedback: use anp"):
        board.configure(Network((2, 2, 1), rule="feedback"))


def test_what_does_not_fit_is_told_in_bytes(board: Board) -> None:
    with pytest.raises(BoardRefused, match="needs 80 bytes more than it has"):
        board.configure(Network((4, 8, 3), decorrelate=(True, True), **DECORRELATED))


def test_it_tells_its_starts(board: Board) -> None:
    before = board.info
    assert (before.memory, before.boot_count, before.reset_cause) == (0, 1, ResetCause.POWER_ON)
    board.reset()
    assert (board.info.boot_count, board.info.reset_cause) == (2, ResetCause.SOFTWARE)


def test_a_hang_ends_by_the_watchdog(elf: Path) -> None:
    chip = Chip(elf)
    Host(chip)
    chip.hang(None)
    chip.run(2 * CLOCK)
    assert Host(chip, nonce=2).welcome.reset_cause == ResetCause.WATCHDOG


def test_broken_noise_is_refused() -> None:
    with open_board("uno-sim", image="uno_streamed", device_noise="stuck") as board:
        board.configure(Network((2, 3, 1), seed=1))
        with pytest.raises(BoardRefused, match="noise source is broken") as refused:
            board.train(np.zeros((4, 2), np.int16), np.zeros((4, 1), np.int16))
        assert refused.value.code == Error.NOISE_FAULT
        assert board.health().fault is NoiseFault.STUCK
        board.reset()
        assert board.info.last_error == "NOISE_FAULT"


@pytest.mark.parametrize(
    "ask",
    [
        Board.progress,
        Board.curve,
        Board.halt,
        Board.checkpoint_state,
        Board.save_checkpoint,
        lambda board: board.upload_dataset(np.zeros((4, 2), np.int16), np.zeros((4, 1), np.int16)),
        lambda board: board.start_autonomous(Schedule(task=Task.XOR, epochs=1)),
        lambda board: board.start_autonomous(Schedule(task=Task.LIVE, epochs=1, epoch_steps=10, live_period=10)),
    ],
    ids=["progress", "curve", "halt", "checkpoint_state", "save_checkpoint", "upload_dataset", "xor", "live"],
)
def test_what_needs_more_is_refused_with_the_image_that_has_it(board: Board, ask: Callable[[Board], object]) -> None:
    board.configure(Network((2, 3, 1), seed=1))
    with pytest.raises(BoardRefused, match=ONLY_STREAM) as refused:
        ask(board)
    assert refused.value.code == Error.UNKNOWN_TYPE


def test_it_knows_all_commands_but_those_of_the_feature_that_it_lacks(elf: Path) -> None:
    chip = Chip(elf)
    host = Host(chip)
    for kind in messages.HOST_MESSAGES:
        if kind is messages.Hello:
            continue
        wrong = kind.LAYOUT.size - 1 if kind is messages.SetBlob else kind.LAYOUT.size + 1
        command = Command(kind.TYPE, bytes(wrong))
        host.link.submit(command, chip.seconds)
        while not command.done:
            host.turn()
        expected = (Error.UNKNOWN_TYPE, kind.TYPE) if kind.TYPE in messages.FEATURE_OF else (Error.BAD_LENGTH, wrong)
        assert command.refusal == expected, kind.NAME


def test_blobs_of_a_memory_are_not_there(board: Board) -> None:
    board.configure(Network((2, 3, 1), seed=1))
    for kind in (messages.BlobKind.DATASET, messages.BlobKind.CHECKPOINT):
        for message in (messages.GetBlob(kind, 0), messages.SetBlob(kind, 0, 200, 0, np.zeros(4, np.uint8))):
            with pytest.raises(BoardRefused) as refused:
                board.execute(message)
            assert refused.value.code == Error.NO_MEMORY


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(commands, [*arguments, "--board", url, "--json"])


def test_commands_work_or_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with start_uno_sim(image="uno_streamed", tcp_port=0) as uno:
        trained = run(uno.url, "train", "xor", "--epochs", "20")
        assert trained.exit_code == 0, trained.output
        told = run(uno.url, "boards")
        assert "none" in next(line for line in told.stderr.splitlines() if "nonvolatile memory" in line)
        for arguments in (
            ["autonomous", "status"],
            ["autonomous", "start", "iris"],
            ["autonomous", "start", "--task", "xor"],
            ["autonomous", "stop"],
            ["autonomous", "watch"],
            ["checkpoint", "save", "board.checkpoint"],
        ):
            refused = run(uno.url, *arguments)
            assert refused.exit_code == 2, arguments
            assert ONLY_STREAM in json.loads(refused.stdout.splitlines()[-1])["error"]
            assert "Traceback" not in refused.output
        with open_board(uno.url) as board:
            # The refused start has left the network alone.
            assert board.status().steps > 0


def test_ram_is_left_untouched_under_load(elf: Path) -> None:
    """As of the whole image (test_uno_line.py), with the largest networks that fit."""
    chip = Chip(elf)
    end = chip.symbols["_end"] & 0xFFFF
    chip.run_to("main")
    chip.paint(end)
    host = Host(chip)
    for hidden, decorrelate, loss in ((8, 0, 0), (8, 1, 0), (6, 3, 0), (8, 1, 1)):
        host.use(hidden, decorrelate, loss)
    assert chip.untouched(end) >= UNTOUCHED
