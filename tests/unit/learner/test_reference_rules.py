"""The rules of the float reference against finite differences, against each other and against the integer model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.noise import PRESETS, Bernoulli, Gaussian, RingBuffer, SimulatedAdc, stored_codes
from mtjlearn.reference import Reference, Rule
from mtjlearn.reference.decorrelation import update_matrix
from mtjlearn.reference.losses import correct, losses
from mtjlearn.reference.network import SLOPE, forward, given_weights, initial_weights
from mtjlearn.reference.rules import Model, backpropagation, step_divisors, updates

pytestmark = pytest.mark.thorough

DRAWS = 20_000


def samples(sizes: tuple[int, ...], loss: Loss, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, sizes[0]))
    if loss is Loss.CROSS_ENTROPY:
        return x, generator.integers(0, sizes[-1], count)
    return x, generator.standard_normal((count, sizes[-1]))


def random_matrices(sizes: tuple[int, ...], replicas: int) -> list[np.ndarray | None]:
    generator = np.random.default_rng(7)
    return [np.eye(n) + 0.2 * generator.standard_normal((replicas, n, n)) for n in sizes[:-1]]


@pytest.mark.parametrize("loss", Loss)
@pytest.mark.parametrize("decorrelated", [False, True])
def test_backpropagation_equals_finite_differences(loss: Loss, decorrelated: bool) -> None:
    sizes = (3, 4, 4, 2)
    weights = initial_weights(sizes, 2, seed=5)
    for rows in weights:
        rows[..., -1] = np.random.default_rng(6).normal(0, 0.3, rows.shape[:2])
    matrices = random_matrices(sizes, 2) if decorrelated else [None] * 3
    x, target = samples(sizes, loss, 5)
    x, target = np.stack([x, x[::-1]]), np.stack([target, target])
    model = Model(sizes, loss, weights, matrices, SLOPE)

    def mean_losses() -> np.ndarray:
        return losses(loss, model.passes(x, None).outputs[:, 0], target).mean(axis=1)

    signals = backpropagation(model, x, target)
    np.testing.assert_allclose(signals.losses.mean(axis=1), mean_losses())
    found = updates(signals, sizes, normalised=False)
    small = 1e-6
    for rows, gradient in zip(weights, found, strict=True):
        for place in np.ndindex(rows.shape[1:]):
            index = (slice(None), *place)
            rows[index] += small
            above = mean_losses()
            rows[index] -= 2 * small
            below = mean_losses()
            rows[index] += small
            np.testing.assert_allclose(gradient[index], (above - below) / (2 * small), atol=1e-7)


def averaged(rule: Rule, sizes: tuple[int, ...], sigma: float, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Mean and standard error of a rule's updates over many draws of the noise, for one sample and one set of weights."""
    network = Network(sizes, sigma=sigma, learning_rate=0, normalised=False)
    rows = initial_weights(sizes, 1, seed=1)
    noise = Gaussian(sigma, DRAWS, seed=seed)
    reference = Reference(network, rule, noise, weights=[np.repeat(layer, DRAWS, axis=0) for layer in rows])
    found = updates(reference.step(*samples(sizes, Loss.SQUARED, 1)), sizes, normalised=False)
    return [u.mean(axis=0) for u in found], [u.std(axis=0) / np.sqrt(DRAWS) for u in found]


def true_gradient(sizes: tuple[int, ...]) -> list[np.ndarray]:
    reference = Reference(Network(sizes), Rule.BP, weights=initial_weights(sizes, 1, seed=1))
    return [update[0] for update in updates(reference.step(*samples(sizes, Loss.SQUARED, 1)), sizes, normalised=False)]


@pytest.mark.parametrize(
    ("rule", "sizes"), [(Rule.ANP, (6, 4)), (Rule.NP, (6, 4)), (Rule.NP, (4, 5, 3))], ids=["anp-one-layer", "np", "np-2"]
)
def test_the_mean_update_is_the_gradient(rule: Rule, sizes: tuple[int, ...]) -> None:
    means, errors = averaged(rule, sizes, sigma=1 / 256, seed=3)
    for mean, error, gradient in zip(means, errors, true_gradient(sizes), strict=True):
        assert np.all(np.abs(mean - gradient) < 4.5 * error)
        assert np.linalg.norm(mean - gradient) < 0.1 * np.linalg.norm(gradient)


def test_anp_is_aligned_with_the_gradient_of_deep_networks() -> None:
    sizes = (4, 5, 5, 3)
    means, _ = averaged(Rule.ANP, sizes, sigma=1 / 256, seed=3)
    for mean, gradient in zip(means, true_gradient(sizes), strict=True):
        assert np.sum(mean * gradient) > 0.9 * np.linalg.norm(mean) * np.linalg.norm(gradient)


def test_anp_is_equation_4_with_the_input_of_the_first_pass() -> None:
    sizes = (2, 3, 1)
    network = Network(sizes, learning_rate=0.5, normalised=False)
    weights = initial_weights(sizes, 1, seed=2)
    w1, w2 = weights[0][0].copy(), weights[1][0].copy()
    x, target = np.array([0.3, -0.8]), np.array([0.7])
    noise = Gaussian(network.sigma, seed=11).draw(8)[0, 0]
    activities, hidden, loss = [], [], []
    for n in (noise[:4], noise[4:]):
        a1 = w1 @ [*x, 1] + n[:3]
        h = np.where(a1 > 0, a1, a1 / 128)
        a2 = w2 @ [*h, 1] + n[3:]
        activities.append(np.concatenate([a1, a2]))
        hidden.append(h)
        loss.append(np.sum((target - a2) ** 2))
    da = activities[0] - activities[1]
    factor = 0.5 * 4 * (loss[0] - loss[1]) / np.sum(da**2)
    reference = Reference(network, Rule.ANP, Gaussian(network.sigma, seed=11), weights=weights)
    signals = reference.step(x[None], target[None])
    assert signals.losses[0, 0] == pytest.approx(loss[0])
    np.testing.assert_allclose(reference.weights[0][0], w1 - factor * np.outer(da[:3], [*x, 1]))
    np.testing.assert_allclose(reference.weights[1][0], w2 - factor * np.outer(da[3:], [*hidden[0], 1]))


def test_equal_noise_in_both_passes_skips_the_step() -> None:
    network = Network((3, 2, 1), learning_rate=0.1)
    reference = Reference(network, Rule.ANP, Bernoulli(network.sigma, replicas=4000, seed=1), replicas=4000)
    before = [rows.copy() for rows in reference.weights]
    skipped = reference.step(*samples((3, 2, 1), Loss.SQUARED, 1)).skipped[:, 0]
    assert np.mean(skipped) == pytest.approx(1 / 8, abs=0.02)
    changed = [np.any(now != old, axis=(1, 2)) for now, old in zip(reference.weights, before, strict=True)]
    assert not np.any(changed[0][skipped] | changed[1][skipped])
    assert np.all(changed[0][~skipped] | changed[1][~skipped])


@given(st.lists(st.integers(-32767, 32767), min_size=1, max_size=40))
def test_the_normalised_step_divides_as_the_device_does(inputs: list[int]) -> None:
    x = np.array([[[*inputs, 4096]]]) / 4096
    expected = 2.0 ** ((2**24 + sum(v * v for v in inputs) - 1).bit_length() - 24)
    assert step_divisors([x])[0, 0, 0] == expected


def test_antithetic_passes_mirror_the_noise() -> None:
    sizes = (2, 3)
    network = Network(sizes, antithetic=True, learning_rate=0, normalised=False)
    reference = Reference(network, Rule.ANP, Gaussian(network.sigma, 50, seed=4), replicas=50)
    x, target = samples(sizes, Loss.SQUARED, 1)
    signals = reference.step(x, target)
    n = Gaussian(network.sigma, 50, seed=4).draw(3)[0]
    y = np.einsum("rui,i->ru", reference.weights[0], [*x[0], 1])
    difference = ((y + n - target) ** 2).sum(axis=1) - ((y - n - target) ** 2).sum(axis=1)
    da = 2 * n
    np.testing.assert_allclose(signals.units[:, 0], 3 * (difference / (da**2).sum(axis=1))[:, None] * da, rtol=1e-7)


def test_losses_and_correctness() -> None:
    outputs = np.array([[1.0, 3.0, 3.0], [1000.0, -1000.0, 0.0]])
    np.testing.assert_allclose(losses(Loss.SQUARED, outputs, outputs - [1, 2, 0]), [5, 5])
    classes = np.array([1, 1])
    expected = [np.log(2 + np.exp(-2)), 2000]
    np.testing.assert_allclose(losses(Loss.CROSS_ENTROPY, outputs, classes), expected)
    assert correct(Loss.CROSS_ENTROPY, outputs, np.array([1, 0])).tolist() == [True, True]
    assert correct(Loss.CROSS_ENTROPY, outputs, np.array([2, 2])).tolist() == [False, False]
    assert correct(Loss.SQUARED, outputs, np.array([[0, 1, 0], [0, 0, 1]])).tolist() == [True, False]
    assert correct(Loss.SQUARED, np.array([[0.0], [-0.1]]), np.array([[0.2], [0.2]])).tolist() == [True, False]


def test_passes_share_the_first_product_and_pass_noise_on() -> None:
    weights = given_weights((1, 1, 1), [[[2.0, 1.0]], [[3.0, -1.0]]])
    noise = np.array([[[[0.0, 0.0]], [[0.5, 0.25]], [[-8.0, 0.0]]]])
    run = forward(weights, [None, None], np.array([[[1.5]]]), noise, 0.25)
    assert run.inputs[0].shape == (1, 1, 1, 2)
    assert run.activities[0, :, 0].tolist() == [[4, 11], [4.5, 12.75], [-4, -4]]


@pytest.mark.parametrize("batch", [1, 7])
def test_decorrelation_update_is_the_formula(batch: int) -> None:
    generator = np.random.default_rng(3)
    matrix = generator.standard_normal((2, 4, 4))
    xbar = generator.standard_normal((2, batch, 4))
    expected = []
    for r, x in zip(matrix, xbar, strict=True):
        terms = [np.outer(v, v) - np.diag(v**2) for v in x]
        expected.append(r - 0.01 * np.mean(terms, axis=0) @ r)
    update_matrix(matrix, xbar, 0.01)
    np.testing.assert_allclose(matrix, expected, atol=1e-14)


def largest_correlation(matrix: np.ndarray, x: np.ndarray) -> float:
    """Largest second moment of two different components of R x, in units of their own."""
    xbar = x @ matrix.T
    moments = xbar.T @ xbar
    scale = np.sqrt(np.diag(moments))
    return float(np.abs(moments / np.outer(scale, scale) - np.eye(len(moments))).max())


def test_decorrelation_removes_correlations_where_the_transpose_diverges() -> None:
    generator = np.random.default_rng(5)
    x = generator.standard_normal((8000, 5)) @ generator.standard_normal((5, 5)) / 2.5 + 0.2
    matrix, transposed = np.eye(5)[None], np.eye(5)
    with np.errstate(over="ignore", invalid="ignore"):
        for sample in x:
            update_matrix(matrix, (matrix @ sample)[:, None], 0.001)
            xbar = transposed @ sample
            u = transposed @ xbar
            transposed = transposed - 0.001 * xbar[:, None] * (u - xbar[:, None] * transposed)
    assert largest_correlation(np.eye(5), x) > 0.5
    assert largest_correlation(matrix[0], x) < 0.1
    assert not np.abs(transposed).max() < 100


def test_decorrelation_in_batches_converges() -> None:
    generator = np.random.default_rng(6)
    x = generator.standard_normal((200, 4)) @ generator.standard_normal((4, 4))
    matrix = np.eye(4)[None]
    for _ in range(2000):
        update_matrix(matrix, x[None] @ matrix.swapaxes(1, 2), 0.02)
    assert largest_correlation(np.eye(4), x) > 0.5
    assert largest_correlation(matrix[0], x) < 1e-6


@pytest.mark.parametrize(
    ("sizes", "loss", "decorrelate", "antithetic"),
    [
        ((2, 2, 2, 1), Loss.SQUARED, False, False),
        ((2, 2, 2, 1), Loss.SQUARED, True, True),
        ((4, 8, 3), Loss.SQUARED, True, False),
        ((4, 8, 3), Loss.CROSS_ENTROPY, False, True),
        ((4, 8, 3), Loss.CROSS_ENTROPY, True, False),
    ],
)
def test_the_reference_is_the_float_twin_of_the_integer_step(
    sizes: tuple[int, ...], loss: Loss, decorrelate: bool, antithetic: bool
) -> None:
    steps, per_step, replicas = 150, 7, 10
    network = Network(
        sizes,
        loss=loss,
        weight_format=WeightFormat.INT32,
        antithetic=antithetic,
        decorrelate=(decorrelate,) * (len(sizes) - 1),
        decorrelation_rate=2**-8,
        learning_rate=0.02,
        sigma=1 / 8,
    )
    codes = SimulatedAdc(PRESETS["bench"], replicas, bits=14, seed=3).read(200 + steps * per_step).astype(np.int64)
    fixed = FixedNetwork(network, range(1, replicas + 1))
    first = [rows / 2**28 for rows in fixed.weights]
    noise = RingBuffer(stored_codes(codes), network.sigma, fixed.random_state, per_step)
    reference = Reference(network, Rule.ANP, noise, weights=first)
    x, target = samples(sizes, loss, steps)
    x = np.round(x * 4096)
    target = target if loss is Loss.CROSS_ENTROPY else np.round(target * 2048)
    fixed.put_codes(codes[:, :200])
    total = np.zeros(replicas)
    for step in range(steps):
        fixed.put_codes(codes[:, 200 + step * per_step : 200 + (step + 1) * per_step])
        total += fixed.train(x[step].astype(int), np.atleast_1d(target[step]).astype(int)) / 2**24
    history = reference.train(x / 4096, target if loss is Loss.CROSS_ENTROPY else target / 4096, 1)
    np.testing.assert_allclose(history.losses[0], total / steps, rtol=5e-3)
    for integers, floats, start in zip(fixed.weights, reference.weights, first, strict=True):
        moved = np.sqrt(np.mean((floats - start) ** 2))
        assert np.sqrt(np.mean((integers / 2**28 - floats) ** 2)) < 0.12 * moved
    for integers, floats in zip(fixed.matrices, reference.matrices, strict=True):
        if integers is not None and floats is not None:
            moved = np.sqrt(np.mean((floats - np.eye(floats.shape[-1])) ** 2))
            assert np.sqrt(np.mean((integers / 2**14 - floats) ** 2)) < 0.05 * moved
