"""The device on the in-process device: what it is, what it refuses, sessions and restarts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from device_support import CLASSES, DECORRELATED, SMALL, opened, samples, trained
from generator.definition import load
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT
from plain_client import configure, memory_client

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import BlobKind, Error, Features, ResetCause, State


def test_welcome_says_what_the_device_is() -> None:
    board = InProcessDevice(adc_bits=12, adc_rate=5000, adc_reference=3300, arena=2048, max_payload=100, receive_window=300)
    welcome = memory_client(board, nonce=77).welcome
    assert (welcome.board, welcome.version, welcome.schema) == ("inprocess", messages.VERSION, messages.SCHEMA)
    assert (welcome.adc_bits, welcome.adc_rate, welcome.adc_reference) == (12, 5000, 3300)
    assert (welcome.arena, welcome.max_payload, welcome.receive_window) == (2048, 100, 300)
    assert (welcome.boot_count, welcome.reset_cause) == (1, ResetCause.POWER_ON)
    assert (welcome.activation_bits, welcome.weight32_bits, welcome.loss_bits) == (12, 28, 24)
    assert Features(welcome.features) == ~Features(0)
    assert welcome.build != 0


def test_unless_asked_for_another_it_has_the_converter_of_an_uno() -> None:
    welcome = memory_client(InProcessDevice()).welcome
    assert (welcome.adc_bits, welcome.adc_rate, welcome.adc_reference) == (10, 9615, 1100)
    assert (welcome.arena, welcome.max_payload) == (65536, 240)


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
        ({"rule": 3}, 7),
        ({"slope": 13}, 8),
        ({"sigma": 15}, 9),
        ({"sigma": 4096}, 9),
        ({"decorrelate": 1, "decorrelation_rate": 127}, 12),
        ({"decorrelate": 1, "decorrelation_rate": 4194305}, 12),
        ({"seed": 0}, 13),
        ({"sizes": [2]}, 14),
        ({"sizes": []}, 14),
        ({"sizes": [1] * 10}, 14),
        ({"sizes": [2, 0, 1]}, 14),
        ({"sizes": [2, 101]}, 14),
        ({"options": 2, "sizes": [2, 130]}, 14),  # 130 targets are more than a payload
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


COMMANDS = [kind for kind in messages.HOST_MESSAGES if kind is not messages.Hello]
NOT_WHOLE_SAMPLES = {messages.Train: [0, 4], messages.Predict: [0, 6], messages.Evaluate: [0, 6]}
"""Lengths that their types allow and that are not samples of the network."""


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.NAME)
def test_lengths_are_exact(kind: type[messages.Message]) -> None:
    _, client = opened()
    size, (tail, dtype) = kind.LAYOUT.size, kind.TAIL
    lengths = [*range(max(0, size - 1), size), *([size + 1] if dtype or not tail else []), *NOT_WHOLE_SAMPLES.get(kind, [])]
    for length in lengths:
        assert client.refusal(kind.TYPE, bytes(length)) == (Error.BAD_LENGTH, length)


PROTOCOL = load((PROJECT / "shared/protocol.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("need", "code", "options"),
    [
        ("network", Error.NOT_CONFIGURED, {"memory_bytes": 1024}),
        ("memory", Error.NO_MEMORY, {"memory_bytes": 0}),
        ("idle", Error.BUSY, {"memory_bytes": 1024}),
    ],
)
def test_what_a_command_needs_is_checked(need: str, code: Error, options: dict[str, int]) -> None:
    _, client = opened(SMALL if need == "idle" else None, injected=False, **options)
    if need == "idle":
        client.tell(messages.Autonomous(messages.Task.XOR, 0, 0, 0, 0, 0, 0, 0, 0, 1))
    needing = [message for message in PROTOCOL.messages if need in message.needs]
    assert needing
    for message in needing:
        assert client.refusal(message.type, bytes(message.size)) == (code, 0), message.name


def test_other_types_are_unknown() -> None:
    _, client = opened()
    known = {kind.TYPE for kind in COMMANDS}
    for type_ in set(range(0x80)) - known - {messages.Hello.TYPE}:
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
    board = InProcessDevice(receive_window=300)
    client = memory_client(board)
    board.push(bytes(500))
    board.poll()
    board.push(b"\1\1\0")
    board.poll()
    frames = client.decode(board.take())
    ack = messages.Ack.unpack(frames[-1].payload)
    assert ack.rx_overruns == 200
    assert ack.credit == 300


@pytest.mark.thorough
@given(st.lists(st.tuples(st.integers(0, 0x7F), st.binary(max_size=240)), max_size=30), st.booleans())
def test_no_payload_upsets_the_device(commands: list[tuple[int, bytes]], injected: bool) -> None:
    _, client = opened(DECORRELATED, injected=injected, codes_per_step=30)
    for type_, payload in commands:
        if type_ in (messages.Hello.TYPE, messages.Reset.TYPE):
            continue
        client.send(type_, payload)
    client.tell(messages.Stop())
    assert client.status().state in iter(State)
