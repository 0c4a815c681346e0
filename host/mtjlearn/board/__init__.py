"""The board as a user programs against it: open it, configure a network, train, predict, evaluate, record its noise."""

from mtjlearn.board.autonomy import Curve, Progress, Schedule
from mtjlearn.board.board import Board
from mtjlearn.board.checkpoint_file import CheckpointContent, CheckpointError, CheckpointFile, years_of_wear
from mtjlearn.board.checkpoints import CheckpointState
from mtjlearn.board.health import Health
from mtjlearn.board.packing import PackedDataset
from mtjlearn.board.results import BoardInfo, Evaluation, NoiseChunk, NoiseRecording, NoiseSegment
from mtjlearn.schedule import CHECKPOINT_INTERVAL
from mtjlearn.wire.errors import (
    BoardError,
    BoardLost,
    BoardRefused,
    BoardTimeout,
    PortBusy,
    PortError,
    PortForbidden,
    PortMissing,
    VersionMismatch,
)

__all__ = [
    "CHECKPOINT_INTERVAL",
    "Board",
    "BoardError",
    "BoardInfo",
    "BoardLost",
    "BoardRefused",
    "BoardTimeout",
    "CheckpointContent",
    "CheckpointError",
    "CheckpointFile",
    "CheckpointState",
    "Curve",
    "Evaluation",
    "Health",
    "NoiseChunk",
    "NoiseRecording",
    "NoiseSegment",
    "PackedDataset",
    "PortBusy",
    "PortError",
    "PortForbidden",
    "PortMissing",
    "Progress",
    "Schedule",
    "VersionMismatch",
    "years_of_wear",
]
