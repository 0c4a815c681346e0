"""The kernels of the learner in MicroPython against the golden vectors of numerics.md's primitives."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixedpoint_support import load, vector_module
from micropython_support import Interpreter

exact = vector_module("primitives")

INSIDE = {"sat16", "sat32", "round", "initial_limit", "step_exponent", "block_exponent", "dither_word", "dith"}
"""Without a function of their own in MicroPython; the steps that they are part of have them."""


def squares(total: int) -> list[int]:
    """Differences whose squares have this sum."""
    found = []
    while total:
        found.append(min(math.isqrt(total), 32767))
        total -= found[-1] ** 2
    return found


def state_before(state: int) -> int:
    """The state whose next one this is."""
    for shift in (-5, 17, -13):
        value = state
        for _ in range(32 // abs(shift)):
            value = state ^ (value >> shift if shift > 0 else value << -shift & 0xFFFFFFFF)
        state = value
    return state


def factor_for(c: int, word: int) -> int | None:
    """g that gives a row the coefficient c with da = 32767 and k = 15, where there is one."""
    return next((g for g in (c, c + 1, c - 1) if abs(g) <= 32767 and exact.coefficient(g, 32767, word, 15) == c), None)


def question(name: str, case: list[Any], arguments: int) -> tuple[str, list[Any], Any] | None:
    """What is asked, with what, and the right answer; None where no step comes to these arguments."""
    given, results = case[:arguments], case[arguments:]
    wanted = results[0] if len(results) == 1 else results
    if name == "draw":
        return name, [state_before(given[0])], wanted
    if name == "measured_deviation" and len(given[0]) != 200:
        return None
    if name == "correct":
        return name, [given[0], given[1], given[2] if isinstance(given[2], list) else [given[2]]], wanted
    if name == "global_factor":
        return name, [given[0], squares(given[1]), given[2]], wanted
    if name == "noise_gain" and given[0] < 50:
        return None
    if name == "coefficient":
        # With 24 fraction bits, k = -12 - E and an input of 256, an int32 weight becomes c.
        g, da, word, k = given
        if k < abs(da).bit_length():
            return None
        return "updated", [1, 0, 256, g, da, word, -12 - k], wanted
    if name in ("update_int16", "update_int32"):
        w, c, x, word, s = given
        g = factor_for(c, word)
        # One of s = 8, 16, 24 with k = 15 = 12 - E - s
        return None if g is None else ("updated", [int(name == "update_int32"), w, x, g, 32767, word, -3 - s], wanted)
    return name, given, wanted


@pytest.mark.parametrize("port", ["viper", "bytecode", pytest.param("node", marks=pytest.mark.slow)])
def test_every_primitive_gives_its_golden_value(port: str, interpreters: Callable[[str], Interpreter], tmp_path: Path) -> None:
    asked, total = [], 0
    for name, primitive in load("primitives.json").items():
        if name not in INSIDE:
            found = [question(name, case, len(primitive["arguments"])) for case in primitive["cases"]]
            assert any(found), name
            total += len(found)
            asked += [one for one in found if one is not None]
    assert len(asked) > 0.97 * total
    text = json.dumps([[name, given] for name, given, _ in asked])
    answers = json.loads(interpreters(port).run("learner_primitives", text, tmp_path))
    assert len(answers) == len(asked)
    for (name, given, wanted), answer in zip(asked, answers, strict=True):
        assert answer == wanted, f"{name}{given}"
