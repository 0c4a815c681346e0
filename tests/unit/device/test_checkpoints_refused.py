"""Checkpoints that a device refuses, and what it is then: as it was before."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from autonomous_support import CLASSES, autonomous, noise, progress, started, upload
from checkpoint_support import CODES, DANP, FEEDBACK, IRIS, Kept, again, inject, save, train
from plain_client import configure, memory_client, set_blob

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network, WeightFormat
from mtjlearn.wire import messages
from mtjlearn.wire.messages import (
    CHECKPOINT_COMMIT,
    BlobKind,
    CheckpointAction,
    Error,
    NoiseSource,
    Restored,
    Task,
)


def resealed(data: bytes) -> bytes:
    """With the checksum that its bytes have now."""
    return data[:2] + zlib.crc32(data[6:]).to_bytes(4, "little") + data[6:]


def uploadable(network: Network) -> bytes:
    """A checkpoint of this network, from another board."""
    client = memory_client(InProcessDevice())
    client.tell(configure(network, injected=True))
    save(client)
    return client.blob(BlobKind.CHECKPOINT)


WIDE_DANP = uploadable(DANP)
WIDE_FEEDBACK = uploadable(replace(FEEDBACK, weight_format=WeightFormat.INT32))
REFUSED = {
    "random state": resealed(WIDE_DANP[:34] + bytes(4) + WIDE_DANP[38:]),
    "a weight": resealed(WIDE_DANP[:116] + b"\0\0\0\x80" + WIDE_DANP[120:]),
    "a matrix": resealed(WIDE_DANP[:-2] + b"\0\x80"),
    "a feedback value": resealed(WIDE_FEEDBACK[:-2] + b"\0\x80"),
    "checksum": WIDE_DANP[:-1] + bytes([WIDE_DANP[-1] ^ 1]),
    "arena": uploadable(Network((16, 20, 4))),
    "sizes": uploadable(Network((2, 40))),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_a_refused_upload_changes_nothing(data: bytes) -> None:
    """Not the network, its unsaved steps, what it learns autonomously, or its dataset."""
    board = InProcessDevice(arena=700, max_payload=64)
    client = memory_client(board)
    client.tell(configure(CLASSES, injected=True))
    rng = np.random.default_rng(1)
    samples_ = upload(client, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11), chunk=40)
    client.tell(autonomous(Task.DATASET))
    client.tell(messages.Halt())
    inject(client, CODES[:200])
    train(client, CLASSES, 5, 1)
    save(client)  # the next slot is 1, behind the dataset
    train(client, CLASSES, 6, 2)
    kept, found, limits = Kept.of(client), progress(client), client.ask(messages.GetHealth(), messages.Health)
    assert (kept.steps, found.samples) == (11, 11)
    refusals = [client.send(chunk.TYPE, chunk.pack()) for chunk in set_blob(BlobKind.CHECKPOINT, data, 40)]
    assert refusals[-1]
    assert (Kept.of(client), progress(client)) == (kept, found)
    assert client.ask(messages.GetHealth(), messages.Health) == limits
    assert client.blob(BlobKind.DATASET) == samples_
    train(client, CLASSES, 1, 3)
    save(client)
    client = again(board)
    assert (client.welcome.restored, client.status().steps, progress(client).samples) == (Restored.NEWEST, 12, 11)


def test_a_checkpoint_over_the_dataset_is_refused_until_that_is_given_up() -> None:
    """On an Uno: 4-8-3 with iris and two checkpoints fills the memory; one of 4-12-3 needs more."""
    larger = uploadable(Network((4, 12, 3)))
    board = InProcessDevice(memory_bytes=1012, arena=2048)
    client = memory_client(board)
    client.tell(configure(CLASSES))
    rng = np.random.default_rng(1)
    upload(client, rng.integers(-60, 61, (120, 4)), rng.integers(0, 3, 120))
    client.tell(autonomous(Task.DATASET))
    for _ in range(2):
        client.tell(messages.Halt())
        before, memory = progress(client), board.memory
        chunks = set_blob(BlobKind.CHECKPOINT, larger, 100)
        assert client.refused(chunks[0]) == (Error.OCCUPIED, 0)
        assert (progress(client), board.memory) == (before, memory)
        client.tell(autonomous(Task.DATASET))
    client.tell(messages.Halt())
    client.tell(messages.Checkpoint(CheckpointAction.ERASE))
    for chunk in chunks:
        client.tell(chunk)
    assert client.weights() == larger[116:]
    assert again(board).weights() == larger[116:]


@pytest.mark.parametrize(("commit", "detail"), [(CHECKPOINT_COMMIT | 99, 99), (CHECKPOINT_COMMIT | 255, 255), (0x1234, 0)])
def test_a_checkpoint_of_another_format_is_refused_with_its_number(commit: int, detail: int) -> None:
    data = commit.to_bytes(2, "little") + uploadable(CLASSES)[2:]
    _, client = started(CLASSES, noise(1))
    assert client.refused(set_blob(BlobKind.CHECKPOINT, data, 100)[0]) == (Error.BAD_CHECKPOINT, detail)


def test_the_first_two_bytes_of_an_upload_say_that_it_is_a_checkpoint() -> None:
    data = uploadable(CLASSES)
    _, client = started(CLASSES, noise(1))
    first, second, *_ = set_blob(BlobKind.CHECKPOINT, data, 1)
    assert client.refused(first)[0] == Error.BAD_CHECKPOINT
    assert client.refused(second)[0] == Error.BAD_OFFSET
    for chunk in set_blob(BlobKind.CHECKPOINT, data, 2):
        client.tell(chunk)
    assert client.blob(BlobKind.WEIGHTS) == data[116:]


def test_damaged_uploads_and_weights_are_refused_without_a_detail() -> None:
    data = uploadable(CLASSES)
    _, client = started(CLASSES, noise(1))
    kept = client.weights()
    *chunks, last = set_blob(BlobKind.CHECKPOINT, data, 100)
    for chunk in chunks:
        client.tell(chunk)
    assert client.refused(replace(last, crc=last.crc ^ 1)) == (Error.BAD_CHECKSUM, 0)
    assert client.weights() == kept
    client.tell(set_blob(BlobKind.WEIGHTS, kept, 40)[0])
    assert client.refused(messages.Checkpoint(CheckpointAction.SAVE)) == (Error.NOT_LOADED, 0)


def test_a_dataset_that_cannot_be_is_not_written() -> None:
    """A checkpoint may claim a dataset of any size; its bytes must not be let into the memory."""
    board, client = started(CLASSES, noise(50))
    rng = np.random.default_rng(1)
    upload(client, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11))
    client.tell(autonomous(Task.DATASET))
    client.tell(messages.Halt())
    data = client.blob(BlobKind.CHECKPOINT)
    layout = messages.CheckpointRecord.unpack(data[:110])
    place = data.index(layout.source.to_bytes(4, "little")) + 4
    assert int.from_bytes(data[place : place + 2], "little") == 11
    data = resealed(data[:place] + (60_000).to_bytes(2, "little") + data[place + 2 :])
    for chunk in set_blob(BlobKind.CHECKPOINT, data, 100):
        client.tell(chunk)
    memory = board.memory
    total = 60_000 * 4 + 60_000 // 4
    assert client.refused(messages.SetBlob(BlobKind.DATASET, 0, total, 0, bytes(100))) == (Error.NO_MEMORY, 0)
    assert board.memory == memory


@pytest.mark.parametrize("source", NoiseSource)
@pytest.mark.parametrize(
    "changes",
    [
        {"level_low": 44, "level_high": 33},
        {"level_low": 44, "level_high": 44},
        {"level_low": 44, "level_high": 45},
        {"level_low": 0, "level_high": 1},
        {"level_low": 65535, "level_high": 1},
        {"level_low": 33, "level_high": 1024},
        {"noise_deviation": 100 * 65535 + 1},
        {"noise_deviation": 2**32 - 1},
    ],
    ids=str,
)
def test_levels_and_deviations_that_no_codes_give_are_no_checkpoint(source: NoiseSource, changes: dict[str, int]) -> None:
    assert refuses_checkpoint({"noise_source": source, **changes})


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"level_low": 44, "level_high": 46}, False),
        ({"level_low": 1021, "level_high": 1023}, False),
        ({"level_low": 44, "level_high": 0}, False),
        ({"noise_deviation": 100 * 1023}, False),
        ({"noise_deviation": 100 * 1023 + 1}, True),
        ({"noise_source": NoiseSource.INJECTED, "noise_deviation": 100 * 65535}, False),
    ],
    ids=str,
)
def test_the_widest_levels_and_deviations_are_a_checkpoint(changes: dict[str, int], refused: bool) -> None:
    assert refuses_checkpoint({"noise_source": NoiseSource.ADC, **changes}) == refused


@pytest.mark.parametrize("place", [0, 10, -1])
@pytest.mark.parametrize(("value", "refused"), [(0x8000, True), (0x8001, False), (0x7FFF, False)])
def test_the_one_forbidden_weight_is_not_restored(place: int, value: int, refused: bool) -> None:
    assert refuses_checkpoint({}, (place, value)) == refused


def refuses_checkpoint(changes: dict[str, int], weight: tuple[int, int] | None = None) -> bool:
    """Whether a device refuses its own checkpoint with other values, or a weight, and a checksum that is right."""
    client = memory_client(InProcessDevice())
    client.tell(configure(IRIS))
    save(client)
    data = bytearray(client.blob(BlobKind.CHECKPOINT))
    data[:110] = replace(messages.CheckpointRecord.unpack(bytes(data[:110])), **changes).pack()
    if weight is not None:
        start = range(len(data) - len(client.weights()), len(data), 2)[weight[0]]
        data[start : start + 2] = weight[1].to_bytes(2, "little")
    data[2:6] = zlib.crc32(data[6:]).to_bytes(4, "little")
    *chunks, last = set_blob(BlobKind.CHECKPOINT, bytes(data), 200)
    for chunk in chunks:
        client.tell(chunk)
    answers = client.send(last.TYPE, last.pack())
    assert all(isinstance(one, messages.Err) and one.code == Error.BAD_CHECKPOINT for one in answers)
    return bool(answers)
