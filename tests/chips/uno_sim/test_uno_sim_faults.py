"""Power cuts and hangs of uno-sim, and noise sources that are not random."""

from __future__ import annotations

import math
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import serial
from chip_line import OpenChip

from mtjlearn.discovery import open_board
from mtjlearn.firmware import build_firmware, find_avr_gcc
from mtjlearn.network import Network
from mtjlearn.virtual.process import BoardProcess
from mtjlearn.virtual.uno_sim import POWER_CUT, start_uno_sim
from mtjlearn.wire.errors import BoardError, BoardRefused
from mtjlearn.wire.messages import NoiseFault, ResetCause

PATIENCE = 20.0
# As optiboot before 4.6: takes MCUSR, clears it, tells nobody, and starts the program.
OLD_BOOTLOADER = "main: clr r1\nin r3, 0x34\nout 0x34, r1\njmp 0\n"
PLACE_BYTES = 3
FIRST_START = bytes([1, 0, 1 ^ 0x5A])


def ended(board: BoardProcess) -> int:
    try:
        return board.process.wait(PATIENCE)
    finally:
        board.close()


def test_a_power_cut_tears_one_byte_and_keeps_the_file(tmp_path: Path) -> None:
    """The firmware counts its first start with three writes; the third is torn, in a way that the seed decides."""
    seen = set()
    for seed in range(1, 25):
        path = tmp_path / f"eeprom-{seed}"
        assert ended(start_uno_sim(eeprom=path, seed=seed, cut_after_writes=3)) == POWER_CUT
        content = path.read_bytes()
        place = 1012 + PLACE_BYTES  # start 1 of 4 places
        assert content[:place] + content[place + PLACE_BYTES :] == b"\xff" * (1024 - PLACE_BYTES)
        assert content[place : place + 2] == FIRST_START[:2]
        seen.add(content[place + 2])
    assert len(seen) > 8
    again = tmp_path / "again"
    ended(start_uno_sim(eeprom=again, seed=1, cut_after_writes=3))
    assert again.read_bytes() == (tmp_path / "eeprom-1").read_bytes()


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_the_chip_starts_again_after_a_cut(tmp_path: Path, writes: int) -> None:
    path = tmp_path / "eeprom"
    with open_board("uno-sim", eeprom=path) as board:
        assert board.info.boot_count == 1
    # What a start before has written already is not written again, so a second cut at the same write need not come.
    assert ended(start_uno_sim(eeprom=path, seed=writes, cut_after_writes=writes)) == POWER_CUT
    with open_board("uno-sim", eeprom=path) as board:
        assert board.info.boot_count in (2, 3)
        assert board.info.reset_cause is ResetCause.POWER_ON


def test_a_cut_comes_at_the_write_that_was_asked_for_and_stops_the_program(open_chip: OpenChip, tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    with open_chip(eeprom=path, cut_after_writes=3) as line:
        for value in (1, 2):
            line.ask(b"w" + bytes([value, value]), 3)
        line.port.write(b"w\x03\x03" + b"s" * 10)
        with pytest.raises(serial.SerialException):  # not one instruction more, and the process ends
            line.port.read(1)
    content = path.read_bytes()
    assert content[:3] == b"\xff\x01\x02"
    assert content[4:] == b"\xff" * 1020


@pytest.fixture
def bootloader(tmp_path: Path) -> Path:
    """Intel hex of a bootloader that clears MCUSR."""
    source, program, target = (tmp_path / name for name in ("boot.S", "boot.elf", "boot.hex"))
    source.write_text(f".global main\n{OLD_BOOTLOADER}")
    compiler = find_avr_gcc()
    flags = ["-mmcu=atmega328p", "-nostartfiles", "-Wl,--section-start=.text=0x7e00"]
    subprocess.run([compiler, *flags, source, "-o", program], check=True)
    subprocess.run([compiler.with_name("avr-objcopy"), "-O", "ihex", program, target], check=True)
    return target


@pytest.mark.parametrize("behind", [False, True], ids=["alone", "behind a bootloader"])
def test_the_watchdog_ends_a_hang_and_the_board_tells(request: pytest.FixtureRequest, tmp_path: Path, behind: bool) -> None:
    options = {"bootloader": request.getfixturevalue("bootloader"), "elf": build_firmware("uno")} if behind else {}
    with open_board("uno-sim", eeprom=tmp_path / "eeprom", hang=1.5, timeout=PATIENCE, **options) as board:
        before = board.info
        assert before.boot_count == 1
        until = time.monotonic() + PATIENCE
        while board.info.boot_count == 1:
            assert time.monotonic() < until
            try:
                board.status()
                time.sleep(0.05)
            except BoardError:  # the session is lost: that is what is waited for
                board.reconnect()
        assert (board.info.boot_count, board.info.reset_cause) == (2, ResetCause.WATCHDOG)
        assert board.status().steps == 0


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ([0, 1], NoiseFault.PERIODIC),
        ([0, 0, 1, 1], NoiseFault.PERIODIC),
        (0.5 + 0.5 * np.sin(2 * np.pi * np.arange(5) / 5), NoiseFault.STUCK),
    ],
    ids=["alternating", "square", "sine"],
)
def test_the_chip_reports_a_source_that_is_not_random(tmp_path: Path, pattern: list[int], fault: NoiseFault) -> None:
    """Within three windows after the calibration. The windows go on until the host asks, as late as it does."""
    volts = 36.2 + 11.8 * np.resize(pattern, 20_000) + np.random.default_rng(1).standard_normal(20_000)
    file = tmp_path / "volts"
    file.write_bytes(volts.astype(np.float32).tobytes())
    with open_board("uno-sim", voltages=file) as board:
        board.configure(Network((1, 1)))
        with pytest.raises(BoardRefused, match="its noise source is broken"):
            board.train(np.zeros((2000, 1), int), np.zeros((2000, 1), int))
        health = board.health()
        with board.noise_stream() as stream:
            code = next(stream).first
    assert health.last_fault is fault
    since = math.ceil((code - health.fault_code) / health.limits["window"])
    assert health.windows - since <= 3
