"""What a file of the user may take of this computer's memory: said before it is read, not found out by running out of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mtjlearn.datasets.dataset import DatasetError

MOST_BYTES = 2**31
"""Of a Parquet file's columns as they are read, as of an NPZ file's arrays."""
CSV_BYTES = 60
"""Bytes of memory that a byte of a CSV file takes while it is read, at most: a cell of one digit becomes text and number."""
PLAIN_CSV_BYTES = 16
"""The same of a plain CSV file, whose rows become numbers as they are read; the arrays that training makes of them included."""
CELL_BYTES = 40
"""The same of a number in a Parquet file: as it is read, as float64, and in the arrays that training makes of it."""
_MEMORY = Path("/proc/meminfo")


def free_memory() -> int | None:
    """Bytes that this process can still have; None if the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in _MEMORY.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    if sys.platform == "win32":
        return None
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def check_memory(path: Path, needed: int) -> None:
    """Compares what reading a file needs with what there is.

    Raises:
        DatasetError: it does not fit.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise DatasetError(
            f"{path} needs about {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} GiB are free; keep fewer rows or columns"
        )


def check_table(path: Path, rows: int, columns: int) -> None:
    """Refuses a table that is too large once it is unpacked, however small its file is.

    Raises:
        DatasetError: it is.
    """
    size = rows * columns * 8
    if size > MOST_BYTES:
        raise DatasetError(f"{path} unpacks to {size:,} bytes, more than {MOST_BYTES:,}; keep fewer rows or columns")
    check_memory(path, rows * columns * CELL_BYTES)
