"""A recording on disk as a stream of parts, so that its length does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.recording import Recording, RecordingError, check

Array = NDArray[np.float64]

PLAUSIBLE = 20.0
"""Volts beyond which a column without a unit is not believed to hold volts."""


@dataclass(frozen=True)
class Part:
    """Samples that follow on the part before.

    Args:
        values: volts or codes, shape (samples,), at least one.
        holes: indices of the samples before which some are missing, ascending; 0 for before the part.
        done: share of the file that has been read with it, 0 .. 1.
    """

    values: Array
    holes: tuple[int, ...] = ()
    done: float = 1.0


@dataclass
class RecordingStream:
    """A recording that is read part by part.

    Args:
        path: the file, the folder or the pattern.
        layout: what the file is, in words, such as ``Tektronix MDO``.
        rate: samples per second; None if the file does not say.
        unit: ``V`` or ``codes``; None: the file does not say.
        parts: begins to read; each call begins again. A part that cannot be read raises RecordingError.
        notes: what a person should know; reading may add some.
    """

    path: Path
    layout: str
    rate: float | None
    unit: str | None
    parts: Callable[[], Iterator[Part]]
    notes: list[str] = field(default_factory=list)


def joined(stream: RecordingStream, most: int | None = None) -> tuple[Recording, Iterator[Part]]:
    """The first samples of a stream as a recording, and the parts that follow.

    Args:
        stream: where they come from.
        most: samples that are joined; None: all.

    Raises:
        RecordingError: the stream has no samples, or not of numbers.
    """
    parts, values, starts, samples = stream.parts(), [], [0], 0
    rest: Part | None = None
    for part in parts:
        starts += [samples + hole for hole in part.holes if samples + hole]
        room = part.values.size if most is None else most - samples
        values.append(part.values[:room])
        samples += values[-1].size
        if room < part.values.size:
            rest = Part(part.values[room:], tuple(hole - room for hole in part.holes if hole >= room), part.done)
        if samples == most:
            break
    if not samples:
        raise RecordingError("holds no samples")
    whole = Recording(np.concatenate(values), tuple(start for start in starts if start < samples), stream.rate, stream.unit)
    return whole, _chained(rest, parts)


def _chained(first: Part | None, others: Iterator[Part]) -> Iterator[Part]:
    if first is not None:
        yield first
    yield from others


def settled_unit(unit: str | None, first: Array, named: str) -> str | None:
    """The unit of values that state none: None where they can be codes or volts.

    Args:
        unit: what is known.
        first: the first values.
        named: heading of their column.

    Raises:
        RecordingError: they can be neither, or are not finite numbers.
    """
    check(first)
    if unit is not None:
        return unit
    largest = float(np.abs(first).max())
    whole = bool(np.all(first >= 0) and np.all(first == np.rint(first)))
    if largest <= PLAUSIBLE:
        return "V" if named == "voltage" else None
    if whole and named != "voltage":
        return None
    raise RecordingError(f"values up to {largest:g} without a unit: say what they are with --unit mV, uV, V or codes")
