"""The Uno's image in a simulated chip inside this process: every run repeats to the cycle."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cffi

from mtjlearn.firmware import build_firmware, find_host_cc, firmware_root

HERE = Path(__file__).resolve().parent
FRONT_END = {"main", "options", "pace"}
"""Files of the simulator that make a program of it."""
VIRTUAL = ("generator", "smtj")
CLOCK = 16_000_000
BYTE_CYCLES = 640
"""A byte on the line at 250000 baud."""

SMTJ, GAUSSIAN, BERNOULLI, STUCK, OPEN, SHORT = range(6)


@functools.cache
def library() -> tuple[Any, Any]:
    """The simulator, compiled for this session."""
    folder = Path(tempfile.mkdtemp(prefix="uno-chip-"))
    firmware = firmware_root() / "firmware"
    sources = [path for path in sorted((firmware / "simulators" / "uno").glob("*.c")) if path.stem not in FRONT_END]
    sources += [firmware / "boards" / "native" / f"{name}.c" for name in VIRTUAL]
    includes = [f"-I{path}" for path in (firmware / "simulators" / "uno", firmware / "boards" / "native", HERE)]
    command = [str(find_host_cc()), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-shared", "-fPIC", *includes]
    target = folder / "libuno-chip.so"
    command += [str(HERE / "chip.c"), *map(str, sources), "-lsimavr", "-lm", "-o", str(target)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    ffi = cffi.FFI()
    header = (HERE / "uno_chip.h").read_text(encoding="utf-8")
    ffi.cdef(header.split("/* BEGIN */")[1].split("/* END */")[0])
    return ffi, ffi.dlopen(str(target))


class Chip:
    """One chip, just switched on."""

    def __init__(self, elf: Path | None = None, *, seed: int = 1, noise: int = SMTJ, eeprom: bytes | None = None) -> None:
        self._ffi, self.lib = library()
        image = str(elf or build_firmware("uno")).encode()
        self._chip = self._ffi.gc(self.lib.uno_create(image, seed, 0, noise, eeprom or self._ffi.NULL), self.lib.uno_destroy)

    def run(self, cycles: int) -> None:
        assert self.lib.uno_run(self._chip, cycles)

    def push(self, data: bytes) -> None:
        self.lib.uno_push(self._chip, data, len(data))

    def take(self) -> bytes:
        buffer = self._ffi.new("uint8_t[65536]")
        return bytes(self._ffi.buffer(buffer, self.lib.uno_take(self._chip, buffer, 65536)))

    def __getattr__(self, name: str) -> Any:
        return functools.partial(getattr(self.lib, f"uno_{name}"), self._chip)
