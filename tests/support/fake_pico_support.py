"""A Pico for tests: MicroPython's Unix port with stand-ins for the chip's modules, at one end of a pseudo-terminal. Like the chip
it runs main.py, goes to the REPL when that ends, and starts again when the program resets it.
"""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import threading
import tty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from unix_port_support import PROGRAMS

from mtjlearn.flashing.micropython import MICROPYTHON_BOARDS
from mtjlearn.virtual.micropython import interpreter

BOARD = replace(MICROPYTHON_BOARDS["pico-micropython"], platform="linux", architecture="x64")
"""What the stand-in is to `mtjlearn flash`."""
_BOOT = "try:\n exec(open('main.py').read())\nexcept OSError as error:\n print(error)"
_POWER_ON = 0.2


class FakePico:
    """One board.

    Args:
        folder: keeps its files, in ``files``, and what its registers keep.

    Attributes:
        port: the other end of its pseudo-terminal.
        files: the root of its file system.
        starts: how often it started.
    """

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir(exist_ok=True)
        self._registers = folder / "registers"
        self._board_end, self._client_end = pty.openpty()
        tty.setraw(self._client_end)
        self.port = os.ttyname(self._client_end)
        self.starts = 0
        self._off = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        path = f".frozen:{PROGRAMS / 'chip'}"
        environment = os.environ | {"MICROPYPATH": path, "MTJLEARN_FAKE_CHIP": str(self._registers)}
        while not self._off.wait(_POWER_ON):
            self.starts += 1
            command = [*interpreter(), "-i", "-c", _BOOT]
            self._process = subprocess.Popen(
                command, cwd=self.files, env=environment, stdin=self._board_end, stdout=self._board_end, stderr=self._board_end
            )
            self._process.wait()

    def kill(self) -> None:
        """Ends the program where it stands, as a cut of the power does; it starts again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)

    def unplug(self) -> None:
        """Takes the board away, for good."""
        self._off.set()
        self.kill()
        self._thread.join(10)
        for descriptor in (self._board_end, self._client_end):
            with contextlib.suppress(OSError):
                os.close(descriptor)


@contextlib.contextmanager
def fake_pico(folder: Path) -> Iterator[FakePico]:
    """A board with MicroPython and no file."""
    board = FakePico(folder)
    try:
        yield board
    finally:
        board.unplug()
