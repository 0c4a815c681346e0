"""The ring of ADC codes, its calibration and its values (shared/numerics.md, section 3)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import UserError
from ..network import NOISE_BUFFER
from .arithmetic import IntArray, bit_length, integers, isqrt, round_shift, sat16

MIN_DEVIATION = 50
"""Smallest deviation that is noise: a quarter of a code."""


class NoiseError(UserError, RuntimeError):
    """Training needs noise that is not there; the text says what is missing."""


def configured_deviation(noise_std: int) -> int:
    """``d`` for a configured standard deviation in Q8.8 codes."""
    return (noise_std * NOISE_BUFFER) >> 8


def measured_deviation(ring: IntArray) -> IntArray:
    """``d`` of full rings (R, 200): 200 times the standard deviation of the codes, rounded down."""
    centred = NOISE_BUFFER * ring - ring.sum(axis=1, keepdims=True)
    return isqrt((centred**2).sum(axis=1) // NOISE_BUFFER)


def noise_gain(deviation: IntArray, sigma: int) -> tuple[IntArray, IntArray]:
    """``gain`` and shift ``s`` of deviations of at least 50, for sigma in Q4.12."""
    shift = bit_length(deviation) - 13
    scaled = scale(deviation, shift)
    return np.minimum((sigma * 65536 + (scaled >> 1)) // scaled, 65535), shift


def scale(value: IntArray, shift: IntArray) -> IntArray:
    """``value * 2^-shift``, rounded down."""
    return (value << np.maximum(-shift, 0)) >> np.maximum(shift, 0)


def noise_value(code: IntArray, total: IntArray, gain: IntArray, shift: IntArray, counts: IntArray | None = None) -> IntArray:
    """Noise in Q3.12 from ADC codes; ``total`` is the sum of their ring, all of broadcastable shapes."""
    centred = scale(NOISE_BUFFER * code - total, shift)
    return round_shift(sat16(centred, counts) * gain, 16)


class NoiseRing:
    """The newest 200 ADC codes of each replica.

    Args:
        replicas: R.
        sigma: standard deviation of the values, Q4.12.
        noise_std: standard deviation of the source in Q8.8 codes; 0 measures it before the first step.
    """

    def __init__(self, replicas: int, sigma: int, noise_std: int) -> None:
        self.codes: IntArray = np.zeros((replicas, NOISE_BUFFER), dtype=np.int64)
        self.total: IntArray = np.zeros(replicas, dtype=np.int64)
        self.deviation: IntArray = np.zeros(replicas, dtype=np.int64)
        self.filled = 0
        self._position = 0
        self._sigma = sigma
        self._noise_std = noise_std
        self._gain: IntArray | None = None
        self._shift: IntArray = np.zeros(replicas, dtype=np.int64)

    def put(self, codes: npt.ArrayLike) -> None:
        """Replaces the oldest codes: (n,) for all replicas or (R, n), oldest first.

        Raises:
            ValueError: if a code is outside 0 .. 65535 or the shape does not fit.
        """
        new = integers(codes)
        if new.ndim not in (1, 2) or (new.ndim == 2 and len(new) != len(self.codes)):
            raise ValueError(f"codes must be (n,) or ({len(self.codes)}, n), not {new.shape}")
        if new.size and (new.min() < 0 or new.max() > 65535):
            raise ValueError("ADC codes are 0 .. 65535")
        count = new.shape[-1]
        kept = min(count, NOISE_BUFFER)
        places = (self._position + np.arange(count - kept, count)) % NOISE_BUFFER
        self.codes[:, places] = new[..., count - kept :]
        self._position = (self._position + count) % NOISE_BUFFER
        self.filled = min(self.filled + count, NOISE_BUFFER)
        self.total = self.codes.sum(axis=1)

    def calibrate(self) -> None:
        """Fixes gain and shift before the first training step; later calls change nothing.

        Raises:
            NoiseError: if the ring is not full or the codes hardly vary.
        """
        if self._gain is not None:
            return
        if self.filled < NOISE_BUFFER:
            missing = NOISE_BUFFER - self.filled
            raise NoiseError(f"the noise buffer holds {self.filled} of {NOISE_BUFFER} codes; put {missing} more first")
        if self._noise_std:
            self.deviation = np.full(len(self.codes), configured_deviation(self._noise_std), dtype=np.int64)
        else:
            self.deviation = measured_deviation(self.codes)
        quiet = np.flatnonzero(self.deviation < MIN_DEVIATION)
        if quiet.size:
            value = self.deviation[quiet[0]] / NOISE_BUFFER
            raise NoiseError(f"the source of replica {quiet[0]} has a standard deviation of {value} codes; at least 0.25 is needed")
        self._gain, self._shift = noise_gain(self.deviation, self._sigma)

    def values(self, positions: IntArray, counts: IntArray) -> IntArray:
        """Noise at ring positions (R, k), Q3.12; the ring must be calibrated."""
        assert self._gain is not None
        codes = self.codes[np.arange(len(self.codes))[:, None], positions]
        return noise_value(codes, self.total[:, None], self._gain[:, None], self._shift[:, None], counts)
