"""An Uno that nobody looks after: its watchdog ends a hang, and it learns its stored task after power-on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from survival_support import PATIENCE

from mtjlearn.board import Board, BoardError, BoardRefused, Schedule
from mtjlearn.discovery import open_board
from mtjlearn.network import Network
from mtjlearn.virtual.uno_sim import start_uno_sim
from mtjlearn.wire.messages import Error, ResetCause, Restored, Task

XOR = Network((2, 3, 1), learning_rate=0.04, seed=5)


@pytest.fixture(autouse=True)
def _built(_tools: None) -> None:
    """uno-sim is there."""


def test_after_a_hang_it_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    with open_board("uno-sim", eeprom=tmp_path / "eeprom", hang=20.0, speed=0, timeout=20) as board:
        board.configure(XOR)
        board.start_autonomous(Schedule(task=Task.XOR, checkpoint_interval=3))
        with pytest.raises(BoardRefused) as refusal:
            board.configure(XOR)
        saved, until = 0, time.monotonic() + PATIENCE
        while board.info.boot_count == 1:
            assert time.monotonic() < until
            try:
                saved = board.checkpoint_state().generation
                time.sleep(0.05)
            except BoardError:  # the session is lost: that is what is waited for
                board.reconnect()
        info, after = board.info, board.progress()
        assert saved >= 3
        assert (info.boot_count, info.reset_cause, info.restored) == (2, ResetCause.WATCHDOG, Restored.NEWEST)
        assert info.last_error == Error(refusal.value.code).name
        assert after.running
        while board.progress().steps <= after.steps:
            assert time.monotonic() < until


def test_it_learns_its_stored_task_with_nobody_there(tmp_path: Path) -> None:
    path = tmp_path / "eeprom"
    with open_board("uno-sim", eeprom=path) as board:
        board.configure(XOR)
        board.start_autonomous(Schedule(task=Task.XOR))
        while board.checkpoint_state().generation == 0:  # it saves first, 3.4 ms per byte
            pass
    with open_board("uno-sim", eeprom=path, speed=0) as board:
        first = board.progress()
        assert first.running
        assert board.info.restored is Restored.NEWEST
    with start_uno_sim(eeprom=path, speed=0) as process:
        time.sleep(2)  # nobody is connected
        with Board.open(process.url) as board:
            found = board.progress()
            assert found.running
            assert found.steps > first.steps + 1000
            assert board.info.boot_count == 3
