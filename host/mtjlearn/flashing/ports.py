"""The serial port of a board: its port found by USB ids, and what is wrong when there is none, several, or another board's."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mtjlearn import interruption
from mtjlearn.board import Board, BoardLost, BoardTimeout
from mtjlearn.discovery import BoardPort, list_boards
from mtjlearn.flashing.failures import FlashError
from mtjlearn.flashing.targets import Target
from mtjlearn.wire.errors import PortError
from mtjlearn.wire.transport import SerialTransport

RETURN_TIMEOUT = 15.0
"""Seconds in which a board with a USB port of its own comes back after an upload, and its driver with it."""
_RETURN_POLL = 0.3


def connected() -> list[BoardPort]:
    """Ports of this computer with a USB device."""
    return [port for port in list_boards() if not port.virtual]


def choose_target(named: str | None, port: str | None, targets: Sequence[str]) -> str:
    """Which board is meant.

    Args:
        named: what the user called it; None: the only one that is connected, or the one at ``port``.
        port: the port that the user named.
        targets: names of all that can be flashed.

    Raises:
        FlashError: if that is not clear.
    """
    if named is not None:
        return named
    found = [board for board in connected() if board.target and port in (None, board.name)]
    if len({board.target for board in found}) == 1:
        return found[0].target
    what = "several boards are connected" if found else "which board it is cannot be seen"
    raise FlashError(f"{what}; name it with --board: {', '.join(targets)}")


def choose_port(target: Target, named: str | None, *, force: bool = False) -> BoardPort:
    """The port to upload to, tried once.

    Args:
        target: what is to be flashed.
        named: the port that the user named; None: the only one with such a board.
        force: upload although the USB id says that another board is there.

    Raises:
        FlashError: if there is no such board, there are several, or the port belongs to another one.
        PortMissing, PortBusy, PortForbidden, PortError: the port cannot be opened.
    """
    port = _find(target) if named is None else _take(target, named, force)
    # Before minutes of building, and with a better message than the upload tools have.
    SerialTransport(port.name).close()
    return port


def open_after_upload(port: BoardPort, baud: int, timeout: float) -> Board:
    """Opens the board once it is back; it may return under another name.

    Raises:
        BoardTimeout, BoardLost, PortError: it did not come back, or does not answer.
    """
    deadline = time.monotonic() + RETURN_TIMEOUT
    while True:
        try:
            return Board.open(name_now(port), baud=baud, timeout=timeout)
        except BoardTimeout:
            raise
        except (PortError, BoardLost):
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETURN_POLL)
            interruption.check()


def name_now(port: BoardPort) -> str:
    """The name of a board's port, which may be another after it was away."""
    same = [other.name for other in connected() if port.serial_number and other.serial_number == port.serial_number]
    return port.name if port.name in same or not same else same[0]


def _find(target: Target) -> BoardPort:
    ports = connected()
    found = [port for port in ports if port.target == target.hardware]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(port.name for port in found)
        raise FlashError(f"several boards {target.hardware} are connected; choose one with --port: {names}")
    others = [f"{port.name} ({port.description})" for port in ports if not port.target]
    different = [f"{port.description} at {port.name}: --board {port.target}" for port in ports if port.target]
    hints = [f"if it is connected to one of these, name it with --port: {', '.join(others)}"] if others else []
    hints += [f"there is {'; '.join(different)}"] if different else []
    raise FlashError(f"no {target.hardware} is connected" + "".join(f"; {hint}" for hint in hints or ["connect it by USB"]))


def _take(target: Target, named: str, force: bool) -> BoardPort:
    if "://" in named:
        raise FlashError(f"{named}: firmware is uploaded over a serial port, not over a network; name the port with --port")
    port = next((port for port in connected() if port.name == named), BoardPort(named, named, known=False))
    if port.target and port.target != target.hardware and not force:
        raise FlashError(
            f"the board at {named} is {port.description} by its USB id, not {target.hardware}; flash it with "
            f"--board {port.target}, or insist with --force"
        )
    return port
