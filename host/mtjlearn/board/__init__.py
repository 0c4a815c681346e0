"""The board as a user programs against it: open it, configure a network, train, predict, evaluate, record its noise."""

from mtjlearn.board.board import Board
from mtjlearn.board.results import BoardInfo, Evaluation, NoiseChunk, NoiseRecording, NoiseSegment
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
    "Board",
    "BoardError",
    "BoardInfo",
    "BoardLost",
    "BoardRefused",
    "BoardTimeout",
    "Evaluation",
    "NoiseChunk",
    "NoiseRecording",
    "NoiseSegment",
    "PortBusy",
    "PortError",
    "PortForbidden",
    "PortMissing",
    "VersionMismatch",
]
