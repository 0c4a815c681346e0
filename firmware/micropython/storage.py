"""The nonvolatile memory: a folder of the flash file system with one file for each checkpoint slot and one for the dataset. A
slot's file is the checkpoint as GET_BLOB sends it.

A board has a Folder as its `storage`, or anything else with these two methods; `memory_bytes` says how much of the file system the
three files may take together. Files are opened with "rb" and "wb" and used through readinto(), seek(), write(), flush() and
close(); what was written is kept once flush() has returned.
"""

if False:
    from kinds import Board, Config, File, Mode, Storage

import errno
import os

import bounds
import learner

SLOTS = ("slot0", "slot1")
DATASET = "dataset"


class Folder:
    """A folder of the file system, made if it is missing. Every method may raise OSError.

    A device that begins again leaves files open, and littlefs writes such a file when it is collected as garbage: over what was
    written since. So a file that is written is kept until it is opened again or removed, and closed then.

    Args:
        path: of the folder.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._written: dict[str, File] = {}
        try:
            os.mkdir(path)
        except OSError:
            # It is there already; if it is not, opening a file says so.
            pass

    def open(self, name: str, mode: Mode) -> File:
        """Opens a file; a new or emptied one with mode "wb"."""
        path = self._path + "/" + name
        if mode != "wb":
            return open(path, mode)
        self._end(name)
        file = self._written[name] = open(path, mode)  # noqa: SIM115
        return file

    def remove(self, name: str) -> None:
        """Removes a file that is there."""
        self._end(name)
        os.remove(self._path + "/" + name)

    def _end(self, name: str) -> None:
        before = self._written.pop(name, None)
        if before is not None:
            close(before)


def error_of(error: Exception) -> int:
    """The number of an OSError or a MemoryError, as refusals report it; never 0."""
    return error.errno or errno.EIO if isinstance(error, OSError) else errno.ENOMEM


def close(file: File) -> None:
    """Closes a file of which nothing more is needed, also if the file system cannot."""
    try:
        file.close()
    except OSError:
        pass


def remove(storage: Storage, name: str) -> None:
    """Removes a file if it is there."""
    try:
        storage.remove(name)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def memory_checkpoint_bytes(config: Config) -> int:
    """Bytes of a checkpoint of a network with this configuration."""
    return bounds.checkpoint(config.layers, learner.blob_bytes(config))


def memory_slot_room(board: Board, checkpoint_bytes: int) -> int:
    """A checkpoint's bytes in whole blocks: what a slot takes of `memory_bytes`."""
    return bounds.slot(checkpoint_bytes, board.memory_block)


def memory_dataset_room(board: Board, checkpoint_bytes: int) -> int:
    """What is left next to two such slots; negative: this many bytes are missing for them."""
    return bounds.between(board.memory_bytes, memory_slot_room(board, checkpoint_bytes))
