"""The limits of the noise tests: exact counts of the two-state chain, against enumeration, closed forms and the board's table."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from health_support import Watch
from places import PROJECT

from mtjlearn.noise import SimulatedAdc, characterise
from mtjlearn.noise.health import FALSE_ALARM, NO_TESTS, TABLE_RATES, Counted, HealthLimits, count_distribution
from mtjlearn.noise.recording import Recording
from mtjlearn.noise.smtj import PRESETS
from mtjlearn.wire.messages import NoiseFault

HEADER = PROJECT / "firmware" / "src" / "health_limits.h"
CHAINS = [(0.3, 0.3), (0.1, 0.6), (0.8, 0.7), (0.05, 0.02)]


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("counted", ["ones", "switches"])
def test_counts_equal_enumeration(chain: tuple[float, float], counted: Counted) -> None:
    p01, p10 = chain
    window = 10
    leave = (p01, p10)
    expected = np.zeros(window + 1)
    for before, *codes in itertools.product((0, 1), repeat=window + 1):
        path = [before, *codes]
        share = (p01 if before else p10) / (p01 + p10)
        for old, new in itertools.pairwise(path):
            share *= leave[old] if new != old else 1 - leave[old]
        count = sum(codes) if counted == "ones" else sum(old != new for old, new in itertools.pairwise(path))
        expected[count] += share
    np.testing.assert_allclose(count_distribution(p01, p10, window, counted), expected, rtol=1e-12)
    np.testing.assert_array_equal(
        count_distribution(p01, p10, window, counted, 4), count_distribution(p01, p10, window, counted)[:5]
    )


@pytest.mark.thorough
def test_tails_equal_closed_forms() -> None:
    # A symmetric chain switches independently of its state; its codes of one state are counted through their runs.
    window, p = 1024, 0.26
    switches, ones = (count_distribution(p, p, window, counted) for counted in ("switches", "ones"))
    exact = Fraction(26, 100)
    for count in (0, 100, 171, 172, 266, 600, 1024):
        binomial = math.comb(window, count) * exact**count * (1 - exact) ** (window - count)
        assert switches[count] == pytest.approx(float(binomial), rel=1e-10, abs=0)
    for count in (1, 200, 324, 325, 512, 699):
        total = Fraction(0)
        for up in range(1, count + 1):  # runs of the high state
            for down in (up - 1, up, up + 1):
                if 1 <= down <= window - count:
                    starts = 2 if down == up else 1
                    paths = starts * math.comb(count - 1, up - 1) * math.comb(window - count - 1, down - 1)
                    runs = up + down
                    total += Fraction(paths, 2) * exact ** (runs - 1) * (1 - exact) ** (window - runs)
            if math.log2(float(total) or 1.0) > -30 and up > 0.9 * count:
                break
        assert ones[count] == pytest.approx(float(total), rel=1e-10, abs=0)


@pytest.mark.parametrize("chain", [(0.26, 0.26), (0.1, 0.3), pytest.param((0.02, 0.05), marks=pytest.mark.thorough)])
def test_limits_are_the_tightest_at_the_false_alarm_asked_for(chain: tuple[float, float]) -> None:
    p01, p10 = chain
    limits = HealthLimits.of_source(p01, p10)
    stay = 1 - min(chain)
    assert stay ** (limits.repetitions - 1) <= FALSE_ALARM < stay ** (limits.repetitions - 2)
    ones = count_distribution(p01, p10, limits.window, "ones")
    assert ones[: limits.ones_min].sum() <= FALSE_ALARM < ones[: limits.ones_min + 1].sum()
    assert ones[limits.ones_max + 1 :].sum() <= FALSE_ALARM < ones[limits.ones_max :].sum()
    switches = count_distribution(p01, p10, limits.window, "switches")
    assert switches[: limits.switches_min].sum() <= FALSE_ALARM < switches[: limits.switches_min + 1].sum()
    mirrored = HealthLimits.of_source(p10, p01)
    assert (mirrored.ones_min, mirrored.ones_max) == (limits.window - limits.ones_max, limits.window - limits.ones_min)
    assert mirrored.switches_min == limits.switches_min


def test_cut_offs_of_the_papers_junction() -> None:
    assert HealthLimits.of_junction(40_000).repetitions == 330
    assert HealthLimits.of_junction(9615) == HealthLimits(94, 1024, 325, 699, 172)


@pytest.mark.thorough
def test_the_boards_table_is_computed() -> None:
    rows = re.findall(r"\{(\d+), (\d+), (\d+), (\d+), (\d+)\}", HEADER.read_text(encoding="utf-8"))
    table = {int(row[0]): tuple(map(int, row[1:])) for row in rows}
    assert tuple(table) == TABLE_RATES
    for rate, row in table.items():
        limits = HealthLimits.of_junction(rate)
        assert row == (limits.repetitions, limits.window, limits.ones_min, limits.switches_min)
        assert limits.ones_max == limits.window - limits.ones_min


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("rate", "row"),
    [(1, 4808), (4808, 4808), (4809, 9615), (9615, 9615), (39_999, 40_000), (100_001, 1_000_000), (2_000_000, 1_000_000)],
)
def test_a_board_starts_with_the_limits_of_its_rate_or_the_next_higher_one(rate: int, row: int) -> None:
    assert Watch(rate).limits == HealthLimits.of_junction(row)


@pytest.mark.thorough
def test_limits_of_a_measured_source() -> None:
    codes = SimulatedAdc(PRESETS["bench"], 1, 9615.0, 12, seed=1).read(100_000)[0]
    summary = characterise(Recording(codes.astype(float), rate=9615.0))
    limits, exact = HealthLimits.of_source(summary.up, summary.down), HealthLimits.of_junction(9615)
    assert limits.window == exact.window
    assert abs(limits.repetitions - exact.repetitions) < 4
    assert abs(limits.ones_min - exact.ones_min) < 30
    assert abs(limits.switches_min - exact.switches_min) < 10


@pytest.mark.thorough
def test_windows_and_what_is_refused() -> None:
    assert HealthLimits.of_source(0.5, 0.5).window == 512
    assert HealthLimits.of_source(0.9, 0.9).window == 512
    assert HealthLimits.of_source(0.001, 0.001).window == 32768
    assert HealthLimits.of_source(0.26, 0.26, 400).window == 400
    assert HealthLimits.of_source(0.999_999, 0.999_999, 256).repetitions == 4
    with pytest.raises(ValueError, match="too long for the tests"):
        HealthLimits.of_source(0.0001, 0.5)
    for chain in ((0, 0.5), (0.5, 1.0)):
        with pytest.raises(ValueError, match="is not a source"):
            HealthLimits.of_source(*chain)
    assert NO_TESTS.window == 0


@pytest.mark.parametrize("away", [1, -1])
@pytest.mark.parametrize("far", [0, 1])
def test_a_level_has_moved_from_a_quarter_of_the_split_and_half_a_code_on(away: int, far: int) -> None:
    watch = Watch(adc_bits=10)
    watch.set_limits(HealthLimits(repetitions=200, window=1024, ones_min=0, ones_max=1024, switches_min=0))
    for _ in range(25):
        watch.feed([100] * 4 + [200] * 4)
    assert watch.calibrate()
    level = 200 if away > 0 else 100
    # The mean of the last 100 codes is 25.5 codes away, and then a hundredth more.
    codes = [level + 25 * away, level + 26 * away] * 99 + [level + (25 + far) * away, level + 26 * away]
    for code in codes[:-1]:
        watch.feed([code])
    assert watch.fault is NoiseFault.NONE
    watch.feed(codes[-1:])
    assert watch.fault is (NoiseFault.DRIFTING if far else NoiseFault.STUCK)


@pytest.mark.parametrize(("window", "most"), [(200, 180), (512, 336), (1024, 672)])
@pytest.mark.parametrize("more", [0, 1])
def test_states_may_differ_in_half_of_the_codes_and_a_slack(window: int, most: int, more: int) -> None:
    watch = Watch(adc_bits=10)
    watch.set_limits(HealthLimits(repetitions=1024, window=window, ones_min=0, ones_max=window, switches_min=20))
    for _ in range(25):
        watch.feed([100] * 4 + [200] * 4)
    assert watch.calibrate()
    # A calibration leaves 0 as the state before the first code.
    state, switches = 0, most + more
    for _ in range(window):
        assert watch.fault is NoiseFault.NONE
        if switches:
            state, switches = 1 - state, switches - 1
        watch.feed([200 if state else 100])
    assert watch.fault is (NoiseFault.PERIODIC if more else NoiseFault.NONE)
