"""The compiled steps of the float reference against NumPy's, over networks, options and seeds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.firmware import compiled as parts
from mtjlearn.network import Loss, Network
from mtjlearn.noise import Bernoulli, Gaussian, NoiseSource
from mtjlearn.reference import Adam, History, Reference, Rule, compiled, shuffled

TOLERANCE = 1e-12
"""Of a weight, relative to the largest one of its layer or to 1. At most 3.4e-15 was measured over 192 trainings of 200 steps."""
SAMPLES = 24
SIZES = [(1, 1), (3, 2, 2, 1), (17, 9, 5)]


@pytest.fixture(autouse=True)
def built() -> None:
    assert compiled.is_compiled(), "the library is built with the package"


def data(network: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng([7, seed])
    x = generator.standard_normal((SAMPLES, network.sizes[0]))
    if network.loss is Loss.CROSS_ENTROPY:
        return x, generator.integers(0, network.sizes[-1], SAMPLES)
    return x, np.tanh(x @ generator.standard_normal((network.sizes[0], network.sizes[-1])))


def both(
    network: Network,
    noise: Callable[[], NoiseSource],
    x: np.ndarray,
    target: np.ndarray,
    epochs: int = 2,
    slope: float | None = None,
) -> list[tuple[Reference, History]]:
    """The compiled training and NumPy's."""
    found = []
    for is_compiled in (True, False):
        source = noise()
        reference = Reference(
            network, Rule.ANP, source, replicas=source.replicas, seed=network.seed, slope=slope, compiled=is_compiled
        )
        order = shuffled(range(source.replicas), np.shape(target)[-1 if network.loss is Loss.CROSS_ENTROPY else -2])
        found.append((reference, reference.train(x, target, epochs, order=order, schedule=lambda epoch: 0.5**epoch)))
    return found


def assert_same(results: list[tuple[Reference, History]], tolerance: float = TOLERANCE) -> None:
    (fast, one), (plain, other) = results
    for ours, theirs in zip([*fast.weights, *fast.state()], [*plain.weights, *plain.state()], strict=True):
        assert np.abs(ours - theirs).max() <= tolerance * max(1.0, np.abs(theirs).max())
    np.testing.assert_allclose(one.losses, other.losses, rtol=tolerance, atol=tolerance)
    if fast.network.loss is Loss.SQUARED:
        np.testing.assert_array_equal(one.skipped, other.skipped)
    # Equal noise at all outputs does not change a softmax, but for rounding: whether such a step counts as skipped is chance.


@pytest.mark.parametrize("decorrelated", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("loss", Loss)
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(map(str, sizes)))
def test_it_learns_what_numpy_learns(sizes: tuple[int, ...], loss: Loss, normalised: bool, decorrelated: bool) -> None:
    if loss is Loss.CROSS_ENTROPY and sizes[-1] == 1:
        sizes = (*sizes[:-1], 2)
    sources: list[Callable[[], NoiseSource]] = [lambda: Gaussian(1 / 32, 3, 1), lambda: Bernoulli(1 / 32, 1, 3, 2)]
    for seed, (noise, antithetic, slope) in enumerate(zip(sources, (False, True), (None, 1 / 8), strict=True), 1):
        network = Network(
            sizes,
            loss=loss,
            normalised=normalised,
            antithetic=antithetic,
            decorrelate=(decorrelated,) * (len(sizes) - 1),
            decorrelation_rate=1e-3,
            learning_rate=(0.2 if normalised else 0.01) / sum(sizes[1:]),
            seed=seed,
        )
        x, target = data(network, seed)
        results = both(network, noise, x, target, slope=slope)
        assert results[0][1].losses.std() > 0
        assert_same(results)


def test_replicas_may_have_samples_of_their_own() -> None:
    network = Network((2, 3, 1), learning_rate=0.05)
    generator = np.random.default_rng(3)
    x, target = generator.standard_normal((4, SAMPLES, 2)), generator.standard_normal((4, SAMPLES, 1))
    assert_same(both(network, lambda: Gaussian(1 / 32, 4, seed=1), x, target))


def test_inputs_in_other_types_are_real_numbers() -> None:
    network = Network((2, 3, 1), learning_rate=0.05)
    x = np.random.default_rng(4).integers(-3, 4, (SAMPLES, 2)).astype(np.int8)
    assert_same(both(network, lambda: Gaussian(1 / 32, seed=1), x, np.sign(x[:, :1]).astype(np.float32)))


def test_equal_noise_is_skipped_alike() -> None:
    """Two levels and one unit: half of the steps."""
    network = Network((2, 1), learning_rate=0.05)
    x, target = data(network, 1)
    results = both(network, lambda: Bernoulli(1 / 32, 1, 2, seed=1), x, target)
    assert 12 <= results[0][1].skipped.min() <= 36
    assert_same(results)


def test_sums_at_a_power_of_two_take_the_same_step() -> None:
    """Standardised columns of two values hit 1 + ||x||^2 = 4 but for rounding, which depends on the order of the sum."""
    network = Network((3, 4, 1), learning_rate=0.05)
    signs = np.random.default_rng(5).choice([-1.0, 1.0], (SAMPLES, 3))
    x = signs * (1 + np.random.default_rng(6).integers(-4, 5, (SAMPLES, 3)) * 2.0**-52)
    assert_same(both(network, lambda: Gaussian(1 / 32, 5, seed=2), x, signs[:, :1]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [(2, 3, 1), (4, 8, 3)], ids=lambda sizes: "-".join(map(str, sizes)))
def test_long_trainings_agree_too(sizes: tuple[int, ...], seed: int) -> None:
    network = Network(sizes, learning_rate=0.2 / sum(sizes[1:]), seed=seed + 1)
    x, target = data(network, seed)
    (fast, one), (plain, other) = both(network, lambda: Gaussian(1 / 32, 4, seed), x, target, epochs=250)
    assert_same([(fast, one), (plain, other)], 1e-11)


def test_a_step_at_a_time_and_a_training_go_on_from_each_other() -> None:
    network = Network((2, 3, 1), learning_rate=0.05)
    x, target = data(network, 1)
    references = [Reference(network, Rule.ANP, Gaussian(1 / 32, seed=1), seed=1, compiled=fast) for fast in (True, False)]
    for reference in references:
        reference.train(x, target, 1)
        reference.step(x[:1], target[:1])
        reference.weights[0][...] *= 0.5
        reference.train(x, target, 1)
    np.testing.assert_allclose(references[0].weights[0], references[1].weights[0], rtol=0, atol=TOLERANCE)


def test_what_it_does_not_cover_numpy_learns() -> None:
    """Other rules, optimisers, precisions and readings, and batches."""
    network = Network((2, 3, 1), learning_rate=0.05)
    x, target = data(network, 1)
    cases = [
        ({"dtype": "float32"}, 1),
        ({"reading": "code"}, 1),
        ({"rule": Rule.NP}, 1),
        ({"rule": Rule.BP}, 1),
        ({}, 4),
        (None, 1),
    ]
    for options, batch in cases:
        runs = []
        for fast in (True, False):
            chosen: dict[str, Any] = {"optimiser": Adam()} if options is None else dict(options)
            rule = chosen.pop("rule", Rule.ANP)
            reference = Reference(network, rule, Gaussian(1 / 32, seed=1), seed=1, compiled=fast, **chosen)
            reference.train(x, target, 2, batch=batch)
            runs.append(reference.weights)
        for ours, theirs in zip(*runs, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_without_the_library_numpy_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network((2, 3, 1), learning_rate=0.05)
    x, target = data(network, 1)
    expected = both(network, lambda: Gaussian(1 / 32, seed=1), x, target)[1][0].weights
    monkeypatch.delenv("MTJLEARN_NATIVE", raising=False)
    monkeypatch.setattr(parts, "installed_path", lambda name: tmp_path / name)
    compiled._library.cache_clear()
    try:
        found = both(network, lambda: Gaussian(1 / 32, seed=1), x, target)[0][0].weights
    finally:
        compiled._library.cache_clear()
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.thorough
def test_it_compiles_without_warnings(project: Path, needs_tool: Callable[[str, str], str]) -> None:
    source = project / "host" / "compiled" / "reference.c"
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only"]
    done = subprocess.run([needs_tool("gcc", "gcc"), *flags, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
