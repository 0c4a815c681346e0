"""Finds boards: the virtual ones by their names, real ones by the USB ids of their makers.

A port whose maker says nothing about the board behind it (a USB-to-serial chip serves many devices) is listed, but
nothing is written to it unless the user names it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

from mtjlearn.board import Board, BoardError, BoardLost
from mtjlearn.virtual.native import start_native
from mtjlearn.wire.transport import BAUD, SerialTransport

VIRTUAL = {"native": "virtual board: the firmware as a process on this computer"}
"""Names of virtual boards and what they are."""

_BOARDS = {
    (0x2341, 0x0043): "Arduino Uno R3",
    (0x2341, 0x0001): "Arduino Uno R3",
    (0x2341, 0x0243): "Arduino Uno R3",
    (0x2341, 0x006A): "Arduino Uno R3",
    (0x2A03, 0x0043): "Arduino Uno R3",
    (0x2341, 0x0069): "Arduino Uno R4 Minima",
    (0x2341, 0x1002): "Arduino Uno R4 WiFi",
}
_BOOTLOADERS = {(0x2341, 0x0369): "Arduino Uno R4 in its bootloader; press reset once, or flash it"}
_PICO = 0x2E8A
_BRIDGES = {0x303A: "ESP32", 0x1A86: "CH340 adapter", 0x0403: "FTDI adapter", 0x10C4: "CP210x adapter"}


@dataclass(frozen=True)
class BoardPort:
    """A board that can be opened, or a port that may have one behind it.

    Args:
        name: what open_board() takes.
        description: the board, or the make of the port.
        known: it is a board for sure; others are opened only when named.
        virtual: it is started when it is opened.
        serial_number: of the USB device; empty when it has none.
    """

    name: str
    description: str
    known: bool
    virtual: bool = False
    serial_number: str = ""


def list_boards() -> list[BoardPort]:
    """Virtual boards first, then known boards, then other ports with a USB device; nothing is opened."""
    ports = [_describe(port) for port in list_ports.comports() if port.vid is not None]
    virtual = [BoardPort(name, text, known=True, virtual=True) for name, text in VIRTUAL.items()]
    return virtual + sorted(ports, key=lambda port: (not port.known, port.name))


def open_board(
    name: str | None = None,
    *,
    baud: int = BAUD,
    log: str | os.PathLike[str] | None = None,
    timeout: float = 5.0,
    **virtual: Any,
) -> Board:
    """Opens a board.

    Args:
        name: ``native`` for the virtual board, a port (``/dev/ttyACM0``, ``COM3``), a pyserial URL
            (``socket://127.0.0.1:4000``), or None for the only board that is connected.
        baud: bits a second.
        log: file for the raw log of the link.
        timeout: seconds to wait for an answer.
        virtual: options of a virtual board, as start_native() takes them.

    Raises:
        BoardError: no board, or several, with what to do; else as Board.open() and start_native().
    """
    chosen = name if name is not None else _only_board()
    if chosen not in VIRTUAL:
        if virtual:
            raise BoardError(f"{', '.join(sorted(virtual))}: only virtual boards take this; leave it out for {chosen}")
        return Board.open(chosen, baud=baud, log=log, timeout=timeout)
    native = start_native(**virtual)

    def open_transport() -> SerialTransport:
        # The path of a pseudo-terminal passes to somebody else once the board's process has ended.
        if native.process.poll() is not None:
            raise BoardLost("the process of the virtual board has ended; open the board again")
        return SerialTransport(native.url, baud, log)

    try:
        return Board(open_transport, timeout, native)
    except BaseException:
        native.close()
        raise


def _only_board() -> str:
    ports = [board for board in list_boards() if not board.virtual]
    known = [board.name for board in ports if board.known]
    if len(known) == 1:
        return known[0]
    if known:
        raise BoardError(f"several boards are connected; choose one with --board: {', '.join(known)}")
    others = f", or name its port with --board: {', '.join(board.name for board in ports)}" if ports else ""
    raise BoardError(f"no board found; connect one{others}, or use the virtual one with --board native")


def _describe(port: Any) -> BoardPort:
    serial_number = port.serial_number or ""
    known = _BOARDS.get((port.vid, port.pid)) or ("Raspberry Pi Pico" if port.vid == _PICO else None)
    if known is not None:
        return BoardPort(port.device, known, known=True, serial_number=serial_number)
    text = _BOOTLOADERS.get((port.vid, port.pid)) or _BRIDGES.get(port.vid) or port.product or port.description
    return BoardPort(port.device, f"{text} ({port.vid:04x}:{port.pid:04x})", known=False, serial_number=serial_number)
