"""The golden vectors find faults that are planted in the learner in MicroPython: each is one change in one kernel."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from micropython_support import Interpreter, vector_differences

FAULTS = {
    "a dot product is rounded down": ("forward.py", "low1 = 2048", "low1 = 0"),
    "pass 2 reads pass 1": ("forward.py", "j2 = x2", "j2 = x1"),
    "ReLU rounds down": ("forward.py", "a1 = -(-a1 >> slope)", "a1 = a1 >> slope"),
    "a decorrelated input is rounded down": ("forward.py", "low = 8192", "low = 0"),
    "a saturation of z is not counted": (
        "forward.py",
        "a1 = high1 + bias + (low1 >> 12)\n            if a1 > 32767:\n                a1 = 32767\n                cut += 1",
        "a1 = high1 + bias + (low1 >> 12)\n            if a1 > 32767:\n                a1 = 32767",
    ),
    "noise is rounded down": ("noise.py", "(v * odd + 32768)", "(v * odd)"),
    "strides end otherwise": ("noise.py", "if k & 2:", "if k & 1:"),
    "the ring's sum misses what leaves": ("noise.py", "total += code - r[position]", "total += code"),
    "the loss is limited a bit later": ("loss.py", "if high > 32767:", "if high > 65535:"),
    "2^-u is rounded down": ("loss.py", "e = (e + (1 << (u - 1))) >> u", "e >>= u"),
    "log2 of the sum is rounded down": ("loss.py", "(low + (8 << n))", "low"),
    "the quotient lacks its last bit": ("update.py", "if v >= s:\n        q += 1", "if v >= s:\n        q += 0"),
    "descent is ascent": ("update.py", "-v if descends else v", "v if descends else -v"),
    "h without the one": ("update.py", "high = 255", "high = 0"),
    "a layer below the resolution uses no words": ("update.py", "v = (units * (n + 2)) & 65535", "v = 0"),
    "a bias is 1/2": ("update.py", "v = c << 12", "v = c << 11"),
    "int32 weights lose a carry": ("update.py", "+ (v >> (16 - up)) + (low >> 16)", "+ (v >> (16 - up))"),
    "a weight may be -32768": ("update.py", "elif v < -32767:", "elif v < -32768:"),
    "R is rounded otherwise": ("decorrelation.py", "(xbar * w + 8192) >> 14", "(xbar * w) >> 14"),
    "steps are words, not steps": ("update.py", "low = c[6] + skipped", "low = c[6]"),
}


def test_without_a_fault_nothing_differs(interpreters: Callable[[str], Interpreter], tmp_path: Path) -> None:
    assert vector_differences(interpreters("viper"), tmp_path) == []


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, interpreters: Callable[[str], Interpreter], tmp_path: Path) -> None:
    module, right, wrong = FAULTS[fault]
    sound = interpreters("viper")
    folder = tmp_path / "planted"
    shutil.copytree(sound.folder, folder)
    text = (folder / module).read_text(encoding="utf-8")
    assert text.count(right) >= 1
    (folder / module).write_text(text.replace(right, wrong), encoding="utf-8")
    assert vector_differences(dataclasses.replace(sound, folder=folder), tmp_path)
