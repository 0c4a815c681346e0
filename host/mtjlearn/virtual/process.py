"""A virtual board as a process: starts it, reads the port that it names, ends it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mtjlearn import interruption
from mtjlearn.errors import BoardError
from mtjlearn.wire.errors import BoardLost
from mtjlearn.wire.linklog import LogFile
from mtjlearn.wire.transport import SerialTransport

START_TIMEOUT = 10.0
"""Seconds until a board that has not named its port is given up."""
_STOP_TIMEOUT = 3.0
_POLL = 0.25


class BoardProcessError(BoardError):
    """The virtual board did not start; the text says why."""


def fault_options(fault: str | None, after: float, lasts: float | None) -> list[str | Path]:
    """The options that let a virtual board's noise source fail; see e.g. :func:`mtjlearn.virtual.native.start_native`."""
    if fault is None:
        return []
    ends: list[str | Path] = ["--fault-lasts", repr(lasts)] if lasts is not None else []
    return ["--fault", fault, "--fault-after", repr(after), *ends]


class BoardProcess:
    """A running virtual board; a context manager that ends it.

    Args:
        command: program and options.
        environment: variables that the board has in addition to those of this process.
        descriptors: open files that it inherits.

    Raises:
        BoardProcessError: if it does not name its port in time.
    """

    def __init__(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, descriptors: Sequence[int] = ()
    ) -> None:
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
                env={**os.environ, **(environment or {})},
                pass_fds=descriptors,
            )
        except OSError as error:
            self._errors.close()
            raise BoardProcessError(f"{command[0]} cannot be started: {error.strerror}") from error
        try:
            self.url = self._read_port()
            """What a client opens: the path of a pseudo-terminal, or socket://127.0.0.1:PORT."""
        except BaseException:
            self.close()
            raise

    def open_transport(self, log: str | os.PathLike[str] | LogFile | None = None) -> SerialTransport:
        """A line to it, with or without a raw log.

        Raises:
            BoardLost: its process has ended.
            PortError: as SerialTransport.
        """
        # The path of a pseudo-terminal passes to somebody else once the board's process has ended.
        if self.process.poll() is not None:
            why = self.last_words()
            raise BoardLost(f"the process of the virtual board has ended{f' ({why})' if why else ''}; open the board again")
        return SerialTransport(self.url, log=log)

    def close(self) -> None:
        """Ends the board. Does nothing when it has ended."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_TIMEOUT)
        except BaseException as error:
            self.process.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            self._wait_for_end()
        self._close_files()

    def kill(self) -> None:
        """Ends the board without a warning, as when its cable is pulled."""
        self.process.kill()
        self._wait_for_end()
        self._close_files()

    def last_words(self) -> str:
        """The last line that the board printed to standard error; empty if there is none."""
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _wait_for_end(self) -> None:
        """An interrupt between two lines of Popen leaves its lock locked: it would wait forever for a process that has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_TIMEOUT)

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
            interruption.check()
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([output], [], [], min(left, _POLL))
            if not ready and left:
                continue
            part = output.read1(256) if ready else b""  # type: ignore[attr-defined]
            if not part:
                when = "" if ready else f" within {START_TIMEOUT:g} s"
                raise BoardProcessError(self.last_words() or f"the virtual board did not start{when}")
            line += part
        try:
            return str(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError) as error:
            said = (line + self._rest()).decode(errors="replace").strip().splitlines()
            raise BoardProcessError(f"the virtual board printed {said[-1:]}, not its port; install it again") from error

    def _rest(self) -> bytes:
        """What else a board prints that does not work: its last line says why."""
        assert self.process.stdout is not None
        rest, deadline = b"", time.monotonic() + _POLL
        while (left := deadline - time.monotonic()) > 0 and select.select([self.process.stdout], [], [], left)[0]:
            if not (part := self.process.stdout.read1(4096)):  # type: ignore[attr-defined]
                break
            rest += part
        return rest
