"""Every command of the protocol through the client API, on whatever board is under test."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from mtjlearn.board import Board, BoardError
from mtjlearn.inprocess import Learner
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.wire import messages

NETWORK = Network((4, 5, 3), learning_rate=0.02, seed=77)
CLASSES = Network((4, 5, 3), loss=Loss.CROSS_ENTROPY, weight_format=WeightFormat.INT32, learning_rate=0.02, seed=78)
DECORRELATED = Network((3, 4, 2), decorrelate=(True, True), decorrelation_rate=2**-10, learning_rate=0.02, seed=79)
CODES = np.random.default_rng(3).choice([34, 44], 200).astype(np.uint16)

Rows = npt.NDArray[np.int16]


def samples(network: Network, count: int, seed: int = 1) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(seed)
    x = rng.integers(-6000, 6001, (count, network.sizes[0])).astype(np.int16)
    if network.loss is Loss.CROSS_ENTROPY:
        return x, rng.integers(0, network.sizes[-1], count).astype(np.int16)
    return x, rng.integers(-4096, 4097, (count, network.sizes[-1])).astype(np.int16)


def injected(board: Board, network: Network) -> Learner:
    """Restarts and configures the board for a deterministic replay; returns the same learner without a wire."""
    board.reset()
    board.configure(network, injected=True)
    board.inject(CODES)
    learner = Learner(network)
    learner.put_codes(CODES)
    return learner


def test_the_board_says_what_it_is(board: Board) -> None:
    info = board.info
    assert info.name
    assert len(info.build) == 8
    assert info.version == messages.VERSION
    assert messages.MIN_PAYLOAD <= info.max_payload <= messages.MAX_PAYLOAD
    assert info.receive_window >= info.max_payload + 10
    assert info.adc_bits in range(8, 17)
    assert info.adc_rate > 0
    assert 0.1 <= info.adc_reference <= 10
    board.configure(Network((4, 8, 3)))  # every board has room for this one
    assert 0 < board.status().arena_used <= info.arena


@pytest.mark.parametrize("network", [NETWORK, CLASSES, DECORRELATED], ids=["squared", "classes", "decorrelated"])
def test_training_equals_the_learner_without_a_wire(board: Board, network: Network) -> None:
    learner = injected(board, network)
    x, target = samples(network, 300)
    progress: list[int] = []
    assert board.train(x, target, on_progress=progress.append) == 300
    assert progress[-1] == 300
    assert progress == sorted(progress)
    learner.train(x, target)
    status, expected = board.status(), learner.counters
    assert status.state == messages.State.READY
    assert (status.steps, status.skipped, status.saturations) == (300, expected.skipped, expected.saturations)
    assert (status.loss_sum, status.last_loss) == (expected.loss_sum, expected.last_loss)
    assert (status.random_state, status.noise_deviation) == (expected.random_state, expected.deviation)
    assert all(np.array_equal(a, b) for a, b in zip(board.weights(), learner.weights, strict=True))
    matrices = [matrix for matrix in learner.matrices if matrix is not None]
    # Besides what is learned the arena holds pointers, which are longer on some boards.
    assert sum(array.nbytes for array in [*learner.weights, *matrices]) < status.arena_used <= board.info.arena
    assert all(np.array_equal(a, b) for a, b in zip(board.matrices(), matrices, strict=True))
    assert board.acknowledged_samples == 300


@pytest.mark.parametrize("network", [NETWORK, CLASSES], ids=["squared", "classes"])
def test_predictions_and_evaluations_equal_the_learner_without_a_wire(board: Board, network: Network) -> None:
    learner = injected(board, network)
    x, target = samples(network, 101)
    outputs = board.predict(x)
    assert outputs.dtype == np.int16
    assert np.array_equal(outputs, learner.predict(x))
    evaluation = board.evaluate(x, target)
    loss, correct = learner.evaluate(x, target)
    assert (evaluation.samples, evaluation.correct) == (101, correct)
    assert evaluation.loss == pytest.approx(loss / 2**24 / 101)
    assert evaluation.accuracy == pytest.approx(correct / 101)
    # Each evaluation starts again, and nothing was learned.
    assert board.evaluate(x, target) == evaluation
    assert board.status().steps == 0
    assert board.predict(x[:0]).shape == (0, 3)


def test_rates_change_from_the_next_sample_on(board: Board) -> None:
    learner = injected(board, NETWORK)
    x, target = samples(NETWORK, 60)
    board.train(x[:30], target[:30])
    board.set_rates(0.005)
    board.train(x[30:], target[30:])
    learner.train(x[:30], target[:30])
    learner.set_rates(0.005, 0.0)
    learner.train(x[30:], target[30:])
    assert all(np.array_equal(a, b) for a, b in zip(board.weights(), learner.weights, strict=True))


@pytest.mark.parametrize("network", [NETWORK, CLASSES, DECORRELATED], ids=["int16", "int32", "decorrelated"])
def test_blobs_come_back_as_they_were_set(board: Board, network: Network) -> None:
    board.configure(network)
    rng = np.random.default_rng(8)
    limit = 2**31 if network.weight_format is WeightFormat.INT32 else 2**15
    weights = [rng.integers(1 - limit, limit, w.shape).astype(w.dtype) for w in board.weights()]
    board.set_weights(weights)
    assert all(np.array_equal(a, b) for a, b in zip(board.weights(), weights, strict=True))
    matrices = [rng.integers(-32767, 32768, m.shape).astype(np.int16) for m in board.matrices()]
    assert len(matrices) == sum(network.decorrelate)
    if matrices:
        board.set_matrices(matrices)
        assert all(np.array_equal(a, b) for a, b in zip(board.matrices(), matrices, strict=True))
        assert all(np.array_equal(a, b) for a, b in zip(board.weights(), weights, strict=True))


def test_configuring_again_starts_anew(board: Board) -> None:
    learner = injected(board, NETWORK)
    first = board.weights()
    x, target = samples(NETWORK, 50)
    board.train(x, target)
    board.configure(NETWORK, injected=True)
    assert board.acknowledged_samples == board.status().steps == 0
    assert all(np.array_equal(a, b) for a, b in zip(board.weights(), first, strict=True))
    # Injected codes are forgotten, so that a replay always starts with an empty buffer.
    assert board.status().noise_filled == 0
    board.inject(CODES)
    board.train(x, target)
    learner.train(x, target)
    assert all(np.array_equal(a, b) for a, b in zip(board.weights(), learner.weights, strict=True))


def test_the_boards_own_noise_trains(board: Board) -> None:
    if messages.Features.ADC_LIVE not in board.info.features:
        pytest.skip("this board has no ADC")
    board.configure(NETWORK)
    x, target = samples(NETWORK, 100)
    board.train(x, target)
    status = board.status()
    assert status.steps == 100
    assert status.skipped < 20
    assert status.noise_filled == 200
    assert status.noise_deviation > 200
    assert status.codes >= 200


def test_telemetry_comes_in_order_and_agrees_with_status(board: Board) -> None:
    injected(board, NETWORK)
    board.telemetry(10)
    x, target = samples(NETWORK, 105)
    board.train(x, target)
    board.status()
    told = board.take_telemetry()
    assert [t.sequence for t in told] == list(range(10))
    assert [t.step for t in told] == list(range(10, 101, 10))
    assert board.take_telemetry() == []
    board.telemetry(5)
    board.train(x[:95], target[:95])
    last = board.take_telemetry()[-1]
    status = board.status()
    assert (last.step, last.skipped, last.saturations) == (200, status.skipped, status.saturations)
    board.stop()
    board.train(x, target)
    assert board.take_telemetry() == []


def test_telemetry_reports_the_mean_loss(board: Board) -> None:
    injected(board, NETWORK)
    board.telemetry(50)
    x, target = samples(NETWORK, 50)
    board.train(x, target)
    status = board.status()
    (told,) = board.take_telemetry()
    assert told.loss == status.loss_sum // 50


def test_reset_restarts_the_board(board: Board) -> None:
    injected(board, NETWORK)
    before = board.info
    board.reset()
    assert board.info.name == before.name
    if before.boot_count > 1 or board.info.boot_count > 1:
        assert board.info.boot_count == before.boot_count + 1
        assert board.info.reset_cause is messages.ResetCause.SOFTWARE
    assert board.status().state == messages.State.UNCONFIGURED
    assert board.network is None
    with pytest.raises(BoardError, match="call configure"):
        board.train(*samples(NETWORK, 1))
    injected(board, NETWORK)
    board.train(*samples(NETWORK, 10))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x, t: (x[:, :3], t), r"x has shape \(5, 3\); the network accepts \(n, 4\)"),
        (lambda x, t: (x, t[:4]), "x has 5 rows, but target has 4"),
        (lambda x, t: (x.astype(float), t), "quantise the data first"),
        (lambda x, t: (np.where(x == x[2, 1], 40000, x.astype(int)), t), r"x\[2, 1\] is 40000, outside"),
        (lambda x, t: (x, np.where(t == t[3, 2], -32768, t.astype(int))), r"target\[3, 2\] is -32768, outside"),
    ],
)
def test_samples_that_do_not_fit_are_named_before_anything_is_sent(board: Board, change: object, text: str) -> None:
    board.configure(NETWORK)
    with pytest.raises(ValueError, match=text):
        board.train(*change(*samples(NETWORK, 5)))  # type: ignore[operator]
    assert board.status().steps == 0


def test_classes_beyond_the_outputs_are_named(board: Board) -> None:
    board.configure(CLASSES)
    x, target = samples(CLASSES, 5)
    target[4] = 3
    with pytest.raises(ValueError, match=r"target\[4, 0\] is 3, outside 0 \.\. 2"):
        board.train(x, target)
