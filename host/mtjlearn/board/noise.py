"""The stream of noise codes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from mtjlearn.board.results import NoiseChunk
from mtjlearn.wire.connection import Connection
from mtjlearn.wire.errors import BoardError, BoardTimeout
from mtjlearn.wire.messages import Message, Noise, Status

_QUIET = 0.3
"""Seconds without codes after which the board is asked whether it is still there."""
_PATIENCE = 2.0
"""Seconds without codes until the caller is warned."""


class NoisyBoard(Protocol):
    """What the stream needs of a board."""

    def execute(self, message: Message) -> Message | None:
        """Sends one message."""

    def status(self) -> Status:
        """Asks for STATUS, which also notices a board that vanished."""

    def stop_noise(self) -> None:
        """Ends the stream."""


@contextmanager
def stream_noise(board: NoisyBoard, connection: Connection, count: int, burst: int) -> Iterator[Iterator[NoiseChunk]]:
    """Chunks of noise codes as they come; the stream ends when the context is left.

    Args:
        board: starts and stops the stream.
        connection: where the codes arrive.
        count: codes wanted; 0: no end. What the line loses is asked for again, so exactly this many come.
        burst: as in NOISE.
    """
    connection.noise.clear()
    chunks = _chunks(board, connection, count, burst)
    try:
        yield chunks
    finally:
        with suppress(BoardError):
            board.stop_noise()
        connection.noise.clear()


def _chunks(board: NoisyBoard, connection: Connection, count: int, burst: int) -> Iterator[NoiseChunk]:
    board.execute(Noise(count, burst))
    left = count
    heard = time.monotonic()
    while left or not count:
        if connection.wait_for_noise(_QUIET):
            chunk = NoiseChunk.of(connection.noise.popleft())
            if count:
                chunk = NoiseChunk(chunk.first, chunk.micros, chunk.codes[:left])
                left -= len(chunk.codes)
            heard = time.monotonic()
            yield chunk
        elif time.monotonic() - heard >= _PATIENCE:
            raise BoardTimeout(f"no noise codes for {_PATIENCE:g} s; check the board's ADC and try again")
        else:
            board.status()
            if count and left < count and not connection.noise:
                # The board has sent all it was asked for and some got lost; a hole shows where.
                board.execute(Noise(left, burst))
