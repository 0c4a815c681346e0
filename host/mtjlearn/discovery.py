"""Finds boards: the virtual ones by their names, real ones by the USB ids of their makers.

A port whose maker says nothing about the board behind it (a USB-to-serial chip serves many devices) is listed, but
nothing is written to it unless the user names it.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

from mtjlearn.board import Board, BoardError
from mtjlearn.virtual.boards import VIRTUAL, board_options, default_virtual_board
from mtjlearn.wire.linklog import LogFile
from mtjlearn.wire.transport import BAUD

_BOARDS = {
    (0x2341, 0x0043): ("Arduino Uno R3", "uno"),
    (0x2341, 0x0001): ("Arduino Uno R3", "uno"),
    (0x2341, 0x0243): ("Arduino Uno R3", "uno"),
    (0x2341, 0x006A): ("Arduino Uno R3", "uno"),
    (0x2A03, 0x0043): ("Arduino Uno R3", "uno"),
    (0x2341, 0x0069): ("Arduino Uno R4 Minima", "uno_r4_minima"),
    (0x2341, 0x1002): ("Arduino Uno R4 WiFi", "uno_r4_wifi"),
    (0x2341, 0x0010): ("Arduino Mega 2560", "mega2560"),
    (0x2341, 0x0042): ("Arduino Mega 2560", "mega2560"),
    (0x2341, 0x0210): ("Arduino Mega 2560", "mega2560"),
    (0x2341, 0x0242): ("Arduino Mega 2560", "mega2560"),
    (0x2A03, 0x0010): ("Arduino Mega 2560", "mega2560"),
    (0x2A03, 0x0042): ("Arduino Mega 2560", "mega2560"),
}
"""USB ids: the board, and the environment of platformio.ini that builds its firmware."""
_BOOTLOADERS = {
    (0x2341, 0x0369): ("Arduino Uno R4 in its bootloader; press reset once, or flash it", "uno_r4_minima"),
    (0x2341, 0x006D): ("Arduino Uno R4 WiFi in its bootloader; press reset once, or flash it", "uno_r4_wifi"),
}
_PICO = 0x2E8A
_CH340 = (0x1A86, 0x7523)
_OTHER_KINDS = {"uno_streamed", "nano", "nano_old", "pico", "esp32"}
"""Environments of platformio.ini whose boards have no USB id of their own."""
_WORD = re.compile(r"(?!COM\d+$)[A-Za-z][\w-]*", re.IGNORECASE)
_LEAST_BAUD, _MOST_BAUD = 300, 4_000_000
_BRIDGES = {0x303A: "ESP32", 0x1A86: "CH340 adapter", 0x0403: "FTDI adapter", 0x10C4: "CP210x adapter"}


@dataclass(frozen=True)
class BoardPort:
    """A board that can be opened, or a port that may have one behind it.

    Args:
        name: what open_board() accepts.
        description: the board, or the make of the port.
        known: it is a board for sure; others are opened only when named.
        virtual: it is started when it is opened.
        serial_number: of the USB device; empty when it has none.
        target: the environment of platformio.ini that builds its firmware; empty when its USB id does not report it.
    """

    name: str
    description: str
    known: bool
    virtual: bool = False
    serial_number: str = ""
    target: str = ""


def list_boards() -> list[BoardPort]:
    """Virtual boards first, then known boards, then other ports with a USB device; nothing is opened."""
    ports = [_describe(port) for port in list_ports.comports() if port.vid is not None]
    available = [board for board in VIRTUAL.values() if board.available]
    virtual = [BoardPort(board.name, board.description, known=True, virtual=True) for board in available]
    return virtual + sorted(ports, key=lambda port: (not port.known, port.name))


def open_board(
    name: str | None = None,
    *,
    log: str | os.PathLike[str] | LogFile | None = None,
    timeout: float = 5.0,
    **virtual: Any,
) -> Board:
    """Opens a board.

    Args:
        name: a virtual board (``native``, ``inprocess``, ``uno-sim``, ``m4-sim``, ``m0-sim``, ``micropython``), a port
            (``/dev/ttyACM0``, ``COM3``), a pyserial URL (``socket://127.0.0.1:4000``), or None for the only board that is
            connected. Firmware of another line rate is opened as ``/dev/ttyACM0@115200``.
        log: file for the raw log of the link, with or without a bound.
        timeout: seconds to wait for an answer.
        virtual: options of a virtual board, as start_native(), start_inprocess(), start_uno_sim(), start_m4_sim(), start_m0_sim()
            and start_micropython() accept them.

    Raises:
        BoardError: no board, or several, or an option that the board does not have, with what to do; else as
            Board.open() and the function that starts the board.
    """
    chosen = name if name is not None else _only_board()
    _check_options(chosen, virtual)
    if chosen not in VIRTUAL:
        url, baud = _line_rate(chosen)
        _check_name(url)
        return Board.open(url, baud=baud, log=log, timeout=timeout)
    started = VIRTUAL[chosen].start(**virtual)
    try:
        return Board(lambda: started.open_transport(log), timeout, started)
    except BaseException:
        started.close()
        raise


def check_port(name: str) -> None:
    """Refuses a name that no port, address or board can have, without opening anything.

    Raises:
        BoardError: as open_board() says it.
    """
    _check_name(_line_rate(name)[0])


def at_rate(port: str, baud: int) -> str:
    """The name under which open_board() opens a port at a line rate in bits per second."""
    return port if baud == BAUD else f"{port}@{baud}"


def _line_rate(name: str) -> tuple[str, int]:
    port, at, baud = name.rpartition("@")
    if not (at and baud.isdecimal()):
        return name, BAUD
    if len(baud) > 7 or not _LEAST_BAUD <= int(baud) <= _MOST_BAUD:
        shown = baud if len(baud) <= 12 else f"{baud[:12]}..."
        raise BoardError(f"{port}@{shown}: a line rate is {_LEAST_BAUD} to {_MOST_BAUD:,} baud, such as {port}@115200")
    return port, int(baud)


def _check_name(port: str) -> None:
    """Says what was probably meant by a name that cannot be a port's.

    Raises:
        BoardError: the name is one word that no port and no file has.
    """
    if not port:
        raise BoardError("--board is empty; give a port, or a virtual board such as native")
    if not _WORD.fullmatch(port) or os.path.exists(port) or port in [found.device for found in list_ports.comports()]:
        return
    kinds = {target for _, target in _BOARDS.values()} | _OTHER_KINDS
    if port in kinds:
        simulated = f", or use its simulator with --board {port}-sim" if f"{port}-sim" in VIRTUAL else ""
        raise BoardError(f"{port} is a kind of board; give your board's port (`mtjlearn boards` lists them){simulated}")
    close = difflib.get_close_matches(port.lower().replace("_", "-"), VIRTUAL, 1)
    meant = f"did you mean {close[0]}?" if close else f"virtual boards are {', '.join(VIRTUAL)};"
    raise BoardError(f"there is no board or port {port}; {meant} `mtjlearn boards` lists the ports")


def _check_options(name: str, given: dict[str, Any]) -> None:
    strange = ", ".join(sorted(given.keys() - board_options(name)))
    if not strange:
        return
    if name not in VIRTUAL:
        raise BoardError(f"{strange}: only virtual boards accept this; omit it for {name}")
    raise BoardError(f"{strange}: {name} has no such option; it accepts {', '.join(sorted(board_options(name)))}")


def _only_board() -> str:
    ports = [board for board in list_boards() if not board.virtual]
    known = [board.name for board in ports if board.known]
    if len(known) == 1:
        return known[0]
    if known:
        raise BoardError(f"several boards are connected; choose one with --board: {', '.join(known)}")
    others = f", or name its port with --board: {', '.join(board.name for board in ports)}" if ports else ""
    raise BoardError(f"no board found; connect one{others}, or use a virtual one, such as --board {default_virtual_board()}")


def _describe(port: Any) -> BoardPort:
    serial_number = port.serial_number or ""
    ids = (port.vid, port.pid)
    pico = ("Raspberry Pi Pico", "pico") if port.vid == _PICO else None
    if found := _BOARDS.get(ids) or pico:
        return BoardPort(port.device, found[0], known=True, serial_number=serial_number, target=found[1])
    bootloader, target = _BOOTLOADERS.get(ids, ("", ""))
    # On most copies of the Nano, and on much else: it makes no board of a port.
    adapter = "CH340 adapter, as on many Nanos" if ids == _CH340 else ""
    text = bootloader or adapter or _BRIDGES.get(port.vid) or port.product or port.description
    ids_text = f"{port.vid:04x}:{port.pid:04x}"
    return BoardPort(port.device, f"{text} ({ids_text})", known=False, serial_number=serial_number, target=target)
