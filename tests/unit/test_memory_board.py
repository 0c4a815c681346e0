"""What the device does with every command, on the memory board: bytes in, bytes out, no waiting."""

from __future__ import annotations

import dataclasses
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_client import PlainClient, configure, memory_client, noise_codes, set_blob, sum_codes, unpack

from mtjlearn.inprocess import Learner
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.virtual.memory import DeviceNoise, MemoryBoard
from mtjlearn.wire import messages
from mtjlearn.wire.frame import encode_frame
from mtjlearn.wire.messages import BlobKind, Error, Features, NoiseCodes, ResetCause, State

CODES = np.random.default_rng(0).integers(30, 60, 5000)
SMALL = Network((2, 3, 1), learning_rate=0.05)
CLASSES = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.05)
DECORRELATED = Network((3, 4, 2), decorrelate=(True, True), decorrelation_rate=0.001, weight_format=WeightFormat.INT32)


def samples(network: Network, count: int, seed: int = 1) -> np.ndarray:
    """Samples that fit a network, shape (count, inputs + targets)."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-4096, 4097, (count, network.sizes[0]))
    if network.loss is Loss.CROSS_ENTROPY:
        return np.hstack([x, rng.integers(0, network.sizes[-1], (count, 1))])
    return np.hstack([x, rng.integers(-4096, 4097, (count, network.sizes[-1]))])


def opened(network: Network | None = SMALL, *, injected: bool = True, **options: object) -> tuple[MemoryBoard, PlainClient]:
    """A board with a session, configured, its noise buffer filled."""
    board = MemoryBoard(**options)  # type: ignore[arg-type]
    client = memory_client(board)
    if network is not None:
        client.tell(configure(network, injected=injected))
        if injected:
            for start in range(0, 200, 25):
                client.tell(messages.Inject(CODES[start : start + 25]))
    return board, client


def trained(client: PlainClient, network: Network, rows: np.ndarray) -> None:
    per_frame = 120 // rows.shape[1]
    for start in range(0, len(rows), per_frame):
        client.tell(messages.Train(rows[start : start + per_frame].ravel()))


def test_welcome_says_what_the_device_is() -> None:
    board = MemoryBoard(adc_bits=12, adc_rate=5000, adc_reference=3300, arena=2048, max_payload=100, receive_window=300)
    welcome = memory_client(board, nonce=77).welcome
    assert (welcome.board, welcome.version, welcome.schema) == ("memory", messages.VERSION, messages.SCHEMA)
    assert (welcome.adc_bits, welcome.adc_rate, welcome.adc_reference) == (12, 5000, 3300)
    assert (welcome.arena, welcome.max_payload, welcome.receive_window) == (2048, 100, 300)
    assert (welcome.boot_count, welcome.reset_cause) == (1, ResetCause.POWER_ON)
    assert (welcome.activation_bits, welcome.weight32_bits, welcome.loss_bits) == (12, 28, 24)
    assert Features(welcome.features) == ~Features(0)
    assert welcome.build != 0


def test_before_and_after_configure() -> None:
    _, client = opened(None)
    assert client.status().state == State.UNCONFIGURED
    for message in [
        messages.Train(np.ones(3, int)),
        messages.Predict(np.ones(2, int)),
        messages.Evaluate(0, np.ones(3, int)),
        messages.SetRates(1, 1),
        messages.GetBlob(BlobKind.WEIGHTS, 0),
        messages.SetBlob(BlobKind.WEIGHTS, 0, 1, 0, b"1"),
    ]:
        assert client.refused(message) == (Error.NOT_CONFIGURED, 0)
    client.tell(configure(SMALL))
    status = client.status()
    assert (status.state, status.steps, status.last_error) == (State.READY, 0, Error.NOT_CONFIGURED)
    assert status.arena_used > 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"loss": 2}, 1),
        ({"weight_format": 2}, 2),
        ({"rounding": 2}, 3),
        ({"options": 4}, 4),
        ({"decorrelate": 4}, 5),
        ({"noise_source": 2}, 6),
        ({"sigma": 15}, 7),
        ({"sigma": 4096}, 7),
        ({"decorrelate": 1, "decorrelation_rate": 127}, 10),
        ({"decorrelate": 1, "decorrelation_rate": 4194305}, 10),
        ({"seed": 0}, 11),
        ({"sizes": [2]}, 12),
        ({"sizes": []}, 12),
        ({"sizes": [1] * 10}, 12),
        ({"sizes": [2, 0, 1]}, 12),
        ({"sizes": [2, 101]}, 12),
        ({"sizes": [110, 11]}, 12),  # 121 values of a sample are more than a payload
    ],
)
def test_configure_names_the_field_that_is_out_of_range(change: dict[str, object], field: int) -> None:
    _, client = opened()
    trained(client, SMALL, samples(SMALL, 10))
    before, weights = client.status(), client.weights()
    message = configure(SMALL)
    values = {name.name: getattr(message, name.name) for name in dataclasses.fields(message)} | change
    sizes = np.array(values.pop("sizes"), "<u2")
    payload = message.LAYOUT.pack(*values.values()) + sizes.tobytes()
    assert client.refusal(message.TYPE, payload) == (Error.OUT_OF_RANGE, field)
    after = client.status()
    assert (after.state, after.steps, after.random_state) == (before.state, before.steps, before.random_state)
    assert client.weights() == weights
    assert (after.last_error, after.last_error_detail) == (Error.OUT_OF_RANGE, field)


def test_network_too_large_says_how_many_bytes_are_missing() -> None:
    network = Network((40, 20, 10))
    _, client = opened(None, arena=1500)
    code, missing = client.refused(configure(network))
    assert code == Error.TOO_LARGE
    _, short = opened(None, arena=1500 + missing - 1)
    assert short.refused(configure(network)) == (Error.TOO_LARGE, 1)
    _, client = opened(network, arena=1500 + missing)
    assert client.status().arena_used <= 1500 + missing


def test_lengths_are_exact() -> None:
    _, client = opened()
    for type_, lengths in {
        messages.Configure.TYPE: [0, 21, 23],
        messages.SetRates.TYPE: [0, 7, 9],
        messages.SetBlob.TYPE: [0, 12],
        messages.GetBlob.TYPE: [4, 6],
        messages.Train.TYPE: [0, 1, 4, 7],
        messages.Predict.TYPE: [0, 3, 5, 6],
        messages.Evaluate.TYPE: [0, 2, 6],
        messages.GetMetrics.TYPE: [1],
        messages.GetStatus.TYPE: [1],
        messages.Noise.TYPE: [0, 5, 7],
        messages.Inject.TYPE: [1],
        messages.SetTelemetry.TYPE: [3, 5],
        messages.Stop.TYPE: [1],
        messages.Reset.TYPE: [1],
    }.items():
        for length in lengths:
            assert client.refusal(type_, bytes(length)) == (Error.BAD_LENGTH, length), hex(type_)
    for type_ in (0, 0x10, 0x7F):
        assert client.refusal(type_, b"") == (Error.UNKNOWN_TYPE, type_)


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
    board = MemoryBoard()
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


def test_buffer_survives_configure_but_not_another_source() -> None:
    board, client = opened(injected=False)
    board.feed(CODES[:150])
    client.tell(configure(CLASSES))
    assert client.status().noise_filled == 150
    client.tell(configure(CLASSES, injected=True))
    status = client.status()
    assert (status.noise_filled, status.codes) == (0, 150)
    client.tell(messages.Inject(CODES[:20]))
    client.tell(configure(SMALL, injected=True))
    assert client.status().noise_filled == 20
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


def test_weights_travel_there_and_back() -> None:
    for network in (SMALL, CLASSES, DECORRELATED):
        _, client = opened(network)
        for kind in BlobKind:
            data = bytearray(client.blob(kind))
            for index in range(0, len(data), 3):
                data[index] ^= 0x15
            chunks = set_blob(kind, bytes(data), chunk=7)  # ends inside of values
            for chunk in chunks[:-1]:
                client.tell(chunk)
                assert client.status().state == State.LOADING
            for chunk in chunks[-1:]:
                client.tell(chunk)
            assert client.status().state == State.READY
            assert client.blob(kind) == bytes(data)


def test_nothing_is_done_with_half_a_blob() -> None:
    board, client = opened(DECORRELATED)
    weights = client.blob(BlobKind.WEIGHTS)
    row = samples(DECORRELATED, 1).ravel()
    first, second, *_ = chunks = set_blob(BlobKind.WEIGHTS, weights, chunk=40)
    client.tell(first)
    users = [messages.Train(row), messages.Predict(row[:3]), messages.Evaluate(0, row), messages.GetBlob(0, 0)]
    for message in users:
        assert client.refused(message) == (Error.NOT_LOADED, 0)
    assert client.refused(chunks[2]) == (Error.BAD_OFFSET, 40)
    client.tell(second)
    # Whole matrices do not mend half the weights.
    for chunk in set_blob(BlobKind.DECORRELATION, bytes(50)):
        client.tell(chunk)
    assert client.refused(chunks[2]) == (Error.BAD_OFFSET, 0)
    assert client.status().state == State.LOADING
    # A host that comes back does not know where the one before stopped.
    client.tell(first)
    client = memory_client(board, nonce=2)
    assert client.status().state == State.LOADING
    assert client.refused(second) == (Error.BAD_OFFSET, 0)
    for chunk in chunks:
        client.tell(chunk)
    assert client.status().state == State.READY
    client.ask(users[1], messages.Prediction)


def test_damaged_blob_is_not_used() -> None:
    _, client = opened()
    data = client.weights()
    chunk = messages.SetBlob(BlobKind.WEIGHTS, 0, len(data), 12345, data)
    assert client.refused(chunk) == (Error.BAD_CHECKSUM, 0)
    assert client.refused(messages.Train(samples(SMALL, 1).ravel())) == (Error.NOT_LOADED, 0)
    client.tell(configure(SMALL, injected=True))
    client.tell(messages.Train(samples(SMALL, 1).ravel()))


def test_blob_of_another_size_or_kind_is_refused() -> None:
    _, client = opened()
    total = len(client.weights())
    assert client.refused(messages.SetBlob(0, 0, total + 2, 0, b"12")) == (Error.OUT_OF_RANGE, 3)
    assert client.refused(messages.SetBlob(1, 0, total, 0, b"12")) == (Error.OUT_OF_RANGE, 3)
    assert client.refused(messages.SetBlob(0, 0, total, 0, bytes(total + 1)))[0] == Error.BAD_LENGTH
    assert client.refused(messages.SetBlob(0, 0, total, 0, b""))[0] == Error.BAD_LENGTH
    for kind in (messages.SetBlob, messages.GetBlob):
        payload = bytes([2]) + bytes(kind.LAYOUT.size - 1)
        assert client.refusal(kind.TYPE, payload) == (Error.OUT_OF_RANGE, 1)
    assert client.refused(messages.GetBlob(0, total + 1)) == (Error.BAD_OFFSET, total)
    assert client.status().state == State.READY


@pytest.mark.parametrize(
    ("network", "kind", "dtype"),
    [
        (SMALL, BlobKind.WEIGHTS, "<i2"),
        (DECORRELATED, BlobKind.WEIGHTS, "<i4"),
        (DECORRELATED, BlobKind.DECORRELATION, "<i2"),
    ],
)
@pytest.mark.parametrize("chunk", [5, 200])
def test_the_most_negative_value_never_gets_in(network: Network, kind: BlobKind, dtype: str, chunk: int) -> None:
    _, client = opened(network)
    values = np.frombuffer(client.blob(kind), dtype).copy()
    values[-2] = np.iinfo(dtype).min
    answers = []
    for message in set_blob(kind, values.tobytes(), chunk):
        answers += client.send(message.TYPE, message.pack())
    assert (answers[0].code, answers[0].detail) == (Error.OUT_OF_RANGE, len(values) - 1)
    assert client.status().state == State.LOADING
    values[-2] += 1
    for message in set_blob(kind, values.tobytes(), chunk):
        client.tell(message)
    assert client.blob(kind) == values.tobytes()


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


def test_telemetry_tells_the_mean_loss_of_its_interval() -> None:
    board, client = opened()
    rows = samples(SMALL, 30)
    client.tell(messages.SetTelemetry(10))
    sums = [0]
    for step, row in enumerate(rows):
        board.set_micros(1000 * (step + 1) - 2**16)  # wraps on the way
        client.tell(messages.Train(row))
        sums.append(client.status().loss_sum)
    telemetry = client.unasked
    assert [(t.sequence, t.dropped, t.step) for t in telemetry] == [(0, 0, 10), (1, 0, 20), (2, 0, 30)]
    assert [t.loss for t in telemetry] == [(sums[end] - sums[end - 10]) // 10 for end in (10, 20, 30)]
    assert [t.steps_per_second for t in telemetry[1:]] == [1000, 1000]
    client.tell(messages.Stop())
    trained(client, SMALL, rows)
    assert len(client.unasked) == 3


def test_telemetry_is_dropped_and_counted_when_the_host_does_not_read() -> None:
    board, client = opened()
    client.tell(messages.SetTelemetry(1))
    board.set_room(18)  # an ACK, and nothing else
    trained(client, SMALL, samples(SMALL, 80))
    board.set_room(8192)
    client.tell(messages.Train(samples(SMALL, 1).ravel()))
    (telemetry,) = client.unasked
    assert (telemetry.sequence, telemetry.dropped, telemetry.step) == (80, 80, 81)
    assert client.status().telemetry_dropped == 80
    assert memory_client(board, nonce=2).status().telemetry_dropped == 0


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("max_payload", [64, 240])
def test_noise_stream_carries_every_code(bits: int, max_payload: int) -> None:
    board, client = opened(None, adc_bits=bits, max_payload=max_payload)
    codes = np.random.default_rng(3).integers(0, 2**bits, 950)
    board.feed(codes[:50])
    client.status()
    client.tell(messages.Noise(777, 0))
    for start in range(50, 950, 90):
        board.feed(codes[start : start + 90])
        client.status()
    stream = client.unasked
    assert all(message.bits == bits for message in stream)
    assert stream[0].first == 50
    np.testing.assert_array_equal(noise_codes(stream), codes[50 : 50 + 777])
    assert client.status().noise_filled == 200  # they entered the buffer as well


def test_noise_stream_marks_what_the_converter_lost() -> None:
    board, client = opened(None)
    client.tell(messages.Noise(0, 0))
    board.feed(CODES[:130])
    client.status()
    board.feed(CODES[130:1400])  # 1024 fit: 246 are lost
    client.listen(lambda unasked: sum_codes(unasked) >= 1100)
    stream = [message for message in client.unasked if isinstance(message, NoiseCodes)]
    assert client.status().codes_lost == 246
    assert [message.first for message in stream[:2]] == [0, 376]
    for message in stream:
        np.testing.assert_array_equal(unpack(message), CODES[message.first : message.first + message.count])


def test_noise_stream_marks_what_the_host_did_not_read() -> None:
    board, client = opened(None)
    client.tell(messages.Noise(0, 0))
    board.set_room(100)
    for start in range(0, 2000, 100):
        board.feed(CODES[start : start + 100])
        board.poll()
    board.set_room(8192)
    board.poll()
    client.status()
    stream = [message for message in client.unasked if isinstance(message, NoiseCodes)]
    assert stream[0].first == 1800  # what the buffer still has
    for message in stream:
        np.testing.assert_array_equal(unpack(message), CODES[message.first : message.first + message.count])
    client.tell(messages.Stop())
    client.unasked.clear()
    board.feed(CODES[:500])
    client.status()
    assert not client.unasked


def test_bursts_are_contiguous() -> None:
    board, client = opened(None)
    client.tell(messages.Noise(600, 150))
    board.set_room(180)  # a slow line: one frame of codes at a time
    for start in range(0, 5000, 70):
        board.feed(CODES[start : start + 70])
        board.poll()
        client.status()
    stream = client.unasked
    assert sum_codes(stream) == 600
    bursts = [[stream[0]]]
    for before, after in itertools.pairwise(stream):
        if after.first == before.first + before.count:
            bursts[-1].append(after)
        else:
            bursts.append([after])
    assert len(bursts) > 1
    assert all(sum_codes(burst) % 150 == 0 for burst in bursts)
    for message in stream:
        np.testing.assert_array_equal(unpack(message), CODES[message.first : message.first + message.count])
    assert client.refusal(messages.Noise.TYPE, struct.pack("<IH", 1, 201)) == (Error.OUT_OF_RANGE, 2)


def test_noise_stream_needs_the_converter_as_source() -> None:
    _, client = opened()
    assert client.refused(messages.Noise(10, 0)) == (Error.WRONG_MODE, 0)


def test_noise_stream_lets_the_virtual_clock_pass() -> None:
    board = MemoryBoard(codes_per_step=10)
    client = memory_client(board)
    stream = client.noise(5000)
    assert len(noise_codes(stream)) == 5000
    micros = [message.micros for message in stream]
    assert micros == sorted(micros)
    assert client.status().codes == 5000


def test_training_goes_on_beside_a_noise_stream() -> None:
    _, client = opened(injected=False, codes_per_step=20)
    client.tell(messages.Noise(4000, 0))
    trained(client, SMALL, samples(SMALL, 200))
    client.listen(lambda unasked: sum_codes(unasked) >= 4000)
    assert len(noise_codes(client.unasked)) == 4000
    assert client.status().steps == 200


def test_reset_is_acknowledged_first() -> None:
    board, client = opened()
    board.set_room(17)  # no room for the ACK
    later = encode_frame(messages.Configure.TYPE, client.welcome.session, 4, configure(SMALL).pack())
    client.push(messages.Reset.TYPE, b"")
    board.push(later)
    board.poll()
    assert board.boots == 1
    board.set_room(8192)
    assert client.finish() == []
    board.poll()
    assert board.boots == 2
    welcome = (client := memory_client(board, nonce=9)).welcome
    assert (welcome.boot_count, welcome.reset_cause) == (2, ResetCause.SOFTWARE)
    assert client.status().state == State.UNCONFIGURED  # what followed the RESET was not executed


def test_an_answer_waits_for_room() -> None:
    board, client = opened()
    board.set_room(63)
    client.push(messages.GetStatus.TYPE, b"")
    board.poll()
    assert board.take() == b""
    board.set_room(64)
    (status,) = client.finish()
    assert isinstance(status, messages.Status)


def test_trained_network_survives_the_host() -> None:
    board, client = opened()
    trained(client, SMALL, samples(SMALL, 50))
    weights = client.weights()
    client = memory_client(board, nonce=5)
    assert client.weights() == weights
    assert client.status().steps == 50
    client.tell(messages.Train(samples(SMALL, 1).ravel()))


def test_runs_repeat_exactly_and_boards_are_independent() -> None:
    def run(seed: int) -> tuple[bytes, messages.Status]:
        _, client = opened(CLASSES, injected=False, codes_per_step=8, seed=seed)
        trained(client, CLASSES, samples(CLASSES, 100))
        return client.weights(), client.status()

    first, other, again = run(3), run(4), run(3)
    assert first == again
    assert first[0] != other[0]


def test_bytes_beyond_the_receiver_are_lost_and_counted() -> None:
    board = MemoryBoard(receive_window=300)
    client = memory_client(board)
    board.push(bytes(500))
    board.poll()
    board.push(b"\1\1\0")
    board.poll()
    frames = client._decoder.feed(board.take())
    ack = messages.Ack.unpack(frames[-1].payload)
    assert ack.rx_overruns == 200
    assert ack.credit == 300


@given(st.lists(st.tuples(st.integers(0, 0x7F), st.binary(max_size=240)), max_size=30), st.booleans())
def test_no_payload_upsets_the_device(commands: list[tuple[int, bytes]], injected: bool) -> None:
    _, client = opened(DECORRELATED, injected=injected, codes_per_step=30)
    for type_, payload in commands:
        if type_ in (messages.Hello.TYPE, messages.Reset.TYPE):
            continue
        client.send(type_, payload)
    client.tell(messages.Stop())
    assert client.status().state in iter(State)
