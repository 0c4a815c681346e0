"""A raw REPL that says what a test wants, on a pseudo-terminal: too old a MicroPython, no room, or gone in the middle."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator

_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
GOOD_FACTS = "((1, 29, 0), 4870, 'rp2', 4096, 1000000)"
"""Of a Pico with MicroPython 1.29: files of format 6.3 with code for armv6m."""

Answer = Callable[[str], tuple[str, str] | None]
"""What a text prints and what it raises; None: the board is gone."""


def answers(facts: str = GOOD_FACTS, free: int | None = None) -> Answer:
    """A board that reports these facts, has no files, and accepts everything."""

    def answer(text: str) -> tuple[str, str] | None:
        if "statvfs" in text:
            return facts.replace("1000000", str(free)) if free is not None else facts, ""
        return ("[]" if "print([" in text else ""), ""

    return answer


@contextlib.contextmanager
def scripted_repl(answer: Answer) -> Iterator[str]:
    """Serves a pseudo-terminal; yields its name."""
    board_end, client_end = pty.openpty()
    tty.setraw(client_end)
    off = threading.Event()
    thread = threading.Thread(target=_serve, args=(board_end, answer, off), daemon=True)
    thread.start()
    try:
        yield os.ttyname(client_end)
    finally:
        off.set()
        thread.join(10)
        os.close(board_end)
        os.close(client_end)


def _serve(board: int, answer: Answer, off: threading.Event) -> None:
    received = b""
    while not off.is_set():
        if not select.select([board], [], [], 0.05)[0]:
            continue
        received += os.read(board, 1024)
        while received:
            if received.startswith(b"\x05A\x01"):
                os.write(board, b"R\x00")
                received = received[3:]
            elif received[:1] == b"\x01":
                os.write(board, _BANNER)
                received = received[1:]
            elif received[:1] in (b"\r", b"\x03"):
                received = received[1:]
            elif b"\x04" in received:
                text, _, received = received.partition(b"\x04")
                said = answer(text.decode())
                if said is None:
                    return
                os.write(board, b"OK" + said[0].encode() + b"\x04" + said[1].encode() + b"\x04>")
            else:
                break
