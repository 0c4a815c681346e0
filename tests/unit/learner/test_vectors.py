"""The golden vectors are what the generator makes, and the integer model reproduces every primitive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fixedpoint_support import VECTORS, ScalarNetwork, load, vector_module

from mtjlearn import fixedpoint as fp
from mtjlearn.inprocess import Learner
from mtjlearn.network import Loss, Network, WeightFormat

PRIMITIVES = load("primitives.json")
STEPS = load("steps.json")
RULES = load("rules.json")


def is_large(case: dict[str, Any]) -> bool:
    """Whether Python's integers take about a second: 64 inputs that are decorrelated."""
    configuration = case["configuration"]
    return bool(configuration["decorrelate"] and configuration["sizes"][0] == 64)


def column(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def one(values: Any) -> int:
    return int(np.ravel(values)[0])


def each(function: Callable[..., Any]) -> Callable[..., list[int]]:
    """A primitive on scalars, one result."""
    return lambda *arguments: [one(function(*(column([a]) for a in arguments)))]


def draw(r: int) -> list[int]:
    drawn = fp.draw_parameters(column([r]))
    return [one(drawn.start), one(drawn.stride), one(drawn.dither)]


def weights(seed: int, sizes: list[int]) -> list[Any]:
    layers, state = fp.initial_weights(column([seed]), tuple(sizes), WeightFormat.INT16)
    wide, _ = fp.initial_weights(column([seed]), tuple(sizes), WeightFormat.INT32)
    assert all((a << 16 == b).all() for a, b in zip(layers, wide, strict=True))
    return [[int(w) for rows in layers for w in rows.ravel()], one(state)]


def pre_activation(weight_format: int, row: list[int], x: list[int]) -> list[int]:
    rows = fp.readable(column(row)[None, None, :], WeightFormat(weight_format))
    return [one(fp.pre_activation(rows, fp.with_bias(column(x)[None, :, None])))]


def update_matrix(matrix: Any, xbar: Any, rate: int, rounding: int, first: int) -> list[Any]:
    n = len(xbar)
    words = fp.dither_words(column([first]), n * (n + 1)) if rounding else np.full((1, n * (n + 1)), first)
    return [fp.update_matrix(column([matrix]), column([xbar]), rate, words)[0].tolist()]


def gain(deviation: int, sigma: int) -> list[int]:
    return [one(value) for value in fp.noise_gain(column([deviation]), sigma)]


FUNCTIONS: dict[str, Callable[..., list[Any]]] = {
    "sat16": each(fp.sat16),
    "sat32": each(fp.sat32),
    "round": each(fp.round_shift),
    "bits": each(fp.bit_length),
    "norm16": each(fp.norm16),
    "isqrt": each(fp.isqrt),
    "xorshift32": each(fp.xorshift32),
    "draw": draw,
    "initial_limit": lambda fan_in: [fp.initial_limit(fan_in)],
    "initial_weights": weights,
    "measured_deviation": lambda ring: [one(fp.measured_deviation(column([ring])))],
    "configured_deviation": lambda noise_std: [fp.configured_deviation(noise_std)],
    "noise_gain": gain,
    "noise_value": each(fp.noise_value),
    "pre_activation": pre_activation,
    "leaky_relu": each(fp.leaky_relu),
    "decorrelated": lambda row, x: [one(fp.decorrelated(column([[row]]), column([x])[:, :, None]))],
    "exp2neg_table": lambda i: [int(fp.EXP2NEG[i]) % 2**16],
    "log2_table": lambda i: [int(fp.LOG2[i]) % 2**16],
    "exp2neg": each(fp.exp2neg),
    "log2table": each(fp.log2table),
    "squared_loss": lambda y, t: [one(fp.squared_loss(column([y]), column([t])))],
    "cross_entropy_loss": lambda y, c: [one(fp.cross_entropy_loss(column([y]), column([c])))],
    "correct": lambda loss, y, t: [one(fp.is_correct(Loss(loss), column([y]), column([t])))],
    "global_factor": lambda dl, s, eta: [one(v) for v in fp.global_factor(column([dl]), column([s]), eta)],
    "step_exponent": lambda x: [one(fp.step_exponent(column([x])))],
    "block_exponent": lambda h, e, d: [one(v) for v in fp.block_exponent(column([h]), column([e]), column([d]))],
    "dither_word": lambda first, uses: [int(fp.dither_words(column([first]), uses + 1)[0, uses])],
    "dith": each(fp.dither),
    "coefficient": each(fp.coefficient),
    "update_int16": lambda w, c, x, word, s: each(fp.update_int16)(w, c * x, word, s),
    "update_int32": lambda w, c, x, word, s: each(fp.update_int32)(w, c * x, word, s),
    "update_matrix": update_matrix,
}


def test_every_primitive_has_vectors_and_every_vector_a_test() -> None:
    assert set(FUNCTIONS) == set(PRIMITIVES)
    assert all(entry["cases"] for entry in PRIMITIVES.values())


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitive(name: str) -> None:
    entry = PRIMITIVES[name]
    split = len(entry["arguments"])
    for case in entry["cases"]:
        assert len(case) == split + len(entry["results"])
        assert FUNCTIONS[name](*case[:split]) == case[split:], f"{name}{tuple(case[:split])}"


@pytest.mark.thorough
def test_files_are_what_the_generator_writes() -> None:
    generate = vector_module("generate")
    assert (VECTORS / "primitives.json").read_text(encoding="utf-8") == generate.primitives_text()
    steps = vector_module("steps")
    for name, cases in (("steps.json", steps.cases()), ("rules.json", steps.rule_cases())):
        assert (VECTORS / name).read_text(encoding="utf-8") == generate.steps_text(cases)
    assert sum(path.stat().st_size for path in VECTORS.glob("*.json")) < 300_000


class InC:
    """The learner in C as steps.run() asks the model: one replica of everything."""

    def __init__(self, network: Network) -> None:
        self.learner = Learner(network)
        self.put_codes, self.set_rates = self.learner.put_codes, self.learner.set_rates

    def train(self, x: list[int], target: list[int]) -> Any:
        return self.learner.train(np.array([x]), np.array([target]))

    def predict(self, x: list[int]) -> Any:
        return self.learner.predict(np.array([x]))

    def evaluate(self, x: list[int], target: list[int]) -> Any:
        return [[each] for each in self.learner.evaluate(np.array([x]), np.array([target]))]

    def __getattr__(self, name: str) -> Any:
        if name in ("weights", "matrices", "feedback"):
            return [None if each is None else each[None] for each in getattr(self.learner, name)]
        return [getattr(self.learner.counters, name)]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in RULES])
def test_the_other_rules_in_c(case: dict[str, Any]) -> None:
    given = {key: value for key, value in case.items() if key != "expected"}
    assert vector_module("steps").run(given, InC) == case["expected"]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["name"], marks=pytest.mark.thorough if is_large(case) else ()) for case in STEPS],
)
def test_scalar_step_agrees(case: dict[str, Any]) -> None:
    """A second, scalar reading of the specification arrives at the same vectors."""
    network, drive = ScalarNetwork(case["configuration"]), case["stimulus"]
    stimulus = vector_module("steps").Stimulus(drive["seed"])
    if "initial_weights" in case:
        values = iter(case["initial_weights"])
        network.rows = [[[next(values) for _ in row] for row in rows] for rows in network.rows]
    for code in stimulus.values(drive["codes"], 200):
        network.put(code)
    rates = {step: new for step, *new in case.get("rates", [])}
    losses = []
    outputs = 1 if case["configuration"]["loss"] else network.sizes[-1]
    for step in range(case["steps"]):
        if step in rates:
            network.c["learning_rate"], network.c["decorrelation_rate"] = rates[step]
        for code in stimulus.values(drive["codes"], drive["codes_per_step"]):
            network.put(code)
        x = stimulus.values(drive["inputs"], network.sizes[0])
        losses.append(network.train(x, stimulus.values(drive["targets"], outputs)))
    expected = case["expected"]
    assert losses == expected["losses"]
    assert network.state == expected["random_state"]
    assert (network.skipped, network.saturations) == (expected["skipped"], expected["saturations"])
    flat = [w for rows in network.rows for row in rows for w in row]
    dtype = np.dtype("<i4" if case["configuration"]["weight_format"] else "<i2")
    blob = vector_module("steps").blob
    assert blob("weights", [np.array(flat, dtype=dtype)]).items() <= expected.items()
    flat = [v for matrix in network.matrices if matrix is not None for row in matrix for v in row]
    assert blob("matrices", [np.array(flat, dtype="<i2")]).items() <= expected.items()
