"""What the tests of uno-sim share: programs for the chip, and bytes to and from it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial
from chip_line import PATIENCE, Line, OpenChip

from mtjlearn.firmware import ToolMissing, find_avr_gcc
from mtjlearn.virtual.uno_sim import start_uno_sim

AVR_FLAGS = ("-mmcu=atmega328p", "-DF_CPU=16000000L", "-Os", "-Wall", "-Wextra", "-Wconversion", "-Werror")


@pytest.fixture(scope="session", autouse=True)
def _tools(tool_missing: Callable[[str], None]) -> None:
    """Everything is built and starts once; without the tools these tests are skipped."""
    try:
        start_uno_sim().close()
    except ToolMissing as missing:
        tool_missing(str(missing))


@pytest.fixture(scope="session")
def probe(_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """probe.c, compiled."""
    target = tmp_path_factory.mktemp("probe") / "probe.elf"
    subprocess.run([find_avr_gcc(), *AVR_FLAGS, Path(__file__).with_name("probe.c"), "-o", target], check=True)
    return target


@pytest.fixture(scope="session")
def open_chip(probe: Path) -> OpenChip:
    """``with open_chip(**options) as line``: a chip that runs probe.c."""

    @contextmanager
    def opened(**options: Any) -> Iterator[Line]:
        with start_uno_sim(elf=probe, **options) as board, serial.Serial(board.url, 250000, timeout=0.05) as port:
            until = time.monotonic() + PATIENCE
            while port.read(1) != b"?":  # it is up
                assert time.monotonic() < until
                port.write(b"!")
            while port.read(1):  # answers to those that came early
                pass
            port.timeout = PATIENCE
            yield Line(port)

    return opened
