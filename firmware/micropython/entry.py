"""Where a chip's program starts: the main.py that `mtjlearn flash` puts onto it calls run(). For a few seconds whoever wants the
REPL gets it; then the device begins, and a host that says HELLO makes it begin at once. Without this the REPL of a board that
learns could not be reached, because Ctrl-C is a byte of its frames.
"""

if False:
    from kinds import Port

import gc

import micropython
from boards.stdio import Stdio
from micropython import const

_WINDOW_MS = const(4000)
"""A computer may need most of it until it has found the USB port again."""


def wants_repl(board: Port) -> bool:
    """Whether somebody asks for the REPL now: Ctrl-C several times in a row, or the board's button. The LED is on meanwhile.

    Args:
        board: a module of boards/ with repl_button() and repl_light().
    """
    light = board.repl_light()
    if light is not None:
        light.value(1)
    # From now on a byte 3 does not interrupt: every HELLO has one, and a host repeats it while the modules are loaded.
    micropython.kbd_intr(-1)
    asked = Stdio().asks_for_repl(_WINDOW_MS, board.repl_button)
    if light is not None:
        light.value(0)
    return asked


def run(port: str, build: str) -> None:
    """Begins the device, or returns to the REPL.

    Args:
        port: module of boards/.
        build: build id of the sources, eight hexadecimal digits.
    """
    if wants_repl(getattr(__import__("boards." + port), port)):
        micropython.kbd_intr(3)
        print("mtjlearn", build, "is on this board; it starts with the next reset")
        return
    from main import main

    # Of loading, which the memory for the network must not be laid around.
    gc.collect()
    main(port, [build])
