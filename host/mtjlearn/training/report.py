"""What a training reports: while it runs, and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


class Observer(Protocol):
    """Who receives the progress."""

    def note(self, text: str) -> None:
        """A line worth reading."""

    def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
        """Steps done of a phase (board, reference), the last mean loss, and steps per second."""


@dataclass
class Report:
    """What a training found.

    Args:
        run: the run directory.
        test_accuracy: of the board's predictions; None for a regression, or without a board.
        reference_test_accuracy: of the float reference; None for a regression, or without it.
        test_r2: coefficient of determination of the board's predictions; None for a classification.
        reference_test_r2: of the float reference.
        steps: training steps of the board; of the reference, if it learned alone.
        skipped: steps of the board without an update.
        saturations: values cut on the board.
        samples_per_s: samples streamed and trained per second, end to end; None without a board.
        clipped: inputs beyond the device's range.
        board: name, firmware build and port of the board; empty without one.
    """

    run: str
    test_accuracy: float | None = None
    reference_test_accuracy: float | None = None
    test_r2: float | None = None
    reference_test_r2: float | None = None
    steps: int = 0
    skipped: int = 0
    saturations: int = 0
    samples_per_s: float | None = None
    clipped: int = 0
    board: dict[str, Any] = field(default_factory=dict)
