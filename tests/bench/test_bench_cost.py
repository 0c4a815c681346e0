"""``experiment cost-to-target``: the same arithmetic on chips and here, what restarts cost, and what the command shows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from mtjlearn.bench.chip.cost import PROGRAMS, Begin, Desktop, Goal, Program, Shape, count, sum_of_weights
from mtjlearn.bench.phases import BenchError
from mtjlearn.cli.experiment import cli
from mtjlearn.experiments.cost_to_target import TASKS, best_patience, cost_to_target, with_restarts
from mtjlearn.firmware import ToolMissing
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import Network

BY_NAME = {program.name: program for program in PROGRAMS}
ANP, FLOAT, INT16 = BY_NAME["ANP"], BY_NAME["backprop, float"], BY_NAME["backprop, int16"]
XOR = TASKS[0]
CLASSES = Shape((3, 4, 3), cross_entropy=True)
DIGITS = TASKS[-1]


def begin(network: Shape, rate: float = 0.1) -> Begin:
    rows = FixedNetwork(Network(network.sizes), [1]).weights
    return Begin(network, np.concatenate([layer.ravel() for layer in rows]).astype(np.int16), rate)


def samples(network: Shape, steps: int = 20) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    rng = np.random.default_rng(1)
    x = rng.integers(-8000, 8001, (steps, network.sizes[0])).astype(np.int16)
    if network.cross_entropy:
        return x, rng.integers(0, network.sizes[2], (steps, 1)).astype(np.int16)
    return x, rng.integers(-8000, 8001, (steps, network.sizes[2])).astype(np.int16)


@pytest.fixture(scope="module")
def _tools(tool_missing: Callable[[str], None]) -> None:
    try:
        for chip in FLOAT.chips:
            count(FLOAT, chip, begin(XOR.network), *samples(XOR.network, 1))
    except ToolMissing as missing:
        tool_missing(str(missing))


@pytest.mark.slow
@pytest.mark.usefixtures("_tools")
@pytest.mark.parametrize("network", [XOR.network, CLASSES], ids=["squared", "cross-entropy"])
@pytest.mark.parametrize("program", [program for program in PROGRAMS if not program.floats], ids=lambda program: program.name)
def test_a_chip_learns_the_same_bits_as_this_computer(program: Program, network: Shape) -> None:
    start, (x, targets) = begin(network), samples(network)
    expected = sum_of_weights(Desktop(program, network).weights(start, x, targets))
    for chip in program.chips:
        cycles, found = count(program, chip, start, x, targets)
        assert found == expected, chip
        assert len(cycles) == len(x)
        assert 100 < cycles.min() <= cycles.max() < 60_000


@pytest.mark.usefixtures("_tools")
def test_backpropagation_in_assembly_has_the_bits_of_c_and_takes_less() -> None:
    start, (x, targets) = begin(XOR.network), samples(XOR.network)
    (c, sum_c), (assembly, sum_assembly) = (
        count(program, "uno-sim", start, x, targets) for program in (INT16, BY_NAME["backprop, int16, assembly"])
    )
    assert sum_c == sum_assembly == sum_of_weights(Desktop(INT16, XOR.network).weights(start, x, targets))
    assert np.all(assembly < c)


@pytest.mark.thorough
@pytest.mark.parametrize("network", [XOR.network, CLASSES], ids=["squared", "cross-entropy"])
@pytest.mark.parametrize("program", [FLOAT, INT16], ids=lambda program: program.name)
def test_backpropagation_descends_the_gradient(program: Program, network: Shape) -> None:
    """One step from the same weights, against the numerical gradient of the loss."""
    start, (x, targets) = begin(network, rate=0.25), samples(network, 1)
    before = np.ldexp(start.weights.astype(np.float64), -12)
    after = Desktop(program, network).weights(start, x, targets).astype(np.float64)
    change = (after if program.floats else np.ldexp(after, -12)) - before

    def loss(weights: NDArray[np.float64]) -> float:
        inputs, hidden, outputs = network.sizes
        first = weights[: hidden * (inputs + 1)].reshape(hidden, -1)
        second = weights[hidden * (inputs + 1) :].reshape(outputs, -1)
        a = first @ np.append(np.ldexp(x[0].astype(np.float64), -12), 1)
        y = second @ np.append(np.where(a < 0, a / 128, a), 1)
        if network.cross_entropy:
            return float(np.log(np.exp(y).sum()) - y[targets[0, 0]])
        return float(np.square(y - np.ldexp(targets[0].astype(np.float64), -12)).sum() / 2)

    gradient = [(loss(before + step) - loss(before - step)) / 2e-5 for step in 1e-5 * np.eye(len(before))]
    assert change == pytest.approx(-0.25 * np.array(gradient), abs=1e-5 if program.floats else 3 / 4096)


def test_restarts_cost_the_steps_of_those_that_failed() -> None:
    steps = np.array([10.0, 20.0, math.inf, 100.0])
    assert with_restarts(steps, 20.0) == (10 + 20 + 20 + 20) / 2
    assert with_restarts(steps, 100.0) == (10 + 20 + 100 + 100) / 3
    assert with_restarts(steps, 5.0) == math.inf
    assert best_patience(steps) == 20.0
    assert best_patience(np.full(3, math.inf)) == math.inf


@pytest.mark.thorough
def test_anp_learns_from_nearly_every_start_and_backpropagation_with_fewer_steps() -> None:
    found = cost_to_target([XOR], [ANP, INT16], chips=(), seeds=60, tuning=20, rates=(0.16, 0.2263))
    anp, backprop = found
    assert anp.learned > 0.9 > backprop.learned > 0.4
    assert backprop.expected < anp.expected < 400
    again = cost_to_target([XOR], [INT16], chips=(), seeds=60, tuning=20, rates=(0.16, 0.2263))
    np.testing.assert_array_equal(again[0].steps, backprop.steps)


def test_a_start_that_does_not_learn_counts_as_infinite() -> None:
    goal = XOR.goal()
    short = Goal(goal.x, goal.targets, goal.target, most=3, every=1)
    learned = Desktop(INT16, XOR.network).learn(
        short, [begin(XOR.network)], np.zeros((1, 3), np.uint16), np.zeros(300, np.uint16), 0
    )
    assert learned.tolist() == [math.inf]


def test_a_program_that_does_not_compile_is_named() -> None:
    with pytest.raises(BenchError, match=r"backprop, int16 does not compile: .*error"):
        Desktop(INT16, Shape((2, -3, 1), cross_entropy=False))


@pytest.mark.slow
@pytest.mark.usefixtures("_tools")
def test_the_command_shows_every_rule_on_both_chips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtjlearn.experiments.cost_to_target.RATES", (0.2263,))
    done = CliRunner().invoke(cli, ["cost-to-target", "--task", "xor", "--seeds", "20", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [entry["rule"] for entry in found["costs"]] == [program.name for program in PROGRAMS]
    for entry in found["costs"]:
        for chip, cycles in entry["step"].items():
            assert entry["total"][chip] == pytest.approx(cycles * entry["expected_steps"])
    assert "leaky ReLU" in found["peers"]["AIfES 2.2.0, float"]


def test_an_unknown_task_is_named_with_those_that_are_known() -> None:
    done = CliRunner().invoke(cli, ["cost-to-target", "--task", "mnist"])
    assert done.exit_code == 2
    assert "there is no task mnist; choose from digits, iris, wine, xor" in done.stderr


@pytest.mark.usefixtures("_tools")
def test_a_task_that_is_too_large_for_the_uno_is_counted_on_the_other_chip() -> None:
    """Its programs have room for it, those of the Uno alone are left out, and it has a part of the starts."""
    assert DIGITS.chips == ("m4-sim",)
    task = replace(DIGITS, target=0.2, every=10)
    found = cost_to_target([task], seeds=20, tuning=10, rates=[0.2])
    assert [cost.program.name for cost in found] == [program.name for program in PROGRAMS if "m4-sim" in program.chips]
    for cost in found:
        assert set(cost.cycles) == {"m4-sim"}
        assert cost.steps.shape == (20 // task.share,)
        assert np.isfinite(cost.steps).all()
