"""What a column of times says: the sample rate, and where samples are missing.

Times are written with few digits, so steps may look uneven or vanish; clocks of computers jitter. A gap of more than half a
sample beyond what that explains is a hole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.recording import RecordingError

Array = NDArray[np.float64]

_EVEN = 0.9
"""Share of the steps that must be alike."""


class Timeline:
    """Follows the times of a file through its parts.

    Args:
        times: of the first samples, s, shape (samples,).
        stated: seconds per sample that the file states; None: it does not.

    Raises:
        RecordingError: the times are not those of evenly spaced samples.
    """

    def __init__(self, times: Array, stated: float | None = None) -> None:
        self.step = stated
        self._seen = 0
        self._last: float | None = None
        self._slack = np.inf
        steps = np.diff(times)
        if not steps.size:
            return
        if not np.all(np.isfinite(steps)):
            raise RecordingError("its times are not all numbers")
        usual = float(np.median(steps))
        even = np.abs(steps - usual) <= 0.5 * usual
        if usual > 0 and np.mean(even) >= _EVEN:
            self.step = float(steps[even].mean())
            self._slack = 1.5 * self.step
        elif stated is None:
            self.step = self._coarse(times, steps)

    @staticmethod
    def _coarse(times: Array, steps: Array) -> float:
        """Seconds per sample of times that are written with too few digits to see each step."""
        rising = steps[steps > 0]
        if not rising.size or steps.min() < 0:
            raise RecordingError("its times do not rise from sample to sample; export it again, or omit the column of times")
        step = float(times[-1] - times[0]) / steps.size
        away = np.abs(times - times[0] - step * np.arange(times.size))
        if away.max() > 1.01 * float(rising.min()) + step:
            raise RecordingError("its samples are not evenly spaced in time: export samples at a fixed rate, not changes or events")
        return step

    @property
    def rate(self) -> float | None:
        """Samples per second, without the last digits, which are rounding errors of the times."""
        return float(f"{1 / self.step:.12g}") if self.step else None

    def holes(self, times: Array) -> tuple[int, ...]:
        """Indices of the samples before which some are missing, in the next part of the file.

        Raises:
            RecordingError: time runs backwards.
        """
        before = times[0] - (self.step or 0.0) if self._last is None else self._last
        steps = np.diff(times, prepend=before)
        back = np.flatnonzero(steps < 0)
        if back.size and np.isfinite(self._slack):
            raise RecordingError(f"time runs backwards at sample {self._seen + int(back[0]) + 1:,}: two recordings in one file?")
        self._last = float(times[-1])
        self._seen += times.size
        rising = steps[steps > 0]
        # Where steps vanish, times are written too coarsely, and a step can be larger by what they are rounded to.
        coarse = rising.size and np.count_nonzero(steps == 0) > (1 - _EVEN) * steps.size
        slack = self._slack + (float(rising.min()) if coarse else 0.0)
        return tuple(np.flatnonzero(steps > slack).tolist())
