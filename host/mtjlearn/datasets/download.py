"""Downloads a published file into a folder: whole and with the right checksum, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mtjlearn import interruption
from mtjlearn.datasets.dataset import DatasetError
from mtjlearn.datasets.image_sets import Published

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that are here, and its size."""

_BLOCK = 2**16
_PATIENCE = 30
"""Seconds without an answer."""


class UnreachableError(DatasetError):
    """The server cannot be reached, or does not have the file: as on a computer without the network."""


def download(file: Published, folder: Path, progress: Progress | None = None) -> Path:
    """The file in the folder, which is made if it is missing; the file appears in it once it is complete.

    Raises:
        UnreachableError: it cannot be had.
        DatasetError: what came is another file, or cannot be written.
        KeyboardInterrupt: nothing is left behind.
    """
    name = file.url.rpartition("/")[2]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    except OSError as error:
        raise DatasetError(f"{folder} cannot be written to: {error.strerror or error}; name another with --data-dir") from None
    try:
        with os.fdopen(handle, "wb") as written:
            found = _copy(file, name, written.write, progress)
        if found != file.sha256:
            raise DatasetError(
                f"{file.url} has SHA-256 {found[:12]}... instead of {file.sha256[:12]}...; it is not used: try again later"
            )
        Path(draft).chmod(0o644)
        os.replace(draft, folder / name)
    except OSError as error:
        raise DatasetError(f"{folder / name} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            os.unlink(draft)
    return folder / name


def _copy(file: Published, name: str, write: Callable[[bytes], object], progress: Progress | None) -> str:
    """Copies what the server sends, at most one block more than expected; its SHA-256."""
    checksum, done = hashlib.sha256(), 0
    try:
        response = urllib.request.urlopen(file.url, timeout=_PATIENCE)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(f"{file.url}: {_reason(error)}") from None
    with response:
        while done <= file.size:
            interruption.check()
            try:
                block = response.read(_BLOCK)
            except (OSError, http.client.HTTPException) as error:
                raise UnreachableError(f"{file.url}: {_reason(error)}") from None
            if not block:
                break
            checksum.update(block)
            write(block)
            done += len(block)
            if progress is not None:
                progress(name, min(done, file.size), file.size)
    if done < file.size:
        raise UnreachableError(f"{file.url} ends after {done:,} of {file.size:,} bytes")
    return checksum.hexdigest()


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return "no answer" if isinstance(reason, (TimeoutError, socket.timeout)) else str(reason) or type(reason).__name__
