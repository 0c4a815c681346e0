"""What makes a signal predictable although its states look random: a frequency, an oscillation, a shift register.

A junction's spectrum is smooth and its autocorrelation falls as an exponential. Lines in the spectrum, an
autocorrelation that leaves the exponential, and states that a short recurrence produces belong to something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bits = NDArray[np.bool_]

LAGS = 1000
"""Longest lag of the autocorrelation that is compared with the exponential."""
_MOST = 2**18
"""Samples of a stretch whose spectrum is taken."""
_LEAST_PERIODS = 4
"""A signal with fewer of them is not called periodic."""
_LINE = 30.0
"""How much a line stands out of the spectrum around it; noise alone does that once in 10^13 frequencies."""
_NEIGHBOURS = 32
"""Frequencies whose median is the spectrum around a line."""
_LOW = (1, 8, 16, _NEIGHBOURS)
"""Bounds of smaller groups at the low end, where a spectrum may fall steeply."""
_TOLERANCE = 0.1
"""What an autocorrelation may differ from an exponential; junctions are not perfect."""
_ERRORS = 5.0
"""Standard errors that it may differ besides."""
_REGISTER = 2048
"""States that are tried for a recurrence."""
_REGISTER_MARGIN = 64
"""Bits that a recurrence must save; chance does that once in 2^64 recordings."""
_HUM = (50.0, 60.0)


@dataclass(frozen=True)
class Periodic:
    """A periodic part of a signal.

    Args:
        period: of its strongest frequency, in samples.
        share: of the signal's variance that is periodic, 0 .. 1.
        single: most of that is one frequency.
        error: of the period, relative.
    """

    period: float
    share: float
    single: bool
    error: float = 0.005

    def describe(self, rate: float | None) -> str:
        """Its frequency, or its period without a rate, and what it may be."""
        if rate is None:
            return f"a period of {self.period:.4g} samples"
        frequency = rate / self.period
        for mains in _HUM:
            harmonic = round(frequency / mains)
            if 1 <= harmonic <= 3 and abs(frequency - harmonic * mains) < self.error * mains * harmonic:
                return f"{harmonic * mains:g} Hz: mains hum"
        return f"{frequency:.4g} Hz"


def find_periodic(segments: Sequence[Array], correlation: Array, memory: float) -> Periodic | None:
    """The periodic part of a signal, if it has one.

    Args:
        segments: contiguous samples; the spectrum of the longest is taken.
        correlation: autocorrelation of the samples from lag 0 on.
        memory: autocorrelation at lag 1 of a junction that switches as often, 0 .. 1.
    """
    lines = _lines(max(segments, key=len)[:_MOST], memory)
    oscillation = _oscillation(segments, correlation, memory)
    if lines is None or oscillation is None:
        return lines or oscillation
    # A spectrum shows frequencies better; an autocorrelation sees them also in short stretches and when they wander.
    if 2 * lines.share < oscillation.share:
        return oscillation
    return replace(lines, share=max(lines.share, oscillation.share))


def departure(segments: Sequence[Array], correlation: Array, memory: float) -> int | None:
    """The lag at which an autocorrelation is farthest from a junction's exponential; None: it follows that."""
    lags = np.arange(correlation.size)
    excess = np.abs(correlation - memory**lags) - _allowed(segments, lags, memory)
    return None if np.isnan(excess).all() or np.nanmax(excess) <= 0 else int(np.nanargmax(excess))


def register_length(states: Bits) -> int | None:
    """Stages of the shift register with feedback that produces the first states; None: none that is short.

    Berlekamp and Massey's algorithm. Random states need a register of half their number; one is short if it needs fewer
    bits than the states of a source that switches as often hold.
    """
    states = states[:_REGISTER]
    feedback, before, length, since, seen = 1, 1, 0, 1, 0
    for place, state in enumerate(states.tolist()):
        seen = seen << 1 | state
        if (feedback & seen).bit_count() % 2 == 0:
            since += 1
            continue
        changed = feedback ^ before << since
        if 2 * length <= place:
            before, length, since = feedback, place + 1 - length, 1
        else:
            since += 1
        feedback = changed
    share = float(np.mean(states[1:] != states[:-1])) if states.size > 1 else 0.0
    if not 0 < share < 1:
        return None
    bits = -states.size * (share * math.log2(share) + (1 - share) * math.log2(1 - share))
    return length if 2 * length + _REGISTER_MARGIN < bits else None


def _lines(values: Array, memory: float) -> Periodic | None:
    """What stands out of the spectrum: of its surroundings and of a junction's spectrum."""
    count = values.size
    if count < 16 * _LEAST_PERIODS:
        return None
    power = np.abs(np.fft.rfft((values - values.mean()) * np.hanning(count))) ** 2
    power[0] = 0.0
    total = float(power.sum())
    if total == 0:
        return None
    cosine = np.cos(2 * np.pi * np.arange(power.size) / count)
    smooth = (1 - memory**2) / (1 - 2 * memory * cosine + memory**2)
    smooth *= total / float(smooth[1:].sum())
    line = power > _LINE * np.maximum(_surroundings(power), smooth)
    line[:_LEAST_PERIODS] = False
    if not line.any():
        return None
    wide = np.convolve(line, np.ones(5), "same") > 0  # the window spreads a frequency over its neighbours
    top = int(np.argmax(np.where(line, power, 0.0)))
    near = np.arange(max(0, top - 2), min(top + 3, power.size))
    strongest = float(power[near].sum())
    periodic = float(power[wide].sum())
    place = float(np.dot(near, power[near])) / strongest
    return Periodic(count / place, min(1.0, periodic / total), strongest > 0.5 * periodic)


def _surroundings(power: Array) -> Array:
    """The spectrum without its lines: the largest median of a frequency's block and its neighbours."""
    whole = power.size // _NEIGHBOURS * _NEIGHBOURS
    low = [np.median(power[start:end]) for start, end in pairwise(_LOW)]
    medians = np.concatenate([low, np.median(power[_NEIGHBOURS:whole].reshape(-1, _NEIGHBOURS), axis=1)])
    padded = np.concatenate([medians[:1], medians, medians[-1:]])
    largest = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    sizes = np.concatenate([np.diff(_LOW), np.full(medians.size - len(low), _NEIGHBOURS)])
    found = np.concatenate([largest[:1], np.repeat(largest, sizes)])
    return np.pad(found, (0, power.size - found.size), mode="edge") / math.log(2)


def _oscillation(segments: Sequence[Array], correlation: Array, memory: float) -> Periodic | None:
    """A negative autocorrelation, which no junction has: half a period after itself a signal is its opposite."""
    below = -correlation - _allowed(segments, np.arange(correlation.size), memory)
    below[sum(segment.size for segment in segments) // (2 * _LEAST_PERIODS) :] = np.nan
    if np.isnan(below).all() or np.nanmax(below) <= 0:
        return None
    opposite = np.where(below > 0, -correlation, 0.0)  # a comparison with NaN is false
    valleys = np.flatnonzero(opposite > 0.9 * opposite.max())
    first = valleys[: 1 + int(np.argmax(np.append(np.diff(valleys), 2) > 1))]  # later ones belong to later periods
    lag = int(first[np.argmax(opposite[first])])
    return Periodic(2.0 * lag, min(1.0, float(opposite[lag])), True, error=0.02)


def _allowed(segments: Sequence[Array], lags: NDArray[np.int64], memory: float) -> Array:
    """What chance and imperfection may make of an autocorrelation at these lags (Bartlett); NaN without enough pairs."""
    lengths, counts = np.unique([segment.size for segment in segments], return_counts=True)
    pairs = np.maximum(lengths[:, None] - lags, 0).T @ counts
    error = np.sqrt((1 + memory**2) / (1 - memory**2) / np.maximum(pairs, 1))
    return np.where(4 * pairs >= pairs[0], _TOLERANCE + _ERRORS * error, np.nan)
