"""The virtual sMTJ of the native board and the in-process device, seen through its converter: rate, dwell times, levels, faults."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from plain_client import memory_client, noise_codes

from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice, Preset

pytestmark = pytest.mark.thorough

COUNT = 200_000
FINE = 14
"""Bits of a converter that resolves 1/160 mV at the reference below."""
REFERENCE = 100

LEVELS = {Preset.RECORDING: (36.2, 48.0), Preset.BENCH: (3300 * 3 / 103, 3300 * 6 / 106)}
RATE = -40_000 * math.log(1 - 2 * 0.0809) / 2
"""Switches per second, from the paper's 0.0809 a sample at 40 kHz."""


@functools.cache
def codes(
    rate: int,
    noise: DeviceNoise = DeviceNoise.SMTJ,
    preset: Preset = Preset.RECORDING,
    seed: int = 1,
    bits: int = FINE,
    reference: int = REFERENCE,
    count: int = COUNT,
) -> np.ndarray:
    """Contiguous codes of a virtual board."""
    board = InProcessDevice(
        seed=seed, codes_per_step=100, noise=noise, preset=preset, adc_rate=rate, adc_bits=bits, adc_reference=reference
    )
    return noise_codes(memory_client(board).noise(count))


def millivolts(values: np.ndarray, reference: int = REFERENCE) -> np.ndarray:
    """Voltages in the middle of their codes."""
    return (values + 0.5) * reference / 2**FINE


def switching(values: np.ndarray) -> float:
    """Share of samples whose level differs from the one before, for codes of two clearly separate levels."""
    high = values > (values.min() + values.max()) / 2
    return float(np.mean(high[1:] != high[:-1]))


@pytest.mark.parametrize(("rate", "expected"), [(40_000, 0.0809), (9_615, 0.260), (20_000, 0.1487), (100, 0.5)])
def test_switching_probability(rate: int, expected: float) -> None:
    exact = (1 - math.exp(-2 * RATE / rate)) / 2
    assert exact == pytest.approx(expected, abs=0.0005)
    # Whether a sample switches is independent of the switches before it.
    assert switching(codes(rate)) == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / COUNT))


def test_very_slow_sampling_gives_fair_coins() -> None:
    values = codes(10)  # hundreds of switches between two samples: they are not followed one by one
    high = values > values.mean()
    assert switching(values) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(COUNT))
    assert high.mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(COUNT))


def test_dwell_times_are_exponential() -> None:
    rate = 1_000_000
    values = codes(rate, count=1_500_000)
    high = values > (values.min() + values.max()) / 2
    dwells = np.diff(np.flatnonzero(high[1:] != high[:-1])) / rate
    mean = 1 / RATE
    assert 4000 < len(dwells) < 7000
    assert dwells.mean() == pytest.approx(mean, rel=0.08)
    assert dwells.std() == pytest.approx(mean, rel=0.1)
    for quantile in (0.1, 0.5, 0.9):
        assert np.quantile(dwells, quantile) == pytest.approx(-mean * math.log(1 - quantile), rel=0.12)


@pytest.mark.parametrize("preset", Preset)
def test_levels_and_observation_noise(preset: Preset) -> None:
    reference = 100 if preset is Preset.RECORDING else 250
    voltages = millivolts(codes(9_615, preset=preset, reference=reference), reference)
    low, high = LEVELS[preset]
    for level, part in [(low, voltages[voltages < (low + high) / 2]), (high, voltages[voltages > (low + high) / 2])]:
        assert len(part) / COUNT == pytest.approx(0.5, abs=0.02)
        assert part.mean() == pytest.approx(level, abs=0.02)
        assert part.std() == pytest.approx(1.0, abs=0.02)


def test_the_default_converter_sees_the_recording_eleven_codes_apart() -> None:
    values = codes(9_615, bits=10, reference=1100)
    low, high = values[values < 39], values[values > 39]
    assert low.mean() == pytest.approx(36.2 / 1100 * 1024 - 0.5, abs=0.1)
    assert high.mean() - low.mean() == pytest.approx(11.8 / 1100 * 1024, abs=0.1)


def test_converter_clips() -> None:
    assert set(codes(9_615, preset=Preset.BENCH, count=1000)) <= set(range(2**FINE))
    # Both levels are beyond a full scale of 90 mV.
    assert set(codes(9_615, preset=Preset.BENCH, reference=90, count=1000)) == {2**FINE - 1}
    assert set(codes(9_615, DeviceNoise.OPEN, count=1000)) == {2**FINE - 1}
    assert set(codes(9_615, DeviceNoise.SHORT, count=1000)) == {0}


def test_a_stuck_junction_leaves_the_observation_noise() -> None:
    voltages = millivolts(codes(9_615, DeviceNoise.STUCK))
    assert voltages.std() == pytest.approx(1.0, abs=0.02)
    assert abs(voltages.mean() - 48.0) < 0.02


def test_gaussian_and_bernoulli_noise_match_the_junction_but_are_white() -> None:
    junction = millivolts(codes(9_615))
    for noise in (DeviceNoise.GAUSSIAN, DeviceNoise.BERNOULLI):
        voltages = millivolts(codes(9_615, noise))
        assert voltages.mean() == pytest.approx(junction.mean(), abs=0.15)
        assert voltages.std() == pytest.approx(junction.std(), abs=0.1)
        centred = voltages - voltages.mean()
        assert abs(np.mean(centred[1:] * centred[:-1]) / centred.var()) < 5 / math.sqrt(COUNT)
    gaussian = millivolts(codes(9_615, DeviceNoise.GAUSSIAN))
    kurtosis = np.mean((gaussian - gaussian.mean()) ** 4) / gaussian.var() ** 2
    assert kurtosis == pytest.approx(3.0, abs=0.1)
    assert switching(codes(9_615, DeviceNoise.BERNOULLI)) == pytest.approx(0.5, abs=0.01)


def test_a_seed_repeats_and_seeds_differ() -> None:
    again = codes.__wrapped__(9_615, count=2000)
    np.testing.assert_array_equal(again, codes(9_615, count=2000))
    others = [codes(9_615, seed=seed, count=2000) for seed in (0, 2, 3, 2**64 - 1)]
    for other in others:
        correlation = np.corrcoef(again, other)[0, 1]
        assert abs(correlation) < 0.15


def test_the_first_state_depends_on_the_seed() -> None:
    first = [codes(9_615, seed=seed, count=10)[0] > 2**FINE * 42 / REFERENCE for seed in range(60)]
    assert 15 < sum(first) < 45
