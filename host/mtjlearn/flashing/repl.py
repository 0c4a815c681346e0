"""A MicroPython board at its REPL: how to get there from whatever runs on it, and files, all over mpremote's serial link."""

from __future__ import annotations

import ast
import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from mtjlearn import interruption
from mtjlearn.flashing.failures import FlashError
from mtjlearn.wire.errors import PortError
from mtjlearn.wire.transport import SerialTransport

PACKAGE = "mpremote==1.29.0"
"""The package with the link, and the version that is tested."""
_KEYS = b"\r" + 6 * b"\x03" + b"\r\x01"
"""Ctrl-C in a row, which the firmware's first seconds listen for (firmware/micropython/entry.py), then Ctrl-A: the raw REPL."""
_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_ANSWER = 0.4
"""Seconds in which a REPL answers to the keys."""
_POLL = 0.2
_READ = 5.0
"""Seconds that the link waits for bytes that must come."""
_LONGEST = 20.0
"""Seconds for one answer, also if bytes come all the time: what is at the port may print whatever is sent to it."""
_LONGEST_BANNER = 1.5
"""The same for the banner, before which an interrupted program may still print."""
_CHUNK = 512
_PAUSE = 0.01
_SHOWN = 60


class ReplError(FlashError):
    """What was sent raised an exception on the board.

    Args:
        text: the traceback.
    """

    def __init__(self, text: str) -> None:
        self.last_line = text.strip().splitlines()[-1] if text.strip() else "no message"
        super().__init__(f"MicroPython reports {self.last_line}")


class ReplDisturbed(FlashError):
    """What came was not the answer."""


class ReplLost(FlashError):
    """The board is gone, or does not answer any more."""


class Repl:
    """The raw REPL of a board, opened by open_repl().

    Args:
        link: mpremote's.
        port: its name, for messages.
    """

    def __init__(self, link: Any, port: str) -> None:
        self._link = link
        self._port = port

    def __enter__(self) -> Repl:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        _close(self._link)

    def run(self, text: str) -> str:
        """Runs text on the board and returns what it printed.

        Raises:
            ReplError: it raised an exception.
            ReplLost: the board is gone.
        """
        interruption.check()
        with self._lost():
            printed, error = self._link.exec_raw(text, timeout=_READ)
        if error:
            raise ReplError(error.decode(errors="replace"))
        return str(printed.decode(errors="replace"))

    def ask(self, text: str) -> Any:
        """Runs text on the board and returns the value that it printed.

        Raises:
            ReplError: it raised an exception.
            ReplLost: the board is gone.
            ReplDisturbed: it printed something else.
        """
        said = self.run(text)
        try:
            return ast.literal_eval(said.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ReplDisturbed(
                f"{self._port} was asked for a value, and printed {said[:_SHOWN]!r}; if a program there prints at the same time, "
                "e.g. from a timer in boot.py, end it and flash the board again"
            ) from None

    def write_file(self, path: str, content: bytes) -> None:
        """Writes a file of the board.

        Raises:
            ReplError: the file system refuses it.
            ReplLost: the board is gone.
        """
        self.run(f"f=open({path!r},'wb')")
        for start in range(0, len(content), _CHUNK):
            self.run(f"f.write({content[start : start + _CHUNK]!r})")
        self.run("f.close()")

    def restart(self) -> None:
        """Restarts the chip; the REPL is gone then."""
        with self._lost():
            self._link.exec_raw_no_follow("import machine\nmachine.reset()")

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        from mpremote.transport import TransportError

        try:
            yield
        except (TransportError, OSError, struct.error, TypeError) as error:  # the last one: pyserial, when the port is gone
            raise ReplLost(
                f"{self._port} stopped answering in the middle ({error or type(error).__name__}); check the cable, connect the "
                "board again and flash it again"
            ) from error


class ReplMissing(FlashError):
    """No REPL answers at the port."""


def open_repl(find: Callable[[], str], baud: int, timeout: float) -> Repl:
    """The raw REPL of a board, however it is reached without the firmware's help.

    Args:
        find: the name of the serial port, which may be away for a while.
        baud: bits per second, if it is a UART.
        timeout: seconds for all of it.

    Raises:
        ReplMissing: nothing answers as a REPL does.
        PortError: the port cannot be opened.
        FlashError: mpremote is not installed.
    """
    deadline = time.monotonic() + timeout
    while True:
        interruption.check()
        problem: Exception
        try:
            return _try(find(), baud, deadline)
        except (PortError, ReplMissing) as error:
            problem = error
        if time.monotonic() >= deadline:
            raise problem
        time.sleep(_POLL)


def _try(port: str, baud: int, deadline: float) -> Repl:
    try:
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport as Link
    except ImportError:
        raise FlashError(f"mpremote is missing; install it: pip install {PACKAGE}") from None
    SerialTransport(port).close()  # says what is wrong with the port better than the link does

    class BoundedLink(Link):  # type: ignore[misc]
        """Its own waits for a silence that may never come."""

        def read_until(
            self, min_num_bytes: int, ending: bytes, timeout: float = _READ, data_consumer: object = None, **others: object
        ) -> bytes:
            return _read_until(self.serial, ending, timeout, _LONGEST)

    link = None
    try:
        link = BoundedLink(port, baudrate=baud, timeout=_READ)
        while True:
            if _enter(link):
                return Repl(link, port)
            interruption.check()
            if time.monotonic() >= deadline:
                break
    except (TransportError, OSError):
        # A chip that restarts takes its port with it.
        pass
    if link is not None:
        _close(link)
    raise ReplMissing(f"no MicroPython answers at {port}")


def _read_until(line: Any, ending: bytes, timeout: float, longest: float) -> bytes:
    """Bytes of a serial line up to an ending; or what came until there was none for `timeout` seconds, or in `longest` at all."""
    data = bytearray()
    began = last = time.monotonic()
    while not data.endswith(ending):
        byte = line.read(1) if line.in_waiting else b""
        now = time.monotonic()
        if byte:
            data += byte
            last = now
        elif now - last >= timeout:
            break
        else:
            time.sleep(_PAUSE)
        if now - began >= longest:
            break
    return bytes(data)


def _close(link: Any) -> None:
    with contextlib.suppress(OSError):
        link.close()


def _enter(link: Any) -> bool:
    """Tries the keys once; returns whether the raw REPL answered, and nothing but its prompt is to come."""
    link.serial.timeout = _POLL  # on a pseudo-terminal the link reads without asking whether there is something
    try:
        link.serial.write(_KEYS)
        if not _read_until(link.serial, _BANNER, _ANSWER, _LONGEST_BANNER).endswith(_BANNER):
            return False
        began = time.monotonic()
        while link.serial.read(_CHUNK):
            if time.monotonic() - began >= _LONGEST_BANNER:
                return False
        link.serial.write(b"\r\x01")
        return _read_until(link.serial, _BANNER, _ANSWER, _LONGEST_BANNER).endswith(_BANNER)
    finally:
        link.serial.timeout = _READ
