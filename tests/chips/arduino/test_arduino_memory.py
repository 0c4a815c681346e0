"""What firmware/boards/arduino gives the device besides line and noise: memory in blocks, other analog pins, its last error."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from obedient_support import Obedient
from test_arduino_board import FakeArduino

from mtjlearn.wire.messages import ResetCause

BLOCK, BLOCKS = 32, 4
SIZES = (f"-DMEMORY_CACHE={BLOCK}", "-DNONVOLATILE_OTHER", "-DBOARD_ARENA=1024", "-DLINE_RECEIVER=256")


@pytest.fixture(scope="session")
def memory_program(compile_arduino: Callable[..., Path]) -> Path:
    sources = ["tests/chips/arduino/memory.cpp", "tests/chips/arduino/fake/flash.cpp", "firmware/boards/arduino/memory_blocks.cpp"]
    return compile_arduino(sources, *SIZES)


def answers(program: Path, commands: list[str]) -> list[str]:
    run = subprocess.run([program], input="\n".join(commands), capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def test_the_boot_counts_blocks_are_not_the_devices(memory_program: Path) -> None:
    assert answers(memory_program, ["size"]) == [f"{2 * BLOCK} {BLOCK}"]


def test_a_random_history_is_kept_and_blocks_are_written_when_they_must(memory_program: Path) -> None:
    rng = np.random.default_rng(1)
    expected, commands, wanted = bytearray(b"\xff" * 64), [], []
    for _ in range(2000):
        address, value = int(rng.integers(64)), int(rng.integers(256))
        if rng.random() < 0.5:
            expected[address] = value
            commands.append(f"write {address} {value}")
            wanted.append("ready")
        elif rng.random() < 0.9:
            commands.append(f"read {address}")
            wanted.append(str(expected[address]))
        else:
            commands.append("flush")
            wanted.append("")
    found = answers(memory_program, [*commands, "flush", "dump"])
    assert all(answer == want for answer, want in zip(found, wanted, strict=False) if want)
    assert bytes.fromhex(found[-1]) == expected + b"\xff" * 64


def test_nothing_is_erased_without_need(memory_program: Path) -> None:
    commands = ["write 3 7", "write 4 8", "read 40", "flush", "flush", "write 3 7", "flush"]
    found = answers(memory_program, [*commands, "write 40 1", "write 3 9", "read 40", "flush"])
    assert [found[index] for index in (3, 4, 6, 9, 10)] == ["1", "1", "1", "1", "3"]


def test_a_power_cut_takes_no_block_but_the_one_at_work(memory_program: Path) -> None:
    before = [f"write {address} {address}" for address in range(64)] + ["flush"]
    cuts = 0
    for cut in range(200):
        change = [f"cut {cut}", *(f"write {address} {100 + address}" for address in range(BLOCK)), "flush", "dump"]
        found = bytes.fromhex(answers(memory_program, [*before, *change])[-1])
        assert found[BLOCK:] == bytes(range(BLOCK, 2 * BLOCK)) + b"\xff" * 64
        if found[:BLOCK] == bytes(range(100, 100 + BLOCK)):
            break
        cuts += 1
    assert cuts == 1 + BLOCK  # the erasure, and every byte


@pytest.fixture(scope="session")
def obedient_program(compile_arduino: Callable[..., Path], project: Path) -> Path:
    firmware = sorted((project / "firmware/boards/arduino").glob("*.cpp"))
    fakes = [f"tests/chips/arduino/fake/{name}.cpp" for name in ("fake", "flash")]
    sources = ["tests/chips/arduino/board.cpp", *fakes, "tests/c/obedient.c"]
    sources += [str(path.relative_to(project)) for path in firmware]
    return compile_arduino(sources, *SIZES, "-DADC_RATE=1000", "-DADC_BITS=12")


@pytest.fixture
def device(obedient_program: Path) -> Iterator[tuple[FakeArduino, Obedient]]:
    with FakeArduino(obedient_program) as board:

        def ask(data: bytes, count: int) -> bytes:
            board.push(data)
            answer = b""
            for _ in range(10):
                answer += board.read()
                if len(answer) >= count:
                    break
            return answer

        yield board, Obedient(ask)


def test_the_device_has_the_memory(device: tuple[FakeArduino, Obedient]) -> None:
    _, told = device
    assert (told.told.memory_bytes, told.told.memory_block) == (2 * BLOCK, BLOCK)
    for address in (0, 33, 63, 1):
        assert told.ready
        told.write(address, address + 1)
    told.flush()
    assert [told.read(address) for address in (0, 1, 2, 33, 63)] == [1, 2, 255, 34, 64]


def test_other_pins_are_read_and_their_time_is_lost_to_the_noise(device: tuple[FakeArduino, Obedient]) -> None:
    board, told = device
    assert [told.analog(pin) for pin in range(1, 8)] == [1000 + pin for pin in range(1, 8)]
    # At 1000 codes per second and 100 us a conversion, a tenth of a code is lost each time; every code is taken or lost.
    told._ask(b"t", 4)
    taken = 0
    begun, lost = board.world()[3], told.lost
    for _ in range(400):
        told.analog(5)
        taken += told._ask(b"t", 2)[1]
    due = (board.world()[3] - begun) // 1000
    assert due - 4 <= taken + told.lost - lost <= due + 4
    assert told.lost > lost


def test_the_last_error_outlives_a_restart_in_place(device: tuple[FakeArduino, Obedient]) -> None:
    board, told = device
    told.leave_error(9)
    board.push(b"q")
    board.loop(30_000 // 250)
    after = told.told
    assert (after.boot_count, after.reset_cause, after.last_error) == (2, ResetCause.SOFTWARE, 9)
