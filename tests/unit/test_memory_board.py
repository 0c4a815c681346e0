"""The device on the memory board: what it is, what it refuses, sessions and restarts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from device_support import CLASSES, DECORRELATED, SMALL, opened, samples, trained
from hypothesis import given
from hypothesis import strategies as st
from plain_client import configure, memory_client

from mtjlearn.network import Network
from mtjlearn.virtual.memory import MemoryBoard
from mtjlearn.wire import messages
from mtjlearn.wire.messages import BlobKind, Error, Features, ResetCause, State


def test_welcome_says_what_the_device_is() -> None:
    board = MemoryBoard(adc_bits=12, adc_rate=5000, adc_reference=3300, arena=2048, max_payload=100, receive_window=300)
    welcome = memory_client(board, nonce=77).welcome
    assert (welcome.board, welcome.version, welcome.schema) == ("inprocess", messages.VERSION, messages.SCHEMA)
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
        messages.DefineDataset.TYPE: [0, messages.DefineDataset.LAYOUT.size + 1],
        messages.Autonomous.TYPE: [0, messages.Autonomous.LAYOUT.size + 1],
        messages.Halt.TYPE: [1],
        messages.GetProgress.TYPE: [1],
        messages.GetCurve.TYPE: [1],
        messages.SetHealth.TYPE: [0, messages.SetHealth.LAYOUT.size - 1],
        messages.GetHealth.TYPE: [1],
        messages.Checkpoint.TYPE: [0, 2],
        messages.GetCheckpoint.TYPE: [1],
    }.items():
        for length in lengths:
            assert client.refusal(type_, bytes(length)) == (Error.BAD_LENGTH, length), hex(type_)
    for type_ in (0, 0x19, 0x7F):
        assert client.refusal(type_, b"") == (Error.UNKNOWN_TYPE, type_)


def test_reset_is_acknowledged_first() -> None:
    board, client = opened()
    board.set_room(17)  # no room for the ACK
    later = client.frame(messages.Configure.TYPE, configure(SMALL).pack(), ahead=1)
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
    frames = client.decode(board.take())
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
