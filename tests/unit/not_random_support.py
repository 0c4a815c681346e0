"""Sources that are not random: codes at the paper's two levels with its observation noise, for the board's tests of its noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from health_support import Watch

from mtjlearn.noise.smtj import switching_probability
from mtjlearn.wire.messages import NoiseFault

Source = Callable[[int, np.random.Generator], np.ndarray]
"""Voltages in [0, 1] between the two levels, from the number of codes and a generator."""
LOW, SPLIT, NOISE = 33.7, 11.0, 0.93
"""Of the paper's recording, in codes of 10 bits at 1,100 mV."""
MILLIVOLTS = 1100 / 1024
"""A code."""
RATES = (9615, 40_000)


def square(period: float) -> Source:
    return lambda count, rng: (np.arange(count) + rng.integers(0, 1000)) % period < period / 2


def sine(per_code: float) -> Source:
    return lambda count, rng: 0.5 + 0.5 * np.sin(2 * np.pi * (per_code * np.arange(count) + rng.random()))


def sawtooth(period: float) -> Source:
    return lambda count, rng: (np.arange(count) + rng.integers(0, 1000)) % period / period


def register(bits: int, tap: int) -> Source:
    """A linear feedback shift register, a PRBS."""

    def codes(count: int, rng: np.random.Generator) -> np.ndarray:
        state = int(rng.integers(1, 2**bits))
        values = np.empty(count)
        for at in range(count):
            bit = (state >> (bits - 1) ^ state >> (tap - 1)) & 1
            state = (state << 1 | bit) & (2**bits - 1)
            values[at] = bit
        return values

    return codes


def repeated(period: int, rate: int) -> Source:
    """A piece of the healthy source, over and over."""
    return lambda count, rng: np.resize(healthy(rate)(period, rng), count)


def delivered_twice(piece: int, rate: int) -> Source:
    """Pieces of the healthy source, each followed by its copy: two sources that are copies of each other, read in turn. With pieces
    of one code each is read at half the rate."""
    original = healthy(rate if piece > 1 else rate // 2)
    return lambda count, rng: np.resize(original(count, rng), (count // piece + 1, 1, piece)).repeat(2, axis=1).ravel()[:count]


def reluctant(lag: int, changes: float) -> Source:
    """A code is most often in the other state than the one `lag` before."""

    def codes(count: int, rng: np.random.Generator) -> np.ndarray:
        values = np.empty(count)
        values[:lag] = rng.integers(0, 2, lag)
        changed = rng.random(count) < changes
        for at in range(lag, count):
            values[at] = changed[at] ^ bool(values[at - lag])
        return values

    return codes


def healthy(rate: int) -> Source:
    switching = switching_probability(3530.4, rate)
    return lambda count, rng: (np.cumsum(rng.random(count) < switching) + rng.integers(0, 2)) % 2


def hum(strength: float, rate: int) -> Source:
    """The healthy source with 50 Hz of this many splits, peak to peak, added."""
    return lambda count, rng: (
        healthy(rate)(count, rng) + strength / 2 * np.sin(2 * np.pi * (50 / rate * np.arange(count) + rng.random()))
    )


def third_level(rate: int, height: float, after: int = 20_000) -> Source:
    """The healthy source, whose codes have another level half of the time from a moment on."""

    def codes(count: int, rng: np.random.Generator) -> np.ndarray:
        values = healthy(rate)(count, rng).astype(float)
        third = healthy(rate)(count, rng).astype(bool)
        third[:after] = False
        values[third] = height
        return values

    return codes


def bank(rate: int) -> Iterator[tuple[str, Source]]:
    """All of them; sources of one name make up one row of the table."""
    for period in range(2, 12):
        yield "squares of 2 to 11 codes", square(period)
    for period in range(12, 41):
        yield "squares of 12 to 40 codes", square(period)
    for per_code in (*(hertz / rate for hertz in (50, 100, 250, 500, 1000, 2000)), 1 / 7.3, 1 / 5, 1 / 4, 1 / 3.5, 1 / 3):
        yield "sines of 50 Hz to a third of the rate", sine(per_code)
    for period in (4, 10, 40):
        yield "sawtooths of 4 to 40 codes", sawtooth(period)
    yield "PRBS-7", register(7, 6)
    yield "PRBS-15", register(15, 14)
    for period in (5, 8, 13, 16):
        yield "5 to 16 healthy codes repeated", repeated(period, rate)
    for period in (24, 32):
        yield "24 or 32 healthy codes repeated", repeated(period, rate)
    for period in (64, 200, 1000):
        yield f"{period:,} healthy codes repeated", repeated(period, rate)
    for piece in (1, 16, 100):
        yield f"copies: each {f'{piece} codes' if piece > 1 else 'code'} twice", delivered_twice(piece, rate)
    for strength in (0.25, 0.5, 0.75, 1.0):
        yield f"hum of {strength:.0%} of the split added", hum(strength, rate)
    yield "third level at 0.5 splits after 20,000 codes", third_level(rate, 0.5)
    for height in (1.5, 2.0):
        yield "third level at 1.5 or 2 splits after 20,000 codes", third_level(rate, height)


def volts_of(source: Source, count: int, seed: int) -> np.ndarray:
    """Voltages in codes, before they are rounded."""
    rng = np.random.default_rng(seed)
    return np.asarray(LOW + SPLIT * source(count, rng) + NOISE * rng.standard_normal(count))


def play(path: Path, volts: np.ndarray) -> Path:
    """Writes the file that a virtual board plays with ``voltages=path``."""
    path.write_bytes((volts * MILLIVOLTS).astype(np.float32).tobytes())
    return path


def rounded(volts: np.ndarray) -> np.ndarray:
    """ADC codes of 10 bits."""
    return np.clip(np.floor(volts), 0, 1023).astype(np.uint16)


def codes_of(source: Source, count: int, seed: int) -> np.ndarray:
    """ADC codes of a source."""
    return rounded(volts_of(source, count, seed))


def reported(rate: int, codes: np.ndarray) -> tuple[int, NoiseFault] | None:
    """The code at which the board's tests report a fault, counted from the first one, and its kind; None: they report none.
    A calibration that finds no two levels is such a report."""
    watch, count = Watch(rate), len(codes)
    watch.feed(codes[:200])
    if not watch.calibrate():
        return 200, watch.fault
    for start in range(200, count, 16):
        watch.feed(codes[start : start + 16])
        if watch.fault is not NoiseFault.NONE:
            return watch.state.fault_code + 1, watch.fault  # type: ignore[attr-defined]
    return None
