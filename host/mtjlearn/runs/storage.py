"""Files that are complete or absent, plain values for them, and a lock that a dead process cannot keep."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import errno
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NO_FILE = "it is a device or a pipe"
_BLOCK = 512
"""Bytes of what st_blocks counts."""
_LOCK_TRIES = 5
_LOCK_PAUSE = 0.02


class LockedError(RuntimeError):
    """Another process holds the lock."""


@contextlib.contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A draft of a file, which replaces it as a whole when the block ends, and is gone if it fails.

    Raises:
        OSError: if it cannot be written; the old content is kept, and nothing else is left behind. A directory, a device
            or a pipe is never replaced.
    """
    _refuse_what_is_no_file(path)
    draft = path.with_name(f".{path.name}.tmp")
    # A draft that is there was left behind, or is a link that would lead the bytes elsewhere.
    draft.unlink(missing_ok=True)
    try:
        yield draft
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _refuse_what_is_no_file(path: Path) -> None:
    """Root could replace /dev/null, or the link /dev/stdout, by a file."""
    if not path.name or path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
    led = os.readlink(path) if path.is_symlink() else ""
    if led.startswith("/proc/") or (path.exists() and not path.is_file()):
        raise OSError(errno.EINVAL, _NO_FILE, str(path))


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces a file as a whole: whatever happens, the old or the new content is there.

    Raises:
        OSError: if it cannot be written; the old content is kept, and nothing else is left behind.
    """
    with drafted(path) as draft, open(draft, "xb") as file:
        file.write(data)


def overwrite(descriptor: int, data: bytes) -> bool:
    """Replaces what an open text file holds without asking the disk for room; blanks fill it up. False if it does not fit.

    A power cut may tear it: for when :func:`write_atomic` has failed.
    """
    status = os.fstat(descriptor)
    room = max(status.st_size, getattr(status, "st_blocks", 0) * _BLOCK)
    if len(data) > room:
        return False
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        padded = data.ljust(status.st_size)
        return os.write(descriptor, padded) == len(padded)
    except OSError:
        return False


def describe(path: Path, error: OSError) -> str:
    """Why a file cannot be written, and what to do, in a line."""
    if error.errno in _FULL:
        return f"{path} cannot be written: the disk is full ({error.strerror}); make room"
    if error.errno == errno.EISDIR or error.strerror == _NO_FILE:
        return f"{path} cannot be written: {'it is a directory' if error.errno == errno.EISDIR else _NO_FILE}; name a file"
    if not path.parent.exists():
        return f"{path} cannot be written: there is no folder {path.parent} (any more); make it, or put it back"
    if not path.parent.is_dir():
        return f"{path} cannot be written: {path.parent} is not a folder; name another file"
    return f"{path} cannot be written: {error.strerror or error}; make {path.parent} writable"


def open_own(path: Path, flags: int) -> int:
    """Opens a file of a run for writing, made if it is not there. Links, which a run from elsewhere may hold, are not followed.

    Raises:
        OSError: if it cannot be opened, or is a link.
    """
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link", str(path))
    return os.open(path, flags | os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), 0o644)


def sync_directory(path: Path) -> None:
    """Puts a directory's entries on the disk, where the system can do that."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def plain(value: Any) -> Any:
    """The value in terms of JSON: dict, list, str, int, float, bool, None.

    Enums become their lower-case names, paths text, arrays lists, dataclasses dicts, and NaN and infinities None.

    Raises:
        TypeError: for anything else.
    """
    if value is None or isinstance(value, bool | str):
        return str(value.name).lower() if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return (value.name or "none").lower()  # flags of which none is set have no name
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({entry.name: getattr(value, entry.name) for entry in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be stored")


class Lock:
    """An exclusive lock on a file; the operating system releases it when the process ends, however it ends.

    Raises:
        LockedError: if another process holds it.
        OSError: if the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = open_own(path, 0)
        # is_locked() holds the lock for an instant.
        for _ in range(_LOCK_TRIES):
            if _acquire(self._descriptor, shared=False):
                return
            time.sleep(_LOCK_PAUSE)
        os.close(self._descriptor)
        raise LockedError(f"{path} is locked")

    def release(self) -> None:
        """Gives the lock back."""
        os.close(self._descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of this file; false if there is no such file."""
    flags = os.O_RDWR
    if sys.platform != "win32":
        flags = os.O_RDONLY | os.O_NONBLOCK  # a pipe in its place would wait for a writer
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return False
    try:
        return not _acquire(descriptor, shared=True)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, shared: bool) -> bool:
    """Tries to lock; a file system without locks counts as success, since nobody can hold one there."""
    if sys.platform == "win32":
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    else:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True
