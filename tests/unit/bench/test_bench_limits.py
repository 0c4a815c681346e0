"""The limit of a step follows from the operations, and the page that explains it has the numbers of the code."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import pytest
from places import PROJECT

from mtjlearn.bench.chip.limits import ATMEGA328P, CORTEX_M4, Costs, step_limit
from mtjlearn.bench.chip.resident import ResidentImage
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.wire.frame import FrameDecoder, encode_frame

PAGE = PROJECT / "docs" / "benchmarks.md"
NAMES = [field.name for field in dataclasses.fields(Costs)]


def costs(**given):
    """Costs of 0 but for those given."""
    return Costs(**{**dict.fromkeys(NAMES, 0), **given})


def counted(sizes, name, **options):
    """How often a step of a network needs one operation."""
    limit = step_limit(Network(sizes, **options), costs(**{name: 1}))
    return limit.draw + limit.forward + limit.normalise + limit.update


def test_operations_of_a_small_network():
    # 2-3-1: 6 + 3 weights, 3 + 1 biases; the first layer's sums serve both passes.
    expected = {
        "multiply_add": 6 + 2 * 3,
        "finish": 3 + 2,
        "square_add": 4 + 2 * 1 + (2 + 3),
        "draw": 8,
        "add_noise": 8,
        "rectify": 6,
        "difference": 4,
        "error": 2,
        "random": 1,
        "factor": 1,
        "count": 1,
        "block": 2,
        "coefficient": 4,
        "update": 9,
        "update_bias": 4,
        # Hidden values of pass 1, differences, weights and biases.
        "store": 3 + 4 + 13,
    }
    assert {name: counted((2, 3, 1), name) for name in expected} == expected


def test_loads_go_the_cheaper_way():
    # 2-3-1 with room for all inputs: 9 rows' values and 2 inputs, then 4 values and 2 x 3 inputs, read once for both passes;
    # the target; in the update 13 weights and biases, 5 inputs once, 4 differences.
    limit = step_limit(Network((2, 3, 1)), costs(load=1, register_inputs=8))
    assert (limit.forward, limit.update) == (9 + 2 + 4 + 6 + 1, 13 + 5 + 4)
    # With no room at all inputs are read for each unit, in the update also for the norm.
    limit = step_limit(Network((2, 3, 1)), costs(load=1))
    assert (limit.forward, limit.update) == (9 + 2 * 3 + 4 + 6 + 1, 13 + 2 * 4 + 3 * 2 + 4)
    plain = step_limit(Network((2, 3, 1), normalised=False), costs(load=1))
    assert plain.update == 13 + 2 * 3 + 3 + 4


def test_options_that_save_operations():
    assert counted((2, 3, 1), "draw", antithetic=True) == 4
    assert counted((2, 3, 1), "square_add", normalised=False) == 4 + 2


@pytest.mark.parametrize(
    "network",
    [
        Network((2, 3, 1), weight_format=WeightFormat.INT32),
        Network((2, 3, 2), loss=Loss.CROSS_ENTROPY),
        Network((2, 3, 1), decorrelate=(True, False), decorrelation_rate=0.001),
    ],
)
def test_no_limit_is_claimed_for_what_is_not_counted(network):
    assert step_limit(network, ATMEGA328P) is None


def test_page_has_the_numbers_of_the_code():
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {name: (float(avr), float(arm)) for name, avr, arm in rows if name in NAMES}
    assert shown == {name: (getattr(ATMEGA328P, name), getattr(CORTEX_M4, name)) for name in NAMES}


def test_the_answer_to_another_question_is_not_taken():
    image = ResidentImage.__new__(ResidentImage)
    image._seq, image._decoder = 6, FrameDecoder()
    answer = [encode_frame(kind, 0, seq, text) for kind, seq, text in ((0x81, 6, b"old"), (0x82, 7, b"other"), (0x81, 7, b"ours"))]
    image._line = SimpleNamespace(write=lambda data: None, read=lambda seconds: b"".join(answer))
    assert image._try(0x01, b"", 60) == b"ours"
