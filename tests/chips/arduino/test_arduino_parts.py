"""Parts of firmware/boards/arduino on their own: the ring of codes, and the boot count through power cuts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

WAITING = 16
"""Codes that the ring holds."""


@pytest.fixture(scope="session")
def codes_program(compile_arduino: Callable[..., Path]) -> Path:
    # The core is none in particular: its sizes are given, and that its codes come by interrupts.
    sizes = (f"-DCODES_WAITING={WAITING}", "-DBOARD_ARENA=1024", "-DLINE_RECEIVER=256")
    sources = ["tests/chips/arduino/codes.cpp", "firmware/boards/arduino/codes.cpp", "tests/chips/arduino/fake/fake.cpp"]
    return compile_arduino(sources, *sizes)


def take_all(program: Path, commands: list[str]) -> list[tuple[list[int], int]]:
    """The answers to the commands: codes taken, and the codes lost before the last of them."""
    run = subprocess.run([program], input="\n".join(commands), capture_output=True, text=True, check=True)
    answers = [line.split("|") for line in run.stdout.splitlines()]
    return [([int(code) for code in codes.split()], int(lost)) for codes, lost in answers]


def test_codes_come_in_order_and_every_hole_lies_between_two_calls_and_is_counted(codes_program: Path) -> None:
    rng = np.random.default_rng(1)
    commands, converted = [], 0
    for _ in range(4000):
        kind = rng.choice(["put", "take", "miss"], p=[0.48, 0.48, 0.04])
        count = int(rng.integers(1, 12))
        converted += count if kind != "take" else 0
        commands.append(f"{kind} {count}")
    commands += ["take 64"] * 3
    answers = take_all(codes_program, commands)
    taken, holes, before = 0, 0, 0
    for codes, lost in answers:
        holes += lost != before
        before = lost
        # A code's number is its value: all before it were taken or are counted as lost.
        assert codes == [(taken + lost + index) % 2**16 for index in range(len(codes))]
        taken += len(codes)
    assert holes > 100
    assert taken + before == converted < 2**16


def test_a_full_ring_keeps_the_oldest_codes(codes_program: Path) -> None:
    answers = take_all(codes_program, [f"put {WAITING + 5}", "take 10", "put 3", "take 64", "take 64", "put 2", "take 64"])
    assert answers[0] == (list(range(10)), 0)
    # The three came while a hole lay before them: nothing is let in until all before the hole are taken.
    assert answers[1] == (list(range(10, WAITING)), 0)
    assert answers[2] == ([], 8)
    assert answers[3] == ([WAITING + 8, WAITING + 9], 8)


def test_boot_count_survives_power_cuts(compile_arduino: Callable[..., Path]) -> None:
    sources = ["tests/chips/arduino/boots.cpp", "tests/chips/arduino/fake/flash.cpp", "firmware/boards/arduino/boot_count.cpp"]
    run = subprocess.run([compile_arduino(sources)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    cuts, *erases = map(int, run.stdout.split())
    # 100 starts program four bytes each, and every eighth erases first: a block holds eight records.
    expected = len(range(0, 100, 8))
    assert cuts == 100 * 4 + expected
    # The first two blocks of four are left for checkpoints; the other two are erased in turn.
    assert erases[:2] == [0, 0]
    assert sum(erases[2:]) == expected
    assert abs(erases[2] - erases[3]) <= 1
