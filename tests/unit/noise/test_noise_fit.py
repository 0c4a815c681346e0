"""The hidden Markov model finds what a threshold cannot; long recordings are counted part by part."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
from places import PROJECT

from mtjlearn.noise import (
    FitError,
    HmmFit,
    Junction,
    Recording,
    RecordingError,
    SimulatedSmtj,
    characterise,
    fit_hmm,
    hmm,
    load_recording,
    simulated_recording,
)
from mtjlearn.noise.characterise import split_levels
from mtjlearn.noise.files import Part
from mtjlearn.noise.hmm import MOST
from mtjlearn.noise.smtj import telegraph
from mtjlearn.noise.whole import Tally

LOW, HIGH, P, RATE = 0.0362, 0.0480, 0.0809, 40_000.0
MINUTE = 2_400_000


def simulated_junction(junction: Junction) -> np.ndarray:
    generator = np.random.default_rng(4)
    states = telegraph(generator, np.array([False]), *junction.probabilities(RATE), 100_001)[0]
    values = np.where(states, junction.high, junction.low) + junction.observation * generator.standard_normal(states.size)
    return np.asarray(values)


def recorded(samples: int, observation: float, seed: int, probability: float = P, duty: float = 0.5) -> Recording:
    source = SimulatedSmtj(None, "single", probability=probability, observation=observation, seed=seed, duty=duty)
    return simulated_recording(source, samples, RATE)


def within(fit: HmmFit, observation: float, probability: float) -> None:
    assert fit.up == pytest.approx(P, rel=probability)
    assert fit.down == pytest.approx(P, rel=probability)
    assert fit.low == pytest.approx(LOW, abs=1e-4)
    assert fit.high == pytest.approx(HIGH, abs=1e-4)
    assert fit.sigma == pytest.approx(observation, rel=0.02)
    assert fit.converged


@pytest.mark.parametrize("observation", [0.001, 0.003, 0.006])
def test_levels_noise_and_switching_also_where_levels_overlap(observation: float) -> None:
    within(fit_hmm(recorded(100_000, observation, seed=3)), observation, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("observation", "probability"), [(0.001, 0.01), (0.003, 0.02)])
def test_a_minute_at_40_khz(observation: float, probability: float, seed: int) -> None:
    recording = recorded(MINUTE, observation, seed)
    started = time.process_time()
    fit = fit_hmm(recording)
    print(f"{observation:g} V: p {fit.probability:.5f}, {fit.iterations} iterations, {time.process_time() - started:.1f} s")
    within(fit, observation, probability)
    assert abs(fit.probability - P) < 5 * fit.error


def test_a_biased_junction_has_two_probabilities() -> None:
    fit = fit_hmm(recorded(100_000, 0.002, seed=1, duty=0.8))
    assert fit.duty == pytest.approx(0.8, abs=0.01)
    assert fit.up == pytest.approx(2 * P * 0.8, rel=0.05)
    assert fit.down == pytest.approx(2 * P * 0.2, rel=0.05)
    junction = fit.junction(RATE)
    assert junction.probabilities(RATE) == pytest.approx((fit.up, fit.down))
    assert (junction.low, junction.high, junction.observation) == (fit.low, fit.high, fit.sigma)


def test_the_fit_does_not_mind_the_unit_holes_or_a_spike() -> None:
    volts = recorded(40_000, 0.001, seed=5)
    expected = fit_hmm(volts)
    codes = fit_hmm(Recording(np.rint(volts.values * 1e4), rate=RATE))
    assert codes.probability == pytest.approx(expected.probability, rel=0.02)
    assert codes.high == pytest.approx(1e4 * expected.high, rel=1e-3)
    holes = fit_hmm(Recording(volts.values, tuple(range(0, 40_000, 400)), RATE))
    assert holes.probability == pytest.approx(expected.probability, rel=0.03)
    spiked = volts.values.copy()
    spiked[1000] = 0.4
    found = fit_hmm(Recording(spiked))
    assert found.ignored == 1
    assert found.probability == pytest.approx(expected.probability, rel=0.03)


def test_noise_without_two_levels_does_not_converge() -> None:
    seen: list[int] = []
    fit = fit_hmm(Recording(np.random.default_rng(0).normal(0.04, 0.001, 5000)), progress=seen.append)
    assert not fit.converged or fit.high - fit.low < 2 * fit.sigma
    assert seen == list(range(1, fit.iterations + 1))


def test_what_cannot_be_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FitError, match="needs 1,000 samples, not 999"):
        fit_hmm(recorded(999, 0.001, seed=0))
    with pytest.raises(FitError, match="no two samples are neighbours"):
        fit_hmm(Recording(recorded(1500, 0.001, seed=0).values, tuple(range(1500))))
    with pytest.raises(FitError, match="constant"):
        fit_hmm(Recording(np.full(2000, 0.04)))
    monkeypatch.setitem(sys.modules, "hmmlearn.hmm", None)
    with pytest.raises(FitError, match=r"needs hmmlearn; run: .*mtjlearn\[hmm\]"):
        fit_hmm(recorded(1000, 0.001, seed=0))


def test_only_the_first_samples_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    volts = recorded(30_000, 0.001, seed=2)
    other = Recording(np.concatenate([volts.values[:20_000], np.full(10_000, 0.5)]), (0, 25_000), RATE)
    assert fit_hmm(other, most=20_000) == fit_hmm(Recording(volts.values[:20_000]))
    assert MOST > MINUTE
    monkeypatch.setattr(hmm, "_STRETCHES", 10)
    assert fit_hmm(Recording(volts.values, tuple(range(0, 30_000, 150)), RATE)).samples == 10 * 150


def test_a_tally_counts_as_the_whole_does() -> None:
    volts = recorded(40_000, 0.001, seed=6)
    recording = Recording(volts.values, (0, 12_000, 31_000), RATE)
    summary = characterise(recording)
    tally = Tally(split_levels(recording.values))
    tally.add_all(
        [
            Part(recording.values[:10_000]),
            Part(recording.values[10_000:31_000], (2_000,)),
            Part(recording.values[31_000:], (0,)),
        ]
    )
    whole = tally.whole()
    assert (whole.samples, whole.holes, whole.switches) == (40_000, 2, summary.switches)
    assert (whole.duty, whole.up, whole.down) == (summary.duty, summary.up, summary.down)
    assert whole.mean == pytest.approx(summary.mean)
    assert whole.deviation == pytest.approx(summary.deviation)
    assert whole.drift(summary.duty, 40_000) is None
    assert "the source drifts" in str(whole.drift(0.6, 40_000))
    with pytest.raises(RecordingError, match="sample 40002"):
        tally.add(Part(np.array([0.1, np.nan])))


@pytest.mark.parametrize("duty", [0.3, 0.5, 0.7])
def test_a_fit_begins_near_the_truth(duty: float) -> None:
    junction = Junction(LOW, HIGH, 0.002, 3530, duty)
    volts = simulated_junction(junction)
    values = (volts - volts.mean()) / volts.std()
    up, down, levels, sigma = hmm._start(values, [60_000, 40_000, 1])
    expected = junction.probabilities(RATE)
    assert (up, down) == pytest.approx(expected, rel=0.08)
    assert levels == pytest.approx(((LOW - volts.mean()) / volts.std(), (HIGH - volts.mean()) / volts.std()), abs=0.08)
    assert sigma == pytest.approx(0.002 / volts.std(), rel=0.15)


def test_the_example_recording_of_the_docs() -> None:
    recording = load_recording(PROJECT / "docs" / "recordings" / "smtj-40khz.npz")
    assert (recording.rate, recording.unit, recording.starts) == (RATE, "V", (0,))
    assert characterise(recording, 1000.0).hints == ()
