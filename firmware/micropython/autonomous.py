"""Autonomous learning, with datasets and checkpoints in nonvolatile memory: all that the rest of the device has to do with it,
passed on to the modules that learn (training.py, tasks.py) and keep (checkpoint.py, uploads.py, restore.py, dataset.py).

The C firmware's counterpart is firmware/src/autonomous.h.
"""

if False:
    from kinds import Device

from checkpoint import Checkpoint, command_checkpoint
from dataset import Dataset, command_define_dataset
from messages import ERROR_NO_MEMORY, FEATURES_ANALOG, FEATURES_MEMORY, TYPE_AUTONOMOUS
from progress import command_get_checkpoint, command_get_curve, command_get_progress
from restore import checkpoint_restore
from session import DONE, LATER
from training import Training, command_autonomous, command_halt
from uploads import Uploads

HANDLERS = (
    command_define_dataset,
    command_autonomous,
    command_halt,
    command_get_progress,
    command_get_curve,
    command_checkpoint,
    command_get_checkpoint,
)
"""Its commands, for the table in commands.py."""


class Autonomous:
    """What the device keeps for autonomous learning.

    Attributes:
        fresh: codes that arrived together and that steps may still count on.
        waits: whether the command that is executed has done its work: it is acknowledged once that is in the memory, so that what a
            host knows to be done outlives a power cut.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.fresh = 0
        self.waits = False
        self.dataset = Dataset(device)
        self.checkpoint = Checkpoint(device)
        self.training = Training(device)
        self.uploads = Uploads(device)

    def init(self) -> None:
        """At the start, when all else stands: continues from the newest checkpoint."""
        checkpoint_restore(self._device)

    def welcome(self) -> tuple[int, int, int]:
        """What WELCOME says: features, bytes of the memory, what was restored from it."""
        board = self._device.board
        features = (FEATURES_MEMORY if board.memory_bytes else 0) | (FEATURES_ANALOG if board.has_analog else 0)
        return features, board.memory_bytes, self.checkpoint.restored

    def opened(self) -> None:
        """A host opened a session."""
        self.training.paused = False

    def configured(self) -> None:
        """There is a new network."""
        self.dataset.forget()
        self.checkpoint.dirty = False
        self.training.forget()

    def codes(self, count: int) -> None:
        """This many codes arrived together."""
        self.fresh = max(self.fresh, count)

    def trained(self) -> None:
        """A step was made, whoever delivered the sample."""
        self.checkpoint.dirty = True

    def weights_read(self, more: bool) -> None:
        """A host read weights, and there are more that belong to them."""
        self.training.pause(more)

    def poll(self) -> bool:
        """In each turn. True: there may be more to do at once."""
        self.uploads.poll()
        # Also without a memory: a checkpoint that is wanted there is dropped, and commands that wait for it continue.
        return self.checkpoint.poll() or self.training.poll()

    def learns(self) -> bool:
        """Commands that change what is learned are refused."""
        return self.training.learns()

    def saves(self) -> bool:
        """Commands that change what is saved wait."""
        return self.checkpoint.busy()

    def waited(self) -> int:
        """What to say of the command that waits. If the file system did not take its checkpoint, it is refused, and a training does
        not begin.
        """
        if self.saves():
            return LATER
        self.waits = False
        error = self.checkpoint.error
        if error == 0:
            return DONE
        if self._device.session.decoder.type() == TYPE_AUTONOMOUS:
            self.training.forget()
        return self._device.refuse(ERROR_NO_MEMORY, error)

    def blob_expected(self, kind: int, start: int, total: int) -> int:
        """Bytes of the blob that a SET_BLOB is of, from BLOB_KIND_DATASET on; 0: no room for it, or no dataset was defined."""
        return self.uploads.expected(kind, start, total)

    def blob_write(self, kind: int, start: int, total: int, crc: int, data: memoryview) -> int:
        """Writes a chunk that was checked; the last one completes dataset or checkpoint."""
        return self.uploads.write(kind, start, total, crc, data)

    def blob_bytes(self, kind: int) -> tuple[int, int]:
        """Bytes of one that can be read, and 0; or 0 and an error: there is none."""
        return self.uploads.bytes(kind)

    def blob_read(self, kind: int, offset: int, to: memoryview) -> int:
        """Reads bytes of one that is there. Returns 0, or the file system's error."""
        return self.uploads.read(kind, offset, to)
