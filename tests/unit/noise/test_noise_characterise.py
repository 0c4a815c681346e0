"""Physics of the junction, and that a recording of it, with holes, tells its parameters again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mtjlearn.noise import PRESETS, Junction, Recording, SimulatedAdc, autocorrelation, characterise
from mtjlearn.noise.characterise import histogram, split_levels, states
from mtjlearn.noise.smtj import (
    BOLTZMANN,
    dwell_time,
    energy_barrier,
    ensemble_rate,
    independent_samples,
    mean_dwell,
    switching_probability,
    switching_rate,
)

pytestmark = pytest.mark.thorough


def test_rates_of_the_recorded_junction() -> None:
    rate = switching_rate(0.0809, 40_000)
    assert rate == pytest.approx(3530, abs=1)
    assert mean_dwell(rate) == pytest.approx(283e-6, abs=1e-6)
    assert switching_probability(rate, 40_000) == pytest.approx(0.0809)
    assert switching_probability(rate, 9615) == pytest.approx(0.260, abs=5e-4)
    assert independent_samples(rate, 9615) == pytest.approx(3379, abs=1)
    assert independent_samples(rate, 38_462) == pytest.approx(3520, abs=1)
    with pytest.raises(ValueError, match="sample faster"):
        switching_rate(0.5, 1000)


def test_dwell_time_follows_neel_and_arrhenius() -> None:
    assert dwell_time(10 * BOLTZMANN * 300, 300, 1e-9) == pytest.approx(1e-9 * math.exp(10))
    assert dwell_time(energy_barrier(283e-6)) == pytest.approx(283e-6)
    assert dwell_time(4e-20, 310) < dwell_time(4e-20, 300)
    assert ensemble_rate([1e-3, 1e-3, 5e-4]) == pytest.approx(4000)


def test_presets() -> None:
    assert (PRESETS["recording"].low, PRESETS["recording"].high) == (0.0362, 0.0480)
    assert PRESETS["bench"].low == pytest.approx(0.0961, abs=1e-4)
    assert PRESETS["bench"].high == pytest.approx(0.1868, abs=1e-4)
    with pytest.raises(ValueError, match="duty"):
        Junction(0, 1, 0.1, 100, duty=1.0)
    with pytest.raises(ValueError, match="low level"):
        Junction(1, 1, 0.1, 100)


def test_converter_counts_in_its_own_steps() -> None:
    codes = SimulatedAdc(Junction(1.0, 2.0, 0.0, 1000), bits=8, reference=4.0).read(1000)
    assert set(codes.ravel().tolist()) == {64, 128}
    clipped = SimulatedAdc(Junction(-1.0, 9.0, 0.0, 1000), bits=8, reference=4.0).read(1000)
    assert set(clipped.ravel().tolist()) == {0, 255}
    with pytest.raises(ValueError, match="16 bits"):
        SimulatedAdc(PRESETS["bench"], bits=20)


def holed(codes: np.ndarray, segments: int) -> Recording:
    """Every second stretch of the codes, the others lost."""
    parts = np.array_split(codes, 2 * segments)[::2]
    firsts = np.cumsum([0, *(2 * part.size for part in parts)])
    return Recording.from_chunks(zip(firsts.tolist(), parts, strict=False), 9615.0)


@pytest.mark.parametrize("duty", [0.5, 0.25])
@pytest.mark.parametrize("segments", [1, 400])
def test_parameters_are_recovered_also_with_holes(duty: float, segments: int) -> None:
    junction = Junction(0.0961, 0.1868, 0.002, 3530, duty)
    recording = holed(SimulatedAdc(junction, 1, 9615, 12, 5.0, seed=8).read(160_000)[0], segments)
    summary = characterise(recording)
    scale = 4096 / 5
    assert summary.segments == segments
    assert summary.levels.low == pytest.approx(0.0961 * scale - 0.5, abs=0.1)
    assert summary.levels.high == pytest.approx(0.1868 * scale - 0.5, abs=0.1)
    assert summary.levels.threshold == pytest.approx(0.14145 * scale - 0.5, abs=0.1)
    assert summary.levels.spread == pytest.approx(0.002 * scale, rel=0.05)
    assert summary.duty == pytest.approx(duty, abs=0.01)
    up, down = junction.probabilities(9615)
    assert summary.up == pytest.approx(up, rel=0.03)
    assert summary.down == pytest.approx(down, rel=0.03)
    assert summary.switching_rate == pytest.approx(3530, rel=0.03)
    assert summary.correlation_time == pytest.approx(1 / 7060, rel=0.03)
    assert summary.dwell_high == pytest.approx(1 / (7060 * (1 - duty)), rel=0.04)
    assert summary.dwell_low == pytest.approx(1 / (7060 * duty), rel=0.04)
    if duty == 0.5:
        assert summary.probability == pytest.approx(0.26, rel=0.02)
        assert summary.independent_rate == pytest.approx(3379, rel=0.03)
        assert 0 < -math.log2(0.74) - summary.min_entropy < 0.025
    assert summary.hints == ()


def test_autocorrelation_is_exponential_and_blind_to_holes() -> None:
    junction = Junction(0.1, 0.2, 0.0, 500)
    codes = SimulatedAdc(junction, 1, 9615, 12, seed=9).read(400_000)[0]
    expected = math.exp(-1000 / 9615) ** np.arange(21)
    for segments in (1, 2000):
        measured = autocorrelation(holed(codes, segments), 20)
        np.testing.assert_allclose(measured, expected, atol=0.03)
    assert np.isnan(autocorrelation(holed(codes, 20_000), 20)[-1])
    assert np.isnan(autocorrelation(Recording(np.ones(50)), 3)).all()


def test_observation_noise_does_not_count_as_switching() -> None:
    # Samples on the threshold keep the state before them.
    values = np.array([0.0, 0, 5.5, 4.6, 10, 10, 5.4, 4.5, 10, 0, 5.3])
    recording = Recording(values)
    (sequence,) = states(recording, split_levels(np.array([0.0, 10.0])))
    assert sequence.astype(int).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]


def test_histogram_has_a_bin_for_each_code() -> None:
    centres, counts = histogram(np.array([7.0, 7, 9, 10]))
    assert centres.tolist() == [7, 8, 9, 10]
    assert counts.tolist() == [2, 0, 1, 1]
    centres, counts = histogram(np.linspace(0, 1, 1000), 10)
    assert centres.size == 10
    assert counts.sum() == 1000


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (np.full(1000, 512.0), "constant"),
        (np.random.default_rng(0).normal(500, 30, 20_000).round(), "no two separate levels"),
        (np.random.default_rng(0).integers(7, 9, 5000).astype(float), "1 codes apart"),
        (np.random.default_rng(0).integers(0, 2, 5000) * 50.0, "about as fast as it is sampled"),
        (np.random.default_rng(0).integers(0, 2, 5000) * 50.0, "codes are 0"),
        (np.repeat([10.0, 60.0] * 3, 50), "only 5 switches"),
        (np.repeat([10.0, 60.0] * 100, 200), "switches rarely"),
        (np.tile([10.0] * 4 + [10.0] * 15 + [60.0], 200), "low most of the time"),
    ],
)
def test_hints_name_what_is_wrong(values: np.ndarray, hint: str) -> None:
    summary = characterise(Recording(values, rate=9615.0))
    assert any(hint in text for text in (*summary.hints, *summary.notes))


@pytest.mark.parametrize(("switches", "is_few"), [(99, True), (100, False)])
def test_a_hundred_switches_are_enough(switches: int, is_few: bool) -> None:
    dwells = np.random.default_rng(2).geometric(0.2, switches + 1)
    values = np.repeat(33.0 + 11 * (np.arange(switches + 1) % 2), dwells)
    summary = characterise(Recording(values, rate=9615.0))
    assert summary.switches == switches
    assert any(f"only {switches} switches were seen" in hint for hint in summary.hints) == is_few


@pytest.mark.parametrize(("high", "side"), [(9, "low"), (10, None), (90, None), (91, "high")])
def test_a_source_that_is_in_one_state_nine_tenths_of_the_time_needs_its_bias_corrected(high: int, side: str | None) -> None:
    states = np.concatenate([np.random.default_rng(seed).permutation(np.arange(100) < high) for seed in range(100)])
    summary = characterise(Recording(33.0 + 11 * states, rate=9615.0))
    told = [hint for hint in summary.hints if "of the time (duty" in hint]
    assert told == ([] if side is None else [f"the source is {side} most of the time (duty {high / 100:.2f}): correct its bias"])
