"""What counts as mains hum, what a spectrum's lines stand out of, and what chance may make of an autocorrelation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mtjlearn.noise.regularity import Periodic, _allowed, _surroundings, departure, find_periodic

RATE = 9615.0


@pytest.mark.parametrize("mains", [50.0, 60.0])
@pytest.mark.parametrize("harmonic", [1, 2, 3])
def test_hum_is_within_the_error_of_the_frequency(mains: float, harmonic: int) -> None:
    for away, hums in ((0.0, True), (0.0049, True), (-0.0049, True), (0.0055, False), (-0.0055, False)):
        frequency = harmonic * mains * (1 + away)
        said = Periodic(RATE / frequency, 0.5, True).describe(RATE)
        assert said == (f"{harmonic * mains:g} Hz: mains hum" if hums else f"{frequency:.4g} Hz")


def test_a_fourth_harmonic_and_what_is_below_the_mains_are_not_hum() -> None:
    for frequency in (200.0, 240.0, 0.1, 25.0):
        assert Periodic(RATE / frequency, 0.5, True).describe(RATE) == f"{frequency:g} Hz"


@pytest.mark.parametrize("size", [64, 65, 100, 129])
def test_a_line_is_compared_with_its_block_and_the_blocks_next_to_it(size: int) -> None:
    ends = [0, 8, 16, *range(32, size + 1, 32)]
    power = np.concatenate([np.full(end - start, float(place)) for place, (start, end) in enumerate(pairwise(ends), 1)])
    power = np.pad(power, (0, size - power.size), mode="edge")
    found = _surroundings(power) * np.log(2)
    assert found.size == size
    for place, (start, end) in enumerate(pairwise(ends), 1):
        assert found[start:end] == pytest.approx(min(place + 1, len(ends) - 1))
    # The blocks that the spectrum fills last until its end.
    assert found[ends[-1] :] == pytest.approx(len(ends) - 1)


def test_an_autocorrelation_is_judged_where_a_quarter_of_the_pairs_is_there() -> None:
    segments = [np.zeros(100), np.zeros(20)]
    lags = np.arange(100)
    allowed = _allowed(segments, lags, 0.5)
    pairs = np.maximum(100 - lags, 0) + np.maximum(20 - lags, 0)
    known = 4 * pairs >= 120
    assert np.isnan(allowed).tolist() == (~known).tolist()
    error = np.sqrt((1 + 0.25) / (1 - 0.25) / pairs[known])
    assert allowed[known] == pytest.approx(0.1 + 5 * error)


def test_the_farthest_lag_from_an_exponential_is_named() -> None:
    segments = [np.zeros(100_000)]
    exponential = np.power(0.8, np.arange(20), dtype=np.float64)
    assert departure(segments, exponential, 0.8) is None
    bent = exponential.copy()
    bent[7] += 0.3
    bent[12] -= 0.5
    assert departure(segments, bent, 0.8) == 12
    assert departure(segments, np.full(20, np.nan), 0.8) is None


@pytest.mark.parametrize("period", [8.0, 12.5, 40.0])
def test_a_sine_s_period_and_share_are_found(period: float) -> None:
    place = np.arange(4096)
    noise = np.random.default_rng(1).normal(0, 1, place.size)
    sine = np.sqrt(2) * np.sin(2 * np.pi * place / period + 0.4)
    lags = np.arange(64)
    found = find_periodic([sine + 0.5 * noise], np.cos(2 * np.pi * lags / period) / 1.25, 0.0)
    assert found is not None
    assert found.period == pytest.approx(period, rel=0.01)
    assert found.share == pytest.approx(0.8, abs=0.05)
    assert found.single
    assert find_periodic([noise], 1.0 * (lags == 0), 0.0) is None
