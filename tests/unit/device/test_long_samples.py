"""Samples longer than a frame: in parts, in order, whole or not at all."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from autonomous_support import autonomous, noise, run, started
from device_support import CODES, SMALL, opened, samples
from places import PROJECT
from plain_client import PlainClient, configure, memory_client

from mtjlearn.board.packing import pack, unpack
from mtjlearn.board.samples import evaluate_commands, predict_commands, train_commands
from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import DeviceNoise
from mtjlearn.network import Loss, Network
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.messages import Error, SamplePart, Task

IMAGE = Network((784, 10), loss=Loss.CROSS_ENTROPY, learning_rate=0.01, seed=3)
WIDE = Network((1024, 3), learning_rate=0.01, seed=4)
FILLED = 200
"""Inputs that begun() brings."""

Rows = npt.NDArray[np.int16]


def eighths(rows: Rows) -> Rows:
    """Inputs that int8 holds with a scale of 6."""
    rows = rows.copy()
    rows[:, :-1] = rows[:, :-1] >> 6 << 6
    return rows


def sent(client: PlainClient, commands: Iterator[Command]) -> list[messages.Message]:
    """The answers to samples in parts."""
    return [answer for command in commands for one in (*command.parts, command) for answer in client.send(one.type, one.payload)]


def learner(network: Network) -> Learner:
    model = Learner(network)
    model.put_codes(CODES[:200].astype(np.uint16))
    return model


def part(row: Rows, start: int, end: int) -> SamplePart:
    return SamplePart(start, 2, 0, row[start:end].astype("<i2").tobytes())


def begun(client: PlainClient, row: Rows) -> None:
    for start in range(0, FILLED, 100):
        client.tell(part(row, start, start + 100))


@pytest.mark.parametrize("max_payload", [64, 240])
@pytest.mark.parametrize(("network", "narrow"), [(IMAGE, False), (IMAGE, True), (WIDE, False)])
def test_a_long_sample_trains_evaluates_and_predicts_as_the_learner_does(network: Network, narrow: bool, max_payload: int) -> None:
    _, client = opened(network, max_payload=max_payload)
    model, inputs = learner(network), network.sizes[0]
    rows = samples(network, 4).astype(np.int16)
    rows = eighths(rows) if narrow else rows
    commands = list(train_commands(rows, max_payload, inputs))
    assert len(commands) == 4
    assert {SamplePart.unpack(one.payload).value_bytes for command in commands for one in command.parts} == {1 if narrow else 2}
    assert sent(client, iter(commands)) == []
    model.train(rows[:, :inputs], rows[:, inputs:])
    assert client.status().random_state == model.counters.random_state
    assert client.weights() == b"".join(layer.tobytes() for layer in model.weights)
    predictions = sent(client, predict_commands(rows[:, :inputs], network.sizes[-1], max_payload, in_parts=True))
    np.testing.assert_array_equal([answer.outputs for answer in predictions], model.predict(rows[:, :inputs]))
    assert sent(client, evaluate_commands(rows, max_payload, inputs)) == []
    metrics = client.ask(messages.GetMetrics(), messages.Metrics)
    assert (metrics.samples, metrics.loss_sum) == (4, model.evaluate(rows[:, :inputs], rows[:, inputs:])[0])


def test_values_are_scaled_and_saturated_as_a_dataset_s_are() -> None:
    network = Network((130, 1), seed=9)
    _, client = opened(network)
    values = np.resize(np.arange(-128, 128), 130)
    for scale in range(9):
        client.tell(SamplePart(0, 1, scale, values.astype(np.int8).tobytes()))
        expected = np.clip(values.astype(np.int32) << scale, -32767, 32767)
        (answer,) = client.send(messages.Predict.TYPE, b"")
        np.testing.assert_array_equal(answer.outputs, learner(network).predict(expected[np.newaxis])[0])


TRAIN, EVALUATE, PREDICT = messages.Train.TYPE, messages.Evaluate.TYPE, messages.Predict.TYPE
FORGETS = {
    "a scale beyond 8": (SamplePart.TYPE, struct.pack("<HBB", FILLED, 1, 9) + b"1", (Error.OUT_OF_RANGE, 3)),
    "values of 0 bytes": (SamplePart.TYPE, struct.pack("<HBB", FILLED, 0, 0) + b"1", (Error.OUT_OF_RANGE, 2)),
    "values of 3 bytes": (SamplePart.TYPE, struct.pack("<HBB", FILLED, 3, 0) + b"123", (Error.OUT_OF_RANGE, 2)),
    "a gap": (SamplePart.TYPE, struct.pack("<HBB", FILLED + 1, 1, 0) + b"1", (Error.BAD_OFFSET, FILLED)),
    "a part again": (SamplePart.TYPE, struct.pack("<HBB", 100, 1, 0) + bytes(100), (Error.BAD_OFFSET, FILLED)),
    "half a value": (SamplePart.TYPE, struct.pack("<HBB", FILLED, 2, 0) + b"123", (Error.BAD_LENGTH, 7)),
    "an empty part": (SamplePart.TYPE, struct.pack("<HBB", FILLED, 1, 0), (Error.BAD_LENGTH, 4)),
    "a part beyond the inputs": (SamplePart.TYPE, struct.pack("<HBB", FILLED, 1, 0) + bytes(100), (Error.BAD_LENGTH, 104)),
    "too few values": (TRAIN, bytes(198), (Error.BAD_LENGTH, 198)),
    "too many values": (TRAIN, bytes(202), (Error.BAD_LENGTH, 202)),
    "no values": (PREDICT, b"", (Error.BAD_LENGTH, 0)),
    "an invalid value": (TRAIN, b"\0\x80" + bytes(198), (Error.OUT_OF_RANGE, 1)),
    "an invalid class": (TRAIN, bytes(198) + b"\n\0", (Error.OUT_OF_RANGE, 100)),
    "an evaluation that restarts twice": (EVALUATE, b"\2" + bytes(200), (Error.OUT_OF_RANGE, 0)),
}


@pytest.mark.parametrize(("kind", "payload", "refusal"), FORGETS.values(), ids=FORGETS)
def test_what_is_refused_forgets_the_parts(kind: int, payload: bytes, refusal: tuple[int, int]) -> None:
    network = Network((299, 10), loss=Loss.CROSS_ENTROPY)
    _, client = opened(network)
    row = samples(network, 1)[0]
    begun(client, row)
    assert client.refusal(kind, payload) == refusal
    assert client.refused(messages.Train(row[FILLED:])) == (Error.BAD_LENGTH, 200)
    assert client.refused(part(row, FILLED, 299)) == (Error.BAD_OFFSET, 0)
    assert client.status().steps == 0
    begun(client, row)
    client.tell(messages.Train(row[FILLED:]))
    assert client.status().steps == 1


@pytest.mark.parametrize("what", ["session", "configure", "first part", "evaluation without samples"])
def test_what_else_forgets_the_parts(what: str) -> None:
    board, client = opened(IMAGE)
    row = samples(IMAGE, 1)[0]
    begun(client, row)
    if what == "session":
        client = memory_client(board, nonce=2)
    elif what == "configure":
        client.tell(configure(IMAGE, injected=True))
    elif what == "first part":
        client.tell(part(row, 0, 50))
    else:
        client.tell(messages.Evaluate(1, np.zeros(0, np.int16)))
    expected = 50 if what == "first part" else 0
    assert client.refused(part(row, FILLED, FILLED + 10)) == (Error.BAD_OFFSET, expected)


def test_whole_samples_of_a_network_that_fits_a_frame_come_in_parts_too_if_there_is_room() -> None:
    _, client = opened(SMALL)
    row = samples(SMALL, 1)[0]
    client.tell(part(row, 0, 1))
    client.tell(messages.Train(row[1:]))
    client.tell(part(row, 0, 1))
    client.tell(messages.Train(row))  # a whole one counts, and the part is forgotten
    assert client.refused(part(row, 1, 2)) == (Error.BAD_OFFSET, 0)
    assert client.status().steps == 2
    used = client.status().arena_used
    _, client = opened(SMALL, arena=used)
    assert client.refused(part(row, 0, 1)) == (Error.TOO_LARGE, (used + 3) // 4 * 4 + 6 - used)


def test_a_network_needs_room_for_a_long_sample_to_the_byte() -> None:
    _, client = opened(IMAGE)
    used = client.status().arena_used
    needed = (used + 3) // 4 * 4 + 2 * 785
    _, client = opened(None, arena=needed)
    client.tell(configure(IMAGE, injected=True))
    _, client = opened(None, arena=needed - 2)
    assert client.refused(configure(IMAGE, injected=True)) == (Error.TOO_LARGE, 2)


def test_pooled_images_and_a_hidden_layer_fit_an_uno_r4_minima() -> None:
    """Its layout has pointers of 4 bytes; this computer's struct of a layer is 20 bytes longer."""
    text = (PROJECT / "firmware/boards/arduino/capabilities.h").read_text(encoding="utf-8")
    (arena,) = re.findall(r"ARDUINO_ARCH_RENESAS.*?#else\n#define BOARD_ARENA (\d+)", text, re.DOTALL)
    network = Network((196, 28, 10), loss=Loss.CROSS_ENTROPY)
    _, client = opened(network)
    used = client.status().arena_used - 20 * network.layers
    assert (used + 3) // 4 * 4 + 2 * 197 <= int(arena)
    # One unit more does not fit.
    _, client = opened(Network((196, 29, 10), loss=Loss.CROSS_ENTROPY))
    assert client.status().arena_used - 20 * network.layers + 2 * 197 > int(arena)


def test_a_noise_fault_refuses_parts_until_the_host_knows() -> None:
    board, client = opened(None, codes_per_step=16)
    client.tell(configure(IMAGE))
    rows = samples(IMAGE, 1).astype(np.int16)
    board.set_noise(DeviceNoise.STUCK)
    (command,) = train_commands(rows, 240, 784)
    while not (answers := sent(client, iter([command]))):
        pass
    assert [answer.code for answer in answers] == [Error.NOISE_FAULT]
    steps = client.status().steps
    begun(client, rows[0])  # the host has asked
    assert client.refused(messages.Train(rows[0, FILLED : FILLED + 3]))[0] == Error.BAD_LENGTH
    assert sent(client, iter([command]))[0].code == Error.NOISE_FAULT
    again = sent(client, iter([command]))
    assert [(answer.command, answer.code) for answer in again] == [
        *((SamplePart.TYPE, Error.NOISE_FAULT) for _ in command.parts),
        (messages.Train.TYPE, Error.BAD_LENGTH),
    ]
    assert client.status().steps == steps


def test_a_board_learns_long_samples_autonomously_and_takes_no_parts_meanwhile() -> None:
    network = Network((196, 10), loss=Loss.CROSS_ENTROPY, learning_rate=0.2, seed=2)
    rng = np.random.default_rng(0)
    target = rng.integers(0, 10, 40)
    x = np.clip(4096 * rng.normal(size=(10, 196)), -16384, 16384).astype(np.int16)[target]
    packed = pack(network, x, target, 1)
    board, client = started(network, noise(0), memory_bytes=32768)
    client.tell(packed.message)
    for start in range(0, len(packed.data), 200):
        chunk = packed.data[start : start + 200]
        client.tell(messages.SetBlob(messages.BlobKind.DATASET, start, len(packed.data), packed.message.crc, chunk))
    client.tell(part(x[0], 0, 100))
    client.tell(autonomous(Task.DATASET, stop_epochs=8, evaluate_every=8))
    assert client.refused(part(x[0], 100, 196))[0] == Error.BUSY
    board.queue(noise(400))
    correct = run(board, client).correct
    assert client.refused(part(x[0], 100, 196)) == (Error.BAD_OFFSET, 0)
    kept, classes = unpack(network, packed)
    answers = sent(client, predict_commands(kept, 10, 240, in_parts=True))
    found = np.array([answer.outputs.argmax() for answer in answers])
    assert np.count_nonzero(found == classes[:, 0]) == correct > 30
