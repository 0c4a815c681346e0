"""Curves of several seeds as one: their median, and when a loss is reached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_DIGITS = 5

Curve = Sequence[float | None]


def median_curve(curves: Sequence[Curve]) -> list[float]:
    """Median of each epoch, shape (epochs,); a value that is not known, of a run that diverged, counts as infinite."""
    filled = np.array([[np.inf if value is None else value for value in curve] for curve in curves], dtype=np.float64)
    return [round(float(value), _DIGITS) for value in np.median(filled, axis=0)]


def epochs_to(curve: Curve, value: float) -> int | None:
    """Epochs, counted from 1, until a curve is at most this value; None if it never is."""
    return next((epoch for epoch, loss in enumerate(curve, 1) if loss is not None and loss <= value), None)
