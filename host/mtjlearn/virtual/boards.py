"""The virtual boards by their names. What starts one is imported when it is started."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtjlearn.virtual.process import BoardProcess


@dataclass(frozen=True)
class VirtualBoard:
    """A board that is a program.

    Args:
        description: what it is.
        module: in :mod:`mtjlearn.virtual`.
        function: of that module; its keywords are the board's options.
        image: of a simulated chip, as :func:`mtjlearn.firmware.build_firmware` accepts it; empty: no chip is simulated.
    """

    description: str
    module: str
    function: str
    image: str = ""

    @property
    def start(self) -> Callable[..., BoardProcess]:
        """The function that starts it."""
        function: Callable[..., BoardProcess] = getattr(importlib.import_module(f"mtjlearn.virtual.{self.module}"), self.function)
        return function

    @property
    def options(self) -> frozenset[str]:
        """Names of its options."""
        return frozenset(inspect.signature(self.start).parameters)


VIRTUAL = {
    "native": VirtualBoard("virtual board: the firmware as a process on this computer", "native", "start_native"),
    "uno-sim": VirtualBoard("virtual board: an Uno R3's image in a simulated ATmega328P", "uno_sim", "start_uno_sim", "uno"),
    "m4-sim": VirtualBoard("virtual board: a Cortex-M4F's image in QEMU", "m4_sim", "start_m4_sim", "mps2"),
}
"""All of them."""
SIMULATED = {name: board.image for name, board in VIRTUAL.items() if board.image}
"""The images of those that simulate a chip."""


def board_options(name: str | None) -> frozenset[str]:
    """Names of the options with which open_board() starts a virtual board; none for a real one."""
    return VIRTUAL[name].options if name in VIRTUAL else frozenset()
