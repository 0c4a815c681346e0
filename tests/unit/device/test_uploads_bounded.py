"""Sequences of valid frames that once wrote beyond a blob and beyond the memory are refused, and write nothing.

The native board (test_native_board.py) and the Uno (tests/chips/uno) get them too.
"""

from __future__ import annotations

import pytest
from plain_client import memory_client
from upload_support import SEQUENCES

from mtjlearn.inprocess.device import InProcessDevice


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("options", [{}, {"memory_bytes": 1020, "max_payload": 64}, {"memory_block": 256, "memory_latency": 3}])
def test_in_process(sequence: str, options: dict[str, int]) -> None:
    board = InProcessDevice(**options)  # type: ignore[arg-type]
    SEQUENCES[sequence](memory_client(board), lambda: board.memory)
