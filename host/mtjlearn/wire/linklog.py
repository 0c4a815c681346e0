"""The raw log of a link: every chunk of bytes in both directions, with its time.

A file starts with the eight bytes ``MTJLINK1``. Records follow: kind u8 (LogKind), time f64 (seconds since 1970), length u32,
then that many bytes, all little endian. Each record goes to the file in one write, so a process that is killed leaves whole
records. What is torn or damaged is passed over when the file is read; nothing that lies behind it is lost.

A log may have a bound. When it is reached, the older half gives way, but for the HELLOs and WELCOMEs in it: without the nonces of
its sessions the rest could not be checked.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import struct
import time
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import accumulate, islice, takewhile
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mtjlearn.wire.frame import Frame, FrameDecoder, encode_frame
from mtjlearn.wire.messages import SESSION_NONE, Hello, Welcome

MAGIC = b"MTJLINK1"
MOST = 32 << 20
"""Bytes of a run's log, if nothing else is asked for."""
LEAST = 64 << 10
"""Of a bound."""
LONGEST = 1 << 20
"""Bytes of a record."""
_HEAD = struct.Struct("<BdI")
_LIKELY = re.compile(rb"[\x00-\x04].{7}[\x3f-\x42].{2}[\x00-\x10]\x00", re.DOTALL)
"""A head as _head() takes it, and some more: kind, the time's sign and exponent, the upper bytes of the length."""
_YEARS = (1.0, 1e11)
"""Between them lie the times of records; zeros and most damage do not."""
_NEAR = 1e7
"""Seconds."""
_OPENINGS = (Hello.TYPE, Welcome.TYPE)


class LogKind(IntEnum):
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


class LogFile(NamedTuple):
    """Where a log is written.

    Args:
        path: the file.
        most: its bytes, at most; None: no bound.
    """

    path: str | os.PathLike[str]
    most: int | None = None


class LinkLog:
    """Writes a log; an existing one is continued.

    Args:
        file: the file, with or without a bound.

    Raises:
        OSError: the file cannot be written.
        ValueError: the file is something else.
    """

    def __init__(self, file: str | os.PathLike[str] | LogFile) -> None:
        where = file if isinstance(file, LogFile) else LogFile(file)
        self._path, self._most = Path(where.path), where.most
        if not is_log(self._path):
            raise ValueError(f"{self._path} is not a link log of mtjlearn")
        self._file: BinaryIO | None = open(self._path, "ab", buffering=0)  # noqa: SIM115 - kept open until close()
        self._size = self._file.tell()
        if self._size < len(MAGIC):
            self._file.truncate(0)
            self._file.write(MAGIC)
            self._size = len(MAGIC)

    def write(self, kind: LogKind, data: bytes) -> None:
        """Appends one record with the time now; does nothing after close()."""
        if self._file is None:
            return
        record = _pack(LogRecord(kind, time.time(), data))
        self._file.write(record)
        self._size += len(record)
        if self._most is not None and self._size > self._most:
            self._shrink(self._most)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _shrink(self, most: int) -> None:
        """Leaves the newer half, and what the older one says of sessions."""
        old = sum(map(_size, read_log(self._path))) - most // 2
        sizes = accumulate(map(_size, read_log(self._path)))
        first = 1 + sum(1 for _ in takewhile(lambda size: size < old, sizes))
        note = LogRecord(LogKind.SKIPPED, time.time(), f"older bytes were dropped to keep the log within {most:,}".encode())
        kept = _newest(_openings(islice(read_log(self._path), first)), most // 4)
        newer = islice(read_log(self._path), first, None)
        draft = self._path.with_name(f".{self._path.name}.tmp")
        try:
            draft.write_bytes(MAGIC + b"".join(map(_pack, [*kept, note, *newer])))
            os.replace(draft, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        self.close()
        self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 - kept open until close()
        self._size = self._file.tell()


def is_log(path: Path) -> bool:
    """Whether the file is a log, or may become one: it is empty or not there. One whose beginning is damaged is a log."""
    if not path.exists():
        return True
    with open(path, "rb") as file:
        begins = file.read(len(MAGIC))
    if MAGIC.startswith(begins):
        return True
    with contextlib.suppress(ValueError):
        return next(read_log(path), None) is not None
    return False


def set_aside(path: Path) -> Path | None:
    """Gives way to a new log if damage has left nothing of this one; returns where the old file is, None if it was a log.

    Raises:
        OSError: it cannot be renamed.
    """
    if is_log(path):
        return None
    numbers = (path.with_name(f"{path.name}.damaged{number or ''}") for number in range(1000))
    free = next(other for other in numbers if not other.exists())
    return path.rename(free)


def read_log(path: str | os.PathLike[str]) -> Iterator[LogRecord]:
    """The records of a log, in order; where something is damaged there is one of kind SKIPPED. What is torn at the end is omitted.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not such a log.
    """
    with open(path, "rb") as file:
        begins = file.read(len(MAGIC))
        status = os.fstat(file.fileno())
        size = status.st_size
        if begins == MAGIC and size == len(MAGIC):
            return
        if size <= len(MAGIC):
            raise ValueError(f"{path} is not a link log of mtjlearn")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = False
            for record in _records(data, len(MAGIC) if begins == MAGIC else 0, status.st_mtime):
                found = True
                yield record
        if not found and begins != MAGIC:
            raise ValueError(f"{path} is not a link log of mtjlearn")


class _Head(NamedTuple):
    kind: LogKind
    time: float
    data: int
    """Where its bytes start."""
    end: int


def _records(data: mmap.mmap, at: int, last: float) -> Iterator[LogRecord]:
    """From a place on; `last` is a time near that of the first record."""
    while at < len(data):
        head = _head(data, at)
        # A record that ends where none begins is damaged, or the next one is; if one begins inside it, it is this one.
        end = head.end if head is not None else len(data)
        inside = None if _chained(data, head) else _search(data, at + 1, end, last)
        if head is not None and inside is None:
            last = head.time
            yield LogRecord(head.kind, head.time, data[head.data : head.end])
            at = head.end
        elif inside is not None:
            yield LogRecord(LogKind.SKIPPED, last, f"{inside - at:,} bytes of the log are damaged".encode())
            at = inside
        else:
            return


def _head(data: mmap.mmap, at: int) -> _Head | None:
    """The record that begins here, if one may."""
    if at + _HEAD.size > len(data):
        return None
    kind, when, length = _HEAD.unpack_from(data, at)
    start = at + _HEAD.size
    sound = kind in _KINDS and _YEARS[0] <= when < _YEARS[1] and length <= LONGEST and start + length <= len(data)
    return _Head(LogKind(kind), when, start, start + length) if sound else None


def _chained(data: mmap.mmap, head: _Head | None) -> bool:
    """Whether another record begins where this one ends, or the file ends there."""
    return head is not None and (head.end == len(data) or _head(data, head.end) is not None)


def _search(data: mmap.mmap, start: int, end: int, last: float) -> int | None:
    """The first place from `start` on, before `end`, where a record begins: another follows, or its time is near the last."""
    while match := _LIKELY.search(data, start, min(len(data), end + _HEAD.size - 1)):
        start = match.start()
        head = _head(data, start)
        if _chained(data, head) or (head is not None and abs(head.time - last) < _NEAR):
            return start
        start += 1
    return None


def _size(record: LogRecord) -> int:
    return _HEAD.size + len(record.data)


def _pack(record: LogRecord) -> bytes:
    return _HEAD.pack(record.kind, record.time, len(record.data)) + record.data


def _openings(records: Iterable[LogRecord]) -> Iterator[LogRecord]:
    """The ports that were opened and closed, and each HELLO and WELCOME, once."""
    decoders = {kind: FrameDecoder() for kind in (LogKind.TO_BOARD, LogKind.FROM_BOARD)}
    before: dict[LogKind, Frame] = {}
    for record in records:
        if record.kind in (LogKind.OPENED, LogKind.CLOSED):
            yield record
        for frame in decoders[record.kind].feed(record.data) if record.kind in decoders else ():
            opens = isinstance(frame, Frame) and frame.session == SESSION_NONE and frame.type in _OPENINGS
            if isinstance(frame, Frame) and opens and before.get(record.kind) != frame:
                before[record.kind] = frame
                yield record._replace(data=encode_frame(*frame))


def _newest(records: Iterable[LogRecord], most: int) -> list[LogRecord]:
    """The last of them, as many as this many bytes hold."""
    kept: list[LogRecord] = []
    for record in reversed(list(records)):
        most -= _size(record)
        if most < 0:
            break
        kept.append(record)
    return kept[::-1]
