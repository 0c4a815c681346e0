"""Where the command ``mtjlearn`` begins, before it imports what it needs: Ctrl-C ends it in one line already, and linear algebra
has one thread.
"""

from __future__ import annotations

import os
import signal

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What libraries of linear algebra read when they are loaded."""


def _end(number: int, frame: object) -> None:
    os.write(2, b"\nmtjlearn: interrupted\n")
    os._exit(130)  # nothing has begun; an exception could come out of the middle of an import


def one_thread() -> None:
    """Linear algebra gets one thread, unless the user has set another number: products here are small, and threads wait for each
    other longer than they compute. To be called before NumPy is imported.
    """
    if not any(variable in os.environ for variable in _THREADS):
        os.environ.update(dict.fromkeys(_THREADS, "1"))


def main(name: str = "mtjlearn") -> None:
    """Runs the command line, which calls itself by this name."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    one_thread()
    from mtjlearn.cli import main as command

    command(prog_name=name)
