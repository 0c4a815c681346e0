"""What the host's board checks before it asks for something, and that it never hands out a blob of two moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from mtjlearn.board import Board, BoardError
from mtjlearn.discovery import open_board
from mtjlearn.network import Loss, Network
from mtjlearn.wire.messages import Features

# Its weights are longer than two chunks.
NETWORK = Network((30, 20, 3), loss=Loss.CROSS_ENTROPY, seed=7)


@pytest.fixture
def board() -> Iterator[Board]:
    with open_board("inprocess", seed=1, virtual_clock=16) as opened:
        opened.configure(NETWORK)
        yield opened


def stands_at(board: Board, monkeypatch: pytest.MonkeyPatch, steps: list[int]) -> list[int]:
    """Lets the board's status say these steps, one after another; returns those that nobody has asked for."""
    status, left = Board.status(board), steps.copy()
    monkeypatch.setattr(board, "status", lambda: replace(status, steps=left.pop(0)))
    return left


def test_weights_are_of_one_moment(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = board.weights()
    left = stands_at(board, monkeypatch, [5, 6, 7, 7])
    for one, other in zip(weights, board.weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not left
    stands_at(board, monkeypatch, list(range(100)))
    with pytest.raises(BoardError, match=r"kept learning during \d+ readings; halt it first"):
        board.weights()


def test_a_board_without_memory_takes_no_dataset(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    less = replace(board.info, features=board.info.features & ~Features.MEMORY)
    monkeypatch.setattr(Board, "info", property(lambda self: less))
    x, classes = np.zeros((4, 30), np.int16), np.zeros(4, np.int64)
    with pytest.raises(BoardError, match=r"has no nonvolatile memory; stream the samples with train\(\), or use another board"):
        board.upload_dataset(x, classes)
