"""Blobs of the nonvolatile memory: a dataset, and checkpoints. An upload's file stays open from the first chunk to the last one.

The C firmware's counterpart is firmware/src/autonomous/memory_blobs.c.
"""

if False:
    from kinds import Device, File

import binascii
import errno

from checkpoint import write
from messages import (
    BLOB_KIND_CHECKPOINT,
    BLOB_KIND_DATASET,
    CHECKPOINT_COMMIT,
    ERROR_BAD_CHECKPOINT,
    ERROR_BAD_CHECKSUM,
    ERROR_NO_MEMORY,
    ERROR_NOT_CONFIGURED,
    ERROR_OCCUPIED,
    SIZE_CHECKPOINT_RECORD,
)
from restore import checkpoint_import
from session import DONE, LATER
from slots import COMMIT_BYTES, is_committed
from storage import DATASET, SLOTS, close, error_of, memory_checkpoint_bytes, memory_slot_room, remove


class Uploads:
    """The one that a host sends; device.blobs says which, and how far it is."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._file: File = None
        self._kind = 0

    def poll(self) -> None:
        """In each turn: an upload that was abandoned needs its file no longer."""
        blobs = self._device.blobs
        if self._file is not None and (blobs.offset == 0 or blobs.kind != self._kind):
            self._close()

    def abandon(self, kind: int) -> None:
        """The rest of an upload of this kind will not be taken."""
        self._device.blobs.abandon_kind(kind)
        if self._kind == kind:
            self._close()

    def remove_dataset(self) -> None:
        """Frees its room, unless a new one is being written. May raise OSError."""
        self.poll()
        if self._file is None or self._kind != BLOB_KIND_DATASET:
            remove(self._device.board.storage, DATASET)

    def expected(self, kind: int, start: int, total: int) -> int:
        """Bytes of the blob that a SET_BLOB is of; 0: there is no room, or no dataset was defined."""
        device = self._device
        if start:
            return device.blobs.total
        if kind == BLOB_KIND_DATASET:
            return device.autonomous.dataset.bytes() if device.autonomous.dataset.samples else 0
        return total if SIZE_CHECKPOINT_RECORD < total <= device.board.memory_bytes // 2 else 0

    def write(self, kind: int, start: int, total: int, crc: int, data: memoryview) -> int:
        """Writes a chunk that was checked (command_set_blob()); the last one completes dataset or checkpoint."""
        blobs = self._device.blobs
        try:
            if start == 0:
                result = self._begin(kind, total, data)
                if result is not None:
                    return result
            blobs.offset = 0
            blobs.crc = binascii.crc32(data, blobs.crc)
            self._put(kind, start, data)
            if start + len(data) < total:
                blobs.offset = start + len(data)
                return DONE
            self._file.flush()
            self._close()
            return self._complete(kind, crc)
        except (OSError, MemoryError) as error:
            blobs.offset = 0
            self._close()
            return self._device.refuse(ERROR_NO_MEMORY, error_of(error))

    def bytes(self, kind: int) -> tuple[int, int]:
        """Of one that can be read, and 0; or 0 and an error: there is none."""
        device = self._device
        if kind == BLOB_KIND_CHECKPOINT:
            newest = device.autonomous.checkpoint.newest
            return newest, 0 if newest else ERROR_NO_MEMORY
        if not device.configured:
            return 0, ERROR_NOT_CONFIGURED
        dataset = device.autonomous.dataset
        return (dataset.bytes(), 0) if dataset.complete else (0, ERROR_NO_MEMORY)

    def read(self, kind: int, offset: int, to: memoryview) -> int:
        """Reads bytes of one that is there. Returns 0, or the file system's error."""
        device = self._device
        name = DATASET if kind == BLOB_KIND_DATASET else SLOTS[device.autonomous.checkpoint.slot()]
        try:
            with device.board.storage.open(name, "rb") as file:
                file.seek(offset)
                return 0 if file.readinto(to) == len(to) else errno.EIO
        except OSError as error:
            return error_of(error)

    def _close(self) -> None:
        if self._file is not None:
            close(self._file)
            self._file = None

    def _begin(self, kind: int, total: int, data: memoryview) -> int | None:
        """Opens the file; or what the handler returns instead."""
        device = self._device
        autonomous, blobs = device.autonomous, device.blobs
        if kind == BLOB_KIND_DATASET:
            autonomous.dataset.lose()
        else:
            commit = data[0] | (data[1] << 8 if len(data) > 1 else 0)
            if not is_committed(commit):
                return device.refuse(ERROR_BAD_CHECKPOINT, commit & 0xFF if commit & 0xFF00 == CHECKPOINT_COMMIT else 0)
            result = self._make_room(total)
            if result is not None:
                return result
        self._close()
        self._kind = blobs.kind = kind
        blobs.total = total
        blobs.crc = 0
        self._file = device.board.storage.open(
            DATASET if kind == BLOB_KIND_DATASET else SLOTS[autonomous.checkpoint.next_slot()], "wb"
        )
        return None

    def _make_room(self, total: int) -> int | None:
        """For a checkpoint that is larger than the present network's, next to the dataset in use; or what the handler returns
        instead.
        """
        device = self._device
        board, dataset, checkpoint = device.board, device.autonomous.dataset, device.autonomous.checkpoint
        if not dataset.complete:
            return None
        room, own = memory_slot_room(board, total), memory_slot_room(board, memory_checkpoint_bytes(device.net.config))
        if room <= own:
            return None
        # A refused upload changes nothing, and a power cut leaves a board that learns.
        if own + dataset.bytes() + room > board.memory_bytes or device.blobs.damaged:
            return device.refuse(ERROR_OCCUPIED, 0)
        if checkpoint.next_slot() == 0:
            # The other slot may hold a larger one: after one save more both are of the present network.
            checkpoint.wanted = True
            return LATER
        return None

    def _put(self, kind: int, start: int, data: memoryview) -> None:
        """The commit word of a checkpoint must not stand there before all else does."""
        if kind == BLOB_KIND_CHECKPOINT and start < COMMIT_BYTES:
            erased = min(COMMIT_BYTES - start, len(data))
            write(self._file, b"\xff" * erased)
            data = data[erased:]
        write(self._file, data)

    def _complete(self, kind: int, crc: int) -> int:
        device = self._device
        if device.blobs.crc != crc or (kind == BLOB_KIND_DATASET and not device.autonomous.dataset.check()):
            return device.refuse(ERROR_BAD_CHECKSUM, 0)
        return checkpoint_import(device) if kind == BLOB_KIND_CHECKPOINT else DONE
