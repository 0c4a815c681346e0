"""The stream of noise codes: whole, numbered, and harmless to everything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from mtjlearn.board import Board, BoardRefused, NoiseChunk, NoiseRecording
from mtjlearn.discovery import VIRTUAL, board_options
from mtjlearn.network import Network
from mtjlearn.wire.messages import Features, NoiseCodes

NETWORK = Network((4, 5, 3), seed=3)


@pytest.fixture(autouse=True)
def _needs_adc(board: Board) -> None:
    if Features.ADC_LIVE not in board.info.features:
        pytest.skip("this board has no ADC")


def whole(board: Board) -> bool:
    """Whether the line carries every code."""
    info = board.info
    return info.line_rate == 0 or info.line_rate * 8 > 1.3 * info.adc_rate * info.adc_bits


@pytest.mark.parametrize("count", [1, 199, 5000])
def test_a_recording_has_as_many_codes_as_asked_for_and_no_holes(board: Board, count: int) -> None:
    received: list[int] = []
    recording = board.noise(count, on_progress=received.append)
    assert recording.codes.shape == (count,)
    assert recording.codes.dtype == np.uint16
    assert recording.codes.max() < 2**board.info.adc_bits
    assert recording.rate == board.info.adc_rate
    assert received[-1] == count
    if whole(board):
        assert recording.holes == 0
        assert recording.segments[0].start == recording.segments[0].first == 0


def test_bursts_are_contiguous(board: Board) -> None:
    recording = board.noise(600, burst=100)
    assert len(recording.codes) == 600
    assert len(recording.segments) <= 6
    for segment in recording.segments:
        assert segment.start % 100 == 0
        assert segment.first >= segment.start


def test_the_stream_goes_on_beside_training_and_other_commands(board: Board) -> None:
    board.configure(NETWORK)
    x, target = np.ones((400, 4), np.int16), np.ones((400, 3), np.int16)
    board.telemetry(100)
    with board.noise_stream() as stream:
        chunks = list(itertools.islice(stream, 3))
        board.train(x, target)
        chunks += itertools.islice(stream, 10)
        assert board.status().steps == 400
    recording = NoiseRecording.of(chunks, board.info.adc_rate)
    firsts = [segment.first for segment in recording.segments]
    assert firsts == sorted(firsts)
    # The stream has ended, telemetry continues.
    board.take_telemetry()
    board.train(x[:100], target[:100])
    assert len(board.take_telemetry()) == 1
    assert board.noise(300).codes.shape == (300,)


def test_the_same_seed_gives_the_same_noise(board_name: str, open_under_test: Callable[..., Board]) -> None:
    if "virtual_clock" not in board_options(board_name):
        pytest.skip("time passes on this board while nobody asks for codes")
    recordings = []
    for seed in (5, 5, 6):
        with open_under_test(seed=seed) as other:
            recordings.append(other.noise(1000).codes)
    assert np.array_equal(recordings[0], recordings[1])
    assert not np.array_equal(recordings[0], recordings[2])


@pytest.mark.parametrize("injected", [False, True], ids=["seed", "injected"])
def test_noise_repeats_training_whatever_the_hosts_timing(
    board_name: str, open_under_test: Callable[..., Board], injected: bool
) -> None:
    if not injected and "virtual_clock" not in board_options(board_name):
        pytest.skip("codes come in this board's own time; injected ones repeat")
    rng = np.random.default_rng(1)
    x = rng.integers(-4096, 4096, (300, 4)).astype(np.int16)
    target = rng.integers(-4096, 4096, (300, 3)).astype(np.int16)
    results = []
    for pieces in (1, 7, 300):
        with open_under_test(seed=9) if not injected else open_under_test() as other:
            if injected:
                other.reset()
            other.configure(NETWORK, injected=injected)
            if injected:
                other.inject(np.random.default_rng(2).choice([33, 44], 200))
            for part in np.array_split(np.arange(300), pieces):
                other.train(x[part], target[part])
            status = other.status()
            assert status.steps == 300
            results.append((status.loss_sum, status.random_state, [w.tolist() for w in other.weights()]))
    assert results[0] == results[1] == results[2]


def test_a_silent_source_is_refused_when_training_starts(board_name: str, open_under_test: Callable[..., Board]) -> None:
    if board_name not in VIRTUAL:
        pytest.skip("only a virtual board can have a broken junction")
    with open_under_test(device_noise="short") as other:
        other.configure(NETWORK)
        with pytest.raises(BoardRefused, match="its noise source is silent"):
            other.train(np.ones((3, 4), np.int16), np.ones((3, 3), np.int16))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_codes_of_any_width_are_unpacked(bits: int) -> None:
    codes = np.random.default_rng(bits).integers(0, 2**bits, 33)
    packed = sum(int(code) << (i * bits) for i, code in enumerate(codes)).to_bytes((33 * bits + 7) // 8, "little")
    chunk = NoiseChunk.of(NoiseCodes(7, 8, bits, 33, packed))
    assert (chunk.first, chunk.micros) == (7, 8)
    assert np.array_equal(chunk.codes, codes)


def test_holes_are_marked_and_numbers_never_wrap() -> None:
    def chunk(first: int, count: int) -> NoiseChunk:
        return NoiseChunk(first % 2**32, first % 1000, np.zeros(count, np.uint16))

    start = 2**32 - 150
    recording = NoiseRecording.of([chunk(start, 100), chunk(start + 100, 100), chunk(start + 250, 10)], 9615)
    assert recording.holes == 1
    assert [(s.start, s.first) for s in recording.segments] == [(0, 0), (200, 250)]
    assert NoiseRecording.of([], 9615).holes == 0
