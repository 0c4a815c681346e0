"""Arrays from NPZ and NPY files that anybody may have written.

Nothing is unpickled, and nothing is believed before it was compared: a file that says it unpacks to more than is asked for, or
whose array says it is larger than the bytes behind it, is refused before memory is taken for it.
"""

from __future__ import annotations

import io
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**31
"""Of all arrays of a file of the user, unpacked."""

_SUFFIX = ".npy"
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_DAMAGED = (
    *(ValueError, TypeError, AttributeError, KeyError, EOFError, OverflowError, RecursionError, SyntaxError, tokenize.TokenError),
    *(NotImplementedError, RuntimeError, MemoryError, struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What Python's zip reader and numpy's header reader say of damaged files."""


class NpzError(ValueError):
    """A file that is damaged, too large, or holds something else than plain arrays."""


class ObjectsError(NpzError):
    """An array holds Python objects; ``name`` is the array's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{f'the array {name}' if name else 'it'} holds Python objects, which are never loaded")
        self.name = name


def read_npz(path: Path, most: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file by name, read-only.

    Args:
        path: the file.
        most: bytes that all arrays together may have.

    Raises:
        NpzError: what is wrong with it.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(_SUFFIX)]
            size = sum(member.file_size for member in members)
            if size > most:
                raise NpzError(f"it unpacks to {size:,} bytes, more than {most:,}")
            names = {member: member.filename.removesuffix(_SUFFIX) for member in members}
            return {name: _array(archive.read(member), name) for member, name in names.items()}
    except NpzError:
        raise
    except _DAMAGED:
        raise NpzError("it is damaged, or not a file of plain arrays") from None


def read_npy(path: Path, most: int = MOST_BYTES) -> NDArray[Any]:
    """The array of an NPY file, read-only.

    Raises:
        NpzError: what is wrong with it.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size > most:
        raise NpzError(f"it has {size:,} bytes, more than {most:,}")
    try:
        return _array(path.read_bytes())
    except NpzError:
        raise
    except _DAMAGED:
        raise NpzError("it is damaged, or not a file of a plain array") from None


def _array(data: bytes, name: str = "") -> NDArray[Any]:
    file = io.BytesIO(data)
    shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        raise ObjectsError(name)
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count * dtype.itemsize != len(data) - file.tell():
        raise NpzError("an array does not have its stated size")
    values = np.frombuffer(data, dtype, count, file.tell()) if count else np.zeros(0, dtype)
    return values.reshape(shape, order="F" if fortran else "C")
