"""Generated noise: statistics, levels, correlation, and who gets which sample."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mtjlearn.noise import Bernoulli, Gaussian, NoiseSource, SimulatedSmtj
from mtjlearn.noise.smtj import RECORDED_LEVELS, RECORDED_SWITCHING_PROBABILITY

SIGMA = 1 / 32


@pytest.mark.parametrize(
    "source",
    [
        Gaussian(SIGMA, 8, seed=1),
        Bernoulli(SIGMA, 1, 8, seed=1),
        Bernoulli(SIGMA, 3, 8, seed=1),
        SimulatedSmtj(SIGMA, units=5, replicas=8, seed=1),
        SimulatedSmtj(SIGMA, "single", replicas=8, seed=1),
        SimulatedSmtj(SIGMA, units=5, junctions=[RECORDED_LEVELS, (0.01, 0.05)], replicas=8, seed=1),
    ],
    ids=["gaussian", "bernoulli", "bernoulli-3", "per-node", "single", "series"],
)
def test_noise_has_mean_zero_and_the_asked_deviation(source: NoiseSource) -> None:
    values = source.draw(10, 4000)
    assert values.shape == (4000, 8, 10)
    assert values.dtype == np.float64
    assert abs(values.mean()) < 0.03 * SIGMA
    assert values.std() == pytest.approx(SIGMA, rel=0.02)


def test_gaussian_noise_in_float32_is_normal_and_independent() -> None:
    source = Gaussian(0.5, 3, seed=1, dtype="float32")
    values = source.draw(7, 20_001)
    assert values.shape == (20_001, 3, 7)
    assert values.dtype == np.float32
    scaled = 2 * np.sort(values.ravel().astype(np.float64))
    expected = np.array([NormalDist().inv_cdf((k + 0.5) / 200) for k in range(200)])
    found = scaled[((np.arange(200) + 0.5) / 200 * len(scaled)).astype(int)]
    np.testing.assert_allclose(found, expected, atol=0.03)
    assert np.mean(scaled**4) == pytest.approx(3, rel=0.03)
    assert 4 < np.abs(scaled).max() < 4.4
    assert scaled.std() == pytest.approx(1, rel=0.005)
    # Four values come from one random number.
    fours = values.ravel()[: 4 * (values.size // 4)].reshape(-1, 4).T
    np.testing.assert_allclose(np.corrcoef(fours), np.eye(4), atol=0.02)
    assert abs(np.corrcoef(values[1:, 0, 0], values[:-1, 0, 0])[0, 1]) < 0.03
    assert not np.array_equal(values[:100], source.draw(7, 100))
    assert Gaussian(0.5, dtype="float32").draw(1).shape == (1, 1, 1)


def test_bernoulli_levels_are_those_of_a_sum_of_fair_coins() -> None:
    source = Bernoulli(SIGMA, 4, seed=3)
    levels, counts = np.unique(source.draw(20_000), return_counts=True)
    assert source.alpha == SIGMA / 2
    np.testing.assert_allclose(levels, source.alpha * np.array([-4, -2, 0, 2, 4]))
    np.testing.assert_allclose(counts / 20_000, np.array([1, 4, 6, 4, 1]) / 16, atol=0.012)


def test_smtj_without_sigma_gives_the_volts_of_the_paper() -> None:
    volts = SimulatedSmtj(None, units=1, replicas=4, seed=2).draw(1, 20_000)[..., 0]
    high = volts > np.mean(RECORDED_LEVELS)
    assert volts[~high].mean() == pytest.approx(RECORDED_LEVELS[0], abs=5e-5)
    assert volts[high].mean() == pytest.approx(RECORDED_LEVELS[1], abs=5e-5)
    assert volts[high].std() == pytest.approx(0.001, rel=0.03)
    switched = np.mean(high[1:] != high[:-1])
    assert switched == pytest.approx(RECORDED_SWITCHING_PROBABILITY, rel=0.05)


@pytest.mark.parametrize(("junctions", "levels"), [([(0.0, 1.0)] * 3, [0, 1, 2, 3]), ([(0.0, 1.0), (0.0, 2.0)], [0, 1, 2, 3])])
def test_junctions_in_series_add_their_levels(junctions: list[tuple[float, float]], levels: list[float]) -> None:
    source = SimulatedSmtj(None, "single", junctions=junctions, probability=0.3, observation=0.0)
    np.testing.assert_allclose(np.unique(source.draw(4000)), levels, atol=1e-12)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_junctions_per_node_advance_once_a_pass_and_ignore_each_other() -> None:
    source = SimulatedSmtj(SIGMA, units=3, probability=0.1, observation=0.0, replicas=4, seed=5)
    passes = source.draw(6, 20_000).reshape(20_000, 4, 2, 3)
    assert correlation(passes[..., 0], passes[..., 1]) == pytest.approx(0, abs=0.02)
    assert correlation(passes[:, :, 0], passes[:, :, 1]) == pytest.approx(0.8, abs=0.01)
    assert correlation(passes[:-1, :, 1], passes[1:, :, 0]) == pytest.approx(0.8, abs=0.01)
    assert correlation(passes[:, 0], passes[:, 1]) == pytest.approx(0, abs=0.02)


def test_a_single_junction_serves_the_units_one_sample_after_the_other() -> None:
    source = SimulatedSmtj(SIGMA, "single", probability=0.1, observation=0.0, replicas=4, seed=5)
    steps = source.draw(6, 20_000)
    for lag in (1, 2, 3):
        assert correlation(steps[..., :-lag], steps[..., lag:]) == pytest.approx(0.8**lag, abs=0.015)
    assert correlation(steps[:-1, :, -1], steps[1:, :, 0]) == pytest.approx(0.8, abs=0.015)


@pytest.mark.thorough
def test_drawing_step_by_step_continues_the_chain() -> None:
    source = SimulatedSmtj(SIGMA, "single", probability=0.05, observation=0.0, seed=6)
    values = np.concatenate([source.draw(1)[0, 0] for _ in range(10_000)])
    assert np.mean(values[1:] != values[:-1]) == pytest.approx(0.05, rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "number of units"),
        ({"layout": "each"}, "per_node or single"),
        ({"units": 2, "probability": 0.6}, "0.6"),
        ({"units": 2, "junctions": []}, "at least one junction"),
    ],
)
def test_smtj_refuses_what_makes_no_sense(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SimulatedSmtj(SIGMA, **arguments)  # type: ignore[arg-type]


def test_junctions_per_node_refuse_a_count_of_another_network() -> None:
    with pytest.raises(ValueError, match="multiple of the 3 units"):
        SimulatedSmtj(SIGMA, units=3).draw(4)
