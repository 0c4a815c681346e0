"""What the noise tests see: no false alarm, each fault within its bound, healing, and which sources a calibration takes."""

from __future__ import annotations

import numpy as np
import pytest
from health_support import Watch, false_alarms, latency, latency_bound

from mtjlearn.inprocess.device import DeviceNoise, Preset
from mtjlearn.noise.health import HealthLimits
from mtjlearn.wire.messages import NoiseFault

pytestmark = pytest.mark.thorough

RATES = [9615, 40_000]
SEEDS = 200
KINDS = {
    DeviceNoise.STUCK: NoiseFault.STUCK,
    DeviceNoise.SHORT: NoiseFault.SHORTED,
    DeviceNoise.OPEN: NoiseFault.OPEN,
    DeviceNoise.SATURATING: NoiseFault.SATURATING,
    DeviceNoise.SLOW: NoiseFault.TOO_SLOW,
    DeviceNoise.DRIFTING: NoiseFault.DRIFTING,
}
SPLIT = 48.0 - 36.2


@pytest.mark.parametrize("rate", RATES)
def test_no_false_alarm(rate: int) -> None:
    # tests/soak/health.py does the same for 10^8 codes.
    assert false_alarms(rate, 2_000_000, seed=3) == (0, 2_000_000)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fault", KINDS)
def test_each_fault_is_detected_within_its_bound_and_ends(rate: int, fault: DeviceNoise) -> None:
    bound, limits = latency_bound(rate, fault), HealthLimits.of_junction(rate)
    ended: list[int] = []
    for seed in range(SEEDS):
        codes, watch = latency(rate, fault, seed)
        assert 1 <= codes <= bound
        # A run that began before, or a window that ends early, may first look like another kind.
        told = {watch.fault}
        for _ in range(8 if KINDS[fault] not in told else 0):
            watch.run(limits.window)
            told.add(watch.fault)
        assert KINDS[fault] in told
        if seed % 10 == 0:
            broken = watch.state.codes  # type: ignore[attr-defined]
            watch.become(DeviceNoise.SMTJ)
            while watch.fault is not NoiseFault.NONE:
                watch.run(3 * limits.window)
            ended.append(watch.state.codes - broken)  # type: ignore[attr-defined]
            assert watch.run(100_000) == 100_000  # and it stays healthy
    assert min(ended) >= limits.window // 2  # the window may have begun before the source healed
    assert max(ended) <= 3 * limits.window


def test_a_fault_that_nothing_ends_lasts() -> None:
    _, watch = latency(9615, DeviceNoise.OPEN, 1)
    while watch.fault is not NoiseFault.OPEN:
        watch.run(1024)
    assert watch.run(1_000_000) == 1_000_000
    state = watch.state
    assert (state.faults, state.seen_high) == (1, 1023)  # type: ignore[attr-defined]
    watch.silence()
    assert watch.fault is NoiseFault.SILENT


def passing(attempts: int, deviation: float | None = None, **options: object) -> float:
    """Share of calibrations that see two levels; observation noise in mV."""
    watch = Watch(seed=11, **options)  # type: ignore[arg-type]
    if deviation is not None:
        watch.observe(deviation)
    return watch.attempts(attempts) / attempts


@pytest.mark.parametrize("rate", RATES)
def test_calibration_takes_two_levels(rate: int) -> None:
    assert passing(3000, adc_rate=rate) == 1
    assert passing(3000, adc_rate=rate, preset=Preset.BENCH) == 1
    assert passing(3000, adc_rate=rate, noise=DeviceNoise.BERNOULLI) == 1
    assert passing(3000, adc_rate=rate, adc_reference=5000) > 0.99  # 2.4 codes apart
    assert passing(3000, SPLIT / 5, adc_rate=rate) > 0.97
    assert passing(3000, SPLIT / 4, adc_rate=rate) > 0.5  # again until it passes


def noisy(deviation: float, noise: DeviceNoise = DeviceNoise.STUCK, **options: int) -> int:
    watch = Watch(seed=12, noise=noise, **options)
    watch.observe(deviation)
    return watch.attempts(20_000)


@pytest.mark.parametrize("deviation", [0.0, 0.2, 0.5, 1.0, 1.2, 1.4, 1.7, 3.0, 10.0])
def test_calibration_refuses_a_stuck_junction_whatever_its_noise(deviation: float) -> None:
    assert noisy(deviation) == 0
    assert noisy(deviation, adc_reference=5000) == 0


def test_calibration_refuses_gaussian_noise_and_broken_wires_and_tells_which() -> None:
    for noise, fault in [
        (DeviceNoise.GAUSSIAN, NoiseFault.STUCK),
        (DeviceNoise.STUCK, NoiseFault.STUCK),
        (DeviceNoise.OPEN, NoiseFault.OPEN),
        (DeviceNoise.SHORT, NoiseFault.SHORTED),
    ]:
        watch = Watch(noise=noise)
        assert watch.attempts(2000) == 0
        assert watch.fault is fault
        assert watch.run(2000) == 2000  # no levels, no tests
        assert watch.fault is fault


def test_a_refused_source_counts_as_healthy_after_a_calibration_and_a_window() -> None:
    watch = Watch(noise=DeviceNoise.STUCK)
    watch.run(200)
    assert not watch.calibrate()
    watch.become(DeviceNoise.SMTJ)
    watch.run(200)
    assert watch.calibrate()
    assert watch.fault is NoiseFault.STUCK
    assert watch.run(5000) == 1024
    assert watch.fault is NoiseFault.NONE
    assert watch.state.windows == 1  # type: ignore[attr-defined]


def test_without_a_window_there_are_no_tests() -> None:
    watch = Watch(noise=DeviceNoise.STUCK)
    watch.run(200)
    assert not watch.calibrate()
    watch.set_limits(HealthLimits(2, 0, 0, 0, 0))
    assert watch.fault is NoiseFault.NONE
    assert watch.calibrate()
    assert watch.run(10_000) == 10_000
    assert watch.state.level_high == 0  # type: ignore[attr-defined]


def test_levels_and_counts_are_those_of_the_junction() -> None:
    watch = Watch(40_000, seed=2)
    watch.settle()
    watch.run(400_000)
    state = watch.state
    low, high = (round(level * 1024 / 1100 - 0.5) for level in (36.2, 48.0))
    assert abs(state.level_low - low) <= 1  # type: ignore[attr-defined]
    assert abs(state.level_high - high) <= 1  # type: ignore[attr-defined]
    assert state.windows == 400_000 // 4096  # type: ignore[attr-defined]
    assert abs(state.last_switches - 331) < 6 * np.sqrt(331)  # type: ignore[attr-defined]
