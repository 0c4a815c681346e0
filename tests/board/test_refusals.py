"""Every error code, what it leaves unchanged, and that its text says what to do."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import pytest

from mtjlearn.board import Board, BoardRefused
from mtjlearn.network import Network, WeightFormat
from mtjlearn.wire import messages
from mtjlearn.wire.messages import BlobKind, Error, Message

NETWORK = Network((3, 3, 2), seed=5)
"""Its weights fit into one frame of the smallest payload."""


@dataclass(frozen=True, eq=False)
class Strange(Message):
    """A command that no device knows."""

    TYPE = 0x7F
    NAME = "STRANGE"
    LAYOUT = struct.Struct("<")


def refusal(board: Board, message: Message, code: Error, detail: int | None = None) -> BoardRefused:
    with pytest.raises(BoardRefused) as caught:
        board.execute(message)
    error = caught.value
    assert error.code == code
    assert detail is None or error.detail == detail
    assert "\n" not in str(error)
    status = board.status()
    assert (status.last_error, status.last_error_detail) == (code, error.detail)
    return error


def row(*values: int) -> np.ndarray:
    return np.array(values, np.int16)


def blob(data: bytes, offset: int = 0, total: int | None = None, crc: int | None = None) -> messages.SetBlob:
    return messages.SetBlob(
        BlobKind.WEIGHTS, offset, len(data) if total is None else total, zlib.crc32(data) if crc is None else crc, data
    )


def weights_of(board: Board) -> bytes:
    return b"".join(w.astype("<i2").tobytes() for w in board.weights())


def test_unknown_type(board: Board) -> None:
    error = refusal(board, Strange(), Error.UNKNOWN_TYPE, 0x7F)
    assert "0x7f" in str(error)
    assert "flash the firmware" in str(error)


def test_bad_length(board: Board) -> None:
    board.configure(NETWORK)
    error = refusal(board, messages.Train(row(1, 2, 3)), Error.BAD_LENGTH, 6)
    assert "6 bytes do not fit the network on the board" in str(error)
    refusal(board, messages.Predict(row(1, 2)), Error.BAD_LENGTH, 4)
    refusal(board, messages.Train(row()), Error.BAD_LENGTH, 0)
    assert board.status().steps == 0


def test_out_of_range_sample_trains_nothing_of_its_frame(board: Board) -> None:
    board.configure(NETWORK, injected=True)
    board.inject(np.arange(200))
    before = weights_of(board)
    error = refusal(board, messages.Train(row(1, 2, 3, 4, 5, 1, 2, -32768, 4, 5)), Error.OUT_OF_RANGE, 8)
    assert "value 8" in str(error)
    assert board.status().steps == 0
    assert weights_of(board) == before


@pytest.mark.parametrize(("sizes", "field"), [((0, 3), "sizes"), ((3,), "sizes"), ((3, 101), "sizes"), ((2,) * 10, "sizes")])
def test_out_of_range_configuration_names_the_field(board: Board, sizes: tuple[int, ...], field: str) -> None:
    board.configure(NETWORK)
    message = messages.Configure(0, 0, 1, 1, 0, 0, 0, 7, 128, 0, 1 << 20, 0, 7, np.array(sizes, np.uint16))
    error = refusal(board, message, Error.OUT_OF_RANGE)
    assert f"CONFIGURE: {field} is out of range" in str(error)
    # The network of before is untouched.
    assert board.predict(np.zeros((1, 3), np.int16)).shape == (1, 2)


def test_out_of_range_decorrelation_names_the_field(board: Board) -> None:
    message = messages.Configure(0, 0, 1, 1, 1, 0, 0, 7, 128, 0, 1 << 20, 5, 7, np.array([3, 2], np.uint16))
    assert "decorrelation_rate is out of range" in str(refusal(board, message, Error.OUT_OF_RANGE))
    message = messages.Configure(0, 0, 1, 1, 2, 0, 0, 7, 128, 0, 1 << 20, 256, 7, np.array([3, 2], np.uint16))
    assert "decorrelate is out of range" in str(refusal(board, message, Error.OUT_OF_RANGE))


def test_not_configured(board: Board) -> None:
    board.reset()
    for message in (
        messages.Train(row(1, 2)),
        messages.Predict(row(1)),
        messages.Evaluate(1, row()),
        messages.SetRates(1, 1),
        messages.GetBlob(BlobKind.WEIGHTS, 0),
        blob(b"12"),
    ):
        assert "configure it first" in str(refusal(board, message, Error.NOT_CONFIGURED))
    assert isinstance(board.execute(messages.GetMetrics()), messages.Metrics)


def test_too_large(board: Board) -> None:
    large = Network(
        (110, 90, 1),
        weight_format=WeightFormat.INT32,
        decorrelate=(True, True),
        decorrelation_rate=2**-10,
    )
    if board.info.arena > 100_000:
        pytest.skip("this board has memory for every network")
    with pytest.raises(BoardRefused) as caught:
        board.configure(large)
    assert caught.value.code == Error.TOO_LARGE
    assert f"110-90-1 needs {caught.value.detail} bytes more than it has" in str(caught.value)
    weights, matrices = 4 * (111 * 90 + 91), 2 * (110 * 110 + 90 * 90)
    least = weights + matrices - board.info.arena
    assert least <= caught.value.detail <= least + 4096


def test_half_a_blob_stops_training_until_it_is_whole(board: Board) -> None:
    board.configure(NETWORK, injected=True)
    board.inject(np.arange(200))
    data = weights_of(board)
    board.execute(blob(data[:10], total=len(data), crc=zlib.crc32(data)))
    assert board.status().state == messages.State.LOADING
    for message in (
        messages.Train(row(1, 2, 3, 4, 5)),
        messages.Predict(row(1, 2, 3)),
        messages.GetBlob(BlobKind.WEIGHTS, 0),
    ):
        assert "set the weights again" in str(refusal(board, message, Error.NOT_LOADED))
    board.execute(blob(data[10:], offset=10, total=len(data), crc=zlib.crc32(data)))
    assert board.status().state == messages.State.READY
    assert weights_of(board) == data


def test_bad_offset(board: Board) -> None:
    board.configure(NETWORK)
    data = weights_of(board)
    board.execute(blob(data[:10], total=len(data), crc=zlib.crc32(data)))
    message = blob(data[12:], offset=12, total=len(data), crc=zlib.crc32(data))
    assert "offset 10 is expected" in str(refusal(board, message, Error.BAD_OFFSET, 10))
    refusal(board, messages.GetBlob(BlobKind.DECORRELATION, 9), Error.NOT_LOADED)
    board.set_weights([np.zeros((3, 4), np.int16), np.zeros((2, 4), np.int16)])
    refusal(board, messages.GetBlob(BlobKind.WEIGHTS, len(data) + 1), Error.BAD_OFFSET, len(data))


def test_bad_checksum(board: Board) -> None:
    board.configure(NETWORK)
    data = weights_of(board)
    assert "upload them again" in str(refusal(board, blob(data, crc=1), Error.BAD_CHECKSUM))
    assert board.status().state == messages.State.LOADING
    board.execute(blob(data))
    assert board.status().state == messages.State.READY


def test_weights_out_of_range(board: Board) -> None:
    board.configure(NETWORK)
    data = b"\0\x80" + weights_of(board)[2:]
    refusal(board, blob(data), Error.OUT_OF_RANGE, 1)
    with pytest.raises(ValueError, match="array 0 has values outside"):
        board.set_weights([np.full((3, 4), -32768), np.zeros((2, 4), int)])
    with pytest.raises(ValueError, match="2 arrays, not 1"):
        board.set_weights([np.zeros((3, 4), int)])


def test_no_noise(board: Board) -> None:
    board.configure(NETWORK, injected=True)
    board.inject(np.full(200, 512))
    with pytest.raises(BoardRefused) as caught:
        board.train(np.zeros((500, 3), np.int16), np.zeros((500, 2), np.int16))
    assert caught.value.code == Error.NO_NOISE
    assert "its noise source is silent (standard deviation 0.00 ADC codes" in str(caught.value)
    assert board.acknowledged_samples == board.status().steps == 0


def test_noise_not_ready(board: Board) -> None:
    board.reset()
    board.configure(NETWORK, injected=True)
    board.inject(np.arange(120))
    with pytest.raises(BoardRefused) as caught:
        board.train(np.zeros((1, 3), np.int16), np.zeros((1, 2), np.int16))
    assert (caught.value.code, caught.value.detail) == (Error.NOISE_NOT_READY, 80)
    assert "80 noise codes are missing" in str(caught.value)
    board.inject(np.arange(80))
    assert board.train(np.zeros((1, 3), np.int16), np.zeros((1, 2), np.int16)) == 1


def test_wrong_mode(board: Board) -> None:
    board.configure(NETWORK)
    error = refusal(board, messages.Inject(np.arange(5, dtype=np.uint16)), Error.WRONG_MODE)
    assert "configure it with injected noise first" in str(error)
    board.configure(NETWORK, injected=True)
    assert "noise from the ADC first" in str(refusal(board, messages.Noise(10, 0), Error.WRONG_MODE))


def test_a_refusal_in_a_stream_leaves_the_count_right(board: Board) -> None:
    board.configure(NETWORK, injected=True)
    board.inject(np.arange(200))
    total = len(weights_of(board))
    x, target = np.ones((600, 3), np.int16), np.ones((600, 2), np.int16)

    def spoil(done: int) -> None:
        """After some samples the weights become incomplete, so that the rest is refused."""
        if done >= 100 and board.status().state == messages.State.READY:
            board.execute(messages.SetBlob(BlobKind.WEIGHTS, 0, total, 0, bytes(10)))

    with pytest.raises(BoardRefused) as caught:
        board.train(np.tile(x, (20, 1)), np.tile(target, (20, 1)), on_progress=spoil)
    assert caught.value.code == Error.NOT_LOADED
    assert board.acknowledged_samples == board.status().steps >= 100
