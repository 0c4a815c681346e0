"""The raw log of a link: every chunk of bytes in both directions, with its time.

A file starts with the eight bytes ``MTJLINK1``. Records follow, appended and never changed: kind u8 (LogKind), time f64
(seconds since 1970), length u32, then so many bytes, all little endian. Each record goes to the file in one write, so a
process that is killed leaves whole records; what a power cut tears off at the end is dropped when the file is read or
continued.
"""

from __future__ import annotations

import enum
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAGIC = b"MTJLINK1"
_HEAD = struct.Struct("<BdI")


class LogKind(enum.IntEnum):
    """What a record holds."""

    OPENED = 0
    """The name of the port, UTF-8."""
    TO_BOARD = 1
    FROM_BOARD = 2
    CLOSED = 3
    """Why, UTF-8."""
    SKIPPED = 4
    """Something is missing here: why, UTF-8."""


_KINDS = frozenset(LogKind)


class LogRecord(NamedTuple):
    """One record; time in seconds since 1970."""

    kind: LogKind
    time: float
    data: bytes


class LinkLog:
    """Writes a log; an existing one is continued.

    Args:
        path: the file.

    Raises:
        OSError: the file cannot be written.
        ValueError: the file is something else.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: BinaryIO | None = open(path, "ab+", buffering=0)  # noqa: SIM115 - kept open until close()
        if self._file.tell() == 0:
            self._file.write(MAGIC)
        else:
            self._file.truncate(_whole(Path(path)))

    def write(self, kind: LogKind, data: bytes) -> None:
        """Appends one record with the time now; does nothing after close()."""
        if self._file is not None:
            self._file.write(_HEAD.pack(kind, time.time(), len(data)) + data)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_log(path: str | os.PathLike[str]) -> Iterator[LogRecord]:
    """The records of a log, in order; a torn one at the end is left out.

    Raises:
        ValueError: the file is not such a log, or damaged in the middle.
    """
    with open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{path} is not a link log of mtjlearn")
        left = os.fstat(file.fileno()).st_size - len(MAGIC)
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            kind, when, length = _HEAD.unpack(head)
            left -= _HEAD.size + length
            if left < 0:
                return
            if kind not in _KINDS:
                raise ValueError(f"{path} is damaged: a record of kind {kind}")
            yield LogRecord(LogKind(kind), when, file.read(length))


def _whole(path: Path) -> int:
    """Bytes of the file up to the end of its last whole record."""
    return len(MAGIC) + sum(_HEAD.size + len(record.data) for record in read_log(path))
