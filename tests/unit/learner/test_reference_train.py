"""Training with the float reference: every rule learns, runs repeat, and wrong data are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtjlearn.network import Loss, Network
from mtjlearn.noise import Bernoulli, Gaussian, NoiseSource, SimulatedSmtj
from mtjlearn.reference import Adam, Reference, Rule, initial_weights, shuffled

pytestmark = pytest.mark.thorough

REPLICAS = 20
XOR_X = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
XOR_T = np.array([[-1.0], [1], [1], [-1]])
XOR = Network((2, 4, 1), learning_rate=0.04)


def teacher_student(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples of a random 2-2-2-1 teacher for each replica, outputs of variance 1."""
    x = np.random.default_rng(3).standard_normal((count, 2))
    teacher = Reference(Network((2, 2, 2, 1)), Rule.BP, replicas=REPLICAS, seed=99)
    y = teacher.predict(x)
    return x, (y - y.mean(axis=1, keepdims=True)) / y.std(axis=1, keepdims=True)


def gaussian(network: Network, replicas: int = REPLICAS) -> Gaussian:
    return Gaussian(network.sigma, replicas, seed=7)


@pytest.mark.parametrize("decorrelate", [False, True])
@pytest.mark.parametrize("rule", Rule)
def test_every_rule_learns_xor(rule: Rule, decorrelate: bool) -> None:
    network = replace(XOR, decorrelate=(decorrelate,) * 2, decorrelation_rate=1e-4)
    reference = Reference(network, rule, gaussian(network), replicas=REPLICAS, seed=1)
    before = reference.evaluate(XOR_X, XOR_T)
    history = reference.train(XOR_X, XOR_T, 800, order=shuffled(range(REPLICAS), 4))
    after = reference.evaluate(XOR_X, XOR_T)
    assert np.median(after.loss) < 0.02 * np.median(before.loss)
    assert np.median(after.accuracy) == 1
    assert history.losses.shape == (800, REPLICAS)
    assert np.median(history.losses[-1]) < 0.1 * np.median(history.losses[0])


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_learns_from_a_teacher_in_batches(rule: Rule) -> None:
    x, t = teacher_student(200)
    network = Network((2, 8, 1), learning_rate=0.1)
    reference = Reference(network, rule, gaussian(network), replicas=REPLICAS, seed=2)
    before = np.median(reference.evaluate(x, t).loss)
    reference.train(x, t, 150, batch=8, order=shuffled(5, 200))
    assert np.median(reference.evaluate(x, t).loss) < 0.1 * before


@pytest.mark.parametrize(
    "noise",
    [
        Bernoulli(XOR.sigma, 1, REPLICAS, seed=1),
        SimulatedSmtj(XOR.sigma, units=5, replicas=REPLICAS, seed=1),
        SimulatedSmtj(XOR.sigma, "single", replicas=REPLICAS, seed=1),
    ],
    ids=["bernoulli", "per-node", "single"],
)
def test_anp_learns_from_the_noise_of_junctions(noise: NoiseSource) -> None:
    reference = Reference(XOR, Rule.ANP, noise, replicas=REPLICAS, seed=1)
    reference.train(XOR_X, XOR_T, 1000, order=shuffled(range(REPLICAS), 4))
    assert np.median(reference.evaluate(XOR_X, XOR_T).loss) < 0.1


def test_adam_with_cross_entropy_learns_classes() -> None:
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 3, 240)
    x = np.eye(3)[classes] @ generator.standard_normal((3, 4)) * 2 + generator.normal(0, 0.3, (240, 4))
    network = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.01, normalised=False)
    for rule in (Rule.BP, Rule.ANP):
        reference = Reference(network, rule, gaussian(network, 5), replicas=5, optimiser=Adam())
        reference.train(x, classes, 20, batch=16, order=shuffled(0, 240))
        assert np.median(reference.evaluate(x, classes).accuracy) > 0.95


def test_adam_takes_its_published_first_steps() -> None:
    rows = [np.zeros((1, 1, 2))]
    adam = Adam()
    gradients = [np.array([[[3.0, -0.1]]]), np.array([[[1.0, 0.3]]])]
    mean, square, expected = np.zeros(2), np.zeros(2), np.zeros(2)
    for step, gradient in enumerate(gradients, 1):
        adam.apply(rows, [gradient.copy()], 0.01)
        mean = 0.9 * mean + 0.1 * gradient[0, 0]
        square = 0.999 * square + 0.001 * gradient[0, 0] ** 2
        expected -= 0.01 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(rows[0][0, 0], expected)


@pytest.mark.slow
def test_antithetic_passes_remove_the_noise_floor() -> None:
    final = {}
    for antithetic in (False, True):
        network = replace(XOR, antithetic=antithetic)
        reference = Reference(network, Rule.ANP, gaussian(network), replicas=REPLICAS, seed=1)
        reference.train(XOR_X, XOR_T, 1500, order=shuffled(range(REPLICAS), 4))
        final[antithetic] = np.median(reference.evaluate(XOR_X, XOR_T).loss)
    assert final[True] < 0.3 * final[False]


def test_training_in_parts_equals_training_at_once() -> None:
    x, t = teacher_student(150)
    network = Network((2, 2, 2, 1), learning_rate=0.05)
    runs = [Reference(network, Rule.ANP, gaussian(network), replicas=REPLICAS) for _ in range(2)]
    order = shuffled(range(REPLICAS), 150)
    whole = runs[0].train(x, t, 4, order=order, schedule=lambda epoch: 1 / (1 + epoch))
    parts = [runs[1].train(x, t, 2, order=order, schedule=lambda epoch: 1 / (1 + epoch)) for _ in range(2)]
    np.testing.assert_array_equal(whole.losses, np.concatenate([part.losses for part in parts]))
    for one, other in zip(runs[0].weights, runs[1].weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_replicas_do_not_mix() -> None:
    x, t = teacher_student(50)
    network = Network((2, 2, 2, 1), decorrelate=(True,) * 3, decorrelation_rate=0.001)
    weights = initial_weights(network.sizes, REPLICAS, 3)
    together = Reference(network, Rule.BP, weights=weights)
    together.train(x, t, 2, order=shuffled(range(REPLICAS), 50))
    alone = Reference(network, Rule.BP, weights=[rows[4] for rows in weights])
    alone.train(x, t[4], 2, order=shuffled(4, 50))
    for rows, single in zip(together.weights, alone.weights, strict=True):
        np.testing.assert_allclose(rows[4], single[0], rtol=1e-9, atol=1e-12)


def test_batches_average_and_a_last_one_may_be_smaller() -> None:
    x, t = teacher_student(100)
    network = Network((2, 2, 2, 1), learning_rate=0.05)
    weights = initial_weights(network.sizes, REPLICAS, 3)
    reference = Reference(network, Rule.BP, weights=weights)
    reference.train(x, t, 1, batch=70)
    expected = Reference(network, Rule.BP, weights=weights)
    for part in (slice(0, 70), slice(70, 100)):
        expected.step(x[part], t[:, part])
    for rows, other in zip(reference.weights, expected.weights, strict=True):
        np.testing.assert_allclose(rows, other, rtol=1e-9, atol=1e-12)


def test_schedule_and_progress_are_told_where_training_stands() -> None:
    x, t = teacher_student(100)
    reference = Reference(Network((2, 2, 2, 1)), Rule.BP, replicas=REPLICAS)
    before = [rows.copy() for rows in reference.weights]
    told: list[tuple[int, int, np.ndarray]] = []
    epochs: list[int] = []

    def schedule(epoch: int) -> float:
        epochs.append(epoch)
        return 0.0

    history = reference.train(x, t, 2, schedule=schedule, progress=lambda *args: told.append(args))
    assert epochs == [0, 1]
    assert [(done, total) for done, total, _ in told] == [(64, 200), (100, 200), (164, 200), (200, 200)]
    np.testing.assert_allclose(history.losses[0], 0.64 * told[0][2] + 0.36 * told[1][2])
    for rows, old in zip(reference.weights, before, strict=True):
        np.testing.assert_array_equal(rows, old)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    order = shuffled([3, 4], 30)
    assert order(0).shape == (2, 30)
    np.testing.assert_array_equal(order(5)[1], shuffled(4, 30)(5))
    assert sorted(order(1)[0].tolist()) == list(range(30))
    assert not np.array_equal(order(0), order(1))


def test_a_diverging_replica_leaves_the_others_alone() -> None:
    weights = [np.repeat(rows, 2, axis=0) for rows in initial_weights((2, 1), 1, 0)]
    weights[0][1] = 1e200
    reference = Reference(Network((2, 1)), Rule.BP, weights=weights)
    history = reference.train(XOR_X, XOR_T, 3)
    assert np.isfinite(history.losses[:, 0]).all()
    assert not np.isfinite(history.losses[:, 1]).any()


def test_wrong_data_are_refused() -> None:
    classes = Network((2, 3), loss=Loss.CROSS_ENTROPY)
    with pytest.raises(ValueError, match="give it a noise source"):
        Reference(classes, Rule.NP)
    with pytest.raises(ValueError, match="serves 2 replicas, but 1"):
        Reference(classes, Rule.ANP, Gaussian(0.1, 2))
    with pytest.raises(ValueError, match="do not fit layers"):
        Reference(classes, Rule.BP, weights=[np.zeros((3, 2))])
    reference = Reference(classes, Rule.BP)
    with pytest.raises(ValueError, match=r"inputs of shape \(4, 3\)"):
        reference.predict(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"targets of shape \(3,\)"):
        reference.evaluate(XOR_X, np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="classes must be 0"):
        reference.evaluate(XOR_X, np.array([0, 1, 2, 3]))
    with pytest.raises(ValueError, match="at least one sample"):
        reference.train(XOR_X, np.zeros(4, dtype=int), 1, batch=0)
