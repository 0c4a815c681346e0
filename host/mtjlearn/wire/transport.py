"""Bytes to and from a port: pyserial for serial ports, pseudo-terminals and ``socket://host:port``."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from typing import Protocol
from urllib.parse import urlsplit

import serial

from mtjlearn.wire.errors import BoardLost, PortBusy, PortError, PortForbidden, PortMissing
from mtjlearn.wire.linklog import LinkLog, LogFile, LogKind
from mtjlearn.wire.wake import Bell

BAUD = 250_000
"""Exact on a 16 MHz ATmega328P; boards with native USB and virtual boards ignore it."""
WRITE_TIMEOUT = 1.0
"""Seconds that a line may take nothing."""
_CHUNK = 4096
_DEAF_POLL = 0.01
"""Seconds of one read, at most, where nothing can wake it (Windows)."""
_WITHOUT_BOARD = ("loop://", "rfc2217://")
_WRITE_WAITS = 10
"""A process that was stopped, or a laptop that slept, loses one of these waits at most, not its board."""


class Transport(Protocol):
    """What a connection needs of a line."""

    name: str

    def read(self, timeout: float) -> bytes:
        """What has arrived within `timeout` seconds, maybe nothing. BoardLost when the board vanished."""

    def write(self, data: bytes) -> None:
        """Sends all of it. BoardLost when the board vanished."""

    def wake(self) -> None:
        """Lets read() return early, now or the next time; called by any thread, also after close()."""

    def close(self) -> None:
        """Gives the port back."""


class LoggedTransport:
    """What passes over a line, written to a file where that is wanted.

    Args:
        name: of the line.
        log: file for the raw link log (`linklog`), with or without a bound, or None.
    """

    def __init__(self, name: str, log: str | os.PathLike[str] | LogFile | None = None) -> None:
        self.name = name
        self.log_problem: str | None = None
        """Why the link log ends early; the log is an extra, so the line continues without it."""
        self._log: LinkLog | None = None
        try:
            self._log = LinkLog(log) if log is not None else None
        except OSError as error:
            self.log_problem = error.strerror or str(error)

    def note(self, kind: LogKind, data: bytes) -> None:
        """Writes a record to the log, if there is one."""
        if self._log is None:
            return
        try:
            self._log.write(kind, data)
        except OSError as error:
            self._log = None
            self.log_problem = error.strerror or str(error)

    def close_log(self) -> None:
        """Ends the log."""
        self.note(LogKind.CLOSED, b"closed by the host")
        if self._log is not None:
            self._log.close()


class SerialTransport(LoggedTransport):
    """A port opened with pyserial, for this process alone.

    Args:
        url: a port (``/dev/ttyACM0``, ``COM3``, the path of a pseudo-terminal) or a pyserial URL
            (``socket://127.0.0.1:4000``).
        baud: bits per second.
        log: file for the raw link log (`linklog`), with or without a bound, or None.

    Raises:
        PortMissing, PortBusy, PortForbidden, PortError: one line on why the port cannot be opened.
    """

    def __init__(self, url: str, baud: int = BAUD, log: str | os.PathLike[str] | LogFile | None = None) -> None:
        _check_url(url)
        exclusive = None if "://" in url or os.name != "posix" else True
        try:
            self._port = serial.serial_for_url(url, baudrate=baud, timeout=0, write_timeout=WRITE_TIMEOUT, exclusive=exclusive)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise _explain(url, error) from error
        try:
            self._descriptor = self._port.fileno() if os.name == "posix" else None
            self._bell = Bell() if os.name == "posix" else None
        except io.UnsupportedOperation:
            self._port.close()
            raise _unsupported(url) from None
        except BaseException:
            self._port.close()
            raise
        try:
            super().__init__(url, log)
        except BaseException:
            self._port.close()
            raise
        self.note(LogKind.OPENED, url.encode())

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        try:
            if self._descriptor is not None:
                data = self._read_descriptor(self._descriptor, timeout)
            else:
                self._port.timeout = min(timeout, _DEAF_POLL)
                data = self._port.read(max(1, self._port.in_waiting))
        except (OSError, ValueError, TypeError) as error:  # the last two: the port was closed under the reader
            raise self._gone(error) from error
        if data:
            self.note(LogKind.FROM_BOARD, data)
        return data

    def write(self, data: bytes) -> None:
        """See Transport."""
        # Before it is sent: the reader's thread may log the answer at once.
        self.note(LogKind.TO_BOARD, data)
        try:
            if self._descriptor is not None:
                self._write_descriptor(self._descriptor, data)
            else:
                self._port.write(data)
        except (OSError, ValueError, TypeError) as error:
            raise self._gone(error) from error

    def wake(self) -> None:
        """See Transport."""
        if self._bell is not None:
            self._bell.ring()

    def close(self) -> None:
        """See Transport."""
        try:
            self.close_log()
        finally:
            self._port.close()

    def _read_descriptor(self, descriptor: int, timeout: float) -> bytes:
        # pyserial's own read() waits for a number of bytes that nobody knows beforehand.
        assert self._bell is not None
        bell = self._bell.fileno()
        heard = select.select([descriptor, bell], [], [], timeout)[0]
        if bell in heard:
            self._bell.silence()
        if descriptor not in heard:
            return b""
        data = os.read(descriptor, _CHUNK)
        if not data:
            raise OSError(errno.EIO, "end of file")
        return data

    def _write_descriptor(self, descriptor: int, data: bytes) -> None:
        # pyserial's own write() gives up when the clock has passed its time-out, even if the line was free all along
        # and it was this process that stood still.
        if not self._port.is_open:
            raise OSError(errno.EBADF, "the port is closed")
        waits = 0
        while data:
            if select.select([], [descriptor], [], WRITE_TIMEOUT / _WRITE_WAITS)[1]:
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(descriptor, data) :]
                    waits = 0
                    continue
            waits += 1
            if waits == _WRITE_WAITS:
                raise OSError(errno.ETIMEDOUT, "the line accepts nothing")

    def _gone(self, error: Exception) -> BoardLost:
        self.note(LogKind.CLOSED, str(error).encode())
        return BoardLost(f"the board at {self.name} is gone (cable out, or its process ended); connect it again")


def _check_url(url: str) -> None:
    """Refuses what pyserial would open and no board is behind, or what it explains badly."""
    if url.lower().startswith(_WITHOUT_BOARD):
        raise _unsupported(url)
    if url.lower().startswith("socket://"):
        try:
            complete = urlsplit(url).hostname and urlsplit(url).port
        except ValueError:
            complete = None
        if not complete:
            raise PortError(f"{url} lacks a host or a port number up to 65535; write e.g. socket://127.0.0.1:4000")


def _unsupported(url: str) -> PortError:
    return PortError(f"{url} cannot reach a board; name its serial port, or a raw TCP server: socket://host:4000")


def _explain(url: str, error: Exception) -> PortError:
    code = error.errno if isinstance(error, OSError) else None
    text = str(error)
    if code == errno.ENOENT or "FileNotFoundError" in text:
        return PortMissing(f"there is no port {url}; `mtjlearn boards` lists what is connected")
    if code in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return PortBusy(f"another program uses {url}; close it (a serial monitor?) and try again")
    if code in (errno.EACCES, errno.EPERM) or "PermissionError" in text:
        return _forbidden(url)
    if "://" in url and code is None:
        if isinstance(error, ValueError):
            return PortError(f"{url} is not a URL that pyserial knows; write e.g. socket://127.0.0.1:4000")
        return PortMissing(f"nobody listens at {url}; start the board first")
    return PortError(f"{url} cannot be opened: {text.splitlines()[0] if text else type(error).__name__}")


def _forbidden(url: str) -> PortError:
    if sys.platform == "win32":
        return PortBusy(f"another program uses {url}; close it (a serial monitor?) and try again")
    import grp

    try:
        group_id = os.stat(url).st_gid
        group = grp.getgrgid(group_id).gr_name
    except KeyError:
        group = str(group_id)
    except OSError:
        return PortForbidden(f"you may not open {url}; ask whoever administers this machine")
    return PortForbidden(
        f"you may not open {url}: it belongs to group {group}; run `sudo usermod -aG {group} $USER` and log in again"
    )
