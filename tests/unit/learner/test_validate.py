"""Validation: a board that agrees with the model is proven, one bit elsewhere is found; integers learn as floats do."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest

from mtjlearn.board import Board, BoardLost, BoardRefused
from mtjlearn.discovery import open_board
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import Loss, WeightFormat
from mtjlearn.validate import REPLICAS, TASKS, BitExact, cases, check_board, compare
from mtjlearn.validate.bit_exact import CHUNKS_PER_COMPARISON, SAMPLES_PER_CHUNK
from mtjlearn.validate.cases import NETWORKS
from mtjlearn.virtual.native import start_native
from mtjlearn.wire.messages import Error, Features

pytestmark = pytest.mark.thorough

EVERYTHING = ~Features(0)
STEPS = SAMPLES_PER_CHUNK * CHUNKS_PER_COMPARISON + 7
"""Beyond one comparison, and not a whole number of chunks."""


@pytest.fixture(scope="module")
def native():
    with open_board("native") as board:
        yield board


def case_of(**wanted):
    """The first case whose network is so."""
    return next(
        case
        for case in cases(0, EVERYTHING)
        if all(getattr(case.network, name) == value for name, value in wanted.items()) and not case.full_scale
    )


def test_the_cases_are_all_combinations():
    everything = [case.network for case in cases(0, EVERYTHING)]
    assert len({case.name for case in cases(0, EVERYTHING)}) == len(everything)
    found = [network for network in everything if network.rule == "anp"]
    kinds = {(n.sizes, any(n.decorrelate), n.weight_format, n.loss, n.antithetic) for n in found}
    assert len(kinds) == len(found) == 2 * 2 * 2 * (2 * 2 + 2)  # cross-entropy needs two outputs: half of the networks
    assert {n.sizes for n in found} == set(NETWORKS)
    assert {n.normalised for n in found} == {True, False}
    assert {round(n.learning_rate * n.units, 9) for n in found} == {0.4}
    assert {n.decorrelation_rate for n in found if any(n.decorrelate)} == {2**-10}
    assert {case.full_scale for case in cases(0, EVERYTHING)} == {True, False}
    assert cases(0, EVERYTHING) == cases(0, EVERYTHING)
    seeds = [case.network.seed for seed in range(3) for case in cases(seed, EVERYTHING)]
    assert len(set(seeds)) == len(seeds)


def test_the_other_rules_have_cases_with_every_option():
    found = [case for case in cases(0, EVERYTHING) if case.network.rule != "anp"]
    for rule in ("anp-exact", "feedback"):
        own = [case.network for case in found if case.network.rule == rule]
        assert {(n.sizes, n.loss) for n in own} == {
            (sizes, loss) for sizes in ((4, 3), *NETWORKS) for loss in Loss if sizes[-1] > 1 or loss is Loss.SQUARED
        }
        assert {n.weight_format for n in own} == set(WeightFormat)
        assert {n.normalised for n in own} == {n.antithetic for n in own} == {any(n.decorrelate) for n in own} == {False, True}
        assert len({n.shift for n in own}) > 2
    assert {case.full_scale for case in found} == {False, True}
    assert not [case for case in cases(0, EVERYTHING & ~Features.FEEDBACK) if case.network.rule == "feedback"]
    assert not [case for case in cases(0, EVERYTHING & ~Features.ANP_EXACT) if case.network.shift != 7]


def test_what_a_firmware_lacks_is_left_out():
    plain = [case.network for case in cases(0, Features(0))]
    assert plain
    for network in plain:
        assert not any(network.decorrelate)
        assert (network.loss, network.weight_format) == (Loss.SQUARED, WeightFormat.INT16)
    with_int32 = {case.network.weight_format for case in cases(0, Features.INT32_WEIGHTS)}
    assert with_int32 == set(WeightFormat)


def test_the_samples_of_a_case_are_its_seeds():
    first, second = cases(0, EVERYTHING)[:2]
    for one, two in zip(first.samples(20), first.samples(20), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.codes(300), second.codes(300))
    full = next(case for case in cases(0, EVERYTHING) if case.full_scale)
    assert np.abs(full.samples(200)[0]).max() > 32000


def test_the_native_board_is_the_model(native):
    chosen = [case for case in cases(1, native.info.features) if case.network.sizes != (64, 32, 10)]
    told = []
    found = check_board(native, chosen, STEPS, lambda done, total, name: told.append((done, total, name)))
    assert (found.mismatches, found.first, found.skipped) == (0, [], [])
    assert found.steps == STEPS * len(chosen)
    assert found.proven
    assert [done for done, _, _ in told] == [STEPS * number for number in range(len(chosen) + 1)]
    assert {total for _, total, _ in told} == {found.steps}


def test_the_large_network_is_the_model(native):
    widths = ((on, width) for on in (False, True) for width in WeightFormat)
    chosen = [case_of(sizes=(64, 32, 10), decorrelate=(on, on), weight_format=width) for on, width in widths]
    found = check_board(native, chosen, 20)
    assert len(native.noise(10).codes) == 10, "injected noise bars the board's own from who comes next"
    assert (found.steps, found.mismatches) == (80, 0)


@pytest.mark.parametrize("cases_before", [0, 1])
def test_an_interrupted_validation_leaves_the_board_with_its_own_noise(native, monkeypatch, cases_before):
    chosen = cases(0, EVERYTHING)[:2]
    train = native.train

    def interrupted(x, targets):
        train(x, targets)
        if native.network == chosen[cases_before].network:
            raise KeyboardInterrupt

    monkeypatch.setattr(native, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_board(native, chosen, 20)
    assert native.network == chosen[cases_before].network
    assert len(native.noise(10).codes) == 10


def test_a_board_that_is_lost_in_a_validation_is_reported_as_such(monkeypatch):
    with open_board("native") as board:

        def lost(codes):
            board.close()
            raise BoardLost("the cable is out")

        monkeypatch.setattr(board, "inject", lost)
        with pytest.raises(BoardLost, match="the cable is out"):
            check_board(board, [case_of(sizes=(2, 4, 1))], 20)


def test_one_bit_in_one_weight_is_found(native, monkeypatch):
    class Mutant(FixedNetwork):
        def __init__(self, network):
            super().__init__(network)
            weights = self.weights
            weights[1][0, 2, 3] += 1
            self.set_weights(weights)

    monkeypatch.setattr("mtjlearn.validate.bit_exact.FixedNetwork", Mutant)
    case = case_of(sizes=(4, 8, 3), loss=Loss.SQUARED)
    found = check_board(native, [case], STEPS)
    assert found.mismatches > 0
    assert not found.proven
    assert found.first[0] == f"{case.name}: before the first step: 1 weights of layer 2 differ"
    assert len(found.first) <= 10


@pytest.mark.parametrize(
    ("constant", "change", "loss"),
    [("draws.DITHER_STEP", 2, Loss.SQUARED), ("losses.LN_2", 2, Loss.CROSS_ENTROPY), ("losses.LOG2_E", 64, Loss.CROSS_ENTROPY)],
)
def test_one_digit_in_one_constant_of_the_model_is_found(native, monkeypatch, constant, change, loss):
    module, name = constant.split(".")
    holder = importlib.import_module(f"mtjlearn.fixedpoint.{module}")
    monkeypatch.setattr(holder, name, getattr(holder, name) + change)
    assert check_board(native, [case_of(sizes=(4, 8, 3), loss=loss)], 400).mismatches > 0


def test_a_wrong_random_state_and_a_wrong_matrix_are_found(native, monkeypatch):
    class Mutant(FixedNetwork):
        def train(self, sample, target):
            loss = super().train(sample, target)
            if self.steps == 5:
                self._matrices[0][0, 0, 1] += 1
                self._state ^= 1
            return loss

    monkeypatch.setattr("mtjlearn.validate.bit_exact.FixedNetwork", Mutant)
    case = case_of(sizes=(4, 8, 3), decorrelate=(True, True))
    found = check_board(native, [case], SAMPLES_PER_CHUNK)
    text = "\n".join(found.first)
    assert "random state" in text
    assert "decorrelation matrix 1 differ" in text


@pytest.mark.parametrize("name", ["steps", "skipped", "saturations", "loss_sum"])
def test_a_wrong_count_of_the_board_is_found(native, monkeypatch, name):
    class Wrong:
        def __getattr__(self, wanted):
            return getattr(native, wanted)

        def status(self):
            status = native.status()
            return replace(status, **{name: getattr(status, name) + 1})

    case = case_of(sizes=(4, 8, 3), loss=Loss.SQUARED)
    found = check_board(Wrong(), [case], SAMPLES_PER_CHUNK)
    said = name.replace("loss_sum", "sum of losses")
    assert found.first[0].startswith(f"{case.name}: before the first step: {said} is 1, the model says 0")


def test_a_case_that_does_not_fit_is_left_out_and_said():
    with start_native(arena=1024) as small, Board.open(small.url) as board:
        chosen = [case_of(sizes=(64, 32, 10)), case_of(sizes=(2, 4, 1))]
        found = check_board(board, chosen, 10)
    assert (found.steps, found.mismatches) == (10, 0)
    assert len(found.skipped) == 1
    assert found.skipped[0].startswith(chosen[0].name)
    assert "bytes more than it has" in found.skipped[0]
    assert not BitExact().proven  # nothing was compared


def test_another_refusal_is_not_hidden(native, monkeypatch):
    def refuse(*_, **__):
        raise BoardRefused("CONFIGURE", Error.OUT_OF_RANGE, 1, "out of range")

    monkeypatch.setattr(Board, "configure", refuse)
    with pytest.raises(BoardRefused):
        check_board(native, cases(0, EVERYTHING)[:1], 10)


@pytest.mark.parametrize("rule", ["anp", pytest.param("danp", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("task", "replicas"), [("xor", 16), ("teacher-student", 8)])
def test_the_integers_learn_as_well_as_floats(task, rule, replicas):
    told = []
    found = compare(task, rule, replicas, progress=told.append)
    low, high = found.ci95
    assert low <= found.ratio <= high
    assert 0.8 < found.ratio < 1.25
    assert found.replicas == replicas
    assert 0 < found.fixed < 1
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert found.figures == {"ratio": found.ratio, "ci95": [low, high], "replicas": replicas}


@pytest.mark.parametrize("rule", ["anp-exact", "feedback"])
def test_the_integers_of_the_other_rules_learn_as_well_as_floats(rule):
    assert 0.8 < compare("xor", rule, 16).ratio < 1.25


def test_a_comparison_repeats_itself(monkeypatch):
    monkeypatch.setitem(TASKS, "xor", replace(TASKS["xor"], epochs=10))
    assert compare("xor", "anp", 3) == compare("xor", "anp", 3)
    assert compare("xor", "anp", 3) != compare("xor", "anp", 3, weight_format=WeightFormat.INT32)


def test_every_task_has_replicas():
    for table in REPLICAS.values():
        assert set(table) == set(TASKS) == {"teacher-student", "xor", "iris", "digits"}
