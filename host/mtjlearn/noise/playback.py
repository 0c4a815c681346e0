"""Measured noise played serially: unit i + 1 gets the sample after unit i's, through steps (section II C)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.fixedpoint import NoiseError
from mtjlearn.noise.recording import Recording
from mtjlearn.noise.sources import Array


class Playback:
    """A recording as a noise source. Holes are played over as if they were not there.

    Args:
        recording: what is played.
        sigma: standard deviation that the recording as a whole is scaled to, its mean removed; None plays it as it is.
        replicas: replicas served, all from the one recording.
        starts: sample each replica starts at; None spreads them evenly, so that they share as little noise as possible.
        wrap: begin again at the end; otherwise the source stops with an error there.

    Raises:
        NoiseError: if the recording is constant and has to be scaled.
    """

    def __init__(
        self,
        recording: Recording,
        sigma: float | None,
        replicas: int = 1,
        starts: Sequence[int] | None = None,
        wrap: bool = True,
    ) -> None:
        values = recording.values
        if sigma is not None:
            deviation = float(values.std())
            if deviation == 0:
                raise NoiseError("the recording is constant: there is no noise in it; record the source again")
            values = (values - values.mean()) * (sigma / deviation)
        if starts is None:
            starts = [replica * values.size // replicas for replica in range(replicas)]
        if len(starts) != replicas or not all(0 <= start < values.size for start in starts):
            raise ValueError(f"give {replicas} starts between 0 and {values.size - 1}")
        self.sigma = sigma
        self.replicas = replicas
        self.wrap = wrap
        self._values = values
        self._position = np.array(starts, dtype=np.int64)

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`mtjlearn.noise.sources.NoiseSource`."""
        needed = count * steps
        end = int(self._position.max()) + needed
        if not self.wrap and end > self._values.size:
            raise NoiseError(f"the recording of {self._values.size} samples has ended; record a longer one, or let it wrap around")
        index = (self._position[:, None] + np.arange(needed)) % self._values.size
        self._position += needed
        if self.wrap:
            self._position %= self._values.size
        values: Array = self._values[index].reshape(self.replicas, steps, count).swapaxes(0, 1)
        return values


class Live:
    """Codes from a running board, one replica: a serial source, and a stream of codes for the ring (:meth:`codes`).

    Args:
        receive: waits for codes and returns at least one, oldest first; an empty answer means that none will come.
        sigma: standard deviation that the noise is scaled to, its mean removed.
        calibration: codes read first, from which mean and standard deviation are taken.
    """

    replicas = 1

    def __init__(self, receive: Callable[[], ArrayLike], sigma: float, calibration: int = 2000) -> None:
        self.sigma = sigma
        self._receive = receive
        self._calibration = calibration
        self._waiting: NDArray[np.uint16] = np.zeros(0, dtype=np.uint16)
        self._mean = 0.0
        self._scale = 0.0

    def codes(self, count: int) -> NDArray[np.uint16]:
        """The next ``count`` codes, shape (1, count), unscaled; waits for them.

        Raises:
            NoiseError: if the board sends no more.
        """
        parts = [self._waiting]
        missing = count - self._waiting.size
        while missing > 0:
            part = np.asarray(self._receive(), dtype=np.uint16)
            if part.size == 0:
                raise NoiseError("the board stopped sending noise codes; check its connection and start again")
            parts.append(part)
            missing -= part.size
        joined = np.concatenate(parts)
        self._waiting = joined[count:]
        return joined[None, :count]

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`mtjlearn.noise.sources.NoiseSource`; the first draw calibrates and takes accordingly longer."""
        if self._scale == 0:
            sample = self.codes(self._calibration)
            deviation = float(sample.std())
            if deviation == 0:
                raise NoiseError("the board's noise codes are constant; check the junction, its supply and its wiring")
            self._mean = float(sample.mean())
            self._scale = self.sigma / deviation
        values: Array = (self.codes(count * steps).astype(np.float64) - self._mean) * self._scale
        return values.reshape(1, steps, count).swapaxes(0, 1)
