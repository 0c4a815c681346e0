"""The learner in MicroPython against the golden vectors, the integer model and C, its heap locked in every step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from micropython_support import Interpreter, Job, check, configure_line, halves_hex, samples_hex, state_of, vector_differences

from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import Loss, Network, Rounding, WeightFormat
from mtjlearn.validate import Case, cases
from mtjlearn.validate.bit_exact import CHUNKS_PER_COMPARISON, CODES_PER_CHUNK, SAMPLES_PER_CHUNK
from mtjlearn.wire.messages import Features

Interpreters = Callable[[str], Interpreter]

ALL = ~Features(0)
ALL_CASES = cases(0, ALL)
PORTS = ("viper", "bytecode", pytest.param("node", marks=pytest.mark.slow))


@pytest.mark.parametrize("port", PORTS)
def test_golden_vectors(port: str, interpreters: Interpreters, tmp_path: Path) -> None:
    assert vector_differences(interpreters(port), tmp_path) == []


def case_job(case: Case, count: int) -> Job:
    """A case of `mtjlearn validate` with this many steps, driven as `validate` drives a board; the model says what is right."""
    job, model = Job(), FixedNetwork(case.network)
    x, targets = case.samples(count)
    chunks = -(-count // SAMPLES_PER_CHUNK)
    codes = case.codes(200 + chunks * CODES_PER_CHUNK)
    job.lines.append(configure_line(case.network))
    job.lines.append("codes " + halves_hex(codes[:200]))
    model.put_codes(codes[:200])
    for chunk in range(chunks):
        fresh = codes[200 + chunk * CODES_PER_CHUNK :][:CODES_PER_CHUNK]
        part = slice(chunk * SAMPLES_PER_CHUNK, min((chunk + 1) * SAMPLES_PER_CHUNK, count))
        job.lines.append("codes " + halves_hex(fresh))
        model.put_codes(fresh)
        losses = [int(model.train(sample, target)[0]) for sample, target in zip(x[part], targets[part], strict=True)]
        job.ask("train " + samples_hex(x[part], targets[part]), " ".join(map(str, losses)))
        if (chunk + 1) % CHUNKS_PER_COMPARISON == 0 or chunk == chunks - 1:
            job.ask("state", state_of(model))
    outputs = model.predict(x[0])[0]
    loss, correct = model.evaluate(x[0], targets[0])
    job.ask("predict " + halves_hex(x[0]), halves_hex(outputs))
    job.ask("evaluate " + samples_hex(x[:1], targets[:1]), f"{int(loss[0])} {int(correct[0])}")
    return job


def check_cases(interpreter: Interpreter, chosen: list[Case], count: int, scratch: Path) -> None:
    jobs = [case_job(case, count) for case in chosen]
    answers = interpreter.answers([line for job in jobs for line in job.lines], scratch)
    for case, job in zip(chosen, jobs, strict=True):
        here, answers = answers[: len(job.expected)], answers[len(job.expected) :]
        check(job, case.network, here, case.name)
    assert not answers


def test_there_are_64_cases_to_validate() -> None:
    assert len(ALL_CASES) == 64


@pytest.mark.thorough
def test_all_cases_on_viper(interpreters: Interpreters, tmp_path: Path) -> None:
    check_cases(interpreters("viper"), ALL_CASES, 60, tmp_path)


@pytest.mark.thorough
def test_some_cases_on_bytecode(interpreters: Interpreters, tmp_path: Path) -> None:
    check_cases(interpreters("bytecode"), [case for case in ALL_CASES if case.network.sizes[0] < 64][::7], 60, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("port", ["viper", "bytecode"])
def test_all_cases_for_long(port: str, part: int, interpreters: Interpreters, tmp_path: Path) -> None:
    check_cases(interpreters(port), ALL_CASES[part::4], 2000, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_all_cases_with_integers_of_31_bits(part: int, interpreters: Interpreters, tmp_path: Path) -> None:
    check_cases(interpreters("node"), ALL_CASES[part::4], 300, tmp_path)


def widest() -> list[Network]:
    """Networks at the limits of what a configuration may ask for."""
    wide = {"decorrelation_rate": 2.0**-6, "sigma": 0.9, "learning_rate": 0.5, "seed": 99}
    return [
        Network((1024, 2), decorrelate=(False,), **wide),
        Network((1024, 1, 1), weight_format=WeightFormat.INT32, loss=Loss.SQUARED, normalised=False, **wide),
        Network((96, 2, 3), decorrelate=(True, True), loss=Loss.CROSS_ENTROPY, **wide),
        Network((3, *[4] * 8), decorrelate=(True,) * 8, antithetic=True, **wide),
        Network((2, 200), antithetic=True, loss=Loss.CROSS_ENTROPY, **wide),
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("port", ["viper", "node"])
def test_the_widest_networks_at_full_scale(port: str, interpreters: Interpreters, tmp_path: Path) -> None:
    jobs = [random_job((network, 5, 32767, 16), at_limits=True) for network in widest()]
    answers = interpreters(port).answers([line for job in jobs for line in job.lines], tmp_path)
    for network, job in zip(widest(), jobs, strict=True):
        here, answers = answers[: len(job.expected)], answers[len(job.expected) :]
        check(job, network, here, network.name)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    layers = draw(st.integers(1, 4))
    sizes = tuple(draw(st.lists(st.integers(1, 9), min_size=layers + 1, max_size=layers + 1)))
    return Network(
        sizes,
        loss=draw(st.sampled_from(Loss)) if sizes[-1] > 1 else Loss.SQUARED,
        weight_format=draw(st.sampled_from(WeightFormat)),
        rounding=draw(st.sampled_from(Rounding)),
        normalised=draw(st.booleans()),
        antithetic=draw(st.booleans()),
        decorrelate=tuple(draw(st.lists(st.booleans(), min_size=layers, max_size=layers))),
        learning_rate=draw(st.floats(0, 15.9)) ** 3 / 400,
        decorrelation_rate=draw(st.floats(2**-21, 2**-6)),
        sigma=draw(st.floats(1 / 256, 0.99)),
        noise_std=draw(st.sampled_from([0.0, 1.0, 5.5, 200.0])),
        seed=draw(st.integers(1, 2**32 - 1)),
    )


Run = tuple[Network, int, int, int]
runs = st.tuples(networks(), st.integers(0, 2**32 - 1), st.sampled_from([300, 4096, 32767]), st.sampled_from([10, 12, 14, 16]))


def random_job(run: Run, *, at_limits: bool = False) -> Job:
    """A network on random samples of a range, with codes of two levels of a converter of this many bits.

    With ``at_limits`` all weights, and the inputs of the first sample, begin at the largest number, so that no sum can be larger.
    """
    network, seed, scale, adc_bits = run
    job, model, rng = Job(), FixedNetwork(network), np.random.default_rng(seed)
    count, per_step = 12, 3
    levels = rng.choice(2**adc_bits - 1, size=2, replace=False)
    codes = levels[rng.integers(0, 2, 200 + count * per_step)] + rng.integers(0, 2, 200 + count * per_step)
    x = rng.integers(-scale, scale + 1, (count, network.sizes[0]))
    if network.loss is Loss.CROSS_ENTROPY:
        targets = rng.integers(0, network.sizes[-1], (count, 1))
    else:
        targets = rng.integers(-scale, scale + 1, (count, network.sizes[-1]))
    job.lines.append(configure_line(network))
    if at_limits:
        limit = 2**31 - 1 if network.weight_format is WeightFormat.INT32 else 32767
        largest = [np.full_like(rows, limit) for rows in model.weights]
        model.set_weights(largest)
        job.lines.append("weights " + b"".join(rows.tobytes() for rows in largest).hex())
        x[0] = scale
    job.lines.append("codes " + halves_hex(codes[:200]))
    model.put_codes(codes[:200])
    for i in range(count):
        fresh = codes[200 + i * per_step :][:per_step]
        job.lines.append("codes " + halves_hex(fresh))
        model.put_codes(fresh)
        job.ask("train " + samples_hex(x[i : i + 1], targets[i : i + 1]), str(int(model.train(x[i], targets[i])[0])))
    job.ask("state", state_of(model))
    return job


@pytest.mark.thorough
@pytest.mark.parametrize("port", ["viper", "bytecode"])
def test_random_networks(port: str, interpreters: Interpreters, tmp_path: Path) -> None:
    interpreter = interpreters(port)

    @settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(runs, min_size=8, max_size=8))
    def equal(several: list[Run]) -> None:
        jobs = [random_job(run) for run in several]
        answers = interpreter.answers([line for job in jobs for line in job.lines], tmp_path)
        for run, job in zip(several, jobs, strict=True):
            here, answers = answers[: len(job.expected)], answers[len(job.expected) :]
            check(job, run[0], here, str(run))

    equal()
