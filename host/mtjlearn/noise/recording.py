"""A recording of a noise source on disk: npz, npy, csv or txt. Pickled data is never loaded."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.errors import UserError
from mtjlearn.npz import NpzError, read_npy, read_npz
from mtjlearn.runs.storage import write_atomic

Array = NDArray[np.float64]

VALUE_COLUMNS = ("values", "value", "codes", "code", "volts", "voltage", "noise")
NUMBER_COLUMNS = ("number", "sample")
MOST = 1e12
"""Values and rates beyond this are mistakes, and their squares no numbers."""


class RecordingError(UserError, ValueError):
    """A recording that cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True)
class Recording:
    """Samples of one source, oldest first: ADC codes or volts.

    Args:
        values: all samples, shape (samples,).
        starts: index of the first sample of each contiguous stretch, ascending, beginning with 0; a hole of unknown or
            known length lies before every start but the first.
        rate: samples per second; None if unknown.
    """

    values: Array
    starts: tuple[int, ...] = (0,)
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.size == 0:
            raise RecordingError("a recording needs a single, non-empty column of samples")
        bad = np.flatnonzero(~np.isfinite(self.values))
        if bad.size:
            raise RecordingError(f"sample {bad[0] + 1} is not a finite number; remove it or mark a hole")
        ends = (*self.starts[1:], self.values.size)
        if self.starts[:1] != (0,) or any(a >= b for a, b in zip(self.starts, ends, strict=True)):
            raise RecordingError("the stretches of a recording must start at sample 0 and ascend")
        far = np.flatnonzero(np.abs(self.values) > MOST)
        if far.size:
            value = self.values[far[0]]
            raise RecordingError(f"sample {far[0] + 1} is {value:g}: neither a code nor volts; remove it or mark a hole")
        if self.rate is not None and not 1 / MOST <= self.rate <= MOST:
            raise RecordingError(f"a recording's rate must be positive samples per second, not {self.rate:g}")

    @property
    def segments(self) -> list[Array]:
        """The contiguous stretches, each of shape (samples,)."""
        return np.split(self.values, self.starts[1:])

    @property
    def codes(self) -> bool:
        """Whether the samples are ADC codes: whole numbers, none negative."""
        return bool(np.all(self.values >= 0) and np.all(self.values == np.rint(self.values)))

    @classmethod
    def from_chunks(cls, chunks: Iterable[tuple[int, ArrayLike]], rate: float | None = None) -> Recording:
        """Joins chunks as a board streams them.

        Args:
            chunks: number of the first code (counted by the converter, mod 2^32) and the codes, oldest first; numbers
                that do not follow on mark a hole.
            rate: codes per second.

        Raises:
            RecordingError: if there are no codes at all.
        """
        parts: list[Array] = []
        starts: list[int] = []
        samples = 0
        expected: int | None = None
        for first, codes in chunks:
            part = np.asarray(codes, dtype=np.float64)
            if part.size == 0:
                continue
            if first != expected:
                starts.append(samples)
            parts.append(part)
            samples += part.size
            expected = (first + part.size) % 2**32
        if not parts:
            raise RecordingError("the board sent no noise codes; check that its converter runs")
        return cls(np.concatenate(parts), tuple(starts), rate)

    def save(self, path: Path) -> None:
        """Writes an npz file (``values``, ``starts`` and, if known, ``rate``), all of it or none.

        Raises:
            OSError: it cannot be written.
        """
        arrays: dict[str, Any] = {"values": self.values, "starts": np.array(self.starts, dtype=np.int64)}
        if self.rate is not None:
            arrays["rate"] = np.float64(self.rate)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        write_atomic(path, buffer.getvalue())


def load_recording(path: Path, rate: float | None = None) -> Recording:
    """Reads a recording.

    npz: as :meth:`Recording.save` writes it, or with a single array of samples. npy: one array. csv and txt: one column
    of numbers, or several (comma, semicolon, tab or blanks) under a heading that names ``values``, ``codes`` or
    ``volts``; a column ``number`` counts the samples, and a jump in it marks a hole.

    Args:
        path: the file; its suffix gives the format.
        rate: samples per second, used if the file does not say.

    Raises:
        RecordingError: if the file is missing, of another format or holds something else than finite numbers.
    """
    suffix = path.suffix.lower()
    readers = {".npz": _read_npz, ".npy": _read_npy, ".csv": _read_text, ".txt": _read_text}
    if suffix not in readers:
        raise RecordingError(f"{path} is not a recording: use .npz, .npy, .csv or .txt")
    try:
        values, starts, stored_rate = readers[suffix](path)
        return Recording(values, starts, stored_rate if stored_rate is not None else rate)
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from None
    except NpzError as error:
        raise RecordingError(f"{path} cannot be read: {error}") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordingError(f"{path} cannot be read as numbers: {error}") from None


_Content = tuple[Array, tuple[int, ...], float | None]


def _numbers(array: NDArray[np.generic]) -> Array:
    if array.dtype.kind not in "biuf":
        raise RecordingError(f"holds {array.dtype}, not numbers")
    return np.squeeze(array.astype(np.float64)) if array.size > 1 else array.astype(np.float64).reshape(-1)


def _read_npy(path: Path) -> _Content:
    return _numbers(read_npy(path)), (0,), None


def _read_npz(path: Path) -> _Content:
    arrays = read_npz(path)
    names = [name for name in arrays if name not in ("starts", "rate")]
    known = [name for name in names if name in VALUE_COLUMNS] or names
    if len(known) != 1:
        raise RecordingError(f"name the array of samples 'values'; found {', '.join(names) or 'none'}")
    starts = tuple(int(start) for start in arrays["starts"]) if "starts" in arrays else (0,)
    rate = float(arrays["rate"]) if "rate" in arrays else None
    return _numbers(arrays[known[0]]), starts, rate


def _read_text(path: Path) -> _Content:
    with path.open(encoding="utf-8-sig") as file:
        first = next((line.strip() for line in file if line.strip() and not line.startswith("#")), "")
    delimiter = next((mark for mark in ",;\t" if mark in first), None)
    heading = [name.strip().strip("\"'").lower() for name in first.split(delimiter)]
    has_heading = not all(_is_number(name) for name in heading)
    with path.open(encoding="utf-8-sig") as file:
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        if has_heading:
            next(lines)
        rows = list(lines)
    if not rows:
        raise RecordingError("holds no samples")
    table = np.loadtxt(rows, delimiter=delimiter, ndmin=2)
    if table.shape[1] == 1:
        return table[:, 0], (0,), None
    if len(heading) != table.shape[1]:
        raise RecordingError(f"has {table.shape[1]} columns under a heading of {len(heading)}")
    column = next((heading.index(name) for name in VALUE_COLUMNS if name in heading), None)
    if column is None:
        raise RecordingError("has several columns; give it a heading with a column 'values', 'codes' or 'volts'")
    number = next((heading.index(name) for name in NUMBER_COLUMNS if name in heading), None)
    jumps = () if number is None else tuple((np.flatnonzero(np.diff(table[:, number]) != 1) + 1).tolist())
    return table[:, column], (0, *jumps), None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
