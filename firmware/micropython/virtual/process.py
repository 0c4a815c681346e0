"""The virtual board's life as a process: it ends on SIGTERM, when the pipe at its standard input is closed, and with the program
that started it. firmware/virtual/process.c behaves alike.
"""

if False:
    from kinds import VirtualLine

import os
import select
import sys
import time

_KIND = 0o170000
_PIPES = (0o010000, 0o140000)
"""Kinds of file: a pipe, a socket."""
_PARENT_CHECK_MS = 1000
"""How often to look whether the parent still lives."""


def _input_is_pipe() -> bool:
    # A program that starts a board holds the other end of a pipe; at a terminal or under nohup nobody does.
    try:
        return os.stat("/dev/stdin")[0] & _KIND in _PIPES
    except OSError:
        return False


def _parent() -> int:
    """The process that started this one; 0 where the system does not say."""
    try:
        with open("/proc/self/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


class Process:
    """Waits for what is to be done, and sees when the process is to end.

    Attributes:
        ended: it is to end.
    """

    def __init__(self) -> None:
        self.ended = False
        self._watches = _input_is_pipe()
        self._parent = _parent()
        self._looked = time.ticks_ms()
        self._poll = select.poll()
        self._registered: list[object] = []

    def _register(self, stream: object, events: int) -> None:
        self._poll.register(stream, events)
        self._registered.append(stream)

    def wait(self, line: VirtualLine, reads: bool, timeout: int) -> None:
        """Waits at most `timeout` ms for room on the line if something is to be sent, for a client, and, if `reads`, for bytes.
        Looks whether the process is to end.
        """
        if self._watches:
            self._register(sys.stdin, select.POLLIN)
        events = (select.POLLIN if reads else 0) | (select.POLLOUT if line.transmit_count else 0)
        if line.stream is not None:
            self._register(line.stream, events)
        if line.waits_for is not None:
            self._register(line.waits_for, select.POLLIN)
        for stream, _ in self._poll.poll(timeout):
            if stream is sys.stdin and not sys.stdin.buffer.read(1):
                self.ended = True
        while self._registered:
            self._poll.unregister(self._registered.pop())
        if self._watches and time.ticks_diff(time.ticks_ms(), self._looked) >= _PARENT_CHECK_MS:
            # A sibling process may have inherited the pipe and keep it open.
            self.ended = self.ended or _parent() != self._parent
            self._looked = time.ticks_ms()
        line.accept()
