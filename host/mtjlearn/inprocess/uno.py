"""A simulated Uno inside this process, whose time passes only when the caller lets it: what is measured repeats to the cycle."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import cffi

from mtjlearn.errors import BoardError
from mtjlearn.firmware import build_firmware, build_simulator, firmware_root

CLOCK = 16_000_000
"""Cycles per second."""
_HEADER = Path("firmware/simulators/uno/library/uno_chip.h")
_SLICE = 1600
_MOST = 65536


@functools.cache
def uno_library() -> tuple[Any, Any]:
    """The cffi interface and the simulator, whose functions uno_chip.h declares.

    Raises:
        ToolMissing, FirmwareError: it cannot be built.
    """
    header = (firmware_root() / _HEADER).read_text(encoding="utf-8")
    ffi = cffi.FFI()
    ffi.cdef(header.split("/* BEGIN */")[1].split("/* END */")[0])
    return ffi, ffi.dlopen(str(build_simulator("uno-library")))


class SteppedUno:
    """A simulated Uno that learns while somebody reads from its line; a mtjlearn.wire.transport.Transport.

    Args:
        latency: seconds of the chip's time from a byte that left it to the host's, for a USB bridge and the host's work.
        seed: of the virtual sMTJ and of what RAM holds at the start.

    Raises:
        ToolMissing, FirmwareError: image or simulator cannot be built.
    """

    name = "uno-sim"

    def __init__(self, latency: float, seed: int = 1) -> None:
        self._ffi, self._lib = uno_library()
        image = str(build_firmware("uno")).encode()
        created = self._lib.uno_create(image, seed, 0, 0, self._ffi.NULL, True)
        self._chip = self._ffi.gc(created, self._lib.uno_destroy)
        self._latency = round(latency * CLOCK)
        self._partial = b""
        self._woken = False
        self._late: list[tuple[int, bytes]] = []
        self._buffer = self._ffi.new("uint8_t[]", _MOST)

    @property
    def seconds(self) -> float:
        """Of the chip's time since it was switched on."""
        return self._cycle() / CLOCK

    def read(self, timeout: float) -> bytes:
        """Lets up to this many seconds of the chip's time pass, until bytes arrive at the host."""
        until = self._cycle() + round(timeout * CLOCK)
        while not (data := self._arrived()) and self._cycle() < until and not self._woken:
            if not self._lib.uno_run(self._chip, _SLICE):
                raise BoardError("the simulated chip has stopped; run it again")
            if count := self._lib.uno_take(self._chip, self._buffer, _MOST):
                self._partial += bytes(self._ffi.buffer(self._buffer, count))
                self._send_on()
        self._woken = False
        return data

    def wake(self) -> None:
        """Ends a read early."""
        self._woken = True

    def write(self, data: bytes) -> None:
        """Bytes that go to the chip one behind the other, as fast as the line is."""
        self._lib.uno_push(self._chip, data, len(data))

    def close(self) -> None:
        """Nothing to give back."""

    def write_profile(self, path: Path) -> None:
        """What a simulator writes at its end (mtjlearn.bench.chip.profile).

        Raises:
            BoardError: the file cannot be written.
        """
        if not self._lib.uno_write_profile(self._chip, str(path).encode()):
            raise BoardError(f"{path} cannot be written")

    def _send_on(self) -> None:
        """Whole frames only: who repeats what is not answered must not do so for every byte."""
        end = self._partial.rfind(0) + 1
        if end > 1:
            self._late.append((self._cycle() + self._latency, self._partial[:end]))
            self._partial = self._partial[end:]

    def _cycle(self) -> int:
        return int(self._lib.uno_cycle(self._chip))

    def _arrived(self) -> bytes:
        now, data = self._cycle(), b""
        while self._late and self._late[0][0] <= now:
            data += self._late.pop(0)[1]
        return data
