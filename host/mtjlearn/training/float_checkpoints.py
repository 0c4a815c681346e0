"""Checkpoints of a reference that learns alone: after an interruption the run continues with the next epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mtjlearn.runs import Checkpoint, Run
from mtjlearn.training.on_board import CHECKPOINT_INTERVAL

_SHARE = 20
"""Times as long as it takes to write a checkpoint passes before the next: large networks have hundreds of megabytes."""


class FloatCheckpoints:
    """Keeps the losses of a run's epochs and, now and then and at the end, the weights; a context manager.

    Args:
        run: gets both.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._saved = time.monotonic()
        self._interval = CHECKPOINT_INTERVAL
        self._newest: Checkpoint | None = None

    def start(self) -> Checkpoint | None:
        """See :class:`mtjlearn.training.floats.FloatKeeper`."""
        return self._run.load_weights()

    def keep(self, loss: float, checkpoint: Callable[[], Checkpoint], accuracy: float | None) -> None:
        """See :class:`mtjlearn.training.floats.FloatKeeper`."""
        self._newest = checkpoint()
        evaluated = {} if accuracy is None else {"reference_test_accuracy": accuracy}
        self._run.metric(step=self._newest.steps, reference_loss=loss, **evaluated)
        if time.monotonic() - self._saved >= self._interval:
            self._save()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._save()

    def _save(self) -> None:
        started = time.monotonic()
        if self._newest is not None:
            self._run.save_weights(self._newest)
            self._newest = None
        self._saved = time.monotonic()
        self._interval = max(CHECKPOINT_INTERVAL, _SHARE * (self._saved - started))
