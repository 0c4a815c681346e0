"""Starts the native board: the firmware as a process of its own, with a virtual sMTJ at its ADC."""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mtjlearn.virtual.compiled import native_file
from mtjlearn.wire.errors import BoardError

PROGRAM = "mtjlearn-native"
START_TIMEOUT = 10.0
"""Seconds until a board that has not named its port is given up."""
_STOP_TIMEOUT = 3.0


class NativeBoardError(BoardError):
    """The native board did not start; the text says why."""


class NativeBoard:
    """A running native board; a context manager that ends it.

    Args:
        command: program and options.

    Raises:
        NativeBoardError: if it does not name its port in time.
    """

    def __init__(self, command: Sequence[str | Path]) -> None:
        # A file, not a pipe: nobody reads while the board runs, and a full pipe would stop it.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            # The board ends when the pipe at its standard input closes, also when this process is killed. In a process
            # group of its own it outlives a Ctrl-C at the terminal, so that its last weights can still be read.
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                process_group=0,
            )
        except OSError as error:
            self._errors.close()
            raise NativeBoardError(f"{command[0]} cannot be started: {error.strerror}") from error
        try:
            self.url = self._read_port()
            """What a client opens: the path of a pseudo-terminal, or socket://127.0.0.1:PORT."""
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the board. Does nothing when it has ended."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close_files()

    def kill(self) -> None:
        """Ends the board without a warning, as when its cable is pulled."""
        self.process.kill()
        self.process.wait()
        self._close_files()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _close_files(self) -> None:
        for file in (self.process.stdin, self.process.stdout, self._errors):
            if file is not None:
                file.close()

    def _read_port(self) -> str:
        output = self.process.stdout
        assert output is not None
        line = b""
        deadline = time.monotonic() + START_TIMEOUT
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            part = output.read1(256) if ready else b""  # type: ignore[attr-defined]
            if not part:
                raise NativeBoardError(self._explain(f"within {START_TIMEOUT:g} s" if not ready else ""))
            line += part
        try:
            return str(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError) as error:
            raise NativeBoardError(f"the virtual board printed {line!r}, not its port; install it again") from error

    def _explain(self, when: str) -> str:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else " ".join(f"the virtual board did not start {when}".split())


def start_native(
    *,
    seed: int = 1,
    preset: str = "recording",
    device_noise: str = "smtj",
    adc_bits: int = 10,
    adc_rate: int = 9615,
    adc_reference: int = 1100,
    virtual_clock: int = 0,
    arena: int = 65536,
    max_payload: int = 240,
    tcp_port: int | None = None,
    program: Path | None = None,
) -> NativeBoard:
    """Starts a native board on a pseudo-terminal or a TCP port.

    Args:
        seed: of the virtual sMTJ, 0 .. 2^64 - 1.
        preset: voltages at the pin: ``recording`` (36.2 and 48.0 mV, appendix A of the paper) or ``bench`` (a junction
            of 3 or 6 kOhm in a divider of 3.3 V over 100 kOhm: 96 and 187 mV).
        device_noise: ``smtj``; ``gaussian`` or ``bernoulli`` for comparison; the faults ``stuck``, ``open``, ``short``.
        adc_bits: 10, 12 or 14.
        adc_rate: codes a second, 1 .. 1,000,000.
        adc_reference: voltage of full scale in mV, 100 .. 10,000.
        virtual_clock: codes that arrive for each training step, up to 1024: then a seed repeats a run exactly; 0: real
            time.
        arena: memory for a network in bytes, 1024 .. 1,048,576.
        max_payload: largest payload in bytes, 64 .. 240.
        tcp_port: serve this port of 127.0.0.1, 0 for any free one; None: a pseudo-terminal.
        program: another build of the board than the installed one.

    Raises:
        NotBuiltError: if the board was not built.
        NativeBoardError: if it does not start, e.g. because an option is out of range or the port is taken.
    """
    command: list[str | Path] = [program or native_file(PROGRAM)]
    command += ["--pty"] if tcp_port is None else ["--tcp", str(tcp_port)]
    command += ["--seed", str(seed), "--preset", preset, "--device-noise", device_noise]
    command += ["--adc-bits", str(adc_bits), "--adc-rate", str(adc_rate), "--adc-reference", str(adc_reference)]
    command += ["--arena", str(arena), "--max-payload", str(max_payload)]
    command += ["--virtual-clock", str(virtual_clock)] if virtual_clock else []
    return NativeBoard(command)
