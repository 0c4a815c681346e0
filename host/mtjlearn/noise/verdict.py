"""What a source is worth to a board: good, usable or unusable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtjlearn.fixedpoint.noise import MIN_DEVIATION
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.noise.characterise import Summary

Verdict = Literal["good", "usable", "unusable"]


def board_hints(codes: NDArray[np.float64], top: int, summary: Summary, broken: str | None) -> list[str]:
    """What a board's codes say: its own tests, the ends of its converter's scale, and the summary's hints.

    Args:
        codes: shape (samples,).
        top: the code of full scale.
        summary: of these codes.
        broken: what the board's own tests report; None: no fault.
    """
    if broken is not None:
        return [f"the board's own tests: {broken}", *summary.hints]
    share = float(np.mean(codes == top))
    if np.all(codes == 0):
        return ["every code is 0, so the pin is at ground: the junction or its pads are shorted, or the divider has no supply"]
    if share == 1:
        return ["every code is full scale: the junction is open or not connected, so the divider pulls the pin to its supply"]
    if share > 0:
        clipped = f"{share:.1%} of the codes are full scale: the signal is clipped; use a higher reference or a lower supply"
        return [clipped, *summary.hints]
    return list(summary.hints)


def verdict(summary: Summary, hints: Sequence[str], *, codes: bool, broken: bool) -> Verdict:
    """Whether a board learns with the source.

    Args:
        summary: of the recording.
        hints: what is wrong with it.
        codes: the recording is of codes, not volts.
        broken: the board's own tests report a fault.
    """
    refused = codes and summary.deviation * NOISE_BUFFER < MIN_DEVIATION
    if refused or summary.predictable or summary.deviation == 0 or broken:
        return "unusable"
    return "usable" if hints else "good"
