"""Checkpoints: network, counters, calibration and task in one of two slots of the nonvolatile memory, in turn; the older one stays
whole while the other is written, piece by piece, in turns of the main loop. Nothing is learned meanwhile, so that a slot never
mixes two steps. The word that makes a slot count is written last, when the rest is kept.

A file system can refuse what an EEPROM cannot: it may be full. Then the newest checkpoint stays what it was, the command that asked
for another one is refused with the file system's error, and a training continues without.
"""

if False:
    from kinds import Bytes, Device, File

import struct

from messages import (
    ACTIVITY_EVALUATING,
    BLOB_KIND_CHECKPOINT,
    CHECKPOINT_ACTION_ERASE,
    CHECKPOINT_ACTION_SAVE,
    ERROR_BUSY,
    ERROR_NO_MEMORY,
    ERROR_NOT_CONFIGURED,
    ERROR_NOT_LOADED,
    ERROR_TOO_LARGE,
    FIELD_CHECKPOINT_ACTION,
    RESTORED_NOTHING,
)
from micropython import const
from session import DONE, LATER
from slots import COMMITTED, slot_record
from storage import SLOTS, close, error_of, memory_checkpoint_bytes, memory_dataset_room, remove

_SECOND = const(977)
"""Units of 1,024 us."""
_PIECE = const(512)
"""Bytes written in a turn."""
_MOST_AGE = const(65535)
_NO_SPACE = const(28)
"""ENOSPC, which the module errno does not have."""


class Checkpoint:
    """What is saved, and when.

    Attributes:
        restored: RESTORED_...
        wanted: by HALT, SAVE or AUTONOMOUS.
        dirty: something was learned since the last save.
        noise_position: of the noise buffer, when the save began.
        age: seconds since the last save or the start, at most 65,535.
        generation: of the newest checkpoint, the one being written included.
        newest: bytes of the newest complete one; 0: there is none.
        error: of the file system, for the command that waits; 0: none.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._file: File = None
        self._left: list[memoryview] = []
        """What is still to be written."""
        self._before = 0
        """The generation before the one being written."""
        self._tried = 0
        """Seconds since the last save, the last that failed, or the start."""
        self.second = device.clock()
        """When `age` last changed."""
        self.restored = RESTORED_NOTHING
        self.wanted = False
        self.dirty = False
        self.noise_position = 0
        self.age = 0
        self.generation = 0
        self.newest = 0
        self.error = 0

    def slot(self) -> int:
        """The slot of the newest checkpoint."""
        return self.generation & 1

    def next_slot(self) -> int:
        """The slot that the next one goes to."""
        return (self.generation + 1) & 1

    def writes(self) -> bool:
        """Whether one is being written."""
        return self._file is not None

    def busy(self) -> bool:
        """Whether one is being written, or will be in the next turn."""
        return self.wanted or self._file is not None

    def missing(self) -> int:
        """Bytes of memory missing for two of them; 0: they fit."""
        device = self._device
        return max(0, -memory_dataset_room(device.board, memory_checkpoint_bytes(device.net.config)))

    def wait(self) -> int:
        """The command that is executed has done its work, and waits for a checkpoint of it."""
        self.wanted = True
        self.error = 0
        self._device.autonomous.waits = True
        return LATER

    def poll(self) -> bool:
        """In each turn: saves when it is time or wanted, a piece a turn. True while it is at work."""
        if self._file is None:
            self._count_seconds()
            # An evaluation is not kept; the position would be its own.
            if not self.wanted or self._device.autonomous.training.activity == ACTIVITY_EVALUATING:
                return False
            self.wanted = False
        try:
            if self._file is None:
                self._begin()
            else:
                self._work()
        except (OSError, MemoryError) as error:
            self._fail(error_of(error))
        return True

    def erase(self) -> None:
        """Removes all, the newest one last; may raise OSError."""
        storage, newest = self._device.board.storage, self.slot()
        remove(storage, SLOTS[1 - newest])
        self._device.autonomous.uploads.remove_dataset()
        remove(storage, SLOTS[newest])
        self.generation = self.newest = 0

    def _count_seconds(self) -> None:
        device = self._device
        if (device.clock() - self.second) & 0xFFFF < _SECOND:
            return
        self.second = (self.second + _SECOND) & 0xFFFF
        self.age = min(self.age + 1, _MOST_AGE)
        self._tried = min(self._tried + 1, _MOST_AGE)
        interval = device.autonomous.training.checkpoint_interval
        if self.dirty and interval and self._tried >= interval:
            self.wanted = True

    def _begin(self) -> None:
        device = self._device
        if not device.configured or device.blobs.damaged or self.missing():
            return
        device.autonomous.uploads.abandon(BLOB_KIND_CHECKPOINT)
        self._before = self.generation
        self.generation = (self.generation + 1) & 0xFFFFFFFF or 2
        # Codes continue to arrive.
        self.noise_position = device.intake.noise.position
        try:
            self._left = [memoryview(slot_record(device)), device.net.weights, device.net.matrices, device.net.feedback]
            self._file = device.board.storage.open(SLOTS[self.slot()], "wb")
        except (OSError, MemoryError):
            self.generation = self._before
            raise
        self._give_credit(0)

    def _work(self) -> None:
        left = self._left
        if left:
            piece = left[0][:_PIECE]
            left[0] = left[0][len(piece) :]
            if not left[0]:
                left.pop(0)
            write(self._file, piece)
            return
        file = self._file
        file.flush()
        file.seek(0)
        write(file, struct.pack("<H", COMMITTED))
        file.flush()
        self._finish()

    def _end(self) -> None:
        close(self._file)
        self._file = None
        self._left = []
        self._tried = 0
        self._give_credit(self._device.board.receive_window)

    def _finish(self) -> None:
        self._end()
        self.newest = memory_checkpoint_bytes(self._device.net.config)
        self.age = 0
        self.dirty = False

    def _fail(self, error: int) -> None:
        device = self._device
        if self._file is not None:
            self._end()
            self.generation = self._before
        self._tried = 0
        self.error = error
        device.remember(ERROR_NO_MEMORY)

    def _give_credit(self, credit: int) -> None:
        """A board that erases blocks stands still meanwhile, so the host must."""
        device = self._device
        if device.board.memory_block > 1:
            device.session.credit = credit
            device.session.acknowledge()


def write(file: File, piece: Bytes) -> None:
    """Writes all of a piece; a file system that takes less is full."""
    if file.write(piece) != len(piece):
        raise OSError(_NO_SPACE)


def command_checkpoint(device: Device, payload: memoryview) -> int:
    """CHECKPOINT: saves one or erases all. Acknowledged once that is kept."""
    autonomous = device.autonomous
    checkpoint = autonomous.checkpoint
    if payload[0] == CHECKPOINT_ACTION_ERASE:
        if autonomous.learns():
            return device.refuse(ERROR_BUSY, 0)
        autonomous.uploads.abandon(BLOB_KIND_CHECKPOINT)
        autonomous.dataset.lose()
        try:
            checkpoint.erase()
        except OSError as error:
            return device.refuse(ERROR_NO_MEMORY, error_of(error))
        return DONE
    if payload[0] != CHECKPOINT_ACTION_SAVE:
        return device.out_of_range(FIELD_CHECKPOINT_ACTION)
    if not device.configured:
        return device.refuse(ERROR_NOT_CONFIGURED, 0)
    if checkpoint.missing():
        return device.refuse(ERROR_TOO_LARGE, checkpoint.missing())
    if device.blobs.damaged:
        return device.refuse(ERROR_NOT_LOADED, 0)
    return checkpoint.wait()
