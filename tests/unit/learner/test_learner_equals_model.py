"""The C learner and the NumPy model, written apart from one specification, agree bit for bit on whatever they are given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtjlearn.fixedpoint import FixedNetwork, NoiseError
from mtjlearn.fixedpoint.losses import cross_entropy_loss
from mtjlearn.inprocess import Learner
from mtjlearn.network import DEVICE_RULES, Loss, Network, Rounding, WeightFormat

pytestmark = pytest.mark.thorough


@st.composite
def networks(draw: st.DrawFn) -> Network:
    layers = draw(st.integers(1, 3))
    sizes = tuple(draw(st.lists(st.integers(1, 9), min_size=layers + 1, max_size=layers + 1)))
    decorrelate = tuple(draw(st.lists(st.booleans(), min_size=layers, max_size=layers)))
    return Network(
        sizes,
        loss=draw(st.sampled_from(Loss)) if sizes[-1] > 1 else Loss.SQUARED,
        weight_format=draw(st.sampled_from(WeightFormat)),
        rounding=draw(st.sampled_from(Rounding)),
        normalised=draw(st.booleans()),
        antithetic=draw(st.booleans()),
        decorrelate=decorrelate,
        rule=draw(st.sampled_from(DEVICE_RULES)),
        slope=draw(st.one_of(st.none(), st.integers(1, 12))),
        learning_rate=draw(st.floats(0, 15.9)) ** 3 / 400,
        decorrelation_rate=draw(st.floats(2**-21, 2**-6)),
        sigma=draw(st.floats(1 / 256, 0.99)),
        noise_std=draw(st.sampled_from([0.0, 1.0, 5.5, 200.0])),
        seed=draw(st.integers(1, 2**32 - 1)),
    )


@settings(max_examples=120)
@given(networks(), st.integers(0, 2**32 - 1), st.sampled_from([300, 4096, 32767]), st.sampled_from([10, 12, 14, 16]))
def test_steps_are_equal(network: Network, seed: int, scale: int, adc_bits: int) -> None:
    rng = np.random.default_rng(seed)
    steps, per_step = 12, 3
    levels = rng.choice(2**adc_bits - 1, size=2, replace=False)
    codes = levels[rng.integers(0, 2, 200 + steps * per_step)] + rng.integers(0, 2, 200 + steps * per_step)
    x = rng.integers(-scale, scale + 1, (steps, network.sizes[0]))
    if network.loss is Loss.CROSS_ENTROPY:
        targets = rng.integers(0, network.sizes[-1], (steps, 1))
    else:
        targets = rng.integers(-scale, scale + 1, (steps, network.sizes[-1]))

    learner, model = Learner(network), FixedNetwork(network)
    learner.put_codes(codes[:200])
    model.put_codes(codes[:200])
    later = codes[200:].reshape(steps, per_step)
    losses = learner.train(x, targets, codes=later)
    for i in range(steps):
        model.put_codes(later[i])
        assert model.train(x[i], targets[i])[0] == losses[i], f"loss of step {i}"

    for ours, theirs in zip(learner.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs[0])
    for ours, theirs in zip(learner.matrices, model.matrices, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            np.testing.assert_array_equal(ours, theirs[0])
    assert len(learner.feedback) == len(model.feedback) == (network.layers - 1 if network.rule == "feedback" else 0)
    for ours, theirs in zip(learner.feedback, model.feedback, strict=True):
        np.testing.assert_array_equal(ours, theirs[0])
    counters = learner.counters
    assert counters.random_state == model.random_state[0]
    assert counters.skipped == model.skipped[0]
    assert counters.saturations == model.saturations[0]
    assert counters.deviation == model.deviation[0]
    np.testing.assert_array_equal(learner.predict(x[:1]), model.predict(x[0]))
    total, correct = learner.evaluate(x[:1], targets[:1])
    loss, right = model.evaluate(x[0], targets[0])
    assert (total, correct) == (loss[0], int(right[0]))


@pytest.mark.parametrize("exponent", range(20, 29))
def test_an_update_below_the_resolution_uses_its_dither_all_the_same(exponent: int) -> None:
    """Large inputs shift the first layer's update out of its weights before that of the second, which is rounded at random."""
    network = Network(
        (40, 5, 3), weight_format=WeightFormat.INT32, rounding=Rounding.STOCHASTIC, learning_rate=2.0**-exponent, seed=3
    )
    rng = np.random.default_rng(exponent)
    x, targets = rng.choice([-32767, 32767], (30, 40)), rng.integers(-4096, 4097, (30, 3))
    codes = rng.integers(0, 2, 200) * 40 + 500
    learner, model = Learner(network), FixedNetwork(network)
    learner.put_codes(codes)
    model.put_codes(codes)
    learner.train(x, targets)
    for row, target in zip(x, targets, strict=True):
        model.train(row, target)
    for ours, theirs in zip(learner.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs[0])


def test_a_source_without_noise_is_refused() -> None:
    learner = Learner(Network((2, 1)))
    learner.put_codes(np.full(200, 512))
    with pytest.raises(NoiseError, match="vary"):
        learner.train(np.zeros((1, 2), int), np.zeros((1, 1), int))
    assert learner.counters.steps == 0


def test_an_empty_ring_is_refused() -> None:
    learner = Learner(Network((2, 1)))
    learner.put_codes(np.arange(199))
    with pytest.raises(NoiseError):
        learner.train(np.zeros((1, 2), int), np.zeros((1, 1), int))


@pytest.mark.parametrize(("third", "hits"), [(39, [7752, 8373, 8476]), (195, [342, 7423]), (208, [4181, 17048, 25393])])
def test_losses_are_equal_where_the_logarithm_is_all_but_halved(third: int, hits: list[int]) -> None:
    """One more in the product, and its rounding would go up; no other test meets the one logarithm in 16,384."""
    learner = Learner(Network((1, 3), loss=Loss.CROSS_ENTROPY))
    learner.weights[0][:] = [[0, 0], [-4096, 0], [0, -third]]
    for x in hits:
        outputs = np.array([[0, -x, -third]])
        np.testing.assert_array_equal(learner.predict(np.array([[x]])), outputs)
        assert learner.evaluate(np.array([[x]]), np.array([[1]]))[0] == cross_entropy_loss(outputs, np.array([1]))[0]
