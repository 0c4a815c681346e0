"""The device as a learner: the same steps as the learner in C alone, samples checked, noise waited for."""

from __future__ import annotations

import numpy as np
import pytest
from device_support import CLASSES, CODES, DECORRELATED, SMALL, opened, samples, trained
from plain_client import configure, memory_client, set_blob

from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice
from mtjlearn.network import Network, WeightFormat
from mtjlearn.wire import messages
from mtjlearn.wire.messages import BlobKind, Error


@pytest.mark.parametrize("network", [SMALL, CLASSES, DECORRELATED, Network((64, 10), antithetic=True)], ids=str)
@pytest.mark.parametrize("injected", [True, False])
def test_training_is_the_learners(network: Network, injected: bool) -> None:
    board, client = opened(network, injected=injected)
    learner = Learner(network)
    learner.put_codes(CODES[:200])
    if not injected:
        board.feed(CODES[:200])
    rows = samples(network, 60)
    x, targets = rows[:, : network.sizes[0]], rows[:, network.sizes[0] :]
    for step, row in enumerate(rows):
        fresh = CODES[200 + 7 * step : 207 + 7 * step]
        if injected:
            client.tell(messages.Inject(fresh))
        else:
            board.feed(fresh)
        client.tell(messages.Train(row))
        (loss,) = learner.train(x[step : step + 1], targets[step : step + 1], codes=fresh[np.newaxis])
        assert client.status().last_loss == loss
    status, counters = client.status(), learner.counters
    for name in ("steps", "skipped", "saturations", "loss_sum", "random_state"):
        assert getattr(status, name) == getattr(counters, name), name
    assert status.noise_deviation == counters.deviation
    assert client.weights() == b"".join(part.tobytes() for part in learner.weights)
    matrices = [part for part in learner.matrices if part is not None]
    assert client.blob(BlobKind.DECORRELATION) == b"".join(part.tobytes() for part in matrices)

    outputs = client.ask(messages.Predict(x[0]), messages.Prediction).outputs
    np.testing.assert_array_equal(outputs, learner.predict(x[:1])[0])
    for row in rows:
        client.tell(messages.Evaluate(0, row))
    metrics = client.ask(messages.GetMetrics(), messages.Metrics)
    assert (metrics.samples, (metrics.loss_sum, metrics.correct)) == (60, learner.evaluate(x, targets))


def test_frames_of_many_samples_equal_frames_of_one() -> None:
    rows = samples(CLASSES, 48)
    results = []
    for per_frame in (1, 24):
        _, client = opened(CLASSES)
        for start in range(0, len(rows), per_frame):
            client.tell(messages.Train(rows[start : start + per_frame].ravel()))
        results.append((client.weights(), client.status().random_state))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("network", "position", "value"),
    [(SMALL, 0, -32768), (SMALL, 11, -32768), (CLASSES, 14, -1), (CLASSES, 14, 3), (CLASSES, 12, -32768)],
)
def test_one_bad_value_stops_the_whole_frame(network: Network, position: int, value: int) -> None:
    _, client = opened(network)
    rows = samples(network, 4).ravel()
    rows[position] = value
    before = client.weights()
    assert client.refused(messages.Train(rows)) == (Error.OUT_OF_RANGE, position + 1)
    assert client.refused(messages.Evaluate(1, rows)) == (Error.OUT_OF_RANGE, position + 1)
    assert client.status().steps == 0
    assert client.weights() == before
    assert client.ask(messages.GetMetrics(), messages.Metrics).samples == 0


def test_set_rates() -> None:
    _, client = opened(DECORRELATED)
    client.tell(messages.SetRates(0, 128))
    before = client.weights()
    trained(client, DECORRELATED, samples(DECORRELATED, 5))
    assert client.weights() == before
    assert client.refused(messages.SetRates(1 << 24, 127)) == (Error.OUT_OF_RANGE, 2)
    trained(client, DECORRELATED, samples(DECORRELATED, 5))
    assert client.weights() == before
    client.tell(messages.SetRates(1 << 24, 128))
    trained(client, DECORRELATED, samples(DECORRELATED, 5))
    assert client.weights() != before


def test_injected_noise_must_fill_the_buffer_first() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    assert client.refused(messages.Inject(CODES[:10])) == (Error.WRONG_MODE, 0)
    client.tell(configure(SMALL, injected=True))
    client.tell(messages.Inject(CODES[:90]))
    board.feed(CODES[:1000])  # the converter's codes do not count
    row = samples(SMALL, 1).ravel()
    assert client.refused(messages.Train(row)) == (Error.NOISE_NOT_READY, 110)
    client.tell(messages.Inject(CODES[:110]))
    client.tell(messages.Train(row))
    status = client.status()
    assert (status.steps, status.codes, status.noise_filled) == (1, 200, 200)


def test_training_waits_for_the_converter() -> None:
    board, client = opened(injected=False)
    client.push(messages.Train.TYPE, messages.Train(samples(SMALL, 2).ravel()).pack())
    for part in range(4):
        board.feed(CODES[50 * part : 50 * part + 49])
        board.poll()
        assert board.take() == b""
    board.feed(CODES[:4])
    assert client.finish() == []
    status = client.status()
    assert (status.steps, status.codes) == (2, 200)


def test_configure_keeps_the_converters_codes_alone() -> None:
    board, client = opened(injected=False)
    board.feed(CODES[:150])
    client.tell(configure(CLASSES))
    assert client.status().noise_filled == 150
    client.tell(configure(CLASSES, injected=True))
    status = client.status()
    assert (status.noise_filled, status.codes) == (0, 150)
    client.tell(messages.Inject(CODES[:20]))
    assert client.status().noise_filled == 20
    client.tell(configure(SMALL, injected=True))
    assert client.status().noise_filled == 0  # a replay starts with what it injects
    client.tell(configure(SMALL))
    assert (client.status().noise_filled, client.status().codes) == (0, 170)


def test_without_noise_training_is_refused_until_there_is_some() -> None:
    board, client = opened(injected=False, codes_per_step=50, noise=DeviceNoise.OPEN)
    row = messages.Train(samples(SMALL, 1).ravel())
    assert client.refused(row) == (Error.NO_NOISE, 0)
    assert client.status().noise_deviation == 0
    board.set_noise(DeviceNoise.SMTJ)
    client.tell(row)  # 50 codes of a healthy junction are enough to be seen
    assert client.status().steps == 1
    assert client.status().noise_deviation > 50


def test_prediction_holds_as_many_samples_as_a_payload() -> None:
    network = Network((1, 12))
    _, client = opened(network, max_payload=64)
    inputs = np.arange(30) * 100
    outputs = client.ask(messages.Predict(inputs), messages.Prediction).outputs.reshape(-1, 12)
    assert len(outputs) == 2
    np.testing.assert_array_equal(outputs[1], client.ask(messages.Predict(inputs[1:2]), messages.Prediction).outputs)
    assert client.refused(messages.Predict(np.array([5, -32768]))) == (Error.OUT_OF_RANGE, 2)


def test_evaluation_adds_up_and_restarts() -> None:
    _, client = opened(CLASSES)
    rows = samples(CLASSES, 20)
    client.tell(messages.Evaluate(1, rows[:10].ravel()))
    ten = client.ask(messages.GetMetrics(), messages.Metrics)
    client.tell(messages.Evaluate(0, rows[10:].ravel()))
    twenty = client.ask(messages.GetMetrics(), messages.Metrics)
    assert (ten.samples, twenty.samples) == (10, 20)
    assert twenty.loss_sum > ten.loss_sum
    client.tell(messages.Evaluate(1, np.zeros(0, int)))
    assert client.ask(messages.GetMetrics(), messages.Metrics) == messages.Metrics(0, 0, 0)
    assert client.refusal(messages.Evaluate.TYPE, bytes([2])) == (Error.OUT_OF_RANGE, 0)
    before = client.status()
    assert (before.steps, before.saturations) == (0, 0)


@pytest.mark.parametrize("weight_format", list(WeightFormat))
def test_halves_of_a_sum_go_up_and_nothing_less(weight_format: WeightFormat) -> None:
    """Section 4 of numerics.md, with a weight of 1/4096 and others of 0: sums from -6,145 to 6,144."""
    network = Network((3, 2), weight_format=weight_format)
    _, client = opened(network)
    rows = np.array([[1, 0, 0, 0], [0, 0, 1, 0]])
    is_wide = weight_format is WeightFormat.INT32
    data = (rows << 16).astype("<i4").tobytes() if is_wide else rows.astype("<i2").tobytes()
    for chunk in set_blob(BlobKind.WEIGHTS, data):
        client.tell(chunk)
    for x, y in ((-6145, -2), (-6144, -1), (-2049, -1), (-2048, 0), (0, 0), (2047, 0), (2048, 1), (6143, 1), (6144, 2)):
        found = client.ask(messages.Predict(np.array([x, 0, x], np.int16)), messages.Prediction)
        assert found.outputs.tolist() == [y, y]
