"""Two readings of the paper: what its text says, and what its authors' published code does, item by item.

The text leaves several things open, and the code decides some of them differently. ``READINGS["paper"]`` follows the text; where
the text is silent it does what a device does (shared/numerics.md). ``READINGS["code"]`` follows the authors' code for figure 4.
docs/python.md has the table of both. A mixture is a copy: ``dataclasses.replace(READINGS["code"], guarded=True)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from mtjlearn.reference.network import Start

ReadingName = Literal["paper", "code"]


@dataclass(frozen=True)
class Reading:
    """How the text is read. The same in both: ``N / ||da||^2`` for each sample, the update's x and that of R from pass 1 alone, R
    with plain SGD and the batch's mean, also where Adam trains the weights.

    Args:
        sums: a step's update of weights and biases is the batch's sum instead of its mean, so that eta means another step size.
        centring: decorrelated inputs are centred too, ``xbar = R x + b``, where ``b`` starts at 0 and ``b -= eps sum(xbar)``.
        centring_sums: that is the sum over the batch; otherwise the mean.
        slope: of the leaky ReLU; None: the network's.
        start: how the first weights are drawn.
        noisy_evaluation: predictions and evaluations are noisy passes too, and take values from the source.
        along_batch: a junction's samples run along the batch: all samples of pass 1, then all of pass 2. Otherwise both passes of a
            sample come after each other, as on a device.
        guarded: a sample with ``da = 0`` or ``dL = 0`` is skipped; otherwise ``da = 0`` makes the weights undefined.
    """

    sums: bool = False
    centring: bool = False
    centring_sums: bool = False
    slope: float | None = None
    start: Start = "lecun"
    noisy_evaluation: bool = False
    along_batch: bool = False
    guarded: bool = True


READINGS: Mapping[ReadingName, Reading] = MappingProxyType(
    {
        "paper": Reading(),
        "code": Reading(
            sums=True,
            centring=True,
            centring_sums=True,
            slope=0.01,
            start="torch",
            noisy_evaluation=True,
            along_batch=True,
            guarded=False,
        ),
    }
)
"""The text's reading and that of the authors' code."""


def reading_of(
    reading: ReadingName | Reading, *, slope: float | None = None, start: Start | None = None, centring: bool | None = None
) -> Reading:
    """A reading by its name, or the reading itself, with what is given instead of its own.

    Raises:
        ValueError: if there is no such reading.
    """
    if not isinstance(reading, Reading):
        if reading not in READINGS:
            raise ValueError(f"there is no reading {reading!r}; use {' or '.join(READINGS)}")
        reading = READINGS[reading]
    return replace(
        reading,
        slope=reading.slope if slope is None else slope,
        start=reading.start if start is None else start,
        centring=reading.centring if centring is None else centring,
    )
