"""The Uno's turns while it learns autonomously: several steps in one, but a host is served after the step under way; and the
arithmetic that the turn has in assembly."""

from __future__ import annotations

import numpy as np
import pytest
from autonomous_support import autonomous
from chip_support import BYTE_CYCLES, CLOCK, Chip, Host

from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.messages import Task

STEP = 5000
"""More cycles than a turn of 2-3-1 with one step takes without what a step itself needs."""
SETTLED = 0.15
"""Seconds after which the noise buffer is full and the checkpoint of the start is written."""


@pytest.fixture(scope="module")
def learning() -> tuple[Chip, Host]:
    """A chip that learns XOR with 2-3-1, and has for a while."""
    chip = Chip()
    host = Host(chip)
    host.configure(2, 3, 1)
    host.do(autonomous(Task.XOR, checkpoint_interval=0))
    chip.run(round(SETTLED * CLOCK))
    return chip, host


def turn_cycles(chip: Chip) -> int:
    """Cycles of the next whole turn."""
    chip.run_to_turn()
    begun = int(chip.cycle())
    chip.run(50)
    chip.run_to_turn()
    return int(chip.cycle()) - begun


def test_a_turn_makes_eight_steps_while_nobody_asks(learning: tuple[Chip, Host]) -> None:
    chip, host = learning
    before, turns = host.status().steps, 0
    begun, until = int(chip.cycle()), int(chip.cycle()) + CLOCK // 10
    while chip.cycle() < until:
        turn_cycles(chip)
        turns += 1
    steps = host.status().steps - before
    assert 6 * turns < steps < 8 * turns + 40  # STATUS ends some turns early, and is answered within a few more
    assert (chip.cycle() - begun) / steps < 6500


def test_a_turn_ends_after_the_step_under_way_when_a_byte_waits(learning: tuple[Chip, Host]) -> None:
    chip, _ = learning
    alone = [turn_cycles(chip) for _ in range(20)]
    asked = []
    for _ in range(20):
        chip.run_to_turn()
        chip.push(b"\0")  # the end of a frame that never began: the session drops it
        asked.append(turn_cycles(chip))
        chip.run_to_turn()
    assert min(alone) > 5 * STEP
    assert max(asked) < 3 * STEP
    assert chip.line_overruns() == 0


def test_a_host_is_answered_between_two_steps(learning: tuple[Chip, Host]) -> None:
    """From the first byte of the question to the last of the answer: their time on the line, and a few turns of one step. Waiting
    for the eighth step of a turn would take as long again."""
    chip, host = learning
    question, answer = 6 + messages.GetStatus.LAYOUT.size, 6 + messages.Status.LAYOUT.size + 6 + messages.Ack.LAYOUT.size
    lost = host.status().codes_lost
    for _ in range(30):
        chip.run(7919)
        begun = int(chip.cycle())
        host.status()
        assert chip.cycle() - begun < BYTE_CYCLES * (question + answer + 4) + 8 * STEP
    assert host.status().codes_lost == lost


def test_no_byte_is_lost_at_full_credit_while_the_board_learns(learning: tuple[Chip, Host]) -> None:
    """Eight steps take as long as more bytes than one step does; the window is what the ring holds, so none is lost even then."""
    chip, host = learning
    before, resent = host.status(), host.link.counters.resent  # AUTONOMOUS itself waited for a checkpoint
    host.stream([Command.of(messages.Predict(np.zeros(28, np.int16))) for _ in range(60)])
    after = host.status()
    memory, place = chip.memory(), chip.symbols["overruns"] & 0xFFFF
    assert memory[place] | memory[place + 1] << 8 == 0
    assert chip.line_overruns() == 0
    assert (host.link.counters.resent, host.link.counters.bad_frames) == (resent, 0)
    assert after.steps > before.steps


def call(chip: Chip, function: str, pointer: int, value: int) -> int:
    """A function of a pointer and 32 bits; the 32 bits that it returns."""
    places = zip((20, 21, 22, 23, 24, 25), value.to_bytes(4, "little") + pointer.to_bytes(2, "little"), strict=True)
    return chip.call_with(function, dict(places), wide=True)


@pytest.fixture(scope="module")
def idle() -> Chip:
    chip = Chip()
    Host(chip)
    return chip


def place_of_sum(chip: Chip) -> int:
    """Memory that nothing uses."""
    return (chip.symbols["_end"] & 0xFFFF) + 4


def test_a_mean_is_the_quotient_rounded_down(idle: Chip) -> None:
    rng = np.random.default_rng(1)
    place, memory = place_of_sum(idle), idle.memory()
    cases = [
        (0, 0),
        (5, 0),
        (2**63, 2**31),
        (2**33, 2),
        (2**33 - 1, 2),
        (2**64 - 1, 1),
        (2**64 - 1, 2**32 - 1),
        (7, 8),
        (2**40, 2**9),
    ]
    for bits in range(1, 65, 3):
        total, count = int(rng.integers(2 ** min(bits, 63))) | 1 << (bits - 1), int(rng.integers(1, 2**32))
        cases += [(total, count), (total, count >> int(rng.integers(32)) or 1), (total, 1 << int(rng.integers(32)))]
    for total, count in cases:
        for index, byte in enumerate(total.to_bytes(8, "little")):
            memory[place + index] = byte
        expected = min(total // count, 2**32 - 1) if count else 0
        assert call(idle, "mean_of", place, count) == expected, (total, count)


def test_losses_are_added_with_their_carries(idle: Chip) -> None:
    place, memory = place_of_sum(idle), idle.memory()
    for total, value in [
        (0, 0),
        (2**32 - 1, 1),
        (2**40 - 1, 2**32 - 1),
        (2**56 - 1, 1),
        (2**31, 2**31),
        (255, 1),
        (12345, 2**31 - 1),
    ]:
        for index, byte in enumerate(total.to_bytes(8, "little")):
            memory[place + index] = byte
        call(idle, "mean_add", place, value)
        assert int.from_bytes(bytes(memory[place + index] for index in range(8)), "little") == total + value
