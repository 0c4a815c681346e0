"""The learner's own functions for Cortex-M4 and Cortex-M0 against those in C, on the chip: all kinds of networks and values."""

from __future__ import annotations

from pathlib import Path

import pytest
from qemu_support import Chip, run_in_qemu

PROGRAM = Path(__file__).resolve().with_name("learner.c")
CASES = 1500


def trained(chip: Chip, folder: Path, *flags: str) -> list[list[str]]:
    """What each case gave: number, checksum of losses and weights, random state, skipped steps, saturations."""
    return [line.split() for line in run_in_qemu(chip, folder / "learner.elf", [PROGRAM], *flags).splitlines()]


@pytest.fixture(scope="module")
def in_c(chip: Chip, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    return trained(chip, tmp_path_factory.mktemp("portable"), "-O2", "-DANP_PORTABLE")


@pytest.mark.parametrize(
    ("chip", "optimisation"),
    [("m4", "-O2"), ("m4", "-Os"), ("m0", "-O2"), pytest.param("m0", "-Os", marks=pytest.mark.slow)],
    indirect=["chip"],
)
def test_the_chips_own_functions_give_the_same_bits(chip: Chip, tmp_path: Path, in_c: list[list[str]], optimisation: str) -> None:
    assert trained(chip, tmp_path, optimisation) == in_c


@pytest.mark.parametrize("chip", ["m4", "m0"], indirect=True)
def test_the_cases_are_worth_something(in_c: list[list[str]]) -> None:
    assert len(in_c) > 0.9 * CASES
    assert len({line[1] for line in in_c}) == len(in_c)
    saturated = sum(int(line[4], 16) > 0 for line in in_c)
    assert 0.3 * CASES < saturated < 0.9 * CASES
    assert sum(int(line[3], 16) for line in in_c) > 100
