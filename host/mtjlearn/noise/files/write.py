"""Writes recordings of any length, part by part: a file is there as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import install_extra
from mtjlearn.noise.files.parquet import RATE, UNIT
from mtjlearn.noise.files.stream import Part
from mtjlearn.noise.recording import Recording, RecordingError
from mtjlearn.npz import MOST_BYTES
from mtjlearn.runs.storage import drafted

Array = NDArray[np.float64]

FORMATS = (".npz", ".pqt", ".parquet", ".csv", ".f32")
"""npz: the project's own; f32: 32-bit floats in mV, which a virtual board plays (``boards start --voltages``)."""


_MOST_IN_NPZ = MOST_BYTES // 8
"""What can be read again."""


def write_recording(path: Path, parts: Iterable[Part], rate: float, unit: str = "V") -> int:
    """Writes a recording; the suffix of the path gives the format.

    An npz is collected in memory first. Holes are kept in npz, and in csv, whose times jump there.

    Args:
        path: the file, replaced as a whole.
        parts: its samples.
        rate: samples per second.
        unit: ``V`` or ``codes``.

    Returns:
        How many samples were written.

    Raises:
        RecordingError: another suffix, codes as f32, holes as Parquet or f32, too much for an npz, or no pyarrow for Parquet.
        OSError: it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise RecordingError(f"{path} is named otherwise than {', '.join(FORMATS)}")
    if suffix == ".f32" and unit != "V":
        raise RecordingError(f"{path}: a virtual board plays volts, not codes")
    counted = _Counted(parts)
    if suffix == ".npz":
        _joined(counted, rate, unit).save(path)
        return counted.samples
    with drafted(path) as draft:
        if suffix == ".csv":
            _write_csv(draft, counted, rate, unit)
        elif suffix == ".f32":
            with open(draft, "xb") as file:
                for part in counted.whole(path):
                    file.write((1000 * part.values).astype("<f4").tobytes())
        else:
            _write_parquet(draft, counted.whole(path), rate, unit)
    return counted.samples


class _Counted:
    """Parts that are counted as they pass."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = parts
        self.samples = 0

    def __iter__(self) -> Iterator[Part]:
        for part in self._parts:
            yield part
            self.samples += part.values.size

    def whole(self, path: Path) -> Iterator[Part]:
        """The parts, which must not have holes."""
        for part in self:
            if part.holes and (self.samples or part.holes != (0,)):
                raise RecordingError(f"{path}: this format has no place for holes; save it as .npz or .csv")
            yield part


def _joined(parts: _Counted, rate: float, unit: str) -> Recording:
    values, starts = [], [0]
    for part in parts:
        starts += [parts.samples + hole for hole in part.holes if parts.samples + hole]
        values.append(part.values)
        if parts.samples + part.values.size > _MOST_IN_NPZ:
            raise RecordingError(f"an npz has at most {_MOST_IN_NPZ:,} samples; save the recording as .pqt")
    return Recording(np.concatenate(values), tuple(starts), rate, unit)


def _write_csv(draft: Path, parts: _Counted, rate: float, unit: str) -> None:
    """Times and samples; a hole of unknown length counts as ten samples."""
    missing = 0
    with open(draft, "x", encoding="utf-8", newline="\n") as file:
        file.write(f"time (s),{'codes' if unit == 'codes' else 'voltage (V)'}\n")
        for part in parts:
            gaps = np.zeros(part.values.size, dtype=np.int64)
            gaps[[hole for hole in part.holes if parts.samples + hole]] = 10
            times = (parts.samples + missing + np.arange(part.values.size) + np.cumsum(gaps)) / rate
            missing += int(gaps.sum())
            np.savetxt(file, np.column_stack([times, part.values]), fmt=["%.12g", "%.9g"], delimiter=",")


def _write_parquet(draft: Path, parts: Iterator[Part], rate: float, unit: str) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise RecordingError(f"writing Parquet needs pyarrow; run: {install_extra('parquet')}") from None
    name = "V" if unit == "V" else "codes"
    schema = pyarrow.schema([pyarrow.field(name, pyarrow.float64())], metadata={RATE: repr(float(rate)), UNIT: unit})
    with open(draft, "xb") as file, parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            writer.write_table(pyarrow.table({name: part.values}, schema=schema))
