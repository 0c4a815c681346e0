"""Valid frames that once wrote beyond a blob, and beyond the memory: what a host may not do between the chunks of an upload."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

from plain_client import PlainClient, configure

from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import (
    CHECKPOINT_COMMIT,
    CHECKPOINT_FORMAT,
    BlobKind,
    CheckpointAction,
    Error,
    Message,
    TargetKind,
    Task,
)

BOUNDS = {Error.OUT_OF_RANGE, Error.BAD_OFFSET, Error.BAD_LENGTH, Error.NO_MEMORY}
Snapshot = Callable[[], bytes]

_XOR = Network((2, 3, 1), learning_rate=0.04, seed=5)
_RECORD = messages.CheckpointRecord.LAYOUT.size
_COMMIT = (CHECKPOINT_COMMIT | CHECKPOINT_FORMAT).to_bytes(2, "little")


def _room(client: PlainClient) -> int:
    """Bytes of a chunk."""
    return client.welcome.max_payload - messages.SetBlob.LAYOUT.size


def _refused(client: PlainClient, message: Message, memory: Snapshot) -> tuple[int, int]:
    """Code and detail, for a bound; nothing was written."""
    before = memory()
    code, detail = client.refused(message)
    assert code in BOUNDS
    assert memory() == before
    return code, detail


def change_total(client: PlainClient, memory: Snapshot) -> None:
    """Chunks of a checkpoint that state another size later on."""
    room, total = _room(client), client.welcome.memory // 2 - 1
    chunk = bytes(range(1, room + 1))
    client.tell(messages.Checkpoint(CheckpointAction.ERASE))
    client.tell(messages.SetBlob(BlobKind.CHECKPOINT, 0, total, 0, _COMMIT + chunk[2:]))
    offset = room
    while offset + room < total:
        client.tell(messages.SetBlob(BlobKind.CHECKPOINT, offset, total, 0, chunk))
        offset += room
    for stated in (_RECORD + 1, offset - 1, offset, offset + room, total - 1, total + 1, 0, 2**32 - 1):
        assert _refused(client, messages.SetBlob(BlobKind.CHECKPOINT, offset, stated, 0, chunk), memory) == (Error.OUT_OF_RANGE, 3)
    for place in (offset - room, offset + 1, total, 2**32 - 1):
        refusal = _refused(client, messages.SetBlob(BlobKind.CHECKPOINT, place, total, 0, chunk), memory)
        assert refusal == (Error.BAD_OFFSET, offset)
    assert _refused(client, messages.SetBlob(BlobKind.CHECKPOINT, offset, total, 0, chunk), memory)[0] == Error.BAD_LENGTH
    # What was refused changed nothing: the rest still belongs there, though the whole is not a checkpoint.
    rest = messages.SetBlob(BlobKind.CHECKPOINT, offset, total, 0, chunk[: total - offset])
    assert client.refused(rest)[0] == Error.BAD_CHECKSUM
    assert _refused(client, rest, memory) == (Error.BAD_OFFSET, 0)


def shrink_dataset(client: PlainClient, memory: Snapshot) -> None:
    """A smaller dataset is defined between two chunks of one."""
    room, samples = 47, 200
    total = 2 * samples + samples // 8
    client.tell(configure(_XOR))
    client.tell(messages.DefineDataset(samples, 1, 0, TargetKind.CLASSES, 1, 0))
    for offset in range(0, 4 * room, room):
        client.tell(messages.SetBlob(BlobKind.DATASET, offset, total, 0, bytes(room)))
    offset = 4 * room
    refused = messages.DefineDataset(65535, 2, 0, TargetKind.CLASSES, 1, 0)
    assert client.refused(refused)[0] == Error.TOO_LARGE
    client.tell(messages.SetBlob(BlobKind.DATASET, offset, total, 0, bytes(room)))
    client.tell(messages.DefineDataset(5, 1, 0, TargetKind.CLASSES, 1, 0))
    for stated in (11, total, offset + 2 * room):
        chunk = messages.SetBlob(BlobKind.DATASET, offset + room, stated, 0, b"\x55" * room)
        assert _refused(client, chunk, memory) == (Error.BAD_OFFSET, 0)
    client.tell(configure(_XOR))
    assert _refused(client, messages.SetBlob(BlobKind.DATASET, 0, 11, 0, bytes(11)), memory)[0] == Error.NO_MEMORY


def restore_unfit_dataset(client: PlainClient, memory: Snapshot) -> None:
    """A checkpoint says that its dataset is larger than the memory; then its bytes are sent."""
    client.tell(configure(_XOR))
    client.tell(messages.Checkpoint(CheckpointAction.SAVE))
    data = client.blob(BlobKind.CHECKPOINT)
    fields = {"task": Task.DATASET, "epoch_steps": 65535, "value_bytes": 1, "target_kind": TargetKind.CLASSES, "class_bits": 1}
    head = replace(messages.CheckpointRecord.unpack(data[:_RECORD]), **fields).pack()  # type: ignore[arg-type]
    data = head[:2] + zlib.crc32((head + data[_RECORD:])[6:]).to_bytes(4, "little") + head[6:] + data[_RECORD:]
    client.tell(messages.Checkpoint(CheckpointAction.ERASE))
    room = _room(client)
    for offset in range(0, len(data), room):
        client.tell(messages.SetBlob(BlobKind.CHECKPOINT, offset, len(data), zlib.crc32(data), data[offset : offset + room]))
    client.tell(messages.Halt())  # answered once the import is saved
    total = 65535 * 2 + 65536 // 8
    for stated in (total, total % 65536):
        assert _refused(client, messages.SetBlob(BlobKind.DATASET, 0, stated, 0, bytes(room)), memory)[0] == Error.NO_MEMORY


def save_between(client: PlainClient, memory: Snapshot) -> None:
    """A save between two chunks of a checkpoint: the rest would go into the other slot."""
    room, total = _room(client), client.welcome.memory // 2
    for action in CheckpointAction:
        client.tell(configure(_XOR))
        client.tell(messages.Checkpoint(CheckpointAction.ERASE))
        client.tell(messages.SetBlob(BlobKind.CHECKPOINT, 0, total, 0, _COMMIT + bytes(room - 2)))
        client.tell(messages.Checkpoint(action))
        assert _refused(client, messages.SetBlob(BlobKind.CHECKPOINT, room, total, 0, bytes(room)), memory) == (Error.BAD_OFFSET, 0)


SEQUENCES = {function.__name__: function for function in (change_total, shrink_dataset, restore_unfit_dataset, save_between)}
