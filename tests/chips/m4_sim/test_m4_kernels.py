"""The learner's own functions for Cortex-M4 against those in C, on the chip: networks of all kinds, values at every limit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mtjlearn.firmware import find_arm_gcc, firmware_root

HERE = Path(__file__).resolve().parent
CASES = 1500
CHIP = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-std=gnu11")
CODE = ("-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-strict-aliasing", "-ffunction-sections")


def trained(folder: Path, *flags: str) -> list[list[str]]:
    """What each case gave: number, checksum of losses and weights, random state, skipped steps, saturations."""
    firmware = firmware_root() / "firmware"
    learner, board = firmware / "lib" / "anp" / "src", firmware / "boards" / "qemu"
    image = folder / "learner.elf"
    command = [find_arm_gcc(), *CHIP, *CODE, *flags, f"-I{learner}", f"-I{board}", *sorted(learner.glob("*.[cS]"))]
    command += [HERE / "learner.c", board / "semihosting.c", "-nostartfiles", "-Wl,--gc-sections", f"-T{board / 'mps2.ld'}"]
    built = subprocess.run([*command, "-o", image], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    simulator = ["qemu-system-arm", "-M", "mps2-an386", "-nic", "none", "-display", "none", "-kernel", image]
    simulator += ["-semihosting-config", "enable=on,target=native"]
    run = subprocess.run(simulator, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert "all cases are done" in run.stderr
    return [line.split() for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    return trained(tmp_path_factory.mktemp("portable"), "-O2", "-DANP_PORTABLE")


@pytest.mark.parametrize("optimisation", ["-O2", "-Os"])
def test_the_chips_own_functions_give_the_same_bits(tmp_path: Path, in_c: list[list[str]], optimisation: str) -> None:
    assert trained(tmp_path, optimisation) == in_c


def test_the_cases_are_worth_something(in_c: list[list[str]]) -> None:
    assert len(in_c) > 0.9 * CASES
    assert len({line[1] for line in in_c}) == len(in_c)
    saturated = sum(int(line[4], 16) > 0 for line in in_c)
    assert 0.3 * CASES < saturated < 0.9 * CASES
    assert sum(int(line[3], 16) for line in in_c) > 100
