"""The in-process device's nonvolatile memory, power cuts, sensors and queued codes, seen by a device that does what it is told."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from obedient_support import Obedient

from mtjlearn.inprocess import device as memory
from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.inprocess.loader import Library
from mtjlearn.wire.messages import ResetCause

CUT_WRITES = (1, 2, 3)


@pytest.fixture(scope="module", autouse=True)
def obedient(project: Path, tmp_path_factory: pytest.TempPathFactory, needs_tool: Callable[[str, str], str]) -> Iterator[None]:
    """In-process devices of this module have the obedient device in the place of the real one."""
    folder = tmp_path_factory.mktemp("obedient")
    firmware = project / "firmware"
    parts = ["src", "lib/anp/src", "lib/wire/src", "virtual", "boards/inprocess"]
    files = [f"virtual/{name}" for name in ("converter", "generator", "sensors", "smtj")]
    files += ["boards/inprocess/device_memory", "boards/inprocess/nonvolatile"]
    sources = [project / "tests/c/obedient.c", *(firmware / f"{name}.c" for name in files)]
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    includes = [f"-I{firmware / part}" for part in parts]
    subprocess.run([needs_tool("gcc", "gcc"), *flags, *includes, *sources, "-lm", "-o", folder / "libobedient.so"], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTJLEARN_NATIVE", str(folder))
        patch.setattr(memory, "_library", Library(memory._DEFINITIONS, "obedient"))
        yield


def device(board: InProcessDevice) -> Obedient:
    def ask(data: bytes, count: int) -> bytes:
        answer = board.exchange(data)
        assert len(answer) == count
        return answer

    return Obedient(ask)


def write(board: InProcessDevice, address: int, data: bytes) -> None:
    """Pushes commands that write bytes one after the other, and lets the board work as long as it lives."""
    for offset, value in enumerate(data):
        at = address + offset
        board.exchange(b"w" + bytes([at & 255, at >> 8, value]))


@pytest.mark.thorough
def test_bytes_are_kept_through_restarts() -> None:
    board = InProcessDevice(memory_bytes=65_535)
    told = device(board).told
    assert (told.memory_bytes, told.memory_block) == (65_535, 1)
    assert board.memory == b"\xff" * 65_535
    for address in (0, 255, 256, 65_534):
        device(board).write(address, address % 251)
    board.restart()
    assert [device(board).read(address) for address in (0, 1, 255, 65_534)] == [0, 255, 4, 65_534 % 251]
    assert board.memory_writes == 4
    device(board).write(0, 0)  # stands there already
    assert board.memory_writes == 4
    board.memory = bytes(65_535)
    assert device(board).read(1) == 0
    assert device(InProcessDevice(memory_bytes=0)).told.memory_bytes == 0


def test_blocks_wait_in_a_buffer() -> None:
    board = InProcessDevice(memory_bytes=256, memory_block=64)
    told = device(board)
    assert told.told.memory_block == 64
    told.write(70, 1)
    told.write(71, 2)
    assert (board.memory_writes, board.memory) == (0, b"\xff" * 256)
    assert [told.read(address) for address in (69, 70, 71)] == [255, 1, 2]
    told.read(10)
    assert board.memory_writes == 0
    told.write(10, 3)
    assert board.memory_writes == 1
    assert board.memory[64:128] == b"\xff" * 6 + b"\1\2" + b"\xff" * 56
    told.flush()
    assert (board.memory_writes, board.memory[10]) == (2, 3)
    told.flush()
    told.write(10, 3)
    told.flush()
    assert board.memory_writes == 2
    told.write(200, 9)
    board.restart()  # what was buffered is lost
    assert (device(board).read(200), board.memory_writes) == (255, 2)


def test_the_memory_is_busy_after_a_write() -> None:
    board = InProcessDevice(memory_latency=5)
    told = device(board)
    told.write(0, 1)
    assert [told.ready for _ in range(7)] == [False] * 5 + [True] * 2
    told.write(0, 1)  # changes nothing
    assert told.ready
    told.write(1, 1)
    assert told.read(1) == 1  # waits
    assert told.ready


@pytest.mark.parametrize("after", CUT_WRITES)
@pytest.mark.parametrize("torn", [0x00, 0x0F, 0x5A, 0xFF])
@pytest.mark.parametrize("erased", [False, True])
def test_a_power_cut_tears_the_nth_byte(after: int, torn: int, erased: bool) -> None:
    board = InProcessDevice(memory_bytes=64)
    old, new = bytes([0x33] * 8), bytes([0x55] * 8)
    board.memory = old * 8
    board.cut_power(after, torn, erased=erased)
    write(board, 8, new)
    assert board.is_dead
    base = 0xFF if erased else 0x33
    expected = new[: after - 1] + bytes([(0x55 & torn) | (base & ~torn)]) + old[after:]
    assert board.memory == old + expected + old * 6
    assert board.memory_writes == after
    # It neither works nor sends.
    assert board.exchange(b"d") == b""
    assert board.poll() == 0
    board.restart()
    assert not board.is_dead
    assert device(board).told.boot_count == 2
    write(board, 8, new)
    assert board.memory[8:16] == new  # the next cut must be asked for


@pytest.mark.parametrize("after", CUT_WRITES)
@pytest.mark.parametrize("torn", [0x00, 0x01, 0x80, 0xFF])
@pytest.mark.parametrize("erased", [False, True])
def test_a_power_cut_takes_the_nth_block(after: int, torn: int, erased: bool) -> None:
    board = InProcessDevice(memory_bytes=64, memory_block=16)
    board.memory = bytes([0x33] * 64)
    board.cut_power(after, torn, erased=erased)
    write(board, 0, bytes([0x55] * 64))
    assert board.is_dead
    begin = 16 * (after - 1)
    block = board.memory[begin : begin + 16]
    assert board.memory[:begin] == bytes([0x55] * begin)
    assert board.memory[begin + 16 :] == bytes([0x33] * (48 - begin))
    if torn in (0x00, 0xFF):
        assert block == bytes([0x33 if torn == 0 else 0x55] * 16)
    elif erased:
        programmed = 16 * torn // 256
        assert block == bytes([0x55] * programmed + [0xFF] * (16 - programmed))
    else:
        assert len(set(block)) > 8


def test_what_was_sent_before_a_cut_is_gone_with_it() -> None:
    board = InProcessDevice()
    board.cut_power(1)
    board.push(b"yw\0\0\0y")
    board.poll()
    assert board.take() == b""
    board.restart()
    assert board.exchange(b"y") == b"y\1"


def test_the_last_error_outlives_a_reset_and_no_power_cycle() -> None:
    board = InProcessDevice()
    device(board).leave_error(7)
    board.restart(ResetCause.WATCHDOG)
    told = device(board).told
    assert (told.boot_count, told.reset_cause, told.last_error) == (2, ResetCause.WATCHDOG, 7)
    device(board).leave_error(8)
    board.restart()
    told = device(board).told
    assert (told.boot_count, told.reset_cause, told.last_error) == (3, ResetCause.POWER_ON, 0)


def codes(board: InProcessDevice) -> list[int]:
    """Lets time pass once; the codes that come."""
    answer = board.exchange(b"t")
    assert answer[0] == ord("t")
    return np.frombuffer(answer[2:], "<u2").tolist()


def test_queued_codes_arrive_by_the_step_and_then_no_more() -> None:
    board = InProcessDevice(codes_per_step=5)
    assert len(set(codes(board))) > 1  # of the virtual sMTJ
    board.queue(np.arange(1000, 1007))
    assert (codes(board), board.queued) == ([1000, 1001, 1002, 1003, 1004], 2)
    board.queue(np.array([7]))
    board.restart()
    assert (codes(board), board.queued) == ([1005, 1006, 7], 0)
    assert codes(board) == []
    with pytest.raises(ValueError, match="use feed"):
        InProcessDevice().queue(np.zeros(1, int))


def test_codes_on_their_way_are_lost_in_a_restart() -> None:
    board = InProcessDevice()
    board.feed(np.arange(2000))
    assert codes(board)[0] == 2000 - 1024
    assert device(board).lost == 2000 - 1024
    board.restart()
    assert codes(board) == []
    assert device(board).lost == 0


@pytest.mark.parametrize("bits", [10, 14])
def test_sensors_follow_the_clock_and_can_be_set(bits: int) -> None:
    board = InProcessDevice(adc_bits=bits)
    told, full = device(board), 2**bits
    for micros in (0, 123_456, 1_000_000, 77_000_000):
        board.set_micros(micros)
        u, v = (math.sin(2 * math.pi * 0.7 * rate * micros * 1e-6) for rate in (1.0, (1 + math.sqrt(5)) / 2))
        parts = [0.5 + 0.4 * u, 0.5 + 0.4 * v, 0.5 + 0.2 * u * (1 + v), 0.2, 0.4, 0.6, 0.8]
        assert [told.analog(pin) for pin in range(1, 8)] == pytest.approx([int(part * full) for part in parts], abs=1)
    board.set_analog(2, 77)
    assert [told.analog(2), told.analog(4)] == [77, full // 5]
    board.set_analog(2, memory.SENSOR)
    assert told.analog(2) != 77
    with pytest.raises(ValueError, match="pins are 1"):
        board.set_analog(0, 1)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        InProcessDevice(memory_bytes=100, memory_block=64)
    with pytest.raises(ValueError, match="has 16384 bytes, not 3"):
        InProcessDevice().memory = b"abc"
