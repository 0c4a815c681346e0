"""Curves of several seeds as one: medians, envelopes, and when a loss is reached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_DIGITS = 5

Curve = Sequence[float | None]


def median_curve(curves: Sequence[Curve]) -> list[float]:
    """Median of each epoch, shape (epochs,); a value that is not known, of a run that diverged, counts as infinite."""
    found = np.median(_filled(curves), axis=0)
    return [round(float(value), _DIGITS) for value in found]


def envelope(curves: Sequence[Curve]) -> tuple[list[float], list[float]]:
    """Least and greatest value of each epoch, each of shape (epochs,)."""
    filled = _filled(curves)
    return filled.min(axis=0).tolist(), filled.max(axis=0).tolist()


def epochs_to(curve: Curve, value: float) -> int | None:
    """Epochs, counted from 1, until a curve is at most this value; None if it never is."""
    return next((epoch for epoch, loss in enumerate(curve, 1) if loss is not None and loss <= value), None)


def _filled(curves: Sequence[Curve]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[np.inf if value is None else value for value in curve] for curve in curves], dtype=np.float64)
