"""What the device in MicroPython does when its file system is full, or files vanish."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from autonomous_support import CLASSES, XOR, autonomous, noise, progress, upload
from checkpoint_support import checkpoints, save
from device_support import NO_TESTS
from kept_files_support import begun, client_of, saved
from plain_client import PlainClient, configure, set_blob
from stepped_support import SteppedDevice, Stepper

from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import (
    Activity,
    BlobKind,
    CheckpointAction,
    Error,
    Restored,
    Task,
)

FULL = errno.ENOSPC


@pytest.fixture(autouse=True)
def _in_micropython(stepper: Stepper) -> None:
    pass


def learning(board: SteppedDevice, client: PlainClient) -> None:
    client.tell(configure(XOR))
    client.tell(NO_TESTS)
    save(client)


def test_without_room_nothing_is_acknowledged_that_is_not_kept() -> None:
    board, client = begun(codes_per_step=7)
    board.queue(noise(100))
    learning(board, client)
    files = board.files
    board.refuse_writes(FULL)
    assert client.refused(messages.Checkpoint(CheckpointAction.SAVE)) == (Error.NO_MEMORY, FULL)
    assert client.refused(autonomous(Task.XOR)) == (Error.NO_MEMORY, FULL)
    assert progress(client).activity == Activity.IDLE
    found = checkpoints(client)
    assert (found.generation, found.saving) == (1, 0)
    assert board.files == files
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, progress(client).activity) == (Restored.NEWEST, Activity.IDLE)
    assert client.blob(BlobKind.CHECKPOINT) == files["slot1"]
    board.refuse_writes(0)
    client.tell(autonomous(Task.XOR))
    assert checkpoints(client).generation == 2
    board.refuse_writes(FULL)
    assert client.refused(messages.Halt()) == (Error.NO_MEMORY, FULL)
    assert progress(client).activity == Activity.HALTED
    board.refuse_writes(0)
    save(client)
    board.restart()
    assert progress(client_of(board, 3)).activity == Activity.HALTED


def test_a_save_that_fails_in_the_middle_leaves_the_one_before() -> None:
    board, client = begun()
    client.tell(configure(Network((20, 30, 4))))
    save(client)
    client.push(messages.Checkpoint.TYPE, b"\0")
    board.poll(3)
    assert board.files["slot0"][:2] == b"\xff\xff"
    board.refuse_writes(FULL)
    (refusal,) = client.finish()
    assert isinstance(refusal, messages.Err)
    assert (refusal.code, refusal.detail) == (Error.NO_MEMORY, FULL)
    assert checkpoints(client).generation == 1
    assert len(client.blob(BlobKind.CHECKPOINT)) == checkpoints(client).slot_bytes
    board.refuse_writes(0)
    board.restart()
    client = client_of(board, 2)
    assert client.welcome.restored in (Restored.OLDER, Restored.NEWEST)
    assert checkpoints(client).generation == 1
    save(client)
    assert checkpoints(client).generation == 2


def test_learning_goes_on_where_nothing_can_be_kept() -> None:
    """And it is saved again once there is room; not tried in every turn."""
    board, client = begun(codes_per_step=7, adc_rate=70)  # a step is a tenth of a second
    board.queue(noise(60))
    learning(board, client)
    client.tell(autonomous(Task.XOR, checkpoint_interval=5))
    board.poll()
    generation, steps = checkpoints(client).generation, progress(client).steps
    assert generation > 2
    board.refuse_writes(errno.EIO)
    board.queue(noise(400, seed=1))
    board.poll()
    assert progress(client).steps >= steps + 400
    found = checkpoints(client)
    assert found.generation == generation
    assert found.age >= 40
    assert 8 <= board.refused_writes <= 9  # 429 steps, one save in 50
    board.refuse_writes(0)
    board.queue(noise(60, seed=2))
    board.poll()
    assert progress(client).activity == Activity.LEARNING
    found = checkpoints(client)
    assert found.generation in (generation + 1, generation + 2)
    assert found.age <= 5


def test_a_dataset_without_room_is_refused_at_any_chunk() -> None:
    board, client = begun()
    client.tell(configure(CLASSES))
    rng = np.random.default_rng(1)
    x, targets = rng.integers(-60, 61, (40, 4)), rng.integers(0, 3, 40)
    data = upload(client, x, targets)
    chunks = set_blob(BlobKind.DATASET, data, 50)
    for fails in range(len(chunks)):
        board.refuse_writes(0)
        for chunk in chunks[:fails]:
            client.tell(chunk)
        board.refuse_writes(FULL)
        assert client.refused(chunks[fails]) == (Error.NO_MEMORY, FULL)
        assert client.refused(autonomous(Task.DATASET)) == (Error.NOT_LOADED, 0)
        assert client.refused(messages.GetBlob(BlobKind.DATASET, 0)) == (Error.NO_MEMORY, 0)
        if fails + 1 < len(chunks):
            assert client.refused(chunks[fails + 1]) == (Error.BAD_OFFSET, 0)
    board.refuse_writes(0)
    for chunk in chunks:
        client.tell(chunk)
    assert progress(client).samples == 40


def test_an_uploaded_checkpoint_without_room_is_refused() -> None:
    (data,) = saved().values()
    board, client = begun()
    client.tell(configure(XOR))
    save(client)
    weights = client.weights()
    board.refuse_writes(FULL)
    assert client.refused(set_blob(BlobKind.CHECKPOINT, data, 100)[0]) == (Error.NO_MEMORY, FULL)
    assert client.weights() == weights
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, client.weights()) == (Restored.NEWEST, weights)


def test_files_that_vanish_while_it_learns_end_the_training_alone() -> None:
    board, client = begun(codes_per_step=7)
    board.queue(noise(400))
    client.tell(configure(CLASSES))
    client.tell(NO_TESTS)
    rng = np.random.default_rng(1)
    upload(client, rng.integers(-60, 61, (40, 4)), rng.integers(0, 3, 40))
    client.tell(autonomous(Task.DATASET))
    assert progress(client).activity == Activity.LEARNING
    board.files = {}
    assert client.refused(messages.GetBlob(BlobKind.CHECKPOINT, 0)) == (Error.NO_MEMORY, errno.ENOENT)
    assert client.refused(messages.GetBlob(BlobKind.DATASET, 0)) == (Error.NO_MEMORY, errno.ENOENT)
    client.tell(messages.Halt())
    assert set(board.files) == {"slot0"}
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, progress(client).activity) == (Restored.NO_DATASET, Activity.IDLE)
