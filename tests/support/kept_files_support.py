"""Devices in MicroPython that start with given files, for the tests of what is kept as files."""

from __future__ import annotations

from checkpoint_support import IRIS, save
from plain_client import PlainClient, configure, memory_client
from stepped_support import SteppedDevice

from mtjlearn.network import Network


def client_of(board: object, nonce: int = 1) -> PlainClient:
    return memory_client(board, nonce)  # type: ignore[arg-type]


def begun(*, files: dict[str, bytes] | None = None, **options: int) -> tuple[SteppedDevice, PlainClient]:
    """A device that starts with these files."""
    board = SteppedDevice(**options)  # type: ignore[arg-type]
    if files is not None:
        board.files = files
        board.restart()
    return board, client_of(board)


def saved(network: Network = IRIS, saves: int = 1) -> dict[str, bytes]:
    """The files of a device that has saved this often."""
    board, client = begun()
    client.tell(configure(network, injected=True))
    for _ in range(saves):
        save(client)
    return board.files
