"""Bytes to and from a simulated chip that runs a test program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import serial

PATIENCE = 20.0
"""Seconds to wait for a byte; machines that run tests stall."""


class Line:
    """Bytes to and from a simulated chip that runs a test program."""

    def __init__(self, port: serial.Serial) -> None:
        self.port = port

    def ask(self, command: bytes, count: int) -> bytes:
        """Sends bytes and waits for this many."""
        self.port.write(command)
        answer: bytes = self.port.read(count)
        assert len(answer) == count, f"{command!r} is answered by {answer!r}"
        return answer

    def word(self, command: bytes) -> int:
        """Sends bytes and waits for a number of two bytes."""
        return int.from_bytes(self.ask(command, 2), "little")


OpenChip = Callable[..., AbstractContextManager[Line]]
"""``with open_chip(**options) as line``."""
