"""Reads IDX files, the format of MNIST and its relatives: a header of big-endian numbers, then one byte for each value."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.dataset import DatasetError
from mtjlearn.datasets.limits import MOST_BYTES, check_memory

_GZIP = b"\x1f\x8b"
_BLOCK = 2**20
"""Bytes read at once, so that a header that claims too much takes no memory."""
_BYTES = 8
"""The type number of unsigned bytes, the only one that these files have."""


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The values of an IDX file of unsigned bytes, compressed with gzip or not.

    Args:
        path: the file.
        dimensions: how many it must have: 3 for images (samples, rows, columns), 1 for labels (samples,).

    Raises:
        DatasetError: it is not such a file, is truncated, has bytes left over, or does not fit into memory.
    """
    try:
        with path.open("rb") as plain:
            compressed = plain.read(2) == _GZIP
            plain.seek(0)
            if not compressed:
                return _read(path, plain, dimensions)
            with gzip.open(plain) as unpacked:
                return _read(path, unpacked, dimensions)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path} is truncated or damaged ({error}); download it again") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise DatasetError(f"{path} does not fit into this computer's memory; use another computer") from None


def _read(path: Path, file: _Bytes, dimensions: int) -> NDArray[np.uint8]:
    header = file.read(4 + 4 * dimensions)
    if len(header) >= 4 and header[:2] == b"\0\0" and header[2] == _BYTES and header[3] != dimensions:
        wanted = "images" if dimensions == 3 else "labels"
        raise DatasetError(f"{path} has {header[3]} dimensions; a file of {wanted} has {dimensions}: are two files mixed up?")
    if header[:4] != bytes((0, 0, _BYTES, dimensions)):
        raise DatasetError(
            f"{path} is not an IDX file of bytes (it begins with {header[:4].hex(' ') or 'nothing'}); download it again"
        )
    if len(header) < 4 + 4 * dimensions:
        raise DatasetError(f"{path} is truncated: its header ends after {len(header)} bytes; download it again")
    shape = tuple(np.frombuffer(header, ">u4", offset=4).astype(int).tolist())
    size = math.prod(shape)
    if size > MOST_BYTES:
        raise DatasetError(f"{path} says that it has {size:,} values, more than {MOST_BYTES:,}; download it again")
    check_memory(path, size)
    content = bytearray()
    while len(content) < size and (block := file.read(min(_BLOCK, size - len(content)))):
        content += block
    if len(content) < size:
        raise DatasetError(f"{path} is truncated: it has {len(content):,} of {size:,} values; download it again")
    if file.read(1):
        raise DatasetError(f"{path} has bytes after its {size:,} values; download it again")
    return np.frombuffer(content, np.uint8).reshape(shape)
