"""Sources that switch as often as a junction but not by chance: reported as PERIODIC, and not before they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from health_support import Watch
from not_random_support import codes_of, reported, square

from mtjlearn.inprocess.device import DeviceNoise
from mtjlearn.noise.health import FALSE_ALARM, HealthLimits, most_different, periodic_lag
from mtjlearn.wire.messages import NoiseFault

WINDOW = 1024


@pytest.mark.parametrize("period", [*range(2, 41), 2.5, 3.01, 20.7])
def test_squares_are_reported_before_the_lags_have_passed_once(period: float) -> None:
    found = reported(9615, codes_of(square(period), 18 * WINDOW, seed=1))
    assert found is not None
    assert found[0] <= 200 + 16 * WINDOW
    if 2 <= period <= 8:
        assert found[1] is NoiseFault.PERIODIC


def test_the_fault_lasts_until_the_source_is_random_again() -> None:
    watch, source = Watch(), codes_of(square(5), 60 * WINDOW, seed=2)
    watch.feed(source[:200])
    assert watch.calibrate()
    for batch in np.array_split(source[200:], 4000):
        watch.feed(batch)
    state = watch.state
    assert (state.faults, watch.fault) == (1, NoiseFault.PERIODIC)  # type: ignore[attr-defined]
    lag = state.lag  # type: ignore[attr-defined]
    watch.run(3 * WINDOW)
    assert watch.fault is NoiseFault.NONE
    assert watch.state.lag == lag + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("noise", [DeviceNoise.SMTJ, DeviceNoise.BERNOULLI])
@pytest.mark.parametrize("rate", [4808, 9615, 40_000])
def test_random_sources_pass_at_every_lag(noise: DeviceNoise, rate: int) -> None:
    watch = Watch(rate, seed=5, noise=noise)
    watch.settle()
    assert watch.run(500_000) == 500_000
    assert watch.state.faults == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("window", [200, 256, 300, 512, 1000, 1024, 2048])
def test_independent_codes_exceed_the_limit_with_the_false_alarm_allowed(window: int) -> None:
    most = most_different(window)
    tail = sum(math.comb(window, count) for count in range(most + 1, window + 1))
    assert tail / 2**window <= FALSE_ALARM
    if window >= 512:
        assert most < window * 2 // 3  # a square of 3 codes


def test_the_limits_of_a_periodic_recording_are_refused() -> None:
    limits = HealthLimits.of_junction(9615)
    rng = np.random.default_rng(1)
    random = rng.random(20_000) < 0.5
    assert periodic_lag(random, limits) is None
    for period, lag in ((2, 1), (3, 1), (4, 2), (5, 2)):
        assert periodic_lag(np.arange(20_000) % period < period / 2, limits) == lag
    assert periodic_lag(np.resize(random[:16], 20_000), limits) is not None
    assert periodic_lag(random[:10], limits) is None
