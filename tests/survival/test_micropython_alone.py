"""The board in MicroPython that nobody looks after: it learns iris without a host, is killed in the middle, and learns on from its
files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from survival_support import PATIENCE

from mtjlearn.board import Board, Schedule
from mtjlearn.board.packing import unpack
from mtjlearn.firmware import ToolMissing
from mtjlearn.training import default_plan
from mtjlearn.virtual.micropython import start_micropython
from mtjlearn.wire.messages import Activity, Restored, StopReason

pytestmark = pytest.mark.thorough

EPOCHS = 40


@pytest.fixture(autouse=True)
def _interpreter(tool_missing: Callable[[str], NoReturn]) -> None:
    try:
        start_micropython().close()
    except ToolMissing as missing:
        tool_missing(str(missing))


def test_iris_is_learned_with_the_host_gone_and_the_board_killed(tmp_path: Path) -> None:
    options = {"eeprom": tmp_path / "kept", "virtual_clock": 16, "seed": 1}
    plan = default_plan("iris", seed=1)
    data = plan.quantised
    with start_micropython(**options) as process:  # type: ignore[arg-type]
        with Board.open(process.url) as board:
            board.configure(plan.network)
            packed = board.upload_dataset(data.x_train, data.t_train)
            board.start_autonomous(Schedule(epochs=EPOCHS, evaluate_every=EPOCHS, checkpoint_interval=1))
        while len(list(tmp_path.glob("kept/slot*"))) < 2:  # saved again, with nobody there
            time.sleep(0.05)
        process.kill()
    with start_micropython(**options) as process:  # type: ignore[arg-type]
        until = time.monotonic() + PATIENCE
        while True:
            time.sleep(0.5)  # nobody is connected
            with Board.open(process.url) as board:
                found = board.progress()
                assert board.info.restored in (Restored.NEWEST, Restored.OLDER)
                assert board.info.boot_count == 2
                if not found.running:
                    break
            assert time.monotonic() < until
        with Board.open(process.url) as board:
            board.adopt()
            assert (found.activity, found.stop_reason, found.epoch) == (Activity.FINISHED, StopReason.EPOCHS, EPOCHS)
            assert found.steps == board.status().steps == EPOCHS * len(data.x_train)
            evaluation = board.evaluate(*unpack(plan.network, packed))
            assert evaluation.correct == found.correct
            assert found.accuracy is not None
            assert found.accuracy > 0.9
