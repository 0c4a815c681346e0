"""A million injected faults against the device's end of the wire, on a virtual clock."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

WIRE = "firmware/lib/wire/src"


@pytest.fixture(scope="module")
def faults(compile_c: Callable[..., Path], project: Path) -> Path:
    return compile_c(["tests/c/faults.c", "tests/c/faulty_line.c", *sorted((project / WIRE).glob("*.c"))], [WIRE])


def test_every_command_is_intact_in_order_and_executed_once(faults: Path) -> None:
    run = subprocess.run([faults, "1000000", "0"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    words = run.stdout.split()
    counts = {name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)}
    assert counts["total"] >= 1_000_000
    kinds = ("flip", "drop", "double", "insert", "repeat", "merge", "return", "stall")
    assert sum(counts[kind] for kind in kinds) == counts["total"]
    assert min(counts[kind] for kind in kinds) > 5_000
    assert min(counts[name] for name in ("restarts", "resent", "later", "executed", "returned")) > 500


def test_a_seed_repeats_its_trial(faults: Path) -> None:
    outputs = {subprocess.run([faults, "1", "3"], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(outputs) == 1
