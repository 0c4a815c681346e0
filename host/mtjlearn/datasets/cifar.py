"""Reads CIFAR's binary format: records of one or two labels and 3,072 pixels, red first; plain files or the published archive."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.dataset import DatasetError
from mtjlearn.datasets.limits import MOST_BYTES, check_memory

PIXELS = 3 * 32 * 32
"""Of an image: 32 x 32, red, then green, then blue."""
_MOST_MEMBERS = 100
"""Entries of an archive that are looked at: the published ones have fewer than ten."""


def read_records(files: Sequence[tuple[str, bytes]], labels: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels, shape (samples, 3072), and labels, shape (samples,), of files joined.

    Args:
        files: name, for messages, and content of each.
        labels: bytes in front of the pixels; the last of them is the class.

    Raises:
        DatasetError: a file does not hold whole records.
    """
    record = labels + PIXELS
    for name, content in files:
        if not content or len(content) % record:
            left = len(content) % record
            raise DatasetError(
                f"{name} has {len(content):,} bytes, which are {len(content) // record} records of {record} and {left} bytes; "
                "it is truncated or in another format: download the binary version again"
            )
    rows = np.concatenate([np.frombuffer(content, np.uint8).reshape(-1, record) for _, content in files])
    return rows[:, labels:], rows[:, labels - 1]


def read_plain(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Name and content of files.

    Raises:
        DatasetError: one cannot be read, or does not fit into memory.
    """
    found = []
    for path in paths:
        try:
            size = path.stat().st_size
            if size > MOST_BYTES:
                raise DatasetError(f"{path} has {size:,} bytes, more than {MOST_BYTES:,}; download it again")
            check_memory(path, 2 * size)
            found.append((str(path), path.read_bytes()))
        except OSError as error:
            raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    return found


def read_archive(path: Path, names: Sequence[str]) -> Mapping[str, bytes]:
    """Content of the files of these names in a tar archive, wherever in it they are.

    Raises:
        DatasetError: the archive is damaged or lacks one.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for number, member in enumerate(archive):
                name = PurePosixPath(member.name).name
                if number >= _MOST_MEMBERS or len(found) == len(names):
                    break
                if member.size > MOST_BYTES:
                    raise DatasetError(f"{path} has a file of {member.size:,} bytes, more than {MOST_BYTES:,}; download it again")
                if name not in names or not member.isreg():
                    continue
                check_memory(path, 2 * member.size)
                file = archive.extractfile(member)
                found[name] = b"" if file is None else file.read()
                if len(found[name]) < member.size:
                    raise DatasetError(f"{path} is truncated within {name}; download it again")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} is truncated or damaged ({error}); download it again") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    missing = [name for name in names if name not in found]
    if missing:
        raise DatasetError(f"{path} lacks {', '.join(missing)}; download the binary version again")
    return found
