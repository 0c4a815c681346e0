"""KeyboardInterrupt at random moments in one process, as in a notebook; the long run is tests/soak/interrupts.py."""

from __future__ import annotations

import os

import interrupts
import numpy as np
import pytest

from mtjlearn.board import BoardError
from mtjlearn.discovery import open_board
from mtjlearn.network import Network
from mtjlearn.virtual.native import start_native
from mtjlearn.wire.engine import Engine, Waiter

pytestmark = pytest.mark.thorough

ROUNDS = 40


def test_after_each_interrupt_the_board_says_what_is_true() -> None:
    notebook = interrupts.here(ROUNDS, seed=7)
    assert notebook.lies == []
    assert notebook.counts["interrupts"] == ROUNDS


def test_interrupted_in_the_middle_of_a_wait_the_board_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interrupt of a wait comes out of it as it is, and the engine has taken no notice."""
    with open_board("native", virtual_clock=4) as board:
        board.configure(Network((2, 4, 1)))

        wait = Engine.wait

        def interrupted(engine: Engine, waiter: Waiter, timeout: float | None = None) -> bool:
            if engine.trained > 0:
                monkeypatch.undo()
                raise KeyboardInterrupt
            return wait(engine, waiter, timeout)

        monkeypatch.setattr(Engine, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            board.train(np.ones((50_000, 2), np.int16), np.zeros((50_000, 1), np.int16))
        assert 0 < board.acknowledged_samples < 50_000
        assert board.acknowledged_samples == board.status().steps


def test_an_interrupted_configuration_leaves_no_known_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board may have the new one or the old one; both would be a guess."""
    with open_board("native", virtual_clock=4) as board:
        board.configure(Network((2, 4, 1)))

        def interrupted(engine: Engine, waiter: Waiter, timeout: float | None = None) -> bool:
            monkeypatch.undo()
            raise KeyboardInterrupt

        monkeypatch.setattr(Engine, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            board.configure(Network((4, 8, 3)))
        with pytest.raises(BoardError, match="is unknown; call configure"):
            board.weights()
        board.configure(Network((4, 8, 3)))
        assert board.weights()[0].shape == (8, 5)


def test_an_interrupt_in_popen_does_not_hold_up_the_end_of_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves Popen's lock locked, so that Popen sees no process end any more."""
    monkeypatch.setattr("mtjlearn.virtual.process._STOP_TIMEOUT", 0.2)
    board = start_native()
    board.process._waitpid_lock.acquire()  # type: ignore[attr-defined]
    board.close()
    assert os.waitpid(board.process.pid, 0)[0] == board.process.pid
    board.process._waitpid_lock.release()  # type: ignore[attr-defined]
