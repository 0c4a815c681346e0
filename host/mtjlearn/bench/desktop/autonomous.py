"""Training steps per second of a native board that learns autonomously, next to samples streamed to the same network.

By this computer's clock: in real time a step waits for at least one fresh noise code, so that the converter sets the pace; on the
virtual clock nothing does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from mtjlearn.bench.desktop.timing import Spread, time_stream
from mtjlearn.bench.phases import Progress
from mtjlearn.bench.tasks import TASKS, Autonomous, iris_like
from mtjlearn.board import Board
from mtjlearn.discovery import open_board
from mtjlearn.wire.messages import Task

VIRTUAL_CODES = 4
"""Fresh noise codes per step on the native board's virtual clock."""
_SECONDS = 0.4
_CHECK = 0.02


def native_autonomous(repeats: int, progress: Progress | None = None) -> dict[str, Any]:
    """Each of TASKS on a native board, in real time and on the virtual clock.

    Args:
        repeats: of each measurement.
        progress: called with (measurements done, measurements, network).

    Returns:
        By network: the task, and for ``real_time`` and ``virtual_clock`` median, minimum and maximum of steps per second alone, and
        the median of samples per second streamed.

    Raises:
        BoardError: as open_board() and start_autonomous().
    """
    found: dict[str, Any] = {}
    clocks = {"real_time": 0, "virtual_clock": VIRTUAL_CODES}
    for number, (learning, (clock, codes)) in enumerate(_product(clocks)):
        if progress is not None:
            progress(number, len(TASKS) * len(clocks), learning.load.name)
        with open_board("native", virtual_clock=codes) as board:
            streamed = time_stream(board, learning.load, repeats=repeats)
            _begin(board, learning)
            speed = Spread.of([_steps_a_second(board) for _ in range(repeats)])
        figures = {"steps_per_s": speed.median, "min": speed.minimum, "max": speed.maximum, "streamed_per_s": streamed.median}
        found.setdefault(learning.load.name, {"task": learning.name})[clock] = figures
    return found


def _product(clocks: dict[str, int]) -> Iterator[tuple[Autonomous, tuple[str, int]]]:
    return ((learning, clock) for learning in TASKS for clock in clocks.items())


def _begin(board: Board, learning: Autonomous) -> None:
    board.configure(learning.load.network)
    if learning.task is Task.DATASET:
        board.upload_dataset(*iris_like(learning.load))
    board.start_autonomous(learning.schedule)
    while board.status().steps == 0:
        time.sleep(_CHECK)


def _steps_a_second(board: Board) -> float:
    first, begun = board.status().steps, time.perf_counter()
    time.sleep(_SECONDS)
    return (board.status().steps - first) / (time.perf_counter() - begun)
