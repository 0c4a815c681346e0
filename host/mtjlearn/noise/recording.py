"""A recording of a noise source, and the file that the project keeps it in. :mod:`mtjlearn.noise.files` reads others."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.errors import UserError
from mtjlearn.runs.storage import write_atomic

Array = NDArray[np.float64]

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
        unit: of the samples, ``V`` or ``codes``; None: whole numbers that are not negative are codes, all others volts.
    """

    values: Array
    starts: tuple[int, ...] = (0,)
    rate: float | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.size == 0:
            raise RecordingError("a recording needs a single, non-empty column of samples")
        check(self.values)
        ends = (*self.starts[1:], self.values.size)
        if self.starts[:1] != (0,) or any(a >= b for a, b in zip(self.starts, ends, strict=True)):
            raise RecordingError("the stretches of a recording must start at sample 0 and ascend")
        if self.rate is not None and not 1 / MOST <= self.rate <= MOST:
            raise RecordingError(f"a recording's rate must be positive samples per second, not {self.rate:g}")
        if self.unit not in (None, "V", "codes"):
            raise RecordingError(f"a recording is in V or codes, not in {self.unit}")

    @property
    def segments(self) -> list[Array]:
        """The contiguous stretches, each of shape (samples,)."""
        return np.split(self.values, self.starts[1:])

    @property
    def codes(self) -> bool:
        """Whether the samples are ADC codes, not volts."""
        if self.unit is not None:
            return self.unit == "codes"
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
        """Writes an npz file (``values``, ``starts`` and, if known, ``rate`` and ``unit``), all of it or none.

        Raises:
            OSError: it cannot be written.
        """
        arrays: dict[str, Any] = {"values": self.values, "starts": np.array(self.starts, dtype=np.int64)}
        if self.rate is not None:
            arrays["rate"] = np.float64(self.rate)
        if self.unit is not None:
            arrays["unit"] = np.str_(self.unit)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        write_atomic(path, buffer.getvalue())


def check(values: Array, before: int = 0) -> None:
    """Refuses samples that cannot be codes or volts.

    Args:
        values: shape (samples,).
        before: samples before the first, which the message counts.

    Raises:
        RecordingError: one is not finite, or too large.
    """
    bad = np.flatnonzero(~(np.abs(values) <= MOST))
    if not bad.size:
        return
    number, value = before + int(bad[0]) + 1, values[bad[0]]
    what = f"{value:g}: neither a code nor volts" if np.isfinite(value) else "not a finite number"
    raise RecordingError(f"sample {number} is {what}; remove it or mark a hole")
