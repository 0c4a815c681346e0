"""Sources that are not random: codes at the paper's two levels with its observation noise, for the board's tests of its noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from health_support import Watch

from mtjlearn.noise.smtj import switching_probability
from mtjlearn.wire.messages import NoiseFault

Source = Callable[[int, np.random.Generator], np.ndarray]
"""Voltages in [0, 1] between the two levels, from the number of codes and a generator."""
LOW, SPLIT, NOISE = 33.7, 11.0, 0.93
RATES = (9615, 40_000)
LAGS = 16


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
    """All of them, by name."""
    yield "alternating", square(2)
    for period in range(3, 41):
        yield f"square of {period} codes", square(period)
    for hertz in (50, 100, 250, 500, 1000, 2000):
        yield f"sine of {hertz} Hz", sine(hertz / rate)
    for part in (7.3, 5, 4, 3.5, 3):
        yield f"sine of 1/{part:g} of the rate", sine(1 / part)
    for period in (4, 10, 40):
        yield f"sawtooth of {period} codes", sawtooth(period)
    yield "PRBS-7", register(7, 6)
    yield "PRBS-15", register(15, 14)
    for period in (5, 8, 13, 16, 24, 32, 64, 200, 1000):
        yield f"{period} healthy codes repeated", repeated(period, rate)
    for strength in (0.25, 0.5, 0.75, 1.0):
        yield f"hum of {strength:.0%} of the split added", hum(strength, rate)
    for height in (0.5, 1.5, 2.0):
        yield f"third level at {height:g} splits after 20,000 codes", third_level(rate, height)


def codes_of(source: Source, count: int, seed: int) -> np.ndarray:
    """ADC codes of 10 bits."""
    rng = np.random.default_rng(seed)
    volts = LOW + SPLIT * source(count, rng) + NOISE * rng.standard_normal(count)
    return np.clip(np.floor(volts), 0, 1023).astype(np.uint16)


def reported(rate: int, source: Source, count: int, seed: int) -> tuple[int, NoiseFault] | None:
    """The code at which the board's tests report a fault, counted from the first one, and its kind; None: they report none.
    A calibration that finds no two levels is such a report."""
    watch, codes = Watch(rate), codes_of(source, count, seed)
    watch.feed(codes[:200])
    if not watch.calibrate():
        return 200, watch.fault
    for start in range(200, count, 16):
        watch.feed(codes[start : start + 16])
        if watch.fault is not NoiseFault.NONE:
            return watch.state.fault_code + 1, watch.fault  # type: ignore[attr-defined]
    return None
