"""An AVR in tests/platformio/builds/simulated_avr.c."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class SimulatedAvr:
    """A running chip; a context manager that ends it.

    Args:
        program: the simulator.
        chip: its name.
        elf: the image.
    """

    def __init__(self, program: Path, chip: str, elf: Path) -> None:
        self.process = subprocess.Popen([program, chip, elf], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        assert self.process.wait(10) == 0

    def write(self, data: bytes) -> None:
        """Bytes for the chip."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def read(self) -> bytes:
        """What the chip has sent."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 0.05)
        return os.read(self.process.stdout.fileno(), 4096) if ready else b""

    def read_until(self, text: bytes, patience: float = 60.0) -> bytes:
        """All that the chip sends until it has sent the text."""
        data, end = b"", time.monotonic() + patience
        while text not in data:
            assert time.monotonic() < end, data[-500:]
            data += self.read()
        return data


Simulate = Callable[[str, Path], SimulatedAvr]
"""Chip and image to a running chip."""

Example = Callable[..., Path]
"""Name and boards, the Uno alone if none, to the folder with the builds."""
