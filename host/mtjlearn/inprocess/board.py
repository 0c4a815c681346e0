"""Starts the in-process board: the device loaded into this process, on every system that has the library.

It needs neither a pseudo-terminal nor a process of its own, so it is the virtual board of systems without POSIX. Nothing else
can connect to it, and it works only while somebody reads from its line.
"""

from __future__ import annotations

import os
import threading
import time
from enum import IntEnum
from types import TracebackType
from typing import Self, TypeVar

from mtjlearn.errors import BoardError
from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice, Preset
from mtjlearn.wire.errors import BoardLost
from mtjlearn.wire.linklog import LogFile, LogKind
from mtjlearn.wire.transport import LoggedTransport

NAME = "inprocess"
Choice = TypeVar("Choice", bound=IntEnum)
_TURNS = 256
"""Turns of the device's main loop between two looks at the clock, at most."""


def start_inprocess(
    *,
    seed: int = 1,
    preset: str = "recording",
    device_noise: str = "smtj",
    adc_bits: int = 10,
    adc_rate: int = 9615,
    adc_reference: int = 1100,
    virtual_clock: int = 16,
    arena: int = 65536,
    max_payload: int = 240,
) -> InProcessBoard:
    """Starts a device in this process.

    Args:
        seed: of the virtual sMTJ, 0 .. 2^64 - 1.
        preset: voltages at the pin: ``recording`` (36.2 and 48.0 mV, appendix A of the paper) or ``bench`` (a junction
            of 3 or 6 kOhm in a divider of 3.3 V over 100 kOhm: 96 and 187 mV).
        device_noise: ``smtj``; ``gaussian`` or ``bernoulli`` for comparison; the faults ``stuck``, ``open``, ``short``,
            ``saturating``, ``slow``, ``drifting``.
        adc_bits: resolution of the codes, 1 .. 16.
        adc_rate: codes per second of the virtual clock.
        adc_reference: voltage of full scale in mV.
        virtual_clock: codes that arrive for each training step, 1 .. 1024; a seed repeats a run exactly.
        arena: memory for a network in bytes.
        max_payload: largest payload in bytes, 64 .. 240.

    Raises:
        NotBuiltError: the library was not built.
        BoardError: an option is out of range.
    """
    if virtual_clock < 1:
        raise BoardError(f"{NAME}: virtual_clock is 1 .. 1024; this board has no real time")
    try:
        device = InProcessDevice(
            seed=seed,
            codes_per_step=virtual_clock,
            noise=_choice(DeviceNoise, device_noise),
            preset=_choice(Preset, preset),
            adc_bits=adc_bits,
            adc_rate=adc_rate,
            adc_reference=adc_reference,
            arena=arena,
            max_payload=max_payload,
        )
    except (ValueError, OverflowError) as error:
        raise BoardError(f"{NAME}: {error}") from error
    return InProcessBoard(device)


def _choice(kind: type[Choice], name: str) -> Choice:
    names = [member.name.lower() for member in kind]
    if name not in names:
        raise ValueError(f"{name} is not one of {', '.join(names)}")
    return kind[name.upper()]


class InProcessBoard:
    """A device in this process; a context manager. Its network is kept from one connection to the next.

    Args:
        device: what works behind the line.
    """

    def __init__(self, device: InProcessDevice) -> None:
        self._device: InProcessDevice | None = device

    def open_transport(self, log: str | os.PathLike[str] | LogFile | None = None) -> InProcessTransport:
        """A line to it, with or without a raw log.

        Raises:
            BoardLost: it was closed.
        """
        if self._device is None:
            raise BoardLost("the in-process board was closed; open it again")
        return InProcessTransport(self._device, log)

    def close(self) -> None:
        """Ends the device. May be called again."""
        self._device = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


class InProcessTransport(LoggedTransport):
    """The line to a device in this process: the thread that reads lets the device work; a mtjlearn.wire.transport.Transport.

    Args:
        device: at the other end.
        log: file for the raw link log, or None.
    """

    def __init__(self, device: InProcessDevice, log: str | os.PathLike[str] | LogFile | None = None) -> None:
        super().__init__(NAME, log)
        self._device = device
        self._open = True
        self._woken = threading.Event()
        self.note(LogKind.OPENED, NAME.encode())

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        until = time.monotonic() + timeout
        while True:
            self._check_open()
            busy = self._device.poll(_TURNS) == _TURNS
            if data := self._device.take():
                self.note(LogKind.FROM_BOARD, data)
                return data
            left = until - time.monotonic()
            # A device with nothing to do stays so until bytes reach it.
            if left <= 0 or self._woken.wait(0 if busy else left):
                self._woken.clear()
                return b""

    def write(self, data: bytes) -> None:
        """See Transport."""
        self._check_open()
        self.note(LogKind.TO_BOARD, data)
        self._device.push(data)

    def wake(self) -> None:
        """See Transport."""
        self._woken.set()

    def close(self) -> None:
        """See Transport."""
        self._open = False
        self.close_log()

    def _check_open(self) -> None:
        if not self._open:
            raise BoardLost("the line to the in-process board was closed; open the board again")
