"""XOR by ANP in integers against backpropagation in floats: the counting, and that both rules learn."""

from __future__ import annotations

import numpy as np
import pytest

from mtjlearn.experiments import xor_cycles
from mtjlearn.experiments.xor_cycles import Race, Runs, race

pytestmark = pytest.mark.thorough


def test_median_counts_runs_that_never_learned() -> None:
    runs = Runs(0.1, np.array([10.0, 20.0, np.inf, np.inf, 30.0]))
    assert runs.median == 30.0
    assert runs.reached == 3
    assert np.isinf(Runs(0.1, np.full(4, np.inf)).median)


def test_race_takes_each_rule_at_its_best_rate_and_multiplies_by_its_step() -> None:
    anp = [Runs(0.1, np.array([300.0])), Runs(0.2, np.array([200.0])), Runs(0.4, np.array([np.inf]))]
    bp = [Runs(0.1, np.array([50.0])), Runs(0.2, np.array([40.0]))]
    found = Race(anp, bp, step_cycles=1000.0, peer_cycles=10_000.0)
    assert (found.best_anp.rate, found.best_bp.rate) == (0.2, 0.2)
    assert (found.anp_cycles, found.bp_cycles) == (200_000.0, 400_000.0)
    assert found.advantage == 2.0
    assert found.break_even_cycles == 5000.0
    assert Race(anp, bp, step_cycles=1000.0, peer_cycles=found.break_even_cycles).advantage == 1.0


def test_both_rules_learn_from_the_same_weights_and_repeat() -> None:
    options = {"seeds": 12, "anp_rates": (0.2,), "bp_rates": (0.08,), "most_steps": 400}
    first, second = (race(3000.0, **options) for _ in range(2))
    np.testing.assert_array_equal(first.best_anp.steps, second.best_anp.steps)
    np.testing.assert_array_equal(first.best_bp.steps, second.best_bp.steps)
    assert first.best_anp.reached >= 9
    assert first.best_bp.reached >= 5
    assert np.all(first.best_anp.steps > 1)
    assert np.all(first.best_bp.steps > 1)


def test_a_rate_that_is_far_too_large_never_learns() -> None:
    steps = xor_cycles.bp_steps(5.0, np.tile(np.arange(4), (3, 10)))
    assert np.all(np.isinf(steps))


def test_fresh_codes_arrive_at_the_converters_rate() -> None:
    order = np.tile(np.arange(4), (4, 50))
    # Without fresh codes the runs differ from those with a new buffer every step: the codes really arrive.
    assert not np.array_equal(xor_cycles.anp_steps(0.2, order, 0.0), xor_cycles.anp_steps(0.2, order, 200.0))
