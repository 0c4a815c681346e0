"""A bell that lets a thread return from select(): rung by any other thread, also while that one is interrupted."""

from __future__ import annotations

import contextlib
import os
import sys


class Bell:
    """A pipe to oneself. Its descriptors live as long as the object, so that a late ring never reaches a foreign file."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        if sys.platform != "win32":  # where select() takes no pipes, and nobody makes a bell
            os.set_blocking(self._out, False)
            os.set_blocking(self._in, False)

    def fileno(self) -> int:
        """What select() watches."""
        return self._out

    def ring(self) -> None:
        """Makes fileno() readable."""
        with contextlib.suppress(BlockingIOError):  # full: it rings already
            os.write(self._in, b"\0")

    def silence(self) -> None:
        """Takes all rings back."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._out, 4096)

    def __del__(self) -> None:
        os.close(self._out)
        os.close(self._in)
