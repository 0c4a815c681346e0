"""The native board's nonvolatile memory and sensors, seen by a device that does what it is told; built with sanitizers."""

from __future__ import annotations

import itertools
import math
import os
import select
import signal
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from obedient_support import Obedient

from mtjlearn.virtual.native import start_native
from mtjlearn.virtual.process import BoardProcess, BoardProcessError
from mtjlearn.wire.messages import ResetCause

PATIENCE = 20.0
RESERVED = 4
FIRMWARE = ("lib/anp/src", "lib/wire/src", "src", "boards/native")


@pytest.fixture(scope="module")
def program(project: Path, compile_c: Callable[..., Path]) -> Path:
    firmware = project / "firmware"
    sources = sorted((firmware / "boards/native").glob("*.c"))
    return compile_c([*sources, project / "tests/c/obedient.c"], [firmware / folder for folder in FIRMWARE], ["-lm"])


@contextmanager
def opened(program: Path, **options: Any) -> Iterator[tuple[BoardProcess, Obedient]]:
    with start_native(program=program, **options) as board:
        descriptor = os.open(board.url, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(descriptor)

            def ask(data: bytes, count: int) -> bytes:
                os.write(descriptor, data)
                answer, until = b"", time.monotonic() + PATIENCE
                while len(answer) < count and time.monotonic() < until:
                    if select.select([descriptor], [], [], 0.1)[0]:
                        answer += os.read(descriptor, 4096)
                return answer

            yield board, Obedient(ask)
        finally:
            os.close(descriptor)


def test_a_killed_board_has_lost_nothing(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    for start in range(1, 5):
        with opened(program, eeprom=path) as (board, device):
            told = device.told
            assert (told.memory_bytes, told.memory_block) == (16384 - RESERVED, 1)
            assert (told.boot_count, told.reset_cause) == (start, ResetCause.POWER_ON)
            assert [device.read(address) for address in range(start)] == [*range(1, start), 255]
            device.write(start - 1, start)
            device.write(told.memory_bytes - 1, 100 + start)
            board.process.send_signal(signal.SIGKILL)
            board.process.wait(PATIENCE)
        content = path.read_bytes()
        assert len(content) == 16384
        assert content[:start] == bytes(range(1, start + 1))
        assert content[-RESERVED - 1] == 100 + start
        assert content[start : -RESERVED - 1] == b"\xff" * (16384 - RESERVED - 1 - start)


def restarted(device: Obedient, before: int) -> Obedient:
    """Lets the device restart."""
    device._ask(b"q", 0)
    until = time.monotonic() + PATIENCE
    while device.told.boot_count == before:
        assert time.monotonic() < until
    return device


@pytest.mark.parametrize("file", [True, False])
def test_a_reset_keeps_memory_and_error(program: Path, tmp_path: Path, file: bool) -> None:
    options = {"eeprom": tmp_path / "eeprom"} if file else {}
    with opened(program, eeprom_bytes=1024, **options) as (_, device):
        assert device.told.memory_bytes == 1020
        assert device.ready
        device.write(1019, 5)
        device.flush()
        device.leave_error(9)
        told = restarted(device, 1).told
        assert (told.boot_count, told.reset_cause, told.last_error) == (2, ResetCause.SOFTWARE, 9)
        assert device.read(1019) == 5
        assert restarted(device, 2).told.last_error == 0
    with opened(program, **options) as (_, device):
        assert device.told.boot_count == (4 if file else 1)
        assert device.told.memory_bytes == (1024 if file else 16384) - RESERVED


def test_the_count_of_starts_wraps_and_begins_anew_when_it_is_damaged(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    for count, expected in ((b"\xff\xff\0\0", 0), (b"\xfe\1\1\xfe", 0x1FF), (b"\xfe\1\1\xff", 1), (b"\xff" * 4, 1)):
        path.write_bytes(bytes(2000) + count)
        with opened(program, eeprom=path) as (_, device):
            assert device.told.boot_count == expected


def test_files_that_cannot_be_used_are_named(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"

    def explained(text: str, **options: Any) -> None:
        with pytest.raises(BoardProcessError, match=text):
            start_native(program=program, eeprom=path, **options)

    path.write_bytes(bytes(100))
    explained("eeprom: is no EEPROM: 100 bytes, not 1024 to 65535")
    path.write_bytes(bytes(2048))
    explained("eeprom: holds 2048 bytes, not the 4096 of --eeprom-bytes", eeprom_bytes=4096)
    explained("--eeprom-bytes does not take '1023'", eeprom_bytes=1023)
    explained("--eeprom-bytes does not take '65536'", eeprom_bytes=65536)
    with opened(program, eeprom=path):
        explained("eeprom: another board has this EEPROM")
    path.unlink()
    path.mkdir()
    explained("eeprom: Is a directory")


@pytest.mark.parametrize("virtual", [False, True])
def test_sensors_follow_the_boards_time(program: Path, virtual: bool) -> None:
    with opened(program, adc_bits=14, adc_rate=1000, virtual_clock=16 if virtual else 0) as (_, device):
        constant = [device.analog(pin) for pin in range(4, 8)]
        assert constant == [16384 * part // 5 for part in (1, 2, 3, 4)]
        seen = []
        for steps in range(1, 60):
            if virtual:
                assert len(device._ask(b"t", 34)) == 34
                u, v = (math.sin(2 * math.pi * 0.7 * rate * steps * 0.016) for rate in (1.0, (1 + math.sqrt(5)) / 2))
                expected = [0.5 + 0.4 * u, 0.5 + 0.4 * v, 0.5 + 0.2 * u * (1 + v)]
                assert [device.analog(pin) for pin in (1, 2, 3)] == pytest.approx([int(part * 16384) for part in expected], abs=1)
            else:
                time.sleep(0.01)
            seen.append(device.analog(1))
        assert len(set(seen)) > 50
        assert max(abs(after - before) for before, after in itertools.pairwise(seen)) < 16384 / 5
