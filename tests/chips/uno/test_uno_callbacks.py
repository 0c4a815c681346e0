"""What the Uno gives the device besides line and noise: its EEPROM byte by byte, and its other analog pins."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from chip_support import ADC, CLOCK, CODE_CYCLES, RECEIVE, Chip, Host, image

from mtjlearn.inprocess.device import DeviceNoise
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command

WRITE_CYCLES = CLOCK * 34 // 10_000
CONSTANT = {4: 204, 5: 409, 6: 614, 7: 819}
"""Codes of the pins that carry a constant voltage."""


EECR, EEPE = 0x3F, 1 << 1


def ready(chip: Chip) -> bool:
    """What eeprom_ready() says, which is not a function of its own in the image."""
    chip.run_to_turn()
    return not chip.memory()[EECR] & EEPE


def lost_codes(chip: Chip) -> int:
    """What converter_lost() says, likewise."""
    chip.run_to_turn()
    place = chip.symbols["lost"] & 0xFFFF
    return int.from_bytes(bytes(chip.memory()[place + index] for index in range(4)), "little")


def wait_until_ready(chip: Chip) -> None:
    while not ready(chip):
        chip.run(1000)


def write(chip: Chip, address: int, value: int) -> None:
    wait_until_ready(chip)
    chip.invoke("eeprom_write", address, value)


def test_the_memory_is_the_eeprom_below_the_count_of_starts() -> None:
    chip = Chip()
    host = Host(chip)
    assert host.welcome.memory == 1024 - 12
    rng = np.random.default_rng(1)
    addresses = [0, 1, 255, 256, 1011, *rng.integers(0, 1012, 20).tolist()]
    expected = bytearray(chip.eeprom)
    for address in addresses:
        expected[address] = int(rng.integers(256))
        write(chip, address, expected[address])
    wait_until_ready(chip)
    assert chip.eeprom == expected
    assert [chip.invoke("eeprom_read", address) & 255 for address in addresses] == [expected[address] for address in addresses]


def test_a_write_takes_3_4_ms_and_does_not_wait() -> None:
    chip = Chip()
    Host(chip)
    wait_until_ready(chip)
    chip.invoke("eeprom_write", 3, 0x5A)
    assert chip.took < 200  # with an interrupt or two
    assert not ready(chip)
    chip.run(WRITE_CYCLES - 5000)
    assert not ready(chip)
    chip.run(6000)
    assert ready(chip)


def test_what_stands_there_already_is_not_written_again() -> None:
    chip = Chip()
    Host(chip)
    write(chip, 3, 0x5A)
    wait_until_ready(chip)
    writes = chip.eeprom_writes()
    chip.invoke("eeprom_write", 3, 0x5A)
    assert ready(chip)
    assert chip.eeprom_writes() == writes


def test_a_power_cut_at_any_write_tears_that_byte_and_stops_the_chip() -> None:
    torn = set()
    for seed in range(40):
        chip = Chip()
        Host(chip)
        wait_until_ready(chip)
        before = bytearray(chip.eeprom)
        chip.cut_power(2, seed)
        write(chip, 10, 0x33)
        assert not chip.is_cut()
        wait_until_ready(chip)
        chip.run_to_turn()
        with pytest.raises(AssertionError, match="did not return"):
            chip.invoke("eeprom_write", 11, 0x55)
        assert chip.is_cut()
        chip.run(CLOCK)
        before[10], before[11] = 0x33, chip.eeprom[11]
        assert chip.eeprom == before
        torn.add(before[11])
    assert len(torn) > 10
    assert torn - {0x33, 0x55, 0xFF}


@pytest.mark.parametrize("prescaler", [128, 64, 32])
def test_other_pins_are_read_between_the_noise(prescaler: int) -> None:
    """At any moment: the codes are the pins', none of them is taken for noise, and each costs one code, which is counted."""
    chip = Chip(image(f"-DUNO_ADC_PRESCALER={prescaler}") if prescaler != 128 else None, noise=DeviceNoise.SHORT)
    host = Host(chip)
    chip.run(CLOCK // 10)
    # Between the two looks an interrupt that waits and up to eleven codes in the FIFO make a difference.
    before, calls = host.status(), chip.handler(ADC).calls
    clock, rng, longest, count, begun = prescaler, np.random.default_rng(prescaler), 0, 400, chip.cycle()
    for index in range(count):
        chip.run(int(rng.integers(0, 40 * prescaler)))
        pin = 4 + index % 4
        assert chip.invoke("converter_analog", pin) == CONSTANT[pin]
        longest = max(longest, chip.took)
        if index % 3:  # else another pin follows at once
            chip.run(3 * 13 * clock)
    after = host.status()
    passed = (after.codes + after.codes_lost) - (before.codes + before.codes_lost)
    assert passed == pytest.approx(chip.handler(ADC).calls - calls + count, abs=3 + 11)
    # Restarting takes time too, less than half a code each.
    assert -3 - 7 <= (chip.cycle() - begun) / (13 * clock) - passed < 0.5 * count
    assert longest <= 30 * clock + 400
    assert longest < CLOCK / 1000
    assert after.codes_lost - before.codes_lost >= count - 1  # the last is counted with the codes behind it


def test_noise_never_holds_a_pins_code() -> None:
    chip = Chip(noise=DeviceNoise.SHORT)
    host = Host(chip)
    host.do(messages.Noise(0, 0))
    rng = np.random.default_rng(2)
    for _ in range(300):
        chip.invoke("converter_analog", int(rng.integers(4, 8)))
        for _ in range(int(rng.integers(0, 100))):
            host.turn(int(rng.integers(100, 3000)))
    host.do(messages.Stop())
    frames = list(host.link.noise)
    assert sum(frame.count for frame in frames) > 1000
    assert all(set(frame.packed) <= {0} for frame in frames)
    # Each hole lies between two frames, and the frames number what was lost.
    holes = [after.first - before.first - before.count for before, after in itertools.pairwise(frames)]
    assert sum(hole > 0 for hole in holes) > 50
    assert min(holes) >= 0


def test_a_pin_leaves_a_hole_between_two_calls() -> None:
    """No call returns codes from before and after it, and the loss is reported with the first code behind the hole."""
    chip = Chip()
    Host(chip)
    scratch = 0x700  # between variables and stack

    def idle(codes: int) -> None:
        chip.hang(codes * CODE_CYCLES, masked=False)
        chip.run_to("uno_turn")

    def read() -> tuple[int, int]:
        count = chip.invoke("converter_read", scratch, 64) & 255
        return count, lost_codes(chip)

    read()
    already = lost_codes(chip)
    idle(5)
    chip.invoke("converter_analog", 4)
    idle(3)
    count, lost = read()
    assert (count, lost) == (pytest.approx(6, abs=1), already)
    idle(4)
    count, lost = read()
    assert count == pytest.approx(4, abs=1)
    assert lost - already == pytest.approx(1 + 3, abs=1)
    idle(2)
    assert read() == (pytest.approx(2, abs=1), lost)


def test_reading_a_pin_does_not_hold_the_line_up() -> None:
    chip = Chip()
    host = Host(chip)
    chip.measure()
    ask = messages.GetStatus()
    for _ in range(20):
        host.link.submit(Command.of(ask), chip.seconds)
        host.turn(200)
        for pin in (1, 2, 3):
            chip.invoke("converter_analog", pin)
        for _ in range(40):
            host.turn()
    assert chip.longest_masked() < 640
    assert chip.handler(RECEIVE).longest <= 50
    assert chip.line_overruns() == 0
    assert host.link.counters.bad_frames == host.link.counters.resent == 0


def test_sensors_move_as_they_are_said_to() -> None:
    chip = Chip()
    Host(chip)
    for _ in range(30):
        chip.run(CLOCK // 23)
        for pin in (1, 2, 3):
            code, seconds = chip.invoke("converter_analog", pin), chip.seconds
            u, v = (math.sin(2 * math.pi * 0.7 * rate * seconds) for rate in (1.0, (1 + math.sqrt(5)) / 2))
            part = {1: 0.5 + 0.4 * u, 2: 0.5 + 0.4 * v, 3: 0.5 + 0.2 * u * (1 + v)}[pin]
            # Sampled a tenth of a millisecond earlier.
            assert code == pytest.approx(1024 * part - 0.5, abs=1.5)
