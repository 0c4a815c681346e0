"""The virtual boards by their names. What starts one is imported when it is started."""

from __future__ import annotations

import inspect
import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtjlearn.errors import BoardError

if TYPE_CHECKING:
    from mtjlearn.inprocess.board import InProcessBoard
    from mtjlearn.virtual.process import BoardProcess


@dataclass(frozen=True)
class VirtualBoard:
    """A board that is a program.

    Args:
        name: what open_board() takes.
        description: what it is.
        starter: module and function that start it; the function's keywords are the board's options.
        image: of a simulated chip, as :func:`mtjlearn.firmware.build_firmware` takes it; empty: no chip is simulated.
        process: it is a process of its own, which other programs can connect to; else it is a part of this process.
        built: module and function that find the compiled file that it needs; empty: it needs none.
    """

    name: str
    description: str
    starter: str
    image: str = ""
    process: bool = True
    built: str = ""

    def start(self, **options: Any) -> BoardProcess | InProcessBoard:
        """Starts it; what is returned is a context manager that ends it.

        Raises:
            BoardError: this system cannot run it; else as the function that starts it.
        """
        if self._lacks_posix:
            raise BoardError(f"the virtual board {self.name} needs Linux, macOS or Windows' WSL; here there is --board inprocess")
        started: BoardProcess | InProcessBoard = self._starter(**options)
        return started

    @property
    def available(self) -> bool:
        """Whether this system and this installation have it. What else a simulator needs is only known when it starts."""
        if self._lacks_posix or not self.built:
            return not self._lacks_posix
        from mtjlearn.firmware.compiled import is_built

        return is_built(pkgutil.resolve_name(self.built))

    @property
    def options(self) -> frozenset[str]:
        """Names of its options."""
        return frozenset(inspect.signature(self._starter).parameters)

    @property
    def _starter(self) -> Callable[..., Any]:
        starter: Callable[..., Any] = pkgutil.resolve_name(self.starter)
        return starter

    @property
    def _lacks_posix(self) -> bool:
        return self.process and os.name != "posix"


_BOARDS = (
    VirtualBoard(
        "native",
        "virtual board: the firmware as a process on this computer",
        "mtjlearn.virtual.native:start_native",
        built="mtjlearn.virtual.native:native_program",
    ),
    VirtualBoard(
        "inprocess",
        "virtual board: the firmware inside this command, on any system",
        "mtjlearn.inprocess.board:start_inprocess",
        process=False,
        built="mtjlearn.inprocess.loader:library_file",
    ),
    VirtualBoard(
        "uno-sim",
        "virtual board: an Uno R3's image in a simulated ATmega328P",
        "mtjlearn.virtual.uno_sim:start_uno_sim",
        image="uno",
    ),
    VirtualBoard("m4-sim", "virtual board: a Cortex-M4F's image in QEMU", "mtjlearn.virtual.m4_sim:start_m4_sim", image="mps2"),
    VirtualBoard("m0-sim", "virtual board: a Cortex-M0's image in QEMU", "mtjlearn.virtual.m0_sim:start_m0_sim", image="microbit"),
    VirtualBoard(
        "micropython",
        "virtual board: the firmware in MicroPython, in its Unix port",
        "mtjlearn.virtual.micropython:start_micropython",
    ),
)
VIRTUAL = {board.name: board for board in _BOARDS}
"""All of them."""
SIMULATED = {name: board.image for name, board in VIRTUAL.items() if board.image}
"""The images of those that simulate a chip."""


def board_options(name: str | None) -> frozenset[str]:
    """Names of the options with which open_board() starts a virtual board; none for a real one."""
    return VIRTUAL[name].options if name in VIRTUAL else frozenset()


def default_virtual_board() -> str:
    """The virtual board to use if the user names none: native, or inprocess where that is not available."""
    return "native" if VIRTUAL["native"].available else "inprocess"


def start_process(name: str, **options: Any) -> BoardProcess:
    """Starts a virtual board that other programs can connect to.

    Args:
        name: of a virtual board.
        options: as the function that starts it takes them.

    Raises:
        BoardError: it is not a process of its own, or this system cannot run it; else as the function that starts it.
    """
    from mtjlearn.virtual.process import BoardProcess

    started = VIRTUAL[name].start(**options)
    if not isinstance(started, BoardProcess):
        started.close()
        others = ", ".join(other for other, board in VIRTUAL.items() if board.process)
        raise BoardError(f"{name} lives inside one program, and no other can connect to it; use {others} or a real board")
    return started
