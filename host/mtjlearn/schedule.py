"""How the learning rate falls during training, and what a board that learns autonomously does unless asked otherwise."""

from __future__ import annotations

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


def stepped(share: float) -> float:
    """Factor on the learning rate after this share of a training in one or a few passes: 1, then 1/2, 1/4, 1/8 after 50, 70, 85 %.

    It falls within an epoch, since a pass over 60,000 images is long.
    """
    return 1.0 if share < 0.5 else 0.5 if share < 0.7 else 0.25 if share < 0.85 else 0.125


def constant(epoch: int, epochs: int) -> float:
    """Factor 1 in every epoch."""
    return 1.0
