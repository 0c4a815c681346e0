"""Weights and matrices to the device and back: complete and right, or not used."""

from __future__ import annotations

import numpy as np
import pytest
from device_support import CLASSES, DECORRELATED, SMALL, opened, samples
from plain_client import configure, memory_client, set_blob

from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import BlobKind, Error, State


def test_weights_travel_there_and_back() -> None:
    for network in (SMALL, CLASSES, DECORRELATED):
        _, client = opened(network)
        for kind in (BlobKind.WEIGHTS, BlobKind.DECORRELATION):
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
    # Whole matrices do not fix half the weights.
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
    assert client.status().state == State.READY
    assert client.weights() == data


def test_blob_of_another_size_or_kind_is_refused() -> None:
    _, client = opened()
    total = len(client.weights())
    assert client.refused(messages.SetBlob(0, 0, total + 2, 0, b"12")) == (Error.OUT_OF_RANGE, 3)
    assert client.refused(messages.SetBlob(1, 0, total, 0, b"12")) == (Error.OUT_OF_RANGE, 3)
    assert client.refused(messages.SetBlob(0, 0, total, 0, bytes(total + 1)))[0] == Error.BAD_LENGTH
    assert client.refused(messages.SetBlob(0, 0, total, 0, b""))[0] == Error.BAD_LENGTH
    for kind in (messages.SetBlob, messages.GetBlob):
        payload = bytes([4]) + bytes(kind.LAYOUT.size - 1)
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
