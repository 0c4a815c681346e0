"""Node perturbation for a module of torch, and the reference on torch's tensors, against the reference in NumPy."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mtjlearn.errors import UserError
from mtjlearn.network import Loss, Network
from mtjlearn.noise import Gaussian, Live, NoiseSource
from mtjlearn.reference import READINGS, Adam, Reference, Rule, shuffled

torch = pytest.importorskip("torch", reason="torch is not installed: make test-torch installs and tests it")
from mtjlearn.torch import ModuleError, NodePerturbation  # noqa: E402

pytestmark = pytest.mark.thorough

SIZES = (6, 9, 7, 4)
NETWORK = Network(SIZES, loss=Loss.CROSS_ENTROPY, normalised=False, learning_rate=0.01, sigma=1 / 32)
DECORRELATED = replace(NETWORK, decorrelate=(True,) * 3, decorrelation_rate=1e-3)


def data(count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((count, SIZES[0])), rng.integers(0, SIZES[-1], count)


def module_of(reference: Reference) -> Any:
    """The same network as a module, float64."""
    layers: list[Any] = []
    for (fan_in, units), rows in zip(pairwise(SIZES), reference.weights, strict=True):
        linear = torch.nn.Linear(fan_in, units, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(rows[0, :, :-1]))
            linear.bias.copy_(torch.tensor(rows[0, :, -1]))
        layers += [linear, torch.nn.LeakyReLU(reference.reading.slope)]
    return torch.nn.Sequential(*layers[:-1])


def cross_entropy(target: np.ndarray) -> Any:
    return lambda y: torch.nn.functional.cross_entropy(y, torch.tensor(target), reduction="none")


@pytest.mark.parametrize("reading", ["paper", "code"])
@pytest.mark.parametrize("network", [NETWORK, DECORRELATED], ids=["anp", "danp"])
@pytest.mark.parametrize("rule", [Rule.NP, Rule.ANP])
def test_a_module_learns_what_the_reference_learns(rule: Rule, network: Network, reading: Any) -> None:
    reference = Reference(network, rule, Gaussian(network.sigma, seed=5), reading=reading)
    module = module_of(reference)
    learner = NodePerturbation(
        module,
        Gaussian(network.sigma, seed=5),
        rule="np" if rule is Rule.NP else "anp",
        decorrelate=any(network.decorrelate),
        decorrelation_rate=network.decorrelation_rate,
        reading=reading,
    )
    assert learner.units == network.units
    optimiser = torch.optim.SGD(module.parameters(), lr=network.learning_rate)
    x, t = data()
    for start in range(0, len(x), 8):
        part = slice(start, start + 8)
        found = learner.step(torch.tensor(x[part]), cross_entropy(t[part]))
        optimiser.step()
        np.testing.assert_allclose(found.numpy(), reference.step(x[part], t[part]).losses[0], rtol=1e-10)
    for linear, rows, matrix, offset in zip(learner.layers, reference.weights, reference.matrices, reference.offsets, strict=True):
        both = np.column_stack([linear.weight.detach(), linear.bias.detach()])
        np.testing.assert_allclose(both, rows[0], rtol=1e-9, atol=1e-12)
        if matrix is not None:
            np.testing.assert_allclose(linear.decorrelation, matrix[0], rtol=1e-9, atol=1e-12)
        if offset is not None:
            np.testing.assert_allclose(linear.centre, offset[0], rtol=1e-9, atol=1e-12)
    clean = replace(reference.reading, noisy_evaluation=False)
    again = Reference(network, Rule.BP, weights=reference.weights, reading=clean)
    again.restore(reference.state())
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(x)), again.predict(x)[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("rule", Rule)
def test_the_reference_on_tensors_equals_the_reference(rule: Rule, dtype: Any, tolerance: float) -> None:
    x, t = data(40)
    runs = []
    for options in ({}, {"device": "cpu", "dtype": dtype}):
        noise = None if rule is Rule.BP else Gaussian(1 / 32, seed=4)
        network = replace(DECORRELATED, normalised=True)
        reference = Reference(network, rule, noise, optimiser=Adam(), centring=True, **options)
        history = reference.train(x, t, 3, batch=8, order=shuffled(0, 40))
        runs.append((reference, history))
    (one, first), (other, second) = runs
    for a, b in zip([*one.weights, *one.matrices, *one.offsets], [*other.weights, *other.matrices, *other.offsets], strict=True):
        assert torch.is_tensor(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    np.testing.assert_allclose(first.losses, second.losses, atol=10 * tolerance)
    np.testing.assert_allclose(one.predict(x), other.predict(x), atol=10 * tolerance)
    assert one.evaluate(x, t).accuracy == other.evaluate(x, t).accuracy


def test_large_matrices_on_tensors_and_their_checkpoint() -> None:
    sizes = (300, 280, 4)
    network = Network(sizes, loss=Loss.CROSS_ENTROPY, decorrelate=(True, True), decorrelation_rate=1e-4, learning_rate=1e-3)
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((40, 300)).astype(np.float32), rng.integers(0, 4, 40)
    exact, single, again = (
        Reference(network, Rule.ANP, Gaussian(1 / 32), dtype=dtype, device=device, optimiser=Adam(epsilon=1e-3))
        for dtype, device in (("float64", None), ("float32", "cpu"), ("float32", "cpu"))
    )
    for reference in (exact, single):
        reference.train(x, t, 1, batch=20)
    for a, b in zip([*exact.weights, *exact.matrices], [*single.weights, *single.matrices], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    again.restore(single.state())
    assert torch.equal(again.matrices[0], single.matrices[0])
    for rows, saved in zip(again.weights, single.weights, strict=True):
        rows[...] = saved
    again.pass_over(1, 40, 20)
    for reference in (single, again):
        reference.train(x, t, 1, batch=20)
    assert torch.equal(again.weights[0], single.weights[0])


def test_a_device_that_is_not_there_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="torch cannot use the device 'cuda:99'") as refused:
        Reference(NETWORK, Rule.BP, device="cuda:99")
    assert "\n" not in str(refused.value)


def test_the_codes_of_a_board_train_a_module() -> None:
    from mtjlearn.discovery import open_board

    torch.manual_seed(0)
    x = torch.tensor([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
    t = torch.tensor([[-1.0], [1], [1], [-1]])
    module = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    with open_board("native", virtual_clock=4, seed=1) as board, board.noise_stream() as chunks:
        learner = NodePerturbation(module, Live(lambda: next(chunks).codes, sigma=0.05), decorrelate=True)
        optimiser = torch.optim.Adam(module.parameters(), lr=0.03)
        found = []
        for _ in range(300):
            found.append(float(learner.step(x, lambda y: ((y - t) ** 2).sum(dim=1)).mean()))
            optimiser.step()
    assert np.mean(found[-20:]) < 0.4 * found[0]


def test_what_is_between_the_layers_is_free_and_frozen_layers_stay() -> None:
    class Tower(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.fixed = torch.nn.Conv2d(1, 2, 3).requires_grad_(False)
            self.last, self.first = torch.nn.Linear(5, 3), torch.nn.Linear(8, 5, bias=False)
            self.frozen = torch.nn.Linear(3, 3).requires_grad_(False)

        def forward(self, x: Any) -> Any:
            return self.frozen(torch.sin(self.last(torch.relu(self.first(self.fixed(x).flatten(1))))))

    tower = Tower()
    learner = NodePerturbation(tower, Gaussian(0.1))
    losses = learner.step(torch.rand(5, 1, 4, 4), lambda y: (y**2).sum(dim=1))
    assert losses.shape == (5,)
    assert tower.first.weight.grad.shape == (5, 8)
    assert tower.last.bias.grad.shape == (3,)
    assert tower.frozen.weight.grad is None
    assert tower.fixed.weight.grad is None


def test_a_step_has_one_thread_unless_asked_for_more() -> None:
    before = torch.get_num_threads()
    seen = []
    for options in ({}, {"threads": 3}, {"threads": None}):
        learner = NodePerturbation(torch.nn.Linear(3, 2), Gaussian(0.1), **options)
        learner.step(torch.rand(4, 3), lambda y: seen.append(torch.get_num_threads()) or y.sum(dim=1))
        assert torch.get_num_threads() == before
    assert seen == [1, 1, 3, 3, before, before]


def test_the_mean_update_is_aligned_with_the_gradient() -> None:
    torch.manual_seed(0)
    module = torch.nn.Linear(5, 3)
    x, t = torch.rand(4, 5), torch.rand(4, 3)
    learner = NodePerturbation(module, Gaussian(0.01))
    total = torch.zeros_like(module.weight)
    for _ in range(2000):
        learner.step(x, lambda y: ((y - t) ** 2).sum(dim=1))
        total += module.weight.grad
    ((module(x) - t) ** 2).sum(dim=1).mean().backward()
    module.zero_grad()
    ((module(x) - t) ** 2).sum(dim=1).mean().backward()
    assert torch.nn.functional.cosine_similarity(total.flatten(), module.weight.grad.flatten(), dim=0) > 0.98


def test_remove_gives_the_module_back() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3))
    learner = NodePerturbation(module, Gaussian(0.1), decorrelate=True, decorrelation_rate=0.1, reading="code")
    assert set(module.state_dict()) == {"0.weight", "0.bias", "0.decorrelation", "0.centre"}
    with pytest.raises(ModuleError, match="decorrelated already"):
        NodePerturbation(module, Gaussian(0.1), decorrelate=True)
    x = torch.rand(6, 4)
    learner.step(x, lambda y: y.sum(dim=1))
    assert not torch.equal(module[0].decorrelation, torch.eye(4))
    learner.remove()
    learner.remove()
    assert set(module.state_dict()) == {"0.weight", "0.bias"}
    assert torch.equal(module(x), torch.nn.functional.linear(x, module[0].weight, module[0].bias))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (lambda: torch.nn.ReLU(), "no linear layer"),
        (lambda: torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.Linear(2, 2)), "parameter 0.weight does not belong"),
        (lambda: torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.1)), "two passes of a step differ"),
    ],
)
def test_modules_that_cannot_learn_are_refused(module: Any, text: str) -> None:
    with pytest.raises(ModuleError, match=text):
        NodePerturbation(module(), Gaussian(0.1))


class Dropping(torch.nn.Module):
    """Dropout as a function, and as a class with a name of its own."""

    class Own(torch.nn.Dropout):
        pass

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.kind = kind
        self.own = self.Own(0.0)

    def forward(self, x: Any) -> Any:
        y = self.own(self.linear(x))
        if self.kind == "function":
            return torch.nn.functional.dropout(y, 0.1, self.training)
        return torch.nn.functional.rrelu(y - 10, training=self.training) if self.kind == "rrelu" else y


@pytest.mark.parametrize("kind", ["function", "rrelu", "set later"])
def test_a_module_that_draws_random_numbers_is_refused_at_the_step(kind: str) -> None:
    module = Dropping(kind)
    learner = NodePerturbation(module, Gaussian(0.1))
    x, per_sample = torch.rand(5, 3), lambda y: y.sum(dim=1)
    if kind == "set later":
        learner.step(x, per_sample)
        module.zero_grad()
        module.own.p = 0.1
    with pytest.raises(ModuleError, match="two passes of a step differ"):
        learner.step(x, per_sample)
    assert module.linear.weight.grad is None
    module.eval()
    learner.step(x, per_sample)
    assert module.linear.weight.grad is not None
    learner.remove()
    module.own.p = 0.1
    with pytest.raises(ModuleError, match="set its p to 0"):
        NodePerturbation(module, Gaussian(0.1))


def test_wrong_uses_are_refused_and_the_next_right_one_works() -> None:
    linear = torch.nn.Linear(3, 3)
    per_sample = lambda y: y.sum(dim=1)  # noqa: E731
    with pytest.raises(ValueError, match="serves 2 replicas"):
        NodePerturbation(linear, Gaussian(0.1, 2))
    with pytest.raises(ValueError, match="rules anp and np"):
        NodePerturbation(linear, Gaussian(0.1), rule="bp")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="give sigma"):
        NodePerturbation(linear, Unscaled(), rule="np")
    tied = torch.nn.Linear(3, 3)
    tied.weight = linear.weight
    with pytest.raises(ModuleError, match="share a parameter"):
        NodePerturbation(torch.nn.Sequential(linear, tied), Gaussian(0.1))
    twice = torch.nn.Sequential(linear, linear)
    learner = NodePerturbation(twice, Gaussian(0.1))
    with pytest.raises(ModuleError, match="used twice"):
        learner.step(torch.rand(2, 3), per_sample)
    learner.remove()
    learner = NodePerturbation(linear, Gaussian(0.1))
    with pytest.raises(ModuleError, match="flatten it"):
        learner.step(torch.rand(2, 4, 3), per_sample)
    with pytest.raises(ModuleError, match="one a sample"):
        learner.step(torch.rand(2, 3), lambda y: y.sum())
    assert torch.equal(linear(torch.ones(1, 3)), linear(torch.ones(1, 3)))
    assert learner.step(torch.rand(2, 3), per_sample).shape == (2,)
    unused = torch.nn.Sequential(torch.nn.Linear(3, 3))
    unused.spare = torch.nn.Linear(3, 3)
    unused.forward = lambda x: unused[0](x)
    with pytest.raises(ModuleError, match="not used in a pass"):
        NodePerturbation(unused, Gaussian(0.1)).step(torch.rand(2, 3), per_sample)


class Unscaled(Gaussian):
    """A source that does not say its deviation."""

    def __init__(self) -> None:
        super().__init__(0.1)
        del self.sigma

    def draw(self, count: int, steps: int = 1) -> np.ndarray:
        return np.ones((steps, 1, count))


def test_readings_can_be_mixed() -> None:
    module = torch.nn.Linear(3, 2)
    source: NoiseSource = Unscaled()
    guarded = NodePerturbation(module, source, reading=replace(READINGS["code"], guarded=True))
    guarded.step(torch.rand(4, 3), lambda y: y.sum(dim=1))
    assert not module.weight.grad.any()
    guarded.remove()
    NodePerturbation(module, source, reading="code").step(torch.rand(4, 3), lambda y: y.sum(dim=1))
    assert module.weight.grad.isnan().all()
