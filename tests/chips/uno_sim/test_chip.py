"""The simulated ATmega328P against its data sheet, seen from a program that runs on it (probe.c)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chip_line import OpenChip

BIT_CYCLES = 64  # 16 MHz / 250,000
FRAME_CYCLES = 10 * BIT_CYCLES
POLL_CYCLES = 12
"""What the program's loops take to notice a flag, at most."""
AVCC, INTERNAL, LEFT, BANDGAP, GROUND = 0x40, 0xC0, 0x20, 14, 15


def test_bytes_take_their_time_on_the_line_in_both_directions(open_chip: OpenChip) -> None:
    with open_chip() as line:
        line.port.write(b"lab")
        assert line.port.read(3) == bytes(3)
        received, sent = (int.from_bytes(line.port.read(2), "little") for _ in range(2))
    assert received == pytest.approx(FRAME_CYCLES, abs=POLL_CYCLES)
    assert sent == pytest.approx(FRAME_CYCLES, abs=POLL_CYCLES)


def test_what_nobody_reads_is_lost_flagged_and_counted(open_chip: OpenChip, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    with open_chip(profile=profile) as line:
        answer = line.ask(b"u" + bytes(range(20)), 7)
        # Two bytes fit behind the shift register, which holds the newest one. The loss is flagged with the byte read next.
        assert answer[0] == 3
        assert answer[2::2] == bytes([0, 1, 19])
        assert [bool(flags & 0x08) for flags in answer[1::2]] == [True, False, False]
        answer = line.ask(b"u" + bytes(range(3)), 7)
        assert answer[2::2] == bytes(range(3))
        assert not any(flags & 0x08 for flags in answer[1::2])
    assert json.loads(profile.read_text())["rx_overruns"] == 17


@pytest.mark.parametrize(
    ("noise", "select", "code"),
    [
        ("open", AVCC, 3300 * 1024 // 5000),
        ("open", INTERNAL, 1023),
        ("short", INTERNAL, 0),
        ("open", AVCC | BANDGAP, 1100 * 1024 // 5000),
        ("open", INTERNAL | GROUND, 0),
        ("open", INTERNAL | 4, 1024 // 5),
        ("open", AVCC | 7, 1024 * 4 // 5),
        ("open", INTERNAL | 8, 0),
        ("open", AVCC | LEFT, (3300 * 1024 // 5000) << 6),
    ],
)
def test_a_voltage_has_its_code(open_chip: OpenChip, noise: str, select: int, code: int) -> None:
    with open_chip(device_noise=noise) as line:
        assert line.word(bytes([ord("c"), select])) == code


@pytest.mark.parametrize("prescaler", [2, 5, 7])
def test_conversions_follow_each_other_every_13_clocks(open_chip: OpenChip, prescaler: int) -> None:
    with open_chip() as line:
        cycles = line.word(bytes([ord("p"), prescaler]))
    assert cycles == pytest.approx(16 * 13 * 2**prescaler, abs=2 * POLL_CYCLES)


def test_eeprom_takes_its_time_and_is_kept(open_chip: OpenChip, tmp_path: Path) -> None:
    image = tmp_path / "eeprom"
    with open_chip(eeprom=image) as line:
        assert line.ask(b"r\x07", 1) == b"\xff"
        answer = line.ask(b"w\x07\x5a", 3)
        rounds = int.from_bytes(answer[:2], "little")
        assert rounds * 23 == pytest.approx(3.4e-3 * 16e6, rel=0.01)  # 23 cycles a round of the program's loop
        assert answer[2:] == b"\x5a"
    assert image.read_bytes() == b"\xff" * 7 + b"\x5a" + b"\xff" * 1016
    with open_chip(eeprom=image) as line:
        assert line.ask(b"r\x07", 1) == b"\x5a"


def test_interrupts_that_wait_together_run_by_their_number_and_all_of_them(open_chip: OpenChip) -> None:
    with open_chip() as line:
        for _ in range(3):
            assert line.ask(b"ix", 6) == bytes([5, 13, 18, 19, 21, 22])


def test_watchdog_resets_after_its_newest_period_and_ram_survives(open_chip: OpenChip) -> None:
    with open_chip() as line:
        assert line.ask(b"s", 3) == bytes([0x01, 1, 0])  # power-on, the first start
        line.port.write(b"d")
        line.port.timeout = 0.05
        answer = b""
        while len(answer) < 3:
            line.port.write(b"s")
            answer = line.port.read(3)
        assert answer[0] == 0x08
        ticks = int.from_bytes(answer[1:], "little") - 1
        assert ticks * 1024 == pytest.approx(0.128 * 16e6, rel=0.002)


def test_interrupts_cost_what_the_data_sheet_says(open_chip: OpenChip, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    with open_chip(profile=profile) as line:
        line.ask(b"t", 1)
    timer = json.loads(profile.read_text())["interrupts"]["timer0"]
    assert timer["calls"] > 150
    assert timer["cycles"] == 11 * timer["calls"]  # entry 4, jump in the vector table 3, return 4


def test_ram_holds_what_the_seed_decides(open_chip: OpenChip) -> None:
    def kept(seed: int) -> bytes:
        with open_chip(seed=seed) as line:
            return line.ask(b"m", 64)

    assert kept(5) == kept(5) != kept(6)
    assert len(set(kept(5))) > 30
