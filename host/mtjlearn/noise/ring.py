"""The device's noise in floating point: ring of ADC codes, running mean removed, drawn with start and stride.

Follows shared/numerics.md, sections 2 and 3, without their rounding, so that the float reference can be given the very
noise that a device had.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.fixedpoint import NoiseError, configured_deviation, draw_parameters, measured_deviation, xorshift32_draws
from mtjlearn.fixedpoint.noise import MIN_DEVIATION
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.noise.sources import Array

CodeStream = Callable[[int], NDArray[np.uint16]]
"""Gives the next ``count`` ADC codes of every replica, shape (replicas, count)."""


def stored_codes(codes: ArrayLike) -> CodeStream:
    """A stream of codes that are already there, shape (replicas, codes), or (codes,) for one replica."""
    array = np.atleast_2d(np.asarray(codes, dtype=np.uint16))
    position = 0

    def read(count: int) -> NDArray[np.uint16]:
        nonlocal position
        if position + count > array.shape[1]:
            raise NoiseError(f"the {array.shape[1]} stored noise codes are used up; store more, or train fewer steps")
        position += count
        return array[:, position - count : position]

    return read


class RingBuffer:
    """The device's noise source for R replicas, each with its own codes and its own random generator.

    Args:
        read: stream of ADC codes of all replicas.
        sigma: standard deviation of a unit's noise.
        states: state of each replica's random generator, not 0, shape (replicas,): the seed, or what drawing the
            initial weights left of it. Each step draws once.
        codes_per_step: codes that enter before every step.
        noise_std: standard deviation of the source in codes; 0 measures it before the first step (section 3).
        prefill: codes that enter before those of the first step, at least 200.
    """

    def __init__(
        self,
        read: CodeStream,
        sigma: float,
        states: ArrayLike,
        codes_per_step: int,
        noise_std: float = 0.0,
        prefill: int = NOISE_BUFFER,
    ) -> None:
        self.states: NDArray[np.int64] = np.atleast_1d(np.array(states, dtype=np.int64))
        if not np.all((self.states > 0) & (self.states < 2**32)):
            raise ValueError("states of random generators must be 1 .. 4294967295")
        if prefill < NOISE_BUFFER:
            raise ValueError(f"the ring needs {NOISE_BUFFER} codes before the first step, not {prefill}")
        if codes_per_step < 0:
            raise ValueError(f"codes_per_step must not be negative, not {codes_per_step}")
        self.sigma = sigma
        self.codes_per_step = codes_per_step
        self._read = read
        self._noise_std = noise_std
        self._prefill = prefill
        self._codes: NDArray[np.int64] | None = None
        self._received = prefill
        self._deviation: NDArray[np.int64] | None = None

    @property
    def replicas(self) -> int:
        """Replicas served."""
        return int(self.states.size)

    @property
    def deviation(self) -> NDArray[np.int64] | None:
        """200 times the codes' standard deviation as calibrated, shape (replicas,); None before the first draw."""
        return self._deviation

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`mtjlearn.noise.sources.NoiseSource`; the values of a step are without replacement.

        Raises:
            ValueError: if a step needs more values than the ring holds.
            NoiseError: if the codes end, or hold no noise.
        """
        if count > NOISE_BUFFER:
            raise ValueError(f"a step needs {count} noise values, the ring holds {NOISE_BUFFER}; use fewer units")
        fresh = self.codes_per_step
        history = np.concatenate([self._held(), self._read(steps * fresh).astype(np.int64)], axis=1)
        self._codes = history[:, history.shape[1] - NOISE_BUFFER :]

        # Codes received before each step; the ring is then history[:, ends - 200 : ends], and position p of the ring
        # holds the code whose number is p mod 200.
        offsets = np.arange(1, steps + 1) * fresh
        sums = np.concatenate([np.zeros((self.replicas, 1), dtype=np.int64), np.cumsum(history, axis=1)], axis=1)
        totals = (sums[:, offsets + NOISE_BUFFER] - sums[:, offsets]).T
        if self._deviation is None:
            self._deviation = self._calibrate(history[:, fresh : fresh + NOISE_BUFFER])

        draws = xorshift32_draws(self.states, steps)
        self.states = draws[-1]
        draw = draw_parameters(draws)
        position = draw.start[..., None] + np.arange(count) * draw.stride[..., None]
        base = offsets[:, None, None]
        index = base + (position - self._received - base) % NOISE_BUFFER
        self._received += steps * fresh

        codes = history[np.arange(self.replicas)[None, :, None], index]
        values: Array = (NOISE_BUFFER * codes - totals[..., None]).astype(np.float64)
        # The device's scaled value saturates at this many deviations, which only a rare state of the source reaches.
        bits = np.floor(np.log2(self._deviation)) + 1
        limit = (32767 * 2.0 ** (bits - 13))[:, None]
        np.clip(values, -limit, limit, out=values)
        values *= (self.sigma / self._deviation)[:, None]
        return values

    def _held(self) -> NDArray[np.int64]:
        if self._codes is None:
            first = self._read(self._prefill)
            if first.shape != (self.replicas, self._prefill):
                raise ValueError(f"the stream gives codes for {first.shape[0]} replicas, not for {self.replicas}")
            self._codes = first[:, -NOISE_BUFFER:].astype(np.int64)
        return self._codes

    def _calibrate(self, ring: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._noise_std > 0:
            deviation = np.full(self.replicas, configured_deviation(round(self._noise_std * 256)), dtype=np.int64)
        else:
            deviation = measured_deviation(ring)
        quiet = np.flatnonzero(deviation < MIN_DEVIATION)
        if quiet.size:
            seen = deviation[quiet[0]] / NOISE_BUFFER
            raise NoiseError(
                f"the codes of replica {quiet[0]} deviate by {seen:.3f} codes, under a quarter of a code: "
                "no noise; check the source and its wiring, or lower the converter's reference voltage"
            )
        return deviation
