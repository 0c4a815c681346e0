"""Starts the device on a board, and repeats its turns. Whatever the line sends and whatever fails, no exception leaves:
the device begins again instead, as after a watchdog's reset.
"""

if False:
    from kinds import Board, Start

import gc
import sys

import micropython
from messages import RESET_CAUSE_SOFTWARE, RESET_CAUSE_WATCHDOG
from turn import device_init, device_poll


def open_board(port: str, arguments: list[str]) -> Board:
    """The board that a module of boards/ has."""
    return getattr(__import__("boards." + port), port).open_board(arguments)


def turns(board: Board, start: Start) -> bool:
    """Turns of a device until it is to begin again; returns whether it is."""
    device = device_init(board, start)
    while board.wait(device_poll(device)):
        if board.restart:
            board.restart = False
            return True
    return False


def main(port: str, arguments: list[str]) -> None:
    """Serves a board until it ends: on a chip forever.

    Args:
        port: module of boards/.
        arguments: its own.
    """
    # A byte 3 on the line is a part of a frame, not Ctrl-C.
    micropython.kbd_intr(-1)
    board = open_board(port, arguments)
    cause, error, runs = None, 0, True
    while runs:
        start = board.begin(cause, error)
        try:
            runs = turns(board, start)
            cause = RESET_CAUSE_SOFTWARE
        except Exception as fault:
            board.failed(fault)
            cause = RESET_CAUSE_WATCHDOG
        error = start.error


if __name__ == "__main__":
    # Of loading, which the memory for the network must not be laid around.
    gc.collect()
    main("unix", sys.argv[1:])
