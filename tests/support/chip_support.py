"""The Uno's firmware in a simulated chip inside this process, and the host's link in simulated time: all repeats to the cycle."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.firmware import build_firmware, find_avr_gcc
from mtjlearn.firmware.images import FIRMWARE, firmware_image
from mtjlearn.inprocess.device import DeviceNoise
from mtjlearn.inprocess.uno import uno_library
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.messages import Message, Options, Rounding
from mtjlearn.wire.session import Link, LinkState

CLOCK = 16_000_000
CODE_CYCLES = 1664
BYTE_CYCLES = 640
RAM_START = 0x100

TIMER, RECEIVE, SEND, ADC = 13, 18, 19, 21
"""Numbers of interrupt vectors."""


def image(*flags: str, compiler: Path | None = None) -> Path:
    """The firmware's ELF file: the usual one, or one with further flags, or by another compiler; a warning is an error then."""
    if not flags and compiler is None:
        return build_firmware("uno")
    usual = firmware_image("uno")
    variant = dataclasses.replace(usual, flags=(*usual.flags, *flags, "-Werror"), compiler=lambda: compiler or usual.compiler())
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIRMWARE, "uno-variant", lambda: variant)
        return build_firmware("uno-variant")


@functools.cache
def symbols(elf: Path) -> dict[str, int]:
    """Addresses by name; data have 0x800000 added."""
    nm = find_avr_gcc().with_name("avr-nm")
    lines = subprocess.run([nm, elf], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: int(address, 16) for address, _, name in (line.split() for line in lines if line.count(" ") == 2)}


class Chip:
    """One chip, just switched on; its RAM and its source are drawn from the seed. All functions of uno_chip.h are its methods."""

    def __init__(
        self,
        elf: Path | None = None,
        *,
        seed: int = 1,
        eeprom: bytes | None = None,
        noise: DeviceNoise = DeviceNoise.SMTJ,
        profiled: bool = False,
    ) -> None:
        self.elf = elf or image()
        self.symbols = symbols(self.elf)
        self._ffi, self._lib = uno_library()
        created = self._lib.uno_create(str(self.elf).encode(), seed, 0, int(noise), eeprom or self._ffi.NULL, profiled)
        self._chip = self._ffi.gc(created, self._lib.uno_destroy)
        self.took = 0

    def __getattr__(self, name: str) -> Any:
        return functools.partial(getattr(self._lib, f"uno_{name}"), self._chip)

    def run(self, cycles: int) -> None:
        """Ends early when the power is cut."""
        assert self._lib.uno_run(self._chip, cycles) or self.is_cut(), "the chip stopped"

    def push(self, data: bytes) -> None:
        self._lib.uno_push(self._chip, data, len(data))

    def take(self) -> bytes:
        buffer = self._ffi.new("uint8_t[65536]")
        return bytes(self._ffi.buffer(buffer, self._lib.uno_take(self._chip, buffer, 65536)))

    def play(self, pin: int, millivolts: np.ndarray, per_second: float) -> None:
        """What pin A1 .. A7 carries from now on; the moments are counted from the start, and the last voltage stays."""
        self._script = self._ffi.new("float[]", millivolts.tolist())
        self._lib.uno_play(self._chip, pin, self._script, len(millivolts), per_second)

    @property
    def eeprom(self) -> bytes:
        return bytes(self._ffi.buffer(self._lib.uno_eeprom(self._chip), 1024))

    @property
    def seconds(self) -> float:
        return float(self.cycle()) / CLOCK

    def run_to(self, function: str) -> None:
        assert self._lib.uno_run_to(self._chip, self.symbols[function], CLOCK), f"{function} was not reached in a second"

    def load(self, address: int, words: Sequence[int]) -> None:
        """Writes instructions into the flash, at a byte address."""
        flash = self._lib.uno_flash(self._chip)
        for index, byte in enumerate(np.array(words, "<u2").tobytes()):
            flash[address + index] = byte

    def hang(self, cycles: int | None, *, masked: bool = True) -> None:
        """The program does nothing for so long, with interrupts off or on, or forever, with interrupts on."""
        place = 0x7F00  # where a bootloader would be: the image ends before
        if cycles is None:
            self.load(place, [0xCFFF])  # rjmp .
        else:
            loops = min(cycles // 4, 0xFFFF)
            low, high = loops & 255, loops >> 8
            wait = [0xE080 | (low & 0xF0) << 4 | low & 15, 0xE090 | (high & 0xF0) << 4 | high & 15, 0x9701, 0xF7F1]
            # cli or nop; push r24; push r25; ldi; ldi; sbiw; brne; pop r25; pop r24; sei; ret
            self.load(place, [0x94F8 if masked else 0, 0x938F, 0x939F, *wait, 0x919F, 0x918F, 0x9478, 0x9508])
        self.run_to_turn()
        self.call(place)

    def run_to_turn(self) -> None:
        """To the next turn of the main loop; nowhere if one is about to begin."""
        # The Uno's image is optimised as a whole and has a label there; an Arduino core's calls the function.
        turn = "uno_turn" if "uno_turn" in self.symbols else "device_poll"
        if self.program_counter() != self.symbols[turn]:
            self.run_to(turn)

    def invoke(self, function: str, *arguments: int, wide: bool = False) -> int:
        """Calls a callback of struct board between two turns of the main loop; the 16 or, if wide, 32 bits that it returns.

        ``took``: its cycles.
        """
        given = {}
        for index, argument in enumerate((0, *arguments)):
            given |= {24 - 2 * index: argument & 255, 25 - 2 * index: argument >> 8}
        return self.call_with(function, given, wide=wide)

    def call_with(self, function: str, given: dict[int, int], *, wide: bool = False) -> int:
        """Calls a function with what these registers hold, as invoke()."""
        self.run_to_turn()
        registers, back = self.memory(), self.program_counter()
        before = bytes(registers[index] for index in range(32))
        for register, byte in given.items():
            registers[register] = byte
        self.call(self.symbols[function])
        begun = self.cycle()
        assert self._lib.uno_run_to(self._chip, back, CLOCK), f"{function} did not return in a second"
        self.took = int(self.cycle() - begun)
        result = int.from_bytes(bytes(registers[index] for index in range(22 if wide else 24, 26)), "little")
        for index, byte in enumerate(before):
            registers[index] = byte
        return result


class Host:
    """The host's link, open.

    Args:
        chip: the other side.
        nonce: of the session.
        latency: seconds from a byte that arrives at the host to one that leaves it.
    """

    def __init__(self, chip: Chip, nonce: int = 1, latency: float = 0.0) -> None:
        self.chip = chip
        self.latency = latency
        self._late: deque[tuple[float, bytes]] = deque()
        self.link = Link(chip.seconds, nonce)
        while self.link.state is LinkState.OPENING:
            self.turn()
        assert self.link.welcome is not None, self.link.failure
        self.welcome = self.link.welcome

    def turn(self, cycles: int = 1600) -> None:
        """Lets time pass."""
        self.chip.push(self.link.transmit(self.chip.seconds))
        self.chip.run(cycles)
        if data := self.chip.take():
            self._late.append((self.chip.seconds + self.latency, data))
        while self._late and self._late[0][0] <= self.chip.seconds:
            self.link.receive(self._late.popleft()[1], self.chip.seconds)
        assert self.link.failure is None

    def finish(self, commands: Sequence[Command]) -> None:
        """Lets time pass until the commands are done."""
        while not all(command.done for command in commands):
            self.turn()
        assert not any(command.refusal for command in commands)

    def do(self, message: Message) -> Any:
        """One command; returns its answer."""
        command = Command.of(message)
        self.link.submit(command, self.chip.seconds)
        self.finish([command])
        return command.answer

    def status(self) -> messages.Status:
        """STATUS."""
        return self.do(messages.GetStatus())

    def configure(self, *sizes: int, decorrelate: int = 0, loss: int = 0) -> None:
        """A network with int16 weights."""
        fields = (loss, 0, Rounding.STOCHASTIC, Options.NORMALISED, decorrelate, 0, 0, 7, 410, 0, 2**24, 2**18, 1)
        self.do(messages.Configure(*fields, sizes=np.array(sizes, np.uint16)))

    def frames(self, count: int, classes: int = 0) -> list[Command]:
        """TRAIN commands of four random samples of 4 inputs and 3 outputs, or of this many classes."""
        rng = np.random.default_rng(count)
        values = rng.integers(-4096, 4097, (count, 4, 5 if classes else 7)).astype(np.int16)
        if classes:
            values[:, :, -1] = rng.integers(0, classes, (count, 4))
        return [Command.of(messages.Train(row.ravel())) for row in values]

    @property
    def sent(self) -> int:
        """Commands that were sent, which is the number of the next one."""
        return self.link.counters.sent

    def stream(self, commands: Sequence[Command]) -> None:
        """Sends commands as fast as the window allows."""
        for command in commands:
            self.link.submit(command, self.chip.seconds)
        self.finish(commands)

    def use(self, hidden: int, decorrelate: int, loss: int) -> None:
        """Every command of streamed learning with a 4-`hidden`-3 network, telemetry and the noise stream meanwhile."""
        self.configure(4, hidden, 3, decorrelate=decorrelate, loss=loss)
        self.do(messages.SetTelemetry(1))
        self.do(messages.Noise(0, 0))
        self.stream(self.frames(10, classes=3 if loss else 0))
        self.do(messages.Predict(np.full(8, -4096, np.int16)))
        self.do(messages.Evaluate(1, np.zeros(5 if loss else 7, np.int16)))
        blob = self.do(messages.GetBlob(0, 0))
        assert blob.total == 2 * (5 * hidden + 3 * (hidden + 1))
        self.do(messages.SetBlob(0, 0, blob.total, 0, np.zeros(40, np.uint8)))
        self.status()
        self.do(messages.GetHealth())
        self.do(messages.GetMetrics())
        self.do(messages.Stop())
