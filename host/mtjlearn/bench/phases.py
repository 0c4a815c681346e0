"""What all measurements share: the parts of a step, how much is measured, who receives the progress, and what can go wrong."""

from __future__ import annotations

from collections.abc import Callable

from mtjlearn.errors import BoardError

PHASES = ("step", "draw", "forward", "normalise", "update")
"""A step and its parts: noise values, both passes with their losses, the global factor, the updates; forward is all of the rest."""

FRAMES = 1000
"""Frames streamed to a simulated chip, unless asked otherwise."""
REPEATS = 7
"""Of each measurement by this computer's clock, unless asked otherwise."""

Progress = Callable[[int, int, str], None]
"""Called with (parts done, parts, the next one's name)."""


class BenchError(BoardError):
    """A measurement that cannot be made; the text says what to do."""
