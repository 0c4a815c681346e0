"""The paper's noise sampler (section III D): the newest 200 readings of a board, shuffled at each call.

A thread puts the board's readings into a buffer while the network learns. Each training step gets the first values of a
shuffled copy; replicas that learn side by side have shuffles of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import Board
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.noise import NoiseError

_PATIENCE = 10.0
"""Seconds without a reading after which the source counts as gone."""

Array = NDArray[np.float64]


class ShuffledBuffer:
    """A noise source (:class:`mtjlearn.noise.NoiseSource`) of readings that arrive while it is used.

    Values have the mean of the buffer removed, and the deviation that the first 200 readings had is scaled to sigma, as on the
    device. At least one new reading enters for each step.

    Args:
        sigma: standard deviation of a unit's noise.
        replicas: replicas served, R.
        seed: of the shuffles.
        wait: seconds that a step waits for readings; the paper waited 0.001.
    """

    def __init__(self, sigma: float, replicas: int, seed: int, wait: float = 0.0) -> None:
        self.sigma = sigma
        self.replicas = replicas
        self.wait = wait
        self.readings = 0
        """Readings that entered the buffer so far."""
        self._generator = np.random.default_rng(seed)
        self._held: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._new: list[NDArray[np.uint16]] = []
        self._arrived = threading.Condition()
        self._failed: Exception | None = None
        self._scale = 0.0

    def put(self, codes: NDArray[np.uint16]) -> None:
        """Adds readings, oldest first; from any thread."""
        with self._arrived:
            self._new.append(codes)
            self._arrived.notify()

    def fail(self, error: Exception) -> None:
        """No more readings will come."""
        with self._arrived:
            self._failed = error
            self._arrived.notify()

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`mtjlearn.noise.NoiseSource`.

        Raises:
            ValueError: if a step needs more values than the buffer holds.
            NoiseError: if no readings come, or all are alike.
        """
        if count > NOISE_BUFFER:
            raise ValueError(f"a step needs {count} noise values, the buffer holds {NOISE_BUFFER}; use fewer units")
        if not self._held.size:
            self._held = self._take(NOISE_BUFFER)[-NOISE_BUFFER:]
            deviation = float(self._held.std())
            if deviation == 0:
                raise NoiseError("the board's noise codes are constant; check the junction, its supply and its wiring")
            self._scale = self.sigma / deviation
        if self.wait:
            time.sleep(self.wait * steps)
        fresh = self._take(steps)
        history = np.concatenate([self._held, fresh])
        ends = NOISE_BUFFER + np.arange(1, steps + 1) * fresh.size // steps
        self._held = history[-NOISE_BUFFER:]
        window = history[ends[:, None] - NOISE_BUFFER + np.arange(NOISE_BUFFER)]
        centred = (window - window.mean(axis=1, keepdims=True)) * self._scale
        values: Array = np.take_along_axis(centred[:, None, :], self._shuffled(count, steps), axis=2)
        return values

    def _shuffled(self, count: int, steps: int) -> NDArray[np.int64]:
        """The first places of shuffled lists of the buffer's places, shape (steps, replicas, count): Fisher and Yates."""
        rows = steps * self.replicas
        places = np.tile(np.arange(NOISE_BUFFER, dtype=np.int64), (rows, 1))
        row = np.arange(rows)
        for place in range(count):
            other = self._generator.integers(place, NOISE_BUFFER, rows)
            places[row, other], places[:, place] = places[:, place].copy(), places[row, other]
        return places[:, :count].reshape(steps, self.replicas, count)

    def _take(self, least: int) -> NDArray[np.int64]:
        """All readings that are waiting, at least ``least``."""
        with self._arrived:
            while sum(part.size for part in self._new) < least:
                if self._failed is not None:
                    raise NoiseError(f"the board's noise ended: {self._failed}")
                if not self._arrived.wait(_PATIENCE):
                    raise NoiseError("the board stopped sending noise codes; check its connection and start again")
            taken = np.concatenate(self._new).astype(np.int64)
            self._new.clear()
        self.readings += taken.size
        return taken


@contextmanager
def listening(board: Board, buffer: ShuffledBuffer) -> Iterator[None]:
    """Lets a thread put the board's noise codes into the buffer until the block is left."""
    stop = threading.Event()

    def hear() -> None:
        try:
            with board.noise_stream() as chunks:
                for chunk in chunks:
                    buffer.put(chunk.codes)
                    if stop.is_set():
                        return
        except Exception as error:
            buffer.fail(error)

    thread = threading.Thread(target=hear, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
