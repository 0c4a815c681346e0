"""Ctrl-C as a wish: the command line notes it, and whatever may be left in the middle asks for it.

In a notebook nobody defers anything: KeyboardInterrupt comes at once, and the library stays whole. A command also writes files
and shows results, which is done in one piece; between such pieces check() raises what was wished for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 2.0
"""Seconds in which another Ctrl-C ends the process at once."""
EXIT_INTERRUPTED = 130
_SHOW_CURSOR = "\x1b[?25h"

_asked: float | None = None


def asked() -> bool:
    """Whether Ctrl-C was pressed and not obeyed yet."""
    return _asked is not None


def check() -> None:
    """Call it where work may be left as it stands, at least every second.

    Raises:
        KeyboardInterrupt: once for a Ctrl-C that was deferred.
    """
    global _asked
    if _asked is not None:
        _asked = None
        raise KeyboardInterrupt


def end_at_once(text: str) -> None:
    """Ends the process without anything more than a line."""
    cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
    os.write(2, f"{cursor}\nmtjlearn: {text}\n".encode())
    os._exit(EXIT_INTERRUPTED)


@contextmanager
def deferred(clock: Callable[[], float] = time.monotonic, end: Callable[[str], None] = end_at_once) -> Iterator[None]:
    """Within it Ctrl-C waits for check(); another one within two seconds ends the process at once.

    Args:
        clock: time in seconds.
        end: ends the process.
    """
    global _asked
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # signals are somebody else's, or ignored as in a shell's background job
        return
    last = -AT_ONCE

    def note(number: int, frame: object) -> None:
        global _asked
        nonlocal last
        now = clock()
        if now - last < AT_ONCE:
            end("interrupted again and ended at once; what was saved until then is kept")
        last = _asked = now

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _asked = None
