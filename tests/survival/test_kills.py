"""Kills of a board whose host was told that its work is done, and of one that is changing its network."""

from __future__ import annotations

from pathlib import Path

from kill_support import kill_often


def test_no_kill_leaves_a_board_without_its_state(tmp_path: Path) -> None:
    found = kill_often(tmp_path, 16)
    assert (found.without_state, found.not_learning) == (0, 0)
    assert found.kills == 15
