"""The newest noise codes of a board as an oscilloscope, a histogram, an autocorrelation and a verdict. Nothing is drawn here."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import BoardInfo, Health, NoiseRecording
from mtjlearn.noise import Recording, autocorrelation, characterise
from mtjlearn.noise.characterise import histogram
from mtjlearn.noise.verdict import board_hints, verdict

KEPT = 10
"""Recordings that histogram, autocorrelation and verdict are of."""
SHOWN = 300
"""Codes of the oscilloscope, at most."""
LAGS = 60
LEAST = 2000
"""Codes from which on there is a verdict."""


class Scope:
    """Noise of one board. Values are millivolts; a code stands for the middle of its step.

    Args:
        info: of the board.
    """

    def __init__(self, info: BoardInfo) -> None:
        self._info = info
        self._recordings: deque[NoiseRecording] = deque(maxlen=KEPT)
        self._fault = 0

    def add(self, recording: NoiseRecording, health: Health) -> None:
        """Adds what was recorded just now; when a fault begins or ends, what came before it is forgotten."""
        if int(health.fault) != self._fault:
            self._recordings.clear()
            self._fault = int(health.fault)
        self._recordings.append(recording)

    def trace(self) -> dict[str, Any] | None:
        """The newest codes without a hole: ``millivolts`` and the seconds between two; None before the first."""
        if not self._recordings:
            return None
        newest = self._recordings[-1]
        pieces = np.split(newest.codes, [segment.start for segment in newest.segments[1:]])
        longest = max(pieces, key=len)[-SHOWN:]
        return {"millivolts": self._millivolts(longest), "interval": 1 / newest.rate}

    def findings(self, health: Health) -> dict[str, Any] | None:
        """Histogram, autocorrelation and verdict of the last recordings; None while there are fewer than LEAST codes.

        Returns:
            ``codes``; ``histogram`` with ``millivolts`` and ``shares``; ``autocorrelation`` at lags 0, 1, ...; ``levels`` in
            millivolts; ``duty``; ``switching_rate`` in switches per second; ``correlation_time`` in seconds;
            ``min_entropy`` in bits per code; ``verdict``; ``hints``.
        """
        starts, size = [], 0
        for part in self._recordings:
            starts += [size + segment.start for segment in part.segments]
            size += part.codes.size
        if size < LEAST:
            return None
        values = np.concatenate([part.codes for part in self._recordings]).astype(np.float64)
        recording = Recording(values, tuple(starts), float(self._info.adc_rate), "codes")
        summary = characterise(recording)
        broken = health.describe() if health.fault else None
        hints = board_hints(values, 2**self._info.adc_bits - 1, summary, broken)
        centres, counts = histogram(values)
        correlation = autocorrelation(recording, LAGS)
        return {
            "codes": values.size,
            "histogram": {"millivolts": self._millivolts(centres), "shares": np.round(counts / values.size, 4)},
            "autocorrelation": np.round(correlation, 3),
            "levels": self._millivolts(np.array([summary.levels.low, summary.levels.high])),
            "duty": summary.duty,
            "switching_rate": summary.switching_rate,
            "correlation_time": summary.correlation_time,
            "min_entropy": summary.min_entropy,
            "verdict": verdict(summary, hints, codes=True, broken=broken is not None),
            "hints": hints,
        }

    def _millivolts(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = np.round((codes + 0.5) * self._info.millivolts_per_code, 2)
        return scaled
