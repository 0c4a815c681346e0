"""The run directory of a board that learns autonomously, written while a host watches it: others can see it there, also later.

The board has one port and one host at a time, so this is how a page or a plot gets at what it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mtjlearn.board import BoardInfo, Curve, Progress
from mtjlearn.runs import Run, RunError


class WatchedRun:
    """Begins a run when the board is first seen learning. A disk that is full ends the recording, not the watching.

    Args:
        root: directory of runs.
        note: is given a line if nothing can be written.
    """

    def __init__(self, root: Path, note: Callable[[str], None]) -> None:
        self._root = root
        self._note = note
        self._run: Run | None = None
        self._ended = False
        self._last = (0, 0)
        """Steps and epochs when the board was seen last."""
        self._heard = 0.0

    @property
    def path(self) -> Path | None:
        """Of the run; None before it begins, and if it could not be written."""
        return None if self._run is None else self._run.path

    def see(self, info: BoardInfo, progress: Progress, curve: Curve) -> None:
        """Records what is new: at first the board's own curve, then the mean loss of each epoch that is seen to end."""
        if self._ended:
            return
        try:
            if self._run is None:
                if not progress.running:
                    return
                self._run = self._begin(info, progress, curve)
            self._add(self._run, progress)
        except RunError as error:
            self._stop(str(error))

    def finish(self, progress: Progress) -> None:
        """The board has stopped."""
        if self._run is not None and not self._ended:
            self._ended = True
            found = {"steps": progress.steps, "epochs": progress.epoch, "loss": progress.epoch_loss, "accuracy": progress.accuracy}
            try:
                self._run.finish({**found, "stop_reason": progress.stop_reason})
            except RunError as error:
                self._note(str(error))

    def leave(self) -> None:
        """The host leaves, and the board continues."""
        if self._run is not None and not self._ended:
            self._ended = True
            with suppress(RunError):
                self._run.interrupt()

    def _begin(self, info: BoardInfo, progress: Progress, curve: Curve) -> Run:
        task = progress.task.name.lower()
        run = Run.create(self._root, "autonomous", task, 0, {"task": task}, board=info, total_steps=progress.total)
        run.keep()
        self._heard = time.monotonic()
        self._last = (progress.steps, progress.epoch)
        self._run = run
        for step, loss in zip(curve.steps.tolist(), curve.losses.tolist(), strict=True):
            run.metric(step=step, loss=loss)
        return run

    def _add(self, run: Run, progress: Progress) -> None:
        steps, epoch = self._last
        if progress.steps < steps:  # it restarted from a checkpoint
            run.metric(event="resumed", step=progress.steps)
        elif progress.epoch > epoch:
            now = time.monotonic()
            run.metric(
                step=progress.steps,
                epoch=progress.epoch,
                loss=progress.epoch_loss,
                evaluation_loss=progress.evaluation_loss,
                accuracy=progress.accuracy,
                seconds=now - self._heard,
            )
            self._heard = now
        else:
            return
        self._last = (progress.steps, progress.epoch)

    def _stop(self, text: str) -> None:
        self._note(f"{text}; watching continues without a run directory")
        self.leave()
        self._ended = True
