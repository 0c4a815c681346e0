"""The board under test, opened anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mtjlearn.board import Board
from mtjlearn.discovery import VIRTUAL, open_board

CODES_PER_STEP = 16


@pytest.fixture
def board(board_name: str) -> Iterator[Board]:
    """An open board without a network; a virtual one repeats itself exactly (virtual clock, seed 1)."""
    options = {"virtual_clock": CODES_PER_STEP, "seed": 1} if board_name in VIRTUAL else {}
    with open_board(board_name, **options) as opened:
        yield opened
