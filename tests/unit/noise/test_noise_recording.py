"""Recordings: reading and writing, holes, serial playback, live codes, and clear errors."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.noise import Live, NoiseError, Playback, Recording, RecordingError, load_recording


def test_a_saved_recording_comes_back(tmp_path: Path) -> None:
    recording = Recording(np.array([3.0, 4, 5, 9, 8]), (0, 3), 9615.0)
    recording.save(tmp_path / "noise.npz")
    loaded = load_recording(tmp_path / "noise.npz", rate=1.0)
    np.testing.assert_array_equal(loaded.values, recording.values)
    assert loaded.starts == (0, 3)
    assert loaded.rate == 9615.0
    assert loaded.codes
    assert [segment.tolist() for segment in loaded.segments] == [[3, 4, 5], [9, 8]]


def test_chunks_of_a_board_join_up_and_holes_stay() -> None:
    chunks = [(2**32 - 2, [1, 2]), (0, [3]), (1, []), (5, [4, 5]), (7, [6])]
    recording = Recording.from_chunks(chunks, 40e3)
    assert [segment.tolist() for segment in recording.segments] == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(RecordingError, match="no noise codes"):
        Recording.from_chunks([])


@pytest.mark.parametrize(
    ("name", "text", "values", "starts"),
    [
        ("a.txt", "7\n9\n\n# remark\n8\n", [7, 9, 8], (0,)),
        ("b.csv", "volts\n0.0362\n0.048\n", [0.0362, 0.048], (0,)),
        ("c.csv", "number,code\n10,7\n11,8\n14,9\n", [7, 8, 9], (0, 2)),
        ("d.csv", "temperature;voltage\n0;0.5\n1;0.25\n", [0.5, 0.25], (0,)),
        ("e.txt", "sample\tvalue\n5\t1\n6\t2\n", [1, 2], (0,)),
    ],
)
def test_text_recordings(tmp_path: Path, name: str, text: str, values: list[float], starts: tuple[int, ...]) -> None:
    (tmp_path / name).write_text(text)
    recording = load_recording(tmp_path / name, rate=100.0)
    assert recording.values.tolist() == values
    assert recording.starts == starts
    assert recording.rate == 100.0


def test_numpy_recordings(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(4, dtype=np.uint16))
    assert load_recording(tmp_path / "a.npy").values.tolist() == [0, 1, 2, 3]
    np.savez(tmp_path / "b.npz", whatever=np.array([[0.5, 0.25]]))
    assert load_recording(tmp_path / "b.npz").values.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", b"", "use .npz, .npy, .csv or .txt"),
        ("a.txt", b"", "holds no samples"),
        ("a.txt", b"1\nx\n", "cannot be read as numbers.*'x'"),
        ("a.txt", b"1\nnan\n", "sample 2 is not a finite number"),
        ("a.csv", b"1,2\n3,4\n", "several columns"),
        ("a.csv", b"u,v\n3,4\n", "several columns"),
        ("a.npy", b"nothing", "cannot be read"),
        ("a.npz", b"PK\x03\x04nothing", "cannot be read"),
        ("a.npy", pickle.dumps([1, 2]), "cannot be read"),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as caught:
        load_recording(path)
    assert name in str(caught.value)


def test_arrays_that_are_no_recording_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        load_recording(tmp_path / "missing.npy")
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(RecordingError, match=r"object\.npy"):
        load_recording(tmp_path / "object.npy")
    np.save(tmp_path / "text.npy", np.array(["a"]))
    with pytest.raises(RecordingError, match="not numbers"):
        load_recording(tmp_path / "text.npy")
    np.save(tmp_path / "square.npy", np.eye(2))
    with pytest.raises(RecordingError, match="single, non-empty column"):
        load_recording(tmp_path / "square.npy")
    np.savez(tmp_path / "two.npz", a=np.eye(1), b=np.eye(1))
    with pytest.raises(RecordingError, match="found a, b"):
        load_recording(tmp_path / "two.npz")
    with pytest.raises(RecordingError, match="ascend"):
        Recording(np.arange(3.0), (0, 3))
    for rate in (-1, 0, -0.0, float("nan"), float("inf"), 1e300, 1e-300):
        with pytest.raises(RecordingError, match="rate must be positive"):
            Recording(np.arange(3.0), rate=rate)
    Recording(np.arange(3.0), rate=1e-9)


def test_playback_is_serial_and_wraps() -> None:
    source = Playback(Recording(np.arange(10.0)), None, replicas=2)
    np.testing.assert_array_equal(source.draw(3, 2), [[[0, 1, 2], [5, 6, 7]], [[3, 4, 5], [8, 9, 0]]])
    np.testing.assert_array_equal(source.draw(4)[0], [[6, 7, 8, 9], [1, 2, 3, 4]])
    np.testing.assert_array_equal(source.draw(2)[0], [[0, 1], [5, 6]])


def test_playback_scales_to_sigma_without_offset() -> None:
    recording = Recording(np.random.default_rng(0).normal(512, 9, 5000))
    values = Playback(recording, 0.1).draw(5000)
    assert values.mean() == pytest.approx(0, abs=1e-12)
    assert values.std() == pytest.approx(0.1)
    with pytest.raises(NoiseError, match="constant"):
        Playback(Recording(np.ones(5)), 0.1)


def test_playback_can_stop_at_the_end() -> None:
    source = Playback(Recording(np.arange(10.0)), None, starts=[4], wrap=False)
    assert source.draw(3, 2).ravel().tolist() == [4, 5, 6, 7, 8, 9]
    with pytest.raises(NoiseError, match="10 samples has ended"):
        source.draw(1)
    with pytest.raises(ValueError, match="1 starts between 0 and 9"):
        Playback(Recording(np.arange(10.0)), None, starts=[10])


def chunks(codes: np.ndarray, size: int) -> Iterator[np.ndarray]:
    yield from np.split(codes, range(size, codes.size, size))
    while True:
        yield codes[:0]


def test_live_codes_are_calibrated_then_played_serially() -> None:
    codes = np.random.default_rng(1).integers(100, 120, 1000).astype(np.uint16)
    feed = chunks(codes, 37)
    source = Live(lambda: next(feed), sigma=0.05, calibration=500)
    values = source.draw(20, 10)
    assert values.shape == (10, 1, 20)
    start = codes[:500].astype(float)
    np.testing.assert_allclose(values.ravel(), (codes[500:700] - start.mean()) * 0.05 / start.std())
    np.testing.assert_array_equal(source.codes(300), codes[None, 700:])
    with pytest.raises(NoiseError, match="stopped sending noise codes"):
        source.draw(1)


def test_live_codes_without_noise_are_refused() -> None:
    with pytest.raises(NoiseError, match="constant"):
        Live(lambda: np.full(64, 9), sigma=0.05).draw(1)
