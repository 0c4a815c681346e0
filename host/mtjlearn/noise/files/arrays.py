"""Recordings in NumPy's files, read as a whole: the project's own format (npz), and single arrays. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.files.stream import Part, RecordingStream, settled_unit
from mtjlearn.noise.files.units import UNITS, VALUES
from mtjlearn.noise.recording import Recording, RecordingError
from mtjlearn.npz import NpzError, read_npy, read_npz

Array = NDArray[np.float64]

_OTHERS = ("starts", "rate", "unit")


def open_arrays(path: Path, rate: float | None, unit: str | None) -> RecordingStream:
    """An npz or npy file as a stream of one part; see :func:`mtjlearn.noise.files.open_recording`."""
    try:
        recording = _read_npy(path) if path.suffix.lower() == ".npy" else _read_npz(path)
    except NpzError as error:
        raise RecordingError(f"cannot be read: {error}") from None
    if recording.unit is not None and unit not in (None, recording.unit):
        raise RecordingError(f"states that its samples are in {recording.unit}; omit --unit")
    found = settled_unit(unit or recording.unit, recording.values, "")
    scale = 1.0 if found is None else UNITS[found]
    stored = recording.rate if recording.rate is not None else rate

    def parts() -> Iterator[Part]:
        yield Part(recording.values if scale == 1 else recording.values * scale, recording.starts[1:])

    return RecordingStream(path, "NumPy", stored, None if found is None else "codes" if found == "codes" else "V", parts)


def _numbers(array: NDArray[np.generic]) -> Array:
    if array.dtype.kind not in "biuf":
        raise RecordingError(f"holds {array.dtype}, not numbers")
    return np.squeeze(array.astype(np.float64)) if array.size > 1 else array.astype(np.float64).reshape(-1)


def _read_npy(path: Path) -> Recording:
    return Recording(_numbers(read_npy(path)))


def _read_npz(path: Path) -> Recording:
    arrays = read_npz(path)
    names = [name for name in arrays if name not in _OTHERS]
    known = [name for name in names if name in VALUES] or names
    if len(known) != 1:
        raise RecordingError(f"name the array of samples 'values'; found {', '.join(names) or 'none'}")
    starts = tuple(int(start) for start in arrays["starts"]) if "starts" in arrays else (0,)
    rate = float(arrays["rate"]) if "rate" in arrays else None
    unit = str(arrays["unit"]) if "unit" in arrays else None
    return Recording(_numbers(arrays[known[0]]), starts, rate, unit)
