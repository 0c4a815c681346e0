"""The board's tests of the noise source equal their model, code by code and whatever batches the codes come in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from health_support import Watch, difference
from hypothesis import given, settings
from hypothesis import strategies as st

from mtjlearn.noise.health import HealthLimits
from mtjlearn.noise.health_monitor import HealthMonitor, find_levels
from mtjlearn.wire.messages import NoiseFault

pytestmark = pytest.mark.thorough

BITS = 10
FULL = 2**BITS - 1


def sources(rng: np.random.Generator, count: int, switching: float, low: float, split: float, noise: float) -> np.ndarray:
    """Codes of a telegraph source."""
    state = np.cumsum(rng.random(count) < switching) % 2
    return np.clip(np.floor(low + split * state + noise * rng.standard_normal(count)), 0, FULL).astype(np.uint16)


@st.composite
def histories(draw: st.DrawFn) -> tuple[HealthLimits, np.ndarray, list[int]]:
    """Limits, codes of a source that changes its ways several times, and the sizes of the batches."""
    window = draw(st.sampled_from([200, 256, 300, 1024]))
    switching = draw(st.sampled_from([0.02, 0.08, 0.26, 0.5]))
    limits = HealthLimits.of_source(switching, switching, window)
    if draw(st.booleans()):
        limits = dataclasses.replace(limits, repetitions=draw(st.integers(2, 400)))
    if draw(st.integers(0, 3)) == 0:
        limits = dataclasses.replace(limits, ones_min=0, ones_max=window, switches_min=draw(st.integers(0, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, split, noise = draw(st.integers(0, 900)), draw(st.sampled_from([2, 3, 5, 11, 80])), draw(st.sampled_from([0.0, 0.1, 1.0]))
    parts = [sources(rng, 250, max(switching, 0.2), low, split, noise)]
    for kind in draw(st.lists(st.integers(0, 8), min_size=1, max_size=6)):
        count = int(rng.integers(1, 1500))
        level = [0, FULL, low, low + split // 2, low + split][kind % 5]
        if kind < 5:
            part = np.clip(level + np.round(noise * rng.standard_normal(count)), 0, FULL)
        elif kind == 5:
            part = sources(rng, count, switching / 30, low, split, noise)
        elif kind == 6:
            part = sources(rng, count, switching, low + split * rng.uniform(-1, 1), split, noise)
        else:
            part = sources(rng, count, switching, low, split, noise)
        parts.append(part.astype(np.uint16))
    codes = np.concatenate(parts)
    return limits, codes, draw(st.lists(st.integers(1, 16), min_size=1, max_size=20))


def run_both(limits: HealthLimits, codes: np.ndarray, batches: list[int], silences: int = 0) -> tuple[Watch, HealthMonitor]:
    watch, monitor = Watch(adc_bits=BITS), HealthMonitor(limits, FULL)
    watch.set_limits(limits)
    at = turn = 0
    calibrated = False
    while at < codes.size:
        batch = codes[at : at + batches[turn % len(batches)]]
        watch.feed(batch)
        monitor.take(batch.tolist())
        at, turn = at + batch.size, turn + 1
        if at >= 200 and not calibrated:
            calibrated = watch.calibrate()
            assert monitor.calibrate() == calibrated
        if silences and turn % silences == 0 and calibrated:
            watch.silence()
            monitor.silent()
        assert not difference(watch, monitor), f"after code {at}"
    return watch, monitor


@given(histories())
@settings(max_examples=150, deadline=None)
def test_equal_code_by_code(history: tuple[HealthLimits, np.ndarray, list[int]]) -> None:
    run_both(*history, silences=97)


@pytest.mark.parametrize("batch", [1, 7, 16])
def test_equal_over_a_long_healthy_run_and_every_kind_is_reached(batch: int) -> None:
    rng = np.random.default_rng(batch)
    limits = HealthLimits.of_source(0.26, 0.26, 256)
    healthy = sources(rng, 3000, 0.26, 33, 11, 0.9)
    one = np.ones(400, dtype=np.uint16)
    faults = {
        NoiseFault.SHORTED: 0 * one,
        NoiseFault.OPEN: FULL * one,
        NoiseFault.STUCK: sources(rng, 400, 0, 44, 0, 0.9),
        NoiseFault.TOO_SLOW: sources(rng, 2000, 0.012, 33, 11, 0.9),
        NoiseFault.SATURATING: sources(rng, 400, 0.26, 1010, 14, 0.9),
        NoiseFault.DRIFTING: sources(rng, 400, 0.26, 37, 11, 0.9),
    }
    for fault, codes in faults.items():
        watch, monitor = run_both(limits, np.concatenate([healthy, codes]), [batch])
        assert watch.fault is monitor.fault is fault
        assert 3000 <= monitor.fault_code < 3000 + codes.size
        monitor.take(healthy.tolist())
        assert monitor.fault is NoiseFault.NONE
        assert monitor.last_fault is fault


def test_runs_longer_than_their_counter_and_repetitions_at_its_end() -> None:
    limits = HealthLimits(repetitions=65535, window=32768, ones_min=0, ones_max=32768, switches_min=0)
    rng = np.random.default_rng(0)
    codes = np.concatenate(
        [sources(rng, 300, 0.3, 33, 11, 0.5), sources(rng, 70_000, 0, 44, 0, 0.5), sources(rng, 99, 0.3, 33, 11, 0)]
    )
    watch, monitor = run_both(limits, codes, [16])
    assert monitor.faults == 1
    assert NoiseFault(watch.state.last_fault) is NoiseFault.STUCK  # type: ignore[attr-defined]


@given(
    st.integers(0, 2**32),
    st.sampled_from([0.3, 1, 2, 30, 900, 3000]),
    st.sampled_from([0.0, 0.05, 0.2, 0.3, 2.0]),
    st.sampled_from([0, 0.01, 0.1, 0.5]),
)
@settings(max_examples=200, deadline=None)
def test_levels_are_equal_at_every_scale(seed: int, split: float, noise: float, switching: float) -> None:
    rng = np.random.default_rng(seed)
    state = np.cumsum(rng.random(200) < switching) % 2
    codes = np.clip(5000 + split * (state + noise * rng.standard_normal(200)), 0, 16383).astype(np.uint16)
    watch = Watch(adc_bits=14)
    monitor = HealthMonitor(watch.limits, 16383)
    for batch in np.array_split(codes, 20):
        watch.feed(batch)
        monitor.take(batch.tolist())
    assert watch.calibrate() == monitor.calibrate()
    assert not difference(watch, monitor)


def test_levels_of_sources_that_are_seldom_high() -> None:
    """Their threshold still moves in the last turn of the clustering."""
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(100):
        spread = rng.integers(20, 700)
        high = rng.random(200) < rng.uniform(0.01, 0.3)
        codes = 100 + spread * high + rng.uniform(0.05, 0.35) * spread * rng.standard_normal(200)
        codes = np.clip(np.round(codes), 0, FULL).astype(np.uint16)
        watch, levels = Watch(adc_bits=BITS), find_levels(codes.tolist())
        watch.feed(codes)
        assert watch.calibrate() == (levels is not None)
        if levels:
            assert (watch.state.level_low, watch.state.level_high) == levels  # type: ignore[attr-defined]
        seen.add(levels is None)
    assert len(seen) == 2
