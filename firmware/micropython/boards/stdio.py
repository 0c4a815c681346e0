"""The line of a chip: the serial port of its REPL, as bytes and without waiting. Boards of chips call it.

A read of several bytes waits until all of them are there, and a write beyond the port's room waits or drops, so that bytes are
asked for and moved one at a time.
"""

if False:
    from kinds import Callable

import select
import sys
import time

from micropython import const

_WAITING = const(512)
"""Bytes that wait to be sent, at most: two of the longest frames."""
_CTRL_C = const(3)
_PRESSES = const(4)
"""Bytes 3 in a row. A HELLO, which a host may send to a board that has just started, holds no such run but by a chance of 2^-32."""


def _answers(poll: select.poll, timeout: int) -> bool:
    for _ in poll.ipoll(timeout):
        return True
    return False


class Stdio:
    """The two directions of the line."""

    def __init__(self) -> None:
        self._input = select.poll()
        self._input.register(sys.stdin, select.POLLIN)
        self._output = select.poll()
        self._output.register(sys.stdout, select.POLLOUT)
        self._receive = sys.stdin.buffer
        self._send = sys.stdout.buffer
        self._byte = bytearray(1)
        self._ring = bytearray(_WAITING)
        self._start = 0
        self.waiting = 0
        """Bytes that are not with the port yet."""

    def read(self, buffer: bytearray) -> int:
        """Takes received bytes into the beginning of `buffer`; returns how many."""
        count, most, byte = 0, len(buffer), self._byte
        while count < most and _answers(self._input, 0):
            if not self._receive.readinto(byte):
                break
            buffer[count] = byte[0]
            count += 1
        return count

    def room(self) -> int:
        """Bytes that write() would take now."""
        return _WAITING - self.waiting

    def write(self, buffer: bytearray | memoryview, count: int) -> None:
        """Queues the first `count` bytes."""
        ring, end = self._ring, self._start + self.waiting
        for i in range(count):
            ring[(end + i) % _WAITING] = buffer[i]
        self.waiting += count
        self.flush()

    def flush(self) -> bool:
        """Hands on what the port takes now; returns whether that was anything."""
        before, byte = self.waiting, self._byte
        while self.waiting and _answers(self._output, 0):
            byte[0] = self._ring[self._start]
            self._send.write(byte)
            self._start = (self._start + 1) % _WAITING
            self.waiting -= 1
        return self.waiting < before

    def sleep(self, milliseconds: int) -> None:
        """Waits for a byte."""
        _answers(self._input, milliseconds)

    def asks_for_repl(self, milliseconds: int, pressed: Callable[[], bool]) -> bool:
        """Whether somebody wants the REPL: Ctrl-C several times in a row, or `pressed()`, in this time. A byte 0 ends it, which
        delimits frames: a host is there, and repeats the HELLO that is thrown away with all other bytes.

        Args:
            milliseconds: how long to wait.
            pressed: whether a button is held.
        """
        began, run = time.ticks_ms(), 0
        while time.ticks_diff(time.ticks_ms(), began) < milliseconds:
            while _answers(self._input, 0) and self._receive.readinto(self._byte):
                run = run + 1 if self._byte[0] == _CTRL_C else 0
                if run == _PRESSES:
                    return True
                if not self._byte[0]:
                    return False
            if pressed():
                return True
            time.sleep_ms(1)
        return False
