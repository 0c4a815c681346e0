"""Boards as the figures use them: a virtual one if none is named, seeded so that a reproduction repeats exactly."""

from __future__ import annotations

from typing import Any

from mtjlearn.reproduction.options import Options
from mtjlearn.virtual.boards import VIRTUAL, board_options, default_virtual_board


def board_name(options: Options) -> str:
    """The board that was asked for; a virtual one if none was."""
    return options.board or default_virtual_board()


def is_virtual(name: str) -> bool:
    """Whether there can be any number of this board."""
    return name in VIRTUAL


def seeded(name: str, seed: int, codes_per_step: int) -> dict[str, Any]:
    """Options with which a virtual board repeats a run: its junction's seed, and noise codes that come by steps and not by time."""
    wanted = {"seed": seed, "virtual_clock": codes_per_step}
    return {option: value for option, value in wanted.items() if option in board_options(name)}
