"""A native board with a file as its memory is killed: right after it acknowledged AUTONOMOUS, or at any moment while it gets
another network, another dataset and another task. What its next start comes up with."""

from __future__ import annotations

import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjlearn.board import Board, BoardError, Schedule
from mtjlearn.network import Loss, Network
from mtjlearn.virtual.native import start_native
from mtjlearn.virtual.process import BoardProcess
from mtjlearn.wire.messages import Restored, State, Task

NETWORKS = (Network((4, 8, 3), loss=Loss.CROSS_ENTROPY), Network((2, 3, 1)), Network((6, 10, 4), loss=Loss.CROSS_ENTROPY))
MEMORY = 1024
"""Bytes of the file: a dataset lies across the slots of a larger network."""
CHANGE = 0.03
"""Seconds within which the kills of changes are spread; a change takes less."""


@dataclass
class Kills:
    """What came of them."""

    kills: int = 0
    without_state: int = 0
    not_learning: int = 0
    """Of those killed after the acknowledgement."""
    midway: int = 0
    """Of those of a change that came before its end."""


def change(board: Board, network: Network) -> None:
    """Another network, a dataset that takes all the room there is, and autonomous learning."""
    board.configure(network)
    inputs, classes = network.sizes[0], network.loss is Loss.CROSS_ENTROPY
    rng = np.random.default_rng(len(network.sizes))
    samples = board.progress().room * 8 // (8 * inputs + 2)
    x = 128 * rng.integers(-60, 61, (samples, inputs))
    target = rng.integers(0, network.sizes[-1], samples) if classes else 4096 * rng.choice([-1, 1], (samples, 1))
    board.upload_dataset(x, target, value_bytes=1)
    board.start_autonomous(Schedule(Task.DATASET))


def end(process: BoardProcess) -> None:
    """Kills it, and waits until it is gone."""
    process.process.send_signal(signal.SIGKILL)
    process.process.wait(20)


def kill_after_acknowledgement(path: Path, network: Network, found: Kills) -> None:
    """AUTONOMOUS is acknowledged, the board is killed and started again: it learns."""
    with start_native(eeprom=path, eeprom_bytes=MEMORY) as process:
        board = Board.open(process.url)
        change(board, network)
        end(process)
        found.kills += 1
        close(board)
    look(path, found, acknowledged=True)


def kill_while_it_changes(path: Path, network: Network, found: Kills, random_: random.Random) -> None:
    """The board, which has a state, is killed at a random moment of a change: it has one again."""
    with start_native(eeprom=path, eeprom_bytes=MEMORY) as process:
        board = Board.open(process.url)
        if board.progress().running:
            board.halt()
        killer = threading.Timer(random_.uniform(0, CHANGE), end, (process,))
        killer.start()
        try:
            change(board, network)
        except BoardError:
            found.midway += 1
        killer.join()
        found.kills += 1
        close(board)
    look(path, found, acknowledged=False)


def close(board: Board) -> None:
    """The board behind it is gone."""
    with suppress(BoardError):
        board.close()


def look(path: Path, found: Kills, *, acknowledged: bool) -> None:
    """Starts the board again from the file."""
    with start_native(eeprom=path, eeprom_bytes=MEMORY) as process, Board.open(process.url) as board:
        complete = board.info.restored in (Restored.NEWEST, Restored.OLDER, Restored.NO_DATASET)
        found.without_state += not (complete and board.status().state == State.READY)
        found.not_learning += acknowledged and not board.progress().running


def kill_often(folder: Path, count: int, seed: int = 1) -> Kills:
    """Half of the kills are of each kind; networks change each time."""
    found, random_ = Kills(), random.Random(seed)
    path = folder / f"eeprom{time.monotonic_ns()}"
    for kill in range(count // 2):
        network = NETWORKS[kill % len(NETWORKS)]
        fresh = folder / "fresh"
        fresh.unlink(missing_ok=True)
        kill_after_acknowledgement(fresh, network, found)
        if kill == 0:
            fresh.rename(path)
        else:
            kill_while_it_changes(path, NETWORKS[random_.randrange(len(NETWORKS))], found, random_)
    return found
