"""Starts the device on the board that this port has, and repeats its turns. Whatever the line sends and whatever fails, no exception leaves:
the device begins again instead, as after a watchdog's reset.
"""

import sys

import micropython

from messages import RESET_CAUSE_SOFTWARE, RESET_CAUSE_WATCHDOG
from turn import device_init, device_poll

_BOARDS = {"linux": "unix", "darwin": "unix", "rp2": "rp2", "esp32": "esp32"}
"""Modules of boards/, by the port's name."""


def open_board():
    """The board that this port is."""
    name = _BOARDS[sys.platform]
    return getattr(__import__("boards." + name), name).open_board(sys.argv[1:])


def turns(board, start):
    """Turns of a device until it is to begin again; returns whether it is."""
    device = device_init(board, start)
    while board.wait(device_poll(device)):
        if board.restart:
            board.restart = False
            return True
    return False


def main():
    """Serves the board until it ends: on a chip forever."""
    # A byte 3 on the line is a part of a frame, not Ctrl-C.
    micropython.kbd_intr(-1)
    board = open_board()
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
    main()
