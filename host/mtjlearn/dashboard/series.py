"""A curve of bounded size, however long the training: neighbouring points are joined as it grows."""

from __future__ import annotations

MOST_POINTS = 400
"""Points of a curve, at most: about as many as a page has pixels for."""
_DIGITS = 5


class Series:
    """Values over training steps. A point is the mean of ``width`` values, at the step of the last of them."""

    def __init__(self) -> None:
        self._points: list[tuple[int, float]] = []
        self._pending: list[tuple[int, float]] = []
        self.width = 1
        """Values of a point."""

    def add(self, step: int, value: float) -> None:
        """Appends a value."""
        self._pending.append((step, value))
        if len(self._pending) == self.width:
            self._points.append(_joined(self._pending))
            self._pending = []
        if len(self._points) == MOST_POINTS:
            pairs = zip(self._points[::2], self._points[1::2], strict=True)
            self._points = [_joined(list(pair)) for pair in pairs]
            self.width *= 2

    @property
    def points(self) -> list[tuple[int, float]]:
        """Steps and values, oldest first, with five digits; the last one may be of fewer values."""
        last = [_joined(self._pending)] if self._pending else []
        return [(step, float(f"{value:.{_DIGITS}g}")) for step, value in (*self._points, *last)]


def _joined(points: list[tuple[int, float]]) -> tuple[int, float]:
    return points[-1][0], sum(value for _, value in points) / len(points)
