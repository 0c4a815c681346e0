"""What the C learner takes and what it refuses, field by field, to the last unit: programs call it without the host's checks."""

from __future__ import annotations

from enum import IntEnum

import pytest

from mtjlearn.inprocess.learner import DEFINITIONS
from mtjlearn.inprocess.loader import Library

WIDEST = 1024
library = Library(DEFINITIONS)


class Status(IntEnum):
    """As in anp.h."""

    OK = 0
    BAD_LOSS = 1
    BAD_WEIGHT_FORMAT = 2
    BAD_ROUNDING = 3
    BAD_DECORRELATE = 4
    BAD_SIGMA = 5
    BAD_DECORRELATION_RATE = 6
    BAD_SEED = 7
    BAD_SIZES = 8
    TOO_MANY_UNITS = 9
    BAD_RULE = 11
    BAD_SLOPE = 12


CONFIG = {
    **{"loss": 0, "weight_format": 0, "rounding": 0, "normalised": True, "antithetic": False, "decorrelate": 0},
    **{"sigma": 41, "noise_std": 0, "learning_rate": 65536, "decorrelation_rate": 0, "seed": 7, "layers": 2, "sizes": [3, 4, 2]},
}


def check(**changes: object) -> Status:
    ffi, lib = library.load()
    status = ffi.new("int *")
    learner = lib.learner_create(ffi.new("struct anp_config *", {**CONFIG, **changes}), status)
    assert (learner == ffi.NULL) == (status[0] != 0)
    if learner != ffi.NULL:
        lib.learner_destroy(learner)
    return Status(status[0])


@pytest.mark.parametrize(
    ("field", "least", "most", "status"),
    [
        ("loss", 0, 1, Status.BAD_LOSS),
        ("weight_format", 0, 1, Status.BAD_WEIGHT_FORMAT),
        ("rounding", 0, 1, Status.BAD_ROUNDING),
        ("rule", 0, 2, Status.BAD_RULE),
        ("slope", 0, 12, Status.BAD_SLOPE),
        ("sigma", 16, 4095, Status.BAD_SIGMA),
        ("seed", 1, 2**32 - 1, Status.BAD_SEED),
    ],
)
def test_limits(field: str, least: int, most: int, status: Status) -> None:
    assert check(**{field: least}) == check(**{field: most}) == Status.OK
    if least > 0:
        assert check(**{field: least - 1}) == status
    if most < 2**32 - 1:
        assert check(**{field: most + 1}) == status


def test_a_rate_of_decorrelation_counts_where_a_layer_has_it() -> None:
    for rate in (127, 128, 4194304, 4194305):
        is_right = 128 <= rate <= 4194304
        assert check(decorrelate=3, decorrelation_rate=rate) == (Status.OK if is_right else Status.BAD_DECORRELATION_RATE)
        assert check(decorrelate=0, decorrelation_rate=rate) == Status.OK
    assert check(decorrelate=2, decorrelation_rate=128) == Status.OK
    assert check(decorrelate=4, decorrelation_rate=128) == Status.BAD_DECORRELATE


def test_layers_widths_and_units() -> None:
    assert check(layers=0) == Status.BAD_SIZES
    assert check(layers=1, sizes=[3, 2]) == check(layers=8, sizes=[2] * 9) == Status.OK
    assert check(layers=9, sizes=[2] * 9) == Status.BAD_SIZES
    for place in range(3):
        sizes = [3, 4, 2]
        sizes[place] = 0
        assert check(sizes=sizes) == Status.BAD_SIZES
    assert check(sizes=[WIDEST, 4, 2]) == Status.OK
    assert check(sizes=[WIDEST + 1, 4, 2]) == Status.BAD_SIZES
    assert check(loss=1, sizes=[3, 4, 1]) == Status.BAD_SIZES
    assert check(loss=0, sizes=[3, 4, 1]) == check(loss=1, sizes=[3, 4, 2]) == Status.OK
    # The units of a step share 200 codes, and each takes two, or one if the second pass negates it.
    for antithetic, units in ((False, 100), (True, 200)):
        assert check(antithetic=antithetic, sizes=[3, units - 2, 2]) == Status.OK
        assert check(antithetic=antithetic, sizes=[3, units - 1, 2]) == Status.TOO_MANY_UNITS


@pytest.mark.parametrize("rule", [1, 2])
def test_units_of_the_other_rules(rule: int) -> None:
    for antithetic, hidden in ((False, 100), (True, 199)):
        hidden = 199 if rule == 2 else hidden
        outputs = min(100, 200 - hidden)
        assert check(rule=rule, antithetic=antithetic, sizes=[3, hidden, outputs]) == Status.OK
        assert check(rule=rule, antithetic=antithetic, sizes=[3, hidden + 1, outputs]) == Status.TOO_MANY_UNITS
    assert check(rule=rule, layers=1, sizes=[3, 200]) == Status.OK
    assert check(rule=rule, layers=1, sizes=[3, 201]) == check(rule=rule, sizes=[3, 90, 111]) == Status.TOO_MANY_UNITS


def test_feedback_takes_memory() -> None:
    assert arena(rule=2) - arena(rule=1) == 2 * 4 * 2
    assert arena(rule=2, layers=3, sizes=[3, 4, 5, 2]) - arena(rule=1, layers=3, sizes=[3, 4, 5, 2]) == 2 * (4 + 5) * 2
    assert arena(rule=2, layers=1, sizes=[3, 4]) == arena(rule=1, layers=1, sizes=[3, 4])


def arena(**changes: object) -> int:
    ffi, lib = library.load()
    learner = lib.learner_create(ffi.new("struct anp_config *", {**CONFIG, **changes}), ffi.new("int *"))
    used = int(lib.learner_counters(learner).arena_used)
    lib.learner_destroy(learner)
    return used


def test_bytes_of_a_network() -> None:
    plain = arena()
    # Three int16 values for each unit, and its weights.
    assert arena(sizes=[3, 5, 2]) - plain == 2 * (3 + 4 + 2)
    assert arena(weight_format=1) - plain == 2 * (4 * 4 + 2 * 5)
    # For each decorrelated layer a matrix and its inputs; 32 and 16 bits for each input of the widest.
    for decorrelate, inputs in ((1, [3]), (2, [4]), (3, [3, 4])):
        expected = sum(2 * n * n + 2 * n for n in inputs) + 6 * max(inputs)
        assert arena(decorrelate=decorrelate, decorrelation_rate=128) - plain == expected
