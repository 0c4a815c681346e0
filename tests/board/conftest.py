"""The board under test, opened again for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mtjlearn.board import Board
from mtjlearn.discovery import VIRTUAL, board_options, open_board
from mtjlearn.firmware import ToolMissing
from mtjlearn.virtual.boards import start_process
from mtjlearn.virtual.process import BoardProcess

CODES_PER_STEP = 16


def options_for(board_name: str) -> dict[str, Any]:
    """Seed 1, and a virtual clock where there is one, so that a seed repeats a run exactly."""
    usual = {"virtual_clock": CODES_PER_STEP, "seed": 1}
    return {name: value for name, value in usual.items() if name in board_options(board_name)}


@pytest.fixture(scope="session")
def _built(board_name: str, tool_missing: Callable[[str], None]) -> None:
    """A virtual board's program and image are there; without the tools that build them its tests are skipped."""
    if board_name in VIRTUAL:
        try:
            VIRTUAL[board_name].start().close()
        except ToolMissing as missing:
            tool_missing(str(missing))


@pytest.fixture
def open_under_test(board_name: str, _built: None) -> Callable[..., Board]:
    """``open_under_test(**options)``: opens a board like the one under test; the caller closes it."""
    return lambda **options: open_board(board_name, **(options_for(board_name) | options))


@pytest.fixture
def start_under_test(board_name: str, _built: None) -> Callable[..., BoardProcess]:
    """``start_under_test(**options)``: the process of a virtual board like the one under test."""
    if board_name not in VIRTUAL or not VIRTUAL[board_name].process:
        pytest.skip("this board is not a process")
    return lambda **options: start_process(board_name, **(options_for(board_name) | options))


@pytest.fixture
def board(open_under_test: Callable[..., Board]) -> Iterator[Board]:
    """An open board without a network."""
    with open_under_test() as opened:
        yield opened
