"""The device that does what it is told (tests/c/obedient.c), on any board that a test can exchange bytes with."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """What the board has told the device."""

    memory_bytes: int
    memory_block: int
    boot_count: int
    reset_cause: int
    last_error: int


class Obedient:
    """Commands to the device.

    Args:
        ask: sends bytes and waits for an answer of this many.
    """

    def __init__(self, ask: Callable[[bytes, int], bytes]) -> None:
        self._ask = ask

    def _do(self, command: str, *arguments: int, form: str = "<", answer: str = "<") -> tuple[int, ...]:
        data = command.encode() + struct.pack(form, *arguments)
        got = self._ask(data, 1 + struct.calcsize(answer))
        assert got[:1] == data[:1], (data, got)
        return struct.unpack(answer, got[1:])

    def write(self, address: int, value: int) -> None:
        """Writes a byte of the memory once it is ready."""
        self._do("w", address, value, form="<HB")

    def read(self, address: int) -> int:
        """Reads a byte of the memory once it is ready."""
        return self._do("r", address, form="<H", answer="<B")[0]

    def flush(self) -> None:
        """Flushes the memory once it is ready."""
        self._do("f")

    @property
    def ready(self) -> bool:
        """Whether the memory is ready."""
        return bool(self._do("y", answer="<B")[0])

    def analog(self, pin: int) -> int:
        """The code of another pin."""
        return self._do("a", pin, form="<B", answer="<H")[0]

    @property
    def told(self) -> Told:
        """What the board has told the device."""
        return Told(*self._do("d", answer="<HHHBB"))

    @property
    def lost(self) -> int:
        """Codes lost."""
        return self._do("l", answer="<I")[0]

    def leave_error(self, error: int) -> None:
        """The device's last error from now on."""
        self._do("e", error, form="<B")
