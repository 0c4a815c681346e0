"""The journal of a sweep: a line per finished run, appended as it finishes. It is the truth; all else is made from it.

A line is the CRC-32 of its text, a blank, and one JSON object. A line that was torn by a kill, a full disk or a power cut, or was
damaged later, does not match its CRC: it is ignored, and its run is computed again. If a run has several lines, the last counts.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mtjlearn.runs.storage import describe, open_own
from mtjlearn.sweeps.points import SweepError

JOURNAL = "runs.journal"
SYNC_INTERVAL = 1.0
"""Seconds between two times at which lines are forced onto the disk: a power cut, other than a kill, loses at most these."""


def read_journal(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Records, oldest first, and the number of lines that are damaged; the torn end of the last line counts as one.

    Raises:
        SweepError: if the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise SweepError(f"{path} cannot be read: {error.strerror or error}") from None
    *lines, tail = content.split(b"\n")
    records = [_decode(line) for line in lines]
    good = [record for record in records if record is not None]
    return good, len(records) - len(good) + bool(tail)


class Journal:
    """Appends to a journal; the caller holds the sweep's lock.

    Raises:
        SweepError: if the file cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open_own(path, os.O_APPEND)
            self._end_torn_line()
        except OSError as error:
            raise SweepError(describe(path, error)) from None
        self._synced = time.monotonic()

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds a line. It is with the operating system when this returns, and survives the end of this process.

        Raises:
            SweepError: it cannot be written; nothing of it is.
        """
        line = _encode(record)
        before = os.fstat(self._file).st_size
        try:
            while line:
                line = line[os.write(self._file, line) :]
            if time.monotonic() - self._synced >= SYNC_INTERVAL:
                self.sync()
        except OSError as error:
            os.ftruncate(self._file, before)
            raise SweepError(describe(self._path, error)) from None

    def sync(self) -> None:
        """Forces what was written onto the disk."""
        os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _end_torn_line(self) -> None:
        """Ended rather than cut: what is damaged stays for whoever wants to look at it."""
        with self._path.open("rb") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) is not None and file.read(1) != b"\n":
                os.write(self._file, b"\n")


def _encode(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _decode(line: bytes) -> dict[str, Any] | None:
    crc, _, text = line.partition(b" ")
    if len(crc) != 8 or crc != b"%08x" % zlib.crc32(text):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
