"""Recordings on disk: the project's own, columns of numbers, Parquet in chunks, and what oscilloscopes export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from mtjlearn.noise.files.arrays import open_arrays
from mtjlearn.noise.files.parquet import SUFFIXES, WILD, open_parquet
from mtjlearn.noise.files.stream import Part, RecordingStream, joined
from mtjlearn.noise.files.text import open_text
from mtjlearn.noise.files.units import UNITS
from mtjlearn.noise.recording import Recording, RecordingError

__all__ = ["Part", "RecordingStream", "joined", "load_recording", "open_recording"]

_TEXT = (".csv", ".txt", ".tsv")
_ARRAYS = (".npz", ".npy")


def open_recording(path: Path, rate: float | None = None, unit: str | None = None, column: str | None = None) -> RecordingStream:
    """Opens a recording, which is then read part by part.

    npz: as :meth:`mtjlearn.noise.Recording.save` writes it, or with a single array of samples. npy: one array. csv, txt and
    tsv: one column of numbers; several (comma, semicolon, tab or blanks) under a heading that names the samples and their
    unit, with times or with numbers that count the samples, where a jump marks a hole; or the export of an oscilloscope.
    pqt, parquet: a file, a folder of numbered files, or a pattern of them.

    Args:
        path: the file, folder or pattern; the suffix gives the format.
        rate: samples per second, used if the file does not say.
        unit: ``V``, ``mV``, ``uV`` or ``codes``, if the file does not say.
        column: heading of the column of samples, where it is not clear.

    Raises:
        RecordingError: if it is missing, of another format, or its first part holds something else than finite numbers.
    """
    if unit is not None and unit not in UNITS:
        raise RecordingError(f"unit {unit!r} is unknown; use {', '.join(UNITS)}")
    suffix = path.suffix.lower()
    with _named(path):
        if suffix in SUFFIXES or path.is_dir() or (any(mark in path.name for mark in WILD) and not path.exists()):
            opened = open_parquet(path, rate, unit, column)
        elif suffix in _TEXT:
            opened = open_text(path, rate, unit, column)
        elif suffix in _ARRAYS:
            if column is not None:
                raise RecordingError(f"{suffix} files have a single series; omit --column")
            opened = open_arrays(path, rate, unit)
        else:
            raise RecordingError("not a recording: use .npz, .npy, .csv or .txt, or Parquet (.pqt, .parquet)")
    return replace(opened, parts=partial(_named_parts, path, opened.parts))


def load_recording(path: Path, rate: float | None = None, unit: str | None = None, column: str | None = None) -> Recording:
    """Reads a recording as a whole; :func:`open_recording` says which files, and what the arguments mean.

    Raises:
        RecordingError: if the file is missing, of another format or holds something else than finite numbers.
    """
    stream = open_recording(path, rate, unit, column)
    with _named(path):
        return joined(stream)[0]


def _named_parts(path: Path, parts: Callable[[], Iterator[Part]]) -> Iterator[Part]:
    with _named(path):
        yield from parts()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Whatever is wrong with a file is said with its name, once."""
    try:
        yield
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None
    except RecordingError as error:
        text = str(error)
        raise error if text.startswith(f"{path}") else RecordingError(f"{path}: {text}") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordingError(f"{path} cannot be read as numbers: {error}") from None
