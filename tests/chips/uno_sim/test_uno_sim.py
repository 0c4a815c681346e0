"""uno-sim with the firmware that is flashed: its noise, its line, its profile, its time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.board import Board
from mtjlearn.discovery import open_board
from mtjlearn.network import Network
from mtjlearn.noise.smtj import PRESETS
from mtjlearn.wire.sender import Sender

NETWORK = Network((2, 3, 1), learning_rate=0.02, seed=5)
PHASES = ("step", "draw", "forward", "normalise", "update", "interrupts")


def samples(count: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(1).choice([-4096, 4096], (count, 2)).astype(np.int16)
    return x, (x[:, :1] // 4096 * x[:, 1:]).astype(np.int16)


def replay(board: Board, count: int) -> tuple[int, int, list[list[int]]]:
    """Trains on injected noise; what the board then says of it."""
    board.reset()
    board.configure(NETWORK, injected=True)
    board.inject(np.random.default_rng(3).choice([33, 44], 200))
    board.train(*samples(count))
    status = board.status()
    assert status.steps == count
    return status.loss_sum, status.random_state, [w.tolist() for w in board.weights()]


def test_the_junctions_noise_arrives_in_codes() -> None:
    with open_board("uno-sim", seed=3) as board:
        assert (board.info.name, board.info.adc_bits, board.info.adc_rate) == ("uno", 10, 9615)
        recording = board.noise(20_000)
    assert recording.holes == 0
    codes = recording.codes.astype(int)
    high = codes > codes.mean()
    switched = np.mean(high[1:] != high[:-1])
    # p = (1 - exp(-2 lambda / f)) / 2 with the recording's rate; the error of 20,000 codes is 0.003.
    rate = -40_000 * np.log(1 - 2 * 0.0809) / 2
    assert switched == pytest.approx((1 - np.exp(-2 * rate * 13 * 128 / 16e6)) / 2, abs=0.015)
    junction = PRESETS["recording"]
    for level, expected in ((codes[~high], junction.low), (codes[high], junction.high)):
        # A code stands for the voltages from it to the next one.
        assert level.mean() + 0.5 == pytest.approx(expected * 1024 / 1.1, abs=0.1)
    assert codes[high].mean() - codes[~high].mean() == pytest.approx(11, abs=0.15)


def numbered(seed: int, first: int, count: int) -> np.ndarray:
    """The codes with these numbers, counted by the converter."""
    while True:
        codes: dict[int, int] = {}
        with open_board("uno-sim", seed=seed) as board, board.noise_stream() as stream:
            for chunk in stream:
                codes |= {chunk.first + i: int(code) for i, code in enumerate(chunk.codes)}
                if chunk.first >= first + count or min(codes) > first:
                    break
        if min(codes) <= first:  # else this computer was busy, and the chip ahead
            return np.array([codes[number] for number in range(first, first + count)])


def test_a_seed_decides_every_code_whenever_the_host_asks() -> None:
    window = 12_000, 1_000
    first = numbered(7, *window)
    assert np.array_equal(numbered(7, *window), first)
    assert not np.array_equal(numbered(8, *window), first)


def test_injected_codes_repeat_training_in_any_time() -> None:
    results = []
    for speed in (None, 4.0):
        with open_board("uno-sim", seed=2, speed=speed) as board:
            results.append(replay(board, 200))
    assert results[0] == results[1]


def test_time_does_not_pass_faster_than_asked_for() -> None:
    with open_board("uno-sim", speed=0.5) as board, board.noise_stream() as stream:
        chunks = iter(stream)
        start, first = time.monotonic(), next(chunks)
        for last in chunks:
            if last.first - first.first >= 2000:
                break
        passed = time.monotonic() - start
    # The first chunk may be from before the start: those that lay in the line's buffers.
    assert (last.first - first.first - 400) / 9615 <= 0.5 * passed


@pytest.mark.parametrize("violated", [False, True], ids=["credit", "no-credit"])
def test_the_board_counts_what_a_host_without_credit_loses(monkeypatch: pytest.MonkeyPatch, violated: bool) -> None:
    if violated:
        monkeypatch.setattr(Sender, "_credit", property(lambda sender: 4096, lambda sender, credit: None), raising=False)
    network = Network((4, 8, 3), seed=5)
    rng = np.random.default_rng(6)
    x, target = (rng.integers(-4096, 4097, (400, width)).astype(np.int16) for width in (4, 3))
    with open_board("uno-sim") as board:
        board.configure(network, injected=True)
        board.inject(rng.choice([33, 44], 200))
        board.train(x, target)
        assert board.status().steps == 400  # nothing is lost for good
        assert (board.link.rx_overruns > 0) == violated
        assert (board.link.resent > 0) >= violated


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Of 300 steps on injected codes."""
    path = tmp_path_factory.mktemp("profile") / "profile.json"
    with open_board("uno-sim", profile=path) as board:
        replay(board, 300)
    return dict(json.loads(path.read_text()))


def test_the_profile_has_a_row_for_each_step(profile: dict[str, object]) -> None:
    assert profile["unit"] == "cycles"
    steps = np.array(profile["steps"])
    assert steps.shape == (300, len(PHASES))
    step, *phases, interrupts = steps.T
    assert np.array_equal(step, np.sum(phases, axis=0))
    assert all((phase > 0).all() for phase in phases[:2])
    assert (interrupts > 0).any()
    # Of what the chip did, these were parts.
    assert 0 < step.sum() + interrupts.sum() < profile["cycles"]


def test_the_profile_tells_of_interrupts_and_memory(profile: dict[str, object]) -> None:
    interrupts = profile["interrupts"]
    assert isinstance(interrupts, dict)
    assert {"adc", "uart_rx", "uart_tx"} <= set(interrupts)
    # One every 13 clocks of the ADC, while bytes come and go; but for two starts, which take 50 ms.
    assert isinstance(profile["cycles"], int)
    missing = profile["cycles"] / (13 * 128) - interrupts["adc"]["calls"]
    assert 0 < missing < 0.1 * 9615
    for handler in interrupts.values():
        assert 11 < handler["cycles"] / handler["calls"] < 200
    assert 0 < profile["stack_bytes"] < 400
    assert profile["untouched_bytes"] >= 300
    assert profile["rx_overruns"] == 0


def test_the_profile_repeats(profile: dict[str, object], tmp_path: Path) -> None:
    with open_board("uno-sim", profile=tmp_path / "again", speed=3.0) as board:
        replay(board, 300)
    again = np.array(json.loads((tmp_path / "again").read_text())["steps"])
    # Interrupts come when they come; the steps themselves take what they take.
    assert np.array_equal(again[:, :5], np.array(profile["steps"])[:, :5])
