"""Figures of recordings that are longer than memory should hold: what can be counted part by part, over the whole length.

Spectrum, entropy and all that the verdict rests on come from the first :data:`ANALYSED` samples; these figures say whether
the rest is like them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.characterise import Levels, states
from mtjlearn.noise.entropy import transitions
from mtjlearn.noise.files.stream import Part
from mtjlearn.noise.recording import Recording, check

ANALYSED = 2**22
"""Samples that are analysed in full: 105 s at 40 kHz."""
_ERRORS = 5.0
"""Standard errors that the duty of the rest may differ by."""
_DRIFT = 0.02
"""What it may differ besides."""


@dataclass(frozen=True)
class Whole:
    """Figures of all samples, by the levels of the first ones.

    Args:
        samples: all.
        holes: places where samples are missing.
        mean: of all, in the recording's unit.
        deviation: standard deviation of all.
        duty: fraction of samples in the high state.
        up: probability that a low state is followed by a high one.
        down: that a high one is followed by a low one.
        switches: state changes seen.
    """

    samples: int
    holes: int
    mean: float
    deviation: float
    duty: float
    up: float
    down: float
    switches: int

    def drift(self, duty: float, samples: int) -> str | None:
        """What to say if the first samples, with this duty, are not like all of them.

        Args:
            duty: of the first samples.
            samples: how many they are.
        """
        memory = min(max(1 - self.up - self.down, 0.0), 1 - 1e-9)
        error = math.sqrt(max(self.duty * (1 - self.duty), 1e-12) * (1 + memory) / (1 - memory) / samples)
        if abs(duty - self.duty) <= _DRIFT + _ERRORS * error:
            return None
        return f"the source drifts: its duty cycle is {duty:.1%} in the first {samples:,} samples and {self.duty:.1%} in all"


class Tally:
    """Counts a recording part by part.

    Args:
        levels: of the first samples.
    """

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._counts: NDArray[np.int64] = np.zeros((2, 2), dtype=np.int64)
        self._samples = 0
        self._high = 0
        self._holes = 0
        self._sum = 0.0
        self._squares = 0.0
        self._last: bool | None = None

    @property
    def samples(self) -> int:
        """Samples that were counted."""
        return self._samples

    def add(self, part: Part) -> None:
        """Counts a part.

        Raises:
            RecordingError: it has samples that are not finite numbers.
        """
        check(part.values, self._samples)
        starts = (0, *(hole for hole in part.holes if hole))
        found = states(Recording(part.values, starts), self._levels)
        self._counts += transitions(found)
        if 0 not in part.holes and self._last is not None:
            self._counts[int(self._last), int(found[0][0])] += 1
        self._holes += len(starts) - 1 + (0 in part.holes and self._samples > 0)
        self._last = bool(found[-1][-1])
        self._high += sum(int(sequence.sum()) for sequence in found)
        away = part.values - self._levels.threshold
        self._sum += float(away.sum())
        self._squares += float(away @ away)
        self._samples += part.values.size

    def add_all(self, parts: Iterable[Part]) -> None:
        """Counts parts."""
        for part in parts:
            self.add(part)

    def whole(self) -> Whole:
        """The figures of what was counted, at least one sample."""
        away = self._sum / self._samples
        leaves = self._counts.sum(axis=1)
        up, down = (float(self._counts[row, 1 - row] / leaves[row]) if leaves[row] else 0.0 for row in (0, 1))
        return Whole(
            samples=self._samples,
            holes=self._holes,
            mean=self._levels.threshold + away,
            deviation=math.sqrt(max(0.0, self._squares / self._samples - away**2)),
            duty=self._high / self._samples,
            up=up,
            down=down,
            switches=int(self._counts[0, 1] + self._counts[1, 0]),
        )
