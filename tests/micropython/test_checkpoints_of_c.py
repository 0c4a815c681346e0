"""Checkpoints, datasets and curves of the device in MicroPython and in C: each continues what the other saved."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from autonomous_support import CLASSES, FILLING, TEACHER, XOR, autonomous, noise, progress, upload
from checkpoint_support import CODES, DANP, IRIS, Kept, inject, save, slow_client, train
from device_support import NO_TESTS, samples
from kept_files_support import client_of, saved
from plain_client import configure, set_blob
from stepped_support import SteppedDevice, Stepper

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import (
    Activity,
    BlobKind,
    Error,
    TargetKind,
    Task,
)

Devices = tuple[type, type]
WAYS = [(InProcessDevice, SteppedDevice), (SteppedDevice, InProcessDevice)]
RECORD = messages.CheckpointRecord.LAYOUT.size


@pytest.fixture(autouse=True)
def _in_micropython(stepper: Stepper) -> None:
    pass


@pytest.mark.parametrize("devices", WAYS, ids=["C to MicroPython", "MicroPython to C"])
@pytest.mark.parametrize("network", [IRIS, DANP, Network((2, 2, 2, 1), learning_rate=0.05)], ids=["iris", "danp", "2-2-2-1"])
def test_a_checkpoint_continues_bit_for_bit_in_the_other(devices: Devices, network: Network) -> None:
    """As if it had stayed where it was, with the 200 codes of that time put back."""
    first, other = devices
    before = client_of(first())
    before.tell(configure(network, injected=True))
    inject(before, CODES[:225])
    train(before, network, 40, 1)
    save(before)
    data = before.blob(BlobKind.CHECKPOINT)
    after = client_of(other())
    for chunk in set_blob(BlobKind.CHECKPOINT, data, 100):
        after.tell(chunk)
    assert Kept.of(after) == Kept.of(before)
    assert after.blob(BlobKind.CHECKPOINT) == data
    last = [CODES[7 * start : 7 * start + 7] for start in range(0, 40, 28 // samples(network, 1).shape[1])]
    inject(after, np.concatenate([CODES[:225], *last])[-200:])
    for client in (before, after):
        train(client, network, 60, 2)
        client.tell(messages.Evaluate(1, samples(network, 3).ravel()))
    assert Kept.of(after) == Kept.of(before)
    assert after.ask(messages.GetMetrics(), messages.Metrics) == before.ask(messages.GetMetrics(), messages.Metrics)
    assert Kept.of(after).steps == 100
    # Both would save the same record now.
    for client in (before, after):
        save(client)
    assert after.blob(BlobKind.CHECKPOINT) == before.blob(BlobKind.CHECKPOINT)


@pytest.mark.parametrize("devices", WAYS, ids=["C to MicroPython", "MicroPython to C"])
@pytest.mark.parametrize(
    ("task", "network", "epoch_steps"), [(Task.XOR, XOR, 0), (Task.TEACHER, TEACHER, 9), (Task.DATASET, CLASSES, 0)], ids=str
)
def test_autonomous_learning_continues_bit_for_bit_in_the_other(
    devices: Devices, task: Task, network: Network, epoch_steps: int
) -> None:
    """With injected codes; the checkpoint is of the middle of an epoch, and a dataset travels too."""
    rules = {"stop_steps": 120, "halve_every": 35, "evaluate_every": 3, "epoch_steps": epoch_steps}
    first, second = (device() for device in devices)
    before, after = client_of(first), client_of(second)
    for client in (before, after):
        client.tell(configure(network, injected=True))
    inject(before, CODES[:200])
    if task is Task.DATASET:
        rng = np.random.default_rng(1)
        upload(before, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11))
        data = before.blob(BlobKind.DATASET)
        after.tell(messages.DefineDataset(11, 1, 7, TargetKind.CLASSES, 2, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data, 30):
            after.tell(chunk)
        assert after.blob(BlobKind.DATASET) == data
    few = slow_client(first, 1)  # a step a turn
    few.tell(autonomous(task, **rules))
    while progress(few).steps < 50:
        pass
    save(few)
    kept = few.blob(BlobKind.CHECKPOINT)
    stored = messages.CheckpointRecord.unpack(kept[:RECORD])
    assert stored.activity == Activity.LEARNING
    assert 0 < stored.steps < 120
    for chunk in set_blob(BlobKind.CHECKPOINT, kept, 100):
        after.tell(chunk)
    inject(after, CODES[:200])
    for board in (first, second):
        board.poll()
    before = client_of(first, 3)
    found, expected = progress(after), progress(before)
    assert (found.activity, found.steps) == (Activity.FINISHED, 120)
    same = ("epoch", "position", "steps", "learning_rate", "stop_reason", "correct", "evaluation_loss", "evaluated")
    assert [getattr(found, name) for name in same] == [getattr(expected, name) for name in same]
    assert Kept.of(after) == Kept.of(before)


@pytest.mark.parametrize("scale", [0, 1, 5, 8])
@pytest.mark.parametrize(("value_bytes", "ends"), [(1, (-128, 127)), (2, (-32768, -32767, 32767, -16384, 16384))])
def test_values_of_a_dataset_saturate_as_in_c(scale: int, value_bytes: int, ends: tuple[int, ...]) -> None:
    """Real-valued targets, from the ends of their range."""
    rng = np.random.default_rng(scale)
    values = rng.integers(min(ends), max(ends) + 1, (13, 3))
    values[rng.random(values.shape) < 0.5] = rng.choice(ends)
    values[0] = ends[0]
    data = values.astype(f"<i{value_bytes}").tobytes()
    kept = []
    for device in (InProcessDevice, SteppedDevice):
        board = device()
        client = client_of(board)
        client.tell(configure(XOR, injected=True))
        inject(client, CODES[:200])
        client.tell(messages.DefineDataset(13, value_bytes, scale, TargetKind.VALUES, 0, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data, 30):
            client.tell(chunk)
        client.tell(autonomous(Task.DATASET, stop_epochs=4, evaluate_every=2))
        board.poll()
        kept.append((Kept.of(client), progress(client), client.ask(messages.GetStatus(), messages.Status).loss_sum))
    assert kept[0][1].steps == 52
    assert kept[0] == kept[1]


@pytest.mark.parametrize(("value_bytes", "scale", "lowest"), [(1, 8, -128), (2, 0, -32768), (2, 3, -5000)])
def test_the_lowest_target_is_the_lowest_number(value_bytes: int, scale: int, lowest: int) -> None:
    """-32768 is never used: the loss shows the last bit."""
    data = b"".join(value.to_bytes(value_bytes, "little", signed=True) for value in (0, lowest))
    for device in (InProcessDevice, SteppedDevice):
        board = device()
        client = client_of(board)
        client.tell(configure(Network((1, 1)), injected=True))
        client.tell(messages.SetRates(0, 0))
        for chunk in set_blob(BlobKind.WEIGHTS, (0).to_bytes(2, "little") + (-4096).to_bytes(2, "little", signed=True)):
            client.tell(chunk)
        inject(client, CODES[:200])
        client.tell(messages.DefineDataset(1, value_bytes, scale, TargetKind.VALUES, 0, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data):
            client.tell(chunk)
        client.tell(autonomous(Task.DATASET, stop_epochs=1, evaluate_every=1))
        board.poll()
        assert progress(client).evaluation_loss == (32767 - 4096) ** 2


def test_a_larger_checkpoint_next_to_a_dataset_is_refused_while_weights_are_incomplete() -> None:
    """It would have to be saved first."""
    (larger,) = saved(Network((4, 12, 3))).values()
    for device in (InProcessDevice, SteppedDevice):
        client = client_of(device())
        client.tell(configure(CLASSES))
        rng = np.random.default_rng(1)
        upload(client, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11))
        client.tell(set_blob(BlobKind.WEIGHTS, client.weights(), 50)[0])
        chunks = set_blob(BlobKind.CHECKPOINT, larger, 100)
        assert client.refused(chunks[0]) == (Error.OCCUPIED, 0)
        client.tell(configure(CLASSES))
        for chunk in chunks:
            client.tell(chunk)
        assert client.weights() == larger[RECORD + 6 :]


def test_a_curve_is_that_of_c() -> None:
    curves = []
    codes = noise(900)
    for device in (InProcessDevice, SteppedDevice):
        board = device(codes_per_step=7)
        board.queue(codes)
        client = client_of(board)
        client.tell(configure(XOR))
        client.tell(NO_TESTS)
        client.tell(autonomous(Task.XOR, stop_steps=900 - FILLING // 7))
        while board.poll() > 1:
            pass
        curves.append((client.ask(messages.GetCurve(), messages.Curve), Kept.of(client), progress(client)))
    (of_c, *rest_of_c), (found, *rest) = curves
    assert rest == rest_of_c
    assert (found.interval, found.points.tolist()) == (of_c.interval, of_c.points.tolist())
    assert len(found.points) >= 8
