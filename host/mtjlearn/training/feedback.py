"""The feedback of a board's run: what the rule feedback learns besides the weights. Only a checkpoint that the board saves has it.

A save writes nonvolatile memory, which wears, so a run takes one when it is interrupted, and not with the weights every second.
"""

from __future__ import annotations

import time

import numpy as np

from mtjlearn.board import Board, BoardError, BoardRefused, CheckpointContent, CheckpointError, CheckpointFile
from mtjlearn.network import Network
from mtjlearn.noise.health import HealthLimits
from mtjlearn.runs import Checkpoint
from mtjlearn.runs.files import WEIGHTS
from mtjlearn.wire.messages import Activity, Features, Task

_TAKEN = "the board's memory keeps a checkpoint of autonomous learning (erase it with mtjlearn checkpoint erase)"


def has_feedback(network: Network) -> bool:
    """Whether a network learns one."""
    return network.rule == "feedback" and network.layers > 1


def take(board: Board) -> bytes:
    """The file of a checkpoint that the board saves now; empty if it cannot, or would overwrite one of autonomous learning."""
    try:
        if not board.info.memory or _is_taken(board):
            return b""
        return CheckpointFile(board.save_checkpoint(), board.info.name, board.info.build, time.time()).pack()
    except BoardError:
        return b""


def restore(board: Board, kept: Checkpoint) -> str:
    """Puts the board where it was when a run was interrupted: feedback, counters, random numbers.

    The same board with a virtual clock keeps the calibration of before. Others measure their noise again, which may have changed.

    Args:
        board: of the run, or another one.
        kept: of the run.

    Returns:
        Empty if it was done; else why not. The board is as it was then.

    Raises:
        BoardError: it does not answer.
    """
    if not kept.whole:
        return "the run kept its weights alone"
    try:
        file = CheckpointFile.unpack(kept.whole, WEIGHTS)
        content = file.content
        if not _belongs(content, kept):
            return "the checkpoint in the run is not of its weights"
        if not board.info.memory:
            return f"{board.info.name} has no memory that takes a checkpoint"
        if _is_taken(board):
            return _TAKEN
        board.load_checkpoint(content)
    except (BoardRefused, CheckpointError) as error:
        return f"the board does not take the checkpoint ({error})"
    if file.board != board.info.name or Features.VIRTUAL_CLOCK not in board.info.features:
        board.set_health(HealthLimits(**board.health().limits), recalibrate=True)
    return ""


def _is_taken(board: Board) -> bool:
    return board.checkpoint_state().generation > 0 and board.read_checkpoint().record.task != Task.NONE


def _belongs(content: CheckpointContent, kept: Checkpoint) -> bool:
    """Whether it is of a streamed training, and of the moment of the weights."""
    weights = np.concatenate([layer.ravel() for layer in content.weights])
    idle = content.record.activity == Activity.IDLE and not content.injected
    return idle and has_feedback(content.network) and np.array_equal(weights, kept.weights)
