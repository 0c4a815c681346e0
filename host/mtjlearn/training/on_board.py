"""The board's part of a training: streams the epochs, records metrics, keeps checkpoints, continues from one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import Board, BoardError, BoardRefused, BoardTimeout, Health
from mtjlearn.network import LOSS_BITS
from mtjlearn.noise import NO_TESTS
from mtjlearn.runs import Checkpoint, Run, RunError, read_metrics
from mtjlearn.runs.files import START
from mtjlearn.training.feedback import has_feedback, restore, take
from mtjlearn.training.plan import Plan
from mtjlearn.training.report import Observer
from mtjlearn.training.scores import is_evaluated
from mtjlearn.wire.errors import ImplausibleAnswer
from mtjlearn.wire.messages import Error

STRETCH = 2000
"""Samples streamed at once, at most: then the counters are read, and the weights if it is time. A few seconds on a slow board."""
CHECKPOINT_INTERVAL = 1.0
"""Seconds between checkpoints, at least; also one at the end and at an interruption."""

ONE_LEVEL = frozenset({"gaussian"})
"""Sources for comparison that have no two levels, which the board's tests of its noise would refuse."""
NOISE_PATIENCE = 600
"""Seconds that a training waits for a broken noise source, at most."""


class BoardTraining:
    """A training on an open board.

    The board is configured with the plan's network; if the run has a checkpoint, it continues from there. What the board
    counts then begins again, or where its own checkpoint was; what it counted before is in the run's metrics.

    Args:
        plan: what to do.
        run: gets metrics and checkpoints.
        board: learns.
        observer: receives the progress.
    """

    def __init__(self, plan: Plan, run: Run, board: Board, observer: Observer) -> None:
        self._plan = plan
        self._run = run
        self._board = board
        self._data = plan.quantised
        self._observer = observer
        self._before = {"step": 0, "skipped": 0, "saturations": 0}
        checkpoint = run.load_weights() or start_of(plan, run)
        if checkpoint is None:
            board.configure(plan.network)
        else:
            self._go_on_from(checkpoint)
        if plan.virtual.get("device_noise") in ONE_LEVEL:
            board.set_health(NO_TESTS)
        self._recorded = status = board.status()
        counted = {"step": status.steps, "skipped": status.skipped, "saturations": status.saturations}
        self._before = {name: self._before[name] - value for name, value in counted.items()}
        self._saved = time.monotonic()
        self._loss: float | None = None
        self._seconds = 0.0
        self.steps: int = self._before["step"] + status.steps
        """Training steps since the start of the run."""

    @property
    def skipped(self) -> int:
        """Steps without an update since the start of the run."""
        return self._before["skipped"] + self._recorded.skipped

    @property
    def saturations(self) -> int:
        """Values cut since the start of the run."""
        return self._before["saturations"] + self._recorded.saturations

    @property
    def samples_per_second(self) -> float | None:
        """Samples streamed and trained per second, end to end, over all of the run; None if it was not measured."""
        seconds = sum(float(record.get("seconds", 0.0)) for record in read_metrics(self._run.path))
        return self.steps / seconds if seconds else None

    def train(self) -> None:
        """Trains to the end of the plan.

        Raises:
            KeyboardInterrupt: after a checkpoint, if the board still answers.
            BoardRefused: the same.
            BoardTimeout: the same: its noise source was broken and did not recover within NOISE_PATIENCE.
            BoardError: as the board's methods.
        """
        total = self._plan.epochs * len(self._data.x_train)
        try:
            while self.steps < total:
                try:
                    self._stretch(total)
                except BoardRefused as refusal:
                    if refusal.code != Error.NOISE_FAULT:
                        raise
                    self._await_noise(total)
                    continue
                self._record(evaluate=True)
                if self.steps == total or time.monotonic() - self._saved >= CHECKPOINT_INTERVAL:
                    self._save()
        except (KeyboardInterrupt, BoardRefused, BoardTimeout):
            self._keep()
            raise

    def _go_on_from(self, checkpoint: Checkpoint) -> None:
        counted = [record for record in read_metrics(self._run.path) if "skipped" in record and record["step"] <= checkpoint.steps]
        self._before = {**(counted[-1] if counted else self._before), "step": checkpoint.steps}
        if has_feedback(self._plan.network):
            why_not = restore(self._board, checkpoint)
            if not why_not:
                return
            self._observer.note(f"the feedback is learned again, which takes some tens of steps: {why_not}")
        # The generator cannot be set to a state that was reached, but the run does not repeat random numbers this way.
        self._board.configure(replace(self._plan.network, seed=checkpoint.random_state or self._plan.network.seed))
        self._board.set_weights(_rows(checkpoint.weights, self._board.weights()))
        if any(self._plan.network.decorrelate):
            self._board.set_matrices(_rows(checkpoint.matrices, self._board.matrices()))

    def _stretch(self, total: int) -> None:
        """Streams the rest of an epoch, or of it as much as goes at once and at one rate."""
        epoch, position = divmod(self.steps, len(self._data.x_train))
        end, factor = next((end, factor) for _, end, factor in self._plan.stretches(epoch) if position < end)
        chosen = self._plan.order(epoch)[position : min(position + STRETCH, end)]
        self._board.set_rates(self._plan.network.learning_rate * factor)
        started = time.monotonic()

        def tell(acknowledged: int) -> None:
            rate = acknowledged / max(time.monotonic() - started, 1e-9)
            self._observer.progress("board", self.steps + acknowledged, total, self._loss, rate)

        try:
            self._board.train(self._data.x_train[chosen], self._data.t_train[chosen], on_progress=tell)
        finally:
            self._seconds += time.monotonic() - started

    def _await_noise(self, total: int) -> None:
        """Reports what is wrong with the noise source and waits; the board's count says with which sample to continue."""
        self._record(evaluate=False)
        seen = self._board.health()
        self._run.metric(event="noise_fault", step=self.steps, fault=(seen.fault or seen.last_fault).name.lower())
        if seen.fault:
            self._observer.note(f"step {self.steps}: the noise source is broken; learning is paused: {seen.describe()}")
        if self.steps:
            self._save()

        def tell(waited: float, health: Health) -> None:
            self._observer.progress("noise", min(1 + int(waited), NOISE_PATIENCE), NOISE_PATIENCE, None, None)

        self._board.wait_for_noise_source(NOISE_PATIENCE, tell)
        self._observer.note(f"the noise source is healthy again; learning resumes at step {self.steps + 1}")

    def _record(self, *, evaluate: bool) -> None:
        """Records what the board counted since the last record: it may have trained samples that it could not acknowledge."""
        status, last = self._board.status(), self._recorded
        known = self._board.acknowledged_samples
        if not known <= status.steps <= known + STRETCH:
            raise ImplausibleAnswer(f"the board says steps {status.steps} in STATUS after {known} acknowledged samples")
        done = status.steps - last.steps
        if done == 0:
            return
        self.steps = self._before["step"] + status.steps
        epoch, position = divmod(self.steps, len(self._data.x_train))
        self._loss = (status.loss_sum - last.loss_sum) / 2**LOSS_BITS / done
        record = {
            "step": self.steps,
            "epoch": epoch,
            "loss": self._loss,
            "skipped": self._before["skipped"] + status.skipped,
            "saturations": self._before["saturations"] + status.saturations,
            "seconds": self._seconds,
        }
        if evaluate and position == 0 and is_evaluated(epoch, self._plan.epochs):
            record.update(self._evaluation())
        self._run.metric(**record)
        self._recorded, self._seconds = status, 0.0

    def _evaluation(self) -> dict[str, float]:
        evaluation = self._board.evaluate(self._data.x_test, self._data.t_test)
        accuracy = {"test_accuracy": evaluation.accuracy} if self._plan.task == "classification" else {}
        return {"test_loss": evaluation.loss, **accuracy}

    def _save(self) -> Checkpoint:
        """Saves a checkpoint at the place of the last record."""
        weights, matrices = self._board.weights(), self._board.matrices()
        joined = np.concatenate([matrix.ravel() for matrix in matrices]) if matrices else np.zeros(0)
        epoch, position = divmod(self.steps, len(self._data.x_train))
        checkpoint = Checkpoint(
            epoch,
            position,
            self.steps,
            np.concatenate([layer.ravel() for layer in weights]),
            joined.astype(np.int16),
            self._recorded.random_state,
        )
        self._run.save_weights(checkpoint)
        self._saved = time.monotonic()
        return checkpoint

    def _keep(self) -> None:
        try:
            self._record(evaluate=False)
            if self.steps:
                checkpoint = self._save()
                if has_feedback(self._plan.network):
                    self._run.save_weights(replace(checkpoint, whole=take(self._board)))
        except (BoardError, RunError) as error:
            self._observer.note(f"the last weights could not be saved ({error}); the run resumes from its last checkpoint")


def start_of(plan: Plan, run: Run) -> Checkpoint | None:
    """What a run begins with that another one has learned; None if it begins with new weights.

    Raises:
        RunError: it is missing or damaged.
    """
    if plan.start is None:
        return None
    start = run.load_start()
    if start is None:
        raise RunError(f"{START} is missing, from which the run was to begin; start a new one with --continue {plan.start.path}")
    return start


def _rows(values: NDArray[Any], like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The values cut into arrays of the shapes of others.

    Raises:
        RunError: they are of another network.
    """
    ends = np.cumsum([array.size for array in like]).tolist()
    if values.dtype.kind != "i" or values.shape != (ends[-1] if ends else 0,):
        raise RunError("the saved weights do not belong to this run's network; start a new run")
    return [part.reshape(array.shape) for part, array in zip(np.split(values, ends[:-1]), like, strict=True)]
