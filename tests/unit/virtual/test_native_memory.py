"""The native board's nonvolatile memory and sensors, seen by a device that does what it is told; built with sanitizers."""

from __future__ import annotations

import fcntl
import itertools
import math
import os
import select
import signal
import struct
import subprocess
import sys
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

pytestmark = pytest.mark.thorough

PATIENCE = 20.0
RESERVED = 4
MAGIC, HEAD = b"MTJEEPRM", 16
COUNTED = b"\1\0\xfe\xff"
"""The first start's count."""
FIRMWARE = ("lib/anp/src", "lib/wire/src", "src", "virtual", "boards/native")


@pytest.fixture(scope="module")
def program(project: Path, compile_c: Callable[..., Path]) -> Path:
    firmware = project / "firmware"
    sources = [path for folder in ("virtual", "boards/native") for path in sorted((firmware / folder).glob("*.c"))]
    sources += [firmware / "lib/wire/src" / name for name in ("frame.c", "crc32.c")]
    return compile_c([*sources, project / "tests/c/obedient.c"], [firmware / folder for folder in FIRMWARE], ["-lm"])


def heading(size: int, version: int = 1) -> bytes:
    return MAGIC + struct.pack("<II", version, size)


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
        head, content = path.read_bytes()[:HEAD], path.read_bytes()[HEAD:]
        assert head == heading(16384)
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
        path.write_bytes(heading(2004) + bytes(2000) + count)
        with opened(program, eeprom=path) as (_, device):
            assert device.told.boot_count == expected


def test_files_that_cannot_be_used_are_named(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"

    def explained(text: str, **options: Any) -> None:
        with pytest.raises(BoardProcessError, match=text):
            start_native(program=program, eeprom=path, **options)

    for foreign in (bytes(100), bytes(2048), b"a text that is not an EEPROM\n" * 100, b"\xff" * 70000, MAGIC[::-1] + bytes(2000)):
        path.write_bytes(foreign)
        explained("eeprom: is not an EEPROM of this board; name another file")
        assert path.read_bytes() == foreign
    path.write_bytes(heading(2048, version=2) + bytes(2048))
    explained("eeprom: has version 2, this board reads 1; use the mtjlearn that made it")
    path.write_bytes(heading(100) + bytes(100))
    explained("eeprom: is damaged: its heading states an impossible size; remove it or restore a copy")
    path.write_bytes(heading(2048) + bytes(2048))
    explained("eeprom: holds 2048 bytes, not the 4096 of --eeprom-bytes", eeprom_bytes=4096)
    explained("--eeprom-bytes does not take '1023'", eeprom_bytes=1023)
    explained("--eeprom-bytes does not take '65536'", eeprom_bytes=65536)
    with opened(program, eeprom=path):
        explained("eeprom: another board has this EEPROM")
    path.unlink()
    path.mkdir()
    explained("eeprom: Is a directory")
    path.rmdir()
    os.mkfifo(path)
    explained("eeprom: is not a file; name another one")


def test_a_torn_file_is_named(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    whole = heading(2048) + bytes(2044) + COUNTED
    for torn in (*(whole[:size] for size in (1, HEAD - 1, HEAD, 1040, len(whole) - 1)), whole + b"\0"):
        path.write_bytes(torn)
        with pytest.raises(BoardProcessError, match=r"eeprom: is torn: .*; remove it or restore a copy"):
            start_native(program=program, eeprom=path)
        assert path.read_bytes() == torn


def test_a_file_of_version_0_1_0_is_read_and_stays_one(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    for size, count, expected in ((1024, COUNTED, 2), (65535, b"\xff\1\0\xfe", 0x200), (2048, b"\xff" * 4, 1)):
        path.write_bytes(b"\7" * (size - RESERVED) + count)
        with opened(program, eeprom=path) as (_, device):
            assert (device.told.boot_count, device.told.memory_bytes) == (expected, size - RESERVED)
            assert device.read(3) == 7
            device.write(3, 9)
            assert device.read(3) == 9
        assert len(path.read_bytes()) == size
        assert path.read_bytes()[:5] == b"\7\7\7\x09\7"


def test_the_size_is_read_behind_the_lock(program: Path, tmp_path: Path) -> None:
    """Two boards start at once: the one that waits must not take the file for new, as it was before the other's checkpoint."""
    path = tmp_path / "eeprom"
    for size in (1024, 16384):
        with path.open("wb", buffering=0) as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            later = subprocess.Popen([program, "--eeprom", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            wait_until(lambda pid=later.pid: str(path) in opened_files(pid))
            time.sleep(0.05)
            first.write(heading(size) + b"\5" * (size - RESERVED) + COUNTED)
        assert later.stdout is not None
        assert later.stdout.readline()
        later.communicate()
        assert path.read_bytes() == heading(size) + b"\5" * (size - RESERVED) + b"\2\0\xfd\xff"


def test_a_board_that_waits_for_a_removed_file_makes_it_anew(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    with path.open("wb", buffering=0) as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        later = subprocess.Popen([program, "--eeprom", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        wait_until(lambda: str(path) in opened_files(later.pid))
        path.unlink()
    assert later.stdout is not None
    assert later.stdout.readline()
    assert len(path.read_bytes()) == HEAD + 16384
    later.communicate()


def test_the_lock_is_free_soon_after_the_host_was_killed(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    host = (
        "import sys, time; from pathlib import Path; from mtjlearn.virtual.native import start_native; "
        "board = start_native(program=Path(sys.argv[1]), eeprom=sys.argv[2]); print('up', flush=True); time.sleep(60)"
    )
    for start in (1, 3):
        killed = subprocess.Popen([sys.executable, "-c", host, program, path], stdout=subprocess.PIPE)
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"up\n"
        killed.kill()
        with opened(program, eeprom=path) as (_, device):
            assert device.told.boot_count == start + 1
        killed.communicate()


def test_a_full_disk_leaves_no_half_of_a_file(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    limited = ["sh", "-c", 'trap \'\' XFSZ; ulimit -f 4; exec "$0" --eeprom "$1"', str(program), str(path)]
    found = subprocess.run(limited, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith(f"{program.name}: {path}: ")
    assert path.read_bytes() == b""
    with opened(program, eeprom=path) as (_, device):
        assert device.told.boot_count == 1


def opened_files(process: int) -> list[str]:
    folder = Path(f"/proc/{process}/fd")
    found = []
    for name in os.listdir(folder):
        try:
            found.append(os.readlink(folder / name))
        except FileNotFoundError:
            continue
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


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
