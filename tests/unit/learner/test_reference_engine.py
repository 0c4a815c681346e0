"""The reference in float32, on other namespaces, in both readings: each against float64 in NumPy, or against plain loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import array_api_strict
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from mtjlearn.network import Loss, Network
from mtjlearn.noise import Gaussian, NoiseSource, SimulatedSmtj
from mtjlearn.reference import READINGS, Adam, Reference, Rule, Sgd, backend, initial_weights, shuffled
from mtjlearn.reference.backend import NUMPY, Backend
from mtjlearn.reference.tensors import StandardBackend

pytestmark = pytest.mark.thorough

SIZES = (6, 9, 7, 4)
SAMPLES = 40


def network(loss: Loss, decorrelate: bool = False, **options: Any) -> Network:
    return Network(
        SIZES, loss=loss, decorrelate=(decorrelate,) * 3, decorrelation_rate=1e-3, learning_rate=0.01, sigma=1 / 32, **options
    )


def data(loss: Loss, sizes: tuple[int, ...] = SIZES, count: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((count, sizes[0])) @ rng.standard_normal((sizes[0], sizes[0])) / 3
    return x, rng.integers(0, sizes[-1], count) if loss is Loss.CROSS_ENTROPY else rng.standard_normal((count, sizes[-1]))


def trained(described: Network, rule: Rule, *, optimiser: Callable[[], Any] = Sgd, batch: int = 8, **options: Any) -> Reference:
    noise = None if rule is Rule.BP else Gaussian(described.sigma, seed=4)
    reference = Reference(described, rule, noise, optimiser=optimiser(), **options)
    reference.train(*data(described.loss, described.sizes), 2, batch=batch, order=shuffled(0, SAMPLES))
    return reference


def learned(reference: Reference) -> list[np.ndarray]:
    found = [*reference.weights, *reference.matrices, *reference.offsets]
    return [np.asarray(array) for array in found if array is not None]


def assert_close(one: Reference, other: Reference, tolerance: float) -> None:
    for a, b in zip(learned(one), learned(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("decorrelate", "centring"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("optimiser", [Sgd, Adam])
@pytest.mark.parametrize("loss", Loss)
@pytest.mark.parametrize("rule", Rule)
def test_float32_and_the_standard_equal_float64(
    rule: Rule, loss: Loss, optimiser: Callable[[], Any], decorrelate: bool, centring: bool
) -> None:
    described = network(loss, decorrelate)
    exact = trained(described, rule, optimiser=optimiser, centring=centring)
    assert all(array.dtype == np.float64 for array in learned(exact))
    single = trained(described, rule, optimiser=optimiser, centring=centring, dtype="float32")
    assert all(array.dtype == np.float32 for array in learned(single))
    assert_close(single, exact, 1e-5)
    others = [single]
    if optimiser is Adam:
        others.append(trained(described, rule, optimiser=optimiser, centring=centring, namespace=array_api_strict))
        assert_close(others[1], exact, 1e-12)
    x, t = data(loss)
    for other in others:
        np.testing.assert_allclose(other.predict(x), exact.predict(x), atol=1e-4)
        np.testing.assert_allclose(other.evaluate(x, t).loss, exact.evaluate(x, t).loss, atol=1e-4)


@pytest.mark.parametrize("normalised", [False, True])
def test_matrices_that_are_worked_on_in_parts_equal_float64(normalised: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_PART", 2**13)
    sizes = (300, 280, 4)
    for rule in Rule:
        described = Network(
            sizes,
            loss=Loss.CROSS_ENTROPY,
            decorrelate=(True, True),
            decorrelation_rate=1e-4,
            learning_rate=1e-3,
            normalised=normalised,
        )
        exact, single = (trained(described, rule, batch=20, dtype=dtype) for dtype in ("float64", "float32"))
        assert_close(single, exact, 1e-5)


SINGLE = Network((6, 4), loss=Loss.CROSS_ENTROPY, normalised=False, learning_rate=0.05, sigma=1 / 32)


@pytest.mark.parametrize("rule", [Rule.BP, Rule.ANP])
@pytest.mark.parametrize("sizes", [(6, 4), (6, 9, 4)])
def test_replicas_with_the_same_samples_share_a_product(rule: Rule, sizes: tuple[int, ...]) -> None:
    described = replace(SINGLE, sizes=sizes, decorrelate=None)
    weights = [np.concatenate([layer, 2 * layer, -layer]) for layer in initial_weights(sizes, 1, 3)]
    options: dict[str, Any] = {"weights": weights, "noise": Gaussian(described.sigma, 3, 4) if rule is Rule.ANP else None}
    double = Reference(described, rule, **options)
    options["noise"] = Gaussian(described.sigma, 3, 4) if rule is Rule.ANP else None
    single = Reference(described, rule, dtype="float32", **options)
    for reference in (double, single):
        reference.train(*data(described.loss, sizes), 2, batch=8)
    assert_close(double, single, 2e-5)
    assert not np.allclose(double.weights[0][0], double.weights[0][1])


def test_pairs_of_passes_give_the_mean_of_their_updates() -> None:
    weights, pairs, samples = initial_weights((6, 4), 1, 3), 3, 5
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2 * pairs, samples, 4)) / 32
    x, classes = data(SINGLE.loss, (6, 4), samples)

    class Given:
        replicas = 1

        def __init__(self, passes: list[int]) -> None:
            self.passes = passes

        def draw(self, count: int, steps: int = 1) -> np.ndarray:
            return noise[self.passes].transpose(1, 0, 2).reshape(steps, 1, count)

    def update(passes: list[int]) -> np.ndarray:
        reference = Reference(SINGLE, Rule.ANP, Given(passes), weights=weights, pairs=len(passes) // 2)
        reference.step(x, classes)
        return np.asarray(reference.weights[0]) - weights[0]

    alone = [update([pair, pairs + pair]) for pair in range(pairs)]
    np.testing.assert_allclose(update(list(range(2 * pairs))), np.mean(alone, axis=0), rtol=0, atol=1e-15)
    assert not np.allclose(alone[0], alone[1])


@pytest.mark.parametrize("antithetic", [False, True])
def test_pairs_of_passes_bring_the_update_closer_to_the_gradient(antithetic: bool) -> None:
    described = replace(SINGLE, antithetic=antithetic, sigma=1e-3)
    weights, replicas = initial_weights((6, 4), 1, 3), 400
    x, classes = data(SINGLE.loss, (6, 4), 1)
    exact = Reference(described, Rule.BP, weights=weights)
    exact.step(x, classes)
    gradient = np.asarray(exact.weights[0]) - weights[0]
    spread = {}
    for pairs in (1, 4):
        repeated = [np.repeat(weights[0], replicas, axis=0)]
        reference = Reference(described, Rule.ANP, Gaussian(1e-3, replicas), weights=repeated, pairs=pairs)
        reference.step(x, classes)
        found = np.asarray(reference.weights[0]) - weights[0]
        np.testing.assert_allclose(found.mean(axis=0), gradient[0], atol=0.2 * np.abs(gradient).max())
        spread[pairs] = np.square(found - gradient).sum(axis=(1, 2)).mean() / np.square(gradient).sum()
    assert spread[1] == pytest.approx(3, rel=0.15)  # N - 1
    assert spread[4] == pytest.approx(3 / 4, rel=0.15)


@pytest.mark.parametrize(("rule", "sizes", "pairs"), [(Rule.BP, (6, 4), 2), (Rule.ANP, SIZES, 2), (Rule.ANP, (6, 4), 0)])
def test_pairs_of_passes_that_are_not_possible(rule: Rule, sizes: tuple[int, ...], pairs: int) -> None:
    with pytest.raises(ValueError, match=f"{pairs} pairs of noisy passes are not possible"):
        Reference(replace(SINGLE, sizes=sizes, decorrelate=None), rule, Gaussian(0.1), pairs=pairs)


def test_adam_works_on_large_weights_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_PART", 2**13)
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((1, 300, 401)), rng.standard_normal((3, 1, 300, 401))
    found = []
    for dtype in (np.float64, np.float32):
        rows, adam = start.astype(dtype), Adam()
        for gradient in gradients:
            adam.apply([rows], [gradient.astype(dtype)], 0.01)
        found.append(rows)
    assert [rows.dtype for rows in found] == [np.float64, np.float32]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_replicas_learn_in_float32_and_on_the_standard_each_in_its_own_order() -> None:
    described = network(Loss.SQUARED, decorrelate=True)
    x, t = data(Loss.SQUARED)
    targets = np.stack([t, -t, 2 * t])
    options: list[dict[str, Any]] = [{}, {"dtype": "float32"}, {"namespace": array_api_strict}]
    exact, *others = [Reference(described, Rule.ANP, Gaussian(1 / 32, 3), replicas=3, **option) for option in options]
    found = [each.train(x, targets, 2, batch=8, order=shuffled([1, 2, 3], SAMPLES)) for each in (exact, *others)]
    for other, history in zip(others, found[1:], strict=True):
        assert_close(other, exact, 1e-5)
        np.testing.assert_allclose(history.losses, found[0].losses, atol=1e-4)


# --- the authors' code, by plain loops ---


def by_loops(reference: Reference, x: np.ndarray, t: np.ndarray, noise: np.ndarray, eta: float, eps: float) -> list[np.ndarray]:
    """One DANP step of a batch as the authors' code makes it: weights, then R and b; noise (P, B, N)."""
    layers = [(rows[0, :, :-1].copy(), rows[0, :, -1].copy()) for rows in reference.weights]
    places = np.split(np.arange(noise.shape[-1]), np.cumsum(SIZES[1:-1]))
    kept: list[Any] = []
    for b in range(len(x)):
        passes = []
        for p in range(2):
            signal, inputs, activities = x[b], [], []
            for layer, (w, bias) in enumerate(layers):
                signal = reference.matrices[layer][0] @ signal + reference.offsets[layer][0]
                inputs.append(signal)
                activities.append(w @ signal + bias + noise[p, b, places[layer]])
                signal = np.where(activities[-1] > 0, activities[-1], 0.01 * activities[-1])
            logits = activities[-1]
            passes.append((inputs, activities, np.log(np.exp(logits).sum()) - logits[t[b]]))
        kept.append(passes)
    units = sum(SIZES[1:])
    found = []
    for layer, (w, bias) in enumerate(layers):
        dw, db, correlation, centre = np.zeros_like(w), np.zeros_like(bias), np.zeros((w.shape[1],) * 2), np.zeros(w.shape[1])
        for (inputs, one, loss), (_, other, second) in kept:
            square = sum(np.sum((a - c) ** 2) for a, c in zip(one, other, strict=True))
            signal = units * (loss - second) * (one[layer] - other[layer]) / square
            dw += np.outer(signal, inputs[layer])
            db += signal
            outer = np.outer(inputs[layer], inputs[layer])
            correlation += (outer - np.diag(np.diag(outer))) / len(x)
            centre += inputs[layer]
        matrix = reference.matrices[layer][0]
        found += [np.column_stack([w - eta * dw, bias - eta * db]), matrix - eps * correlation @ matrix]
        found.append(reference.offsets[layer][0] - eps * centre)
    return found


def test_the_reading_of_the_code_is_the_code() -> None:
    described = network(Loss.CROSS_ENTROPY, decorrelate=True, normalised=False)
    x, t = data(Loss.CROSS_ENTROPY, count=8)
    reference = Reference(described, Rule.ANP, Gaussian(1 / 32, seed=3), reading="code", seed=2)
    rng = np.random.default_rng(0)
    for matrix, offset in zip(reference.matrices, reference.offsets, strict=True):
        matrix += 0.1 * rng.standard_normal(matrix.shape)
        offset += 0.1 * rng.standard_normal(offset.shape)
    source = Gaussian(1 / 32, seed=3)
    drawn = [source.draw(units, 2 * 8).reshape(2, 8, units) for units in SIZES[1:]]
    expected = by_loops(reference, x, t, np.concatenate(drawn, axis=-1), described.learning_rate, described.decorrelation_rate)
    reference.train(x, t, 1, batch=8)
    found = zip(reference.weights, reference.matrices, reference.offsets, strict=True)
    for array, wanted in zip([array[0] for triple in found for array in triple], expected, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-10, atol=1e-13)


def test_sums_are_means_times_the_batch() -> None:
    described = network(Loss.SQUARED)
    weights = initial_weights(SIZES, 1, 0)
    x, t = data(Loss.SQUARED)
    changes = []
    for reading in (READINGS["paper"], replace(READINGS["paper"], sums=True)):
        reference = Reference(described, Rule.BP, weights=weights, reading=reading)
        reference.step(x, t)
        changes.append(reference.weights[0] - weights[0])
    np.testing.assert_allclose(changes[1], SAMPLES * changes[0], rtol=1e-9, atol=1e-15)


def test_weights_start_as_asked_for() -> None:
    wide = (400, 300, 2)
    lecun, torch = (Reference(Network(wide), Rule.BP, start=start).weights[0][0] for start in ("lecun", "torch"))
    assert lecun[:, :-1].std() == pytest.approx(400**-0.5, rel=0.02)
    assert not lecun[:, -1].any()
    assert np.abs(torch).max() <= 400**-0.5
    assert torch[:, :-1].std() == pytest.approx(1200**-0.5, rel=0.02)
    assert torch[:, -1].std() == pytest.approx(1200**-0.5, rel=0.2)
    assert Reference(Network(wide), Rule.BP, reading="code").weights[0].std() == pytest.approx(1200**-0.5, rel=0.02)


class Counting:
    """Gives 1, 2, 3, ... as a chain per unit or one for all would take its samples: values are times."""

    replicas = 1

    def __init__(self, units: int) -> None:
        self.units = units
        self._time = 0

    def draw(self, count: int, steps: int = 1) -> np.ndarray:
        samples = count * steps // self.units
        times = self._time + np.arange(samples)
        self._time += samples
        return np.repeat(times, self.units).reshape(steps, 1, count).astype(float)


def drawn(source: NoiseSource, along: bool, samples: int, batch: int, sizes: tuple[int, ...] = (2, 3, 1)) -> np.ndarray:
    reference = Reference(Network(sizes), Rule.ANP, source, reading=replace(READINGS["paper"], along_batch=along))
    return np.asarray(reference._draw(samples, batch))[0]


def test_a_junction_runs_along_the_batch_or_from_pass_to_pass() -> None:
    assert drawn(Counting(4), False, 3, 3)[:, :, 0].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert drawn(Counting(4), True, 3, 3)[:, :, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert drawn(Counting(4), True, 5, 3)[:, :, 0].tolist() == [[0, 1, 2, 6, 7], [3, 4, 5, 8, 9]]
    # Two junctions are for both units of the network at once, in whichever layers these are.
    assert drawn(Counting(2), True, 2, 2, (2, 1, 1)).tolist() == [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]
    # One source for all units: a sample's passes after each other, or layer after layer.
    assert drawn(Counting(1), False, 2, 2).tolist() == [[[0, 1, 2, 3], [8, 9, 10, 11]], [[4, 5, 6, 7], [12, 13, 14, 15]]]
    assert drawn(Counting(1), True, 2, 2).tolist() == [[[0, 1, 2, 12], [3, 4, 5, 13]], [[6, 7, 8, 14], [9, 10, 11, 15]]]


def test_evaluations_are_noisy_as_in_the_code() -> None:
    described = network(Loss.CROSS_ENTROPY)
    x, _ = data(Loss.CROSS_ENTROPY)
    volts = SimulatedSmtj(None, units=described.units)  # not centred: 42 mV on every unit
    noisy = Reference(described, Rule.ANP, volts, reading="code")
    clean = Reference(described, Rule.ANP, volts, reading=replace(READINGS["code"], noisy_evaluation=False))
    assert not np.array_equal(noisy.predict(x), noisy.predict(x))
    assert np.array_equal(clean.predict(x), clean.predict(x))
    lifted = np.mean([noisy.predict(x)[0] - clean.predict(x)[0] for _ in range(50)], axis=0)
    shifted = Reference(
        described,
        Rule.BP,
        weights=[rows + (np.arange(rows.shape[2]) == rows.shape[2] - 1) * 0.0421 for rows in clean.weights],
        slope=0.01,
    )
    np.testing.assert_allclose(lifted, shifted.predict(x)[0] - clean.predict(x)[0], atol=0.004)


class Silent(Gaussian):
    """No noise at all."""

    def draw(self, count: int, steps: int = 1) -> np.ndarray:
        return 0 * super().draw(count, steps)


def test_without_a_guard_no_noise_ends_the_training_as_in_the_code() -> None:
    x, t = data(Loss.CROSS_ENTROPY)
    guarded = Reference(network(Loss.CROSS_ENTROPY), Rule.ANP, Silent(0.1))
    before = [rows.copy() for rows in guarded.weights]
    assert guarded.train(x, t, 1, batch=8).skipped.tolist() == [SAMPLES]
    assert all(np.array_equal(a, b) for a, b in zip(guarded.weights, before, strict=True))
    bare = Reference(network(Loss.CROSS_ENTROPY), Rule.ANP, Silent(0.1), reading="code")
    assert bare.train(x, t, 1, batch=8).skipped.tolist() == [0]
    assert all(np.isnan(rows).all() for rows in bare.weights)


def test_centring_brings_the_means_of_decorrelated_inputs_to_zero() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((400, 6)) + 3, np.zeros((400, 4))
    described = replace(network(Loss.SQUARED, decorrelate=True), learning_rate=0.0, decorrelation_rate=0.01)
    reference = Reference(described, Rule.BP, centring=True)
    reference.train(x, t, 30, batch=10)
    matrix, offset = reference.matrices[0][0], reference.offsets[0][0]
    assert np.abs((x @ matrix.T + offset).mean(axis=0)).max() < 0.1 < np.abs(x.mean(axis=0)).min()
    assert not any(offset is not None for offset in Reference(network(Loss.SQUARED), Rule.BP, centring=True).offsets)


@pytest.mark.parametrize("optimiser", [Sgd, Adam])
@pytest.mark.parametrize("options", [{}, {"reading": "code"}, {"dtype": "float32"}, {"namespace": array_api_strict}])
def test_a_training_that_is_resumed_equals_one_that_is_not(options: dict[str, Any], optimiser: Callable[[], Any]) -> None:
    described = network(Loss.CROSS_ENTROPY, decorrelate=True)
    x, t = data(Loss.CROSS_ENTROPY)
    whole, first, second = (Reference(described, Rule.ANP, Gaussian(0.1), optimiser=optimiser(), **options) for _ in range(3))
    whole.train(x, t, 3, batch=12)
    first.train(x, t, 2, batch=12)
    second.restore([array.copy() for array in first.state()])
    for rows, saved in zip(second.weights, first.weights, strict=True):
        rows[...] = saved
    second.pass_over(2, SAMPLES, 12)
    second.train(x, t, 1, batch=12)
    for a, b in zip(learned(second), learned(whole), strict=True):
        assert np.array_equal(a, b)
    with pytest.raises(ValueError, match=r"not the state|no state"):
        Reference(network(Loss.SQUARED), Rule.BP, optimiser=optimiser()).restore(whole.state())


class Watching(Gaussian):
    """Notes how many threads linear algebra has while noise is drawn."""

    threads = 0

    def draw(self, count: int, steps: int = 1) -> np.ndarray:
        self.threads = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return super().draw(count, steps)


def test_a_large_network_has_the_threads_it_is_given_and_one_by_default() -> None:
    large = Network((200, 100, 1))
    x, t = data(Loss.SQUARED, large.sizes, 4)
    most = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
    for threads, seen in ((1, 1), (2, 2), (None, most)):
        source = Watching(0.1)
        options: dict[str, Any] = {} if threads == 1 else {"threads": threads}
        Reference(large, Rule.ANP, source, **options).train(x, t, 1, batch=2)
        assert source.threads == seen
    assert max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas") == most


def test_data_stay_as_they_are_until_a_batch_is_used() -> None:
    described = network(Loss.CROSS_ENTROPY)
    pixels = np.random.default_rng(0).integers(0, 256, (SAMPLES, 6), dtype=np.uint8)
    t = data(Loss.CROSS_ENTROPY)[1]
    found = [Reference(described, Rule.BP) for _ in range(2)]
    for reference, x in zip(found, (pixels, pixels.astype(float)), strict=True):
        reference.train(x, t.astype(np.uint8), 1, batch=8)
    assert_close(*found, 0)
    assert Backend("float32").data(pixels) is pixels


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"dtype": "float16"}, "float32 or float64"),
        ({"reading": "text"}, "use paper or code"),
        ({"start": "zeros"}, "use lecun or torch"),
        ({"device": "cpu", "namespace": array_api_strict}, "not both"),
    ],
)
def test_options_that_are_unknown_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Reference(network(Loss.SQUARED), Rule.BP, **options)
    with pytest.raises(ValueError, match="sigma above 0"):
        Reference(replace(network(Loss.SQUARED), sigma=0.0), Rule.NP, Gaussian(0.1))
    with pytest.raises(ValueError, match="not real numbers"):
        Reference(network(Loss.SQUARED), Rule.BP).predict(np.full((1, 6), "a"))


@pytest.mark.parametrize("values", [[1.0, 1.5, 2, 3, 4, 4.000001, 1023.9, 1024, 1024.1], 2.0 ** np.arange(40)])
def test_powers_of_two_are_exact_everywhere(values: Any) -> None:
    given = np.array(values)
    expected = [2.0 ** np.ceil(np.log2(value)) for value in given]
    assert NUMPY.next_power_of_two(given).tolist() == expected
    strict = StandardBackend(array_api_strict)
    assert np.asarray(strict.next_power_of_two(strict.array(given))).tolist() == expected
    single = Backend("float32").next_power_of_two(given.astype(np.float32))
    assert single.dtype == np.float32
