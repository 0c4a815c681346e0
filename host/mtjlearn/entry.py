"""Where the command ``mtjlearn`` begins: Ctrl-C ends it in one line also while it still imports what it needs."""

from __future__ import annotations

import os
import signal


def _end(number: int, frame: object) -> None:
    os.write(2, b"\nmtjlearn: interrupted\n")
    os._exit(130)  # nothing has begun; an exception could come out of the middle of an import


def main(name: str = "mtjlearn") -> None:
    """Runs the command line, which calls itself by this name."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from mtjlearn.cli import main as command

    command(prog_name=name)
