"""How the learning rate falls during training, and what a board that learns autonomously does unless asked otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal, get_args

ScheduleName = Literal["halving", "stepped", "constant"]
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)
"""How the learning rate of a streamed training falls: from epoch to epoch, within epochs too, or never."""
STEPPED_AT = (50, 70, 85)
"""Percent of the steps of a training after which ``stepped`` halves its rate."""

CONSTANT_SHARE = 3 / 7
"""Share of the epochs at the full rate."""
HALVINGS = 4
"""Halvings spread over the rest."""

CHECKPOINT_INTERVAL = 1800
"""Seconds between checkpoints: two slots of an EEPROM of 100,000 cycles last 11 years."""
EPOCH_STEPS = 1000
"""Steps of an epoch of TEACHER and LIVE."""
LIVE_PERIOD = 20
"""Milliseconds between two live samples."""


def halving(epoch: int, epochs: int) -> float:
    """Factor on the learning rate in an epoch (0, 1, ...) of this many: 1 for three sevenths of them, then 1/2, 1/4, 1/8, 1/16.

    Powers of two, so that the device's rate stays the float reference's to the last bit of its mantissa.
    """
    share = epoch / max(epochs, 1)
    if share < CONSTANT_SHARE:
        return 1.0
    return 0.5 ** (1 + min(HALVINGS - 1, int(HALVINGS * (share - CONSTANT_SHARE) / (1 - CONSTANT_SHARE))))


def stepped(step: int, steps: int) -> float:
    """Factor on the learning rate at a step (0, 1, ...) of a training in one or a few passes.

    1, then 1/2, 1/4, 1/8 from 50, 70, 85 % on. It falls within an epoch, since a pass over 60,000 images is long.
    """
    return 0.5 ** sum(100 * step >= percent * steps for percent in STEPPED_AT)


def stretches(schedule: ScheduleName, epoch: int, epochs: int, samples: int) -> list[tuple[int, int, float]]:
    """An epoch (0, 1, ...) in parts of one rate: the first sample, the one after the last, the factor on the learning rate.

    They depend on the place in the training alone, so that one that was interrupted within a part continues at the same rate.
    """
    if schedule != "stepped":
        return [(0, samples, halving(epoch, epochs) if schedule == "halving" else 1.0)]
    before, steps = epoch * samples, epochs * samples
    changes = (-(-percent * steps // 100) - before for percent in STEPPED_AT)
    ends = pairwise([0, *(change for change in changes if 0 < change < samples), samples])
    return [(start, end, stepped(before + start, steps)) for start, end in ends if start < end]


def factors(schedule: ScheduleName, epoch: int, epochs: int, samples: int) -> list[float]:
    """Factor on the learning rate at each sample of an epoch (0, 1, ...)."""
    return [factor for start, end, factor in stretches(schedule, epoch, epochs, samples) for _ in range(start, end)]


def schedule_of(settings: Mapping[str, Any]) -> Any:
    """What a run's settings name; those of before there were names say whether the rate falls."""
    return settings.get("schedule", "halving" if settings.get("falling", True) else "constant")


def constant(epoch: int, epochs: int) -> float:
    """Factor 1 in every epoch."""
    return 1.0
