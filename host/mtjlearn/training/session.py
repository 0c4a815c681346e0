"""One training from start to end: the board learns, the reference beside it, and the run directory keeps everything."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import Board, BoardError, BoardLost
from mtjlearn.datasets import Dataset, Quantised, dequantise, epoch_order, predicted_classes, quantise
from mtjlearn.network import LOSS_BITS
from mtjlearn.noise import Recording
from mtjlearn.plots import loss_curve, noise_plot
from mtjlearn.runs import Checkpoint, Run, read_metrics
from mtjlearn.schedule import constant, halving
from mtjlearn.training.floats import FloatRun, train_reference
from mtjlearn.training.plan import Plan, resumed
from mtjlearn.wire.messages import Status

NOISE_CODES = 4000
"""Codes recorded for the noise plot."""
EVALUATIONS = 25
"""How often the test part is evaluated during training, about."""
_CHECKPOINT_INTERVAL = 1.0
"""Seconds between checkpoints, at least; also one at the end and at an interruption."""

OpenBoard = Callable[[Path], Board]
"""Opens the board with this file as the link's log."""


class Observer(Protocol):
    """Who is told how it goes."""

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
        steps: training steps of the board.
        skipped: of these without an update.
        saturations: values cut on the board.
        samples_per_s: samples streamed and trained a second, end to end.
        clipped: inputs beyond the device's range.
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


@dataclass
class _Progress:
    """Where the board's training stands; before_* count what happened before the board was configured."""

    epoch: int = 0
    samples: int = 0
    steps: int = 0
    skipped: int = 0
    saturations: int = 0
    before_steps: int = 0
    before_skipped: int = 0
    before_saturations: int = 0
    seconds: float = 0.0
    streamed: int = 0

    def take(self, status: Status, samples_per_epoch: int) -> None:
        """Takes over what the board counted: it may have trained samples whose acknowledgement nobody waited for."""
        self.steps = self.before_steps + status.steps
        self.epoch, self.samples = divmod(self.steps, samples_per_epoch)
        self.skipped = self.before_skipped + status.skipped
        self.saturations = self.before_saturations + status.saturations


def train(plan: Plan, run: Run, open_board: OpenBoard, observer: Observer) -> Report:
    """Trains as planned, or goes on with what the run directory holds.

    An interruption (Ctrl-C) or a board that vanishes leaves a run directory that can be resumed; the exception passes on.

    Raises:
        BoardError, DatasetError, NetworkError: with one line that says what to do.
    """
    with run:
        dataset = plan.load()
        quantised = quantise(dataset, plan.network)
        for text in dataset.notes:
            observer.note(text)
        for report in (quantised.inputs, quantised.targets):
            if report.clipped:
                observer.note(str(report))
        result = Report(str(run.path), clipped=quantised.inputs.clipped)
        if plan.on_board:
            _on_board(plan, run, open_board, observer, dataset, quantised, result)
        if plan.reference or not plan.on_board:
            _beside(plan, run, observer, dataset, result)
        loss_curve(read_metrics(run.path), run.path / "loss.png", title=f"{dataset.name} {plan.network.name} {plan.rule}")
        run.finish(result.__dict__)
        return result


def _on_board(
    plan: Plan, run: Run, open_board: OpenBoard, observer: Observer, dataset: Dataset, quantised: Quantised, result: Report
) -> None:
    checkpoint = run.load_weights()
    with open_board(run.link_log) as board:
        result.board = {"name": board.info.name, "build": board.info.build, "url": board.info.url}
        run.update(board=board.info)
        at = _start(plan, run, board, checkpoint)
        _record_noise(run, board, observer)
        try:
            _epochs(plan, run, board, observer, quantised, at)
        except KeyboardInterrupt:
            _save_interrupted(run, board, observer, at, len(quantised.x_train))
            raise KeyboardInterrupt(_resumable("interrupted", run)) from None
        except BoardLost as error:
            run.interrupt()
            raise BoardLost(_resumable(str(error), run)) from error
        status = board.status()
        result.steps = at.steps
        result.skipped = at.skipped
        result.saturations = at.saturations
        result.samples_per_s = at.streamed / at.seconds if at.seconds else None
        observer.note(f"the board takes {status.arena_used} bytes for {plan.network.name}")
        outputs = dequantise(board.predict(quantised.x_test))
    result.test_accuracy, result.test_r2 = _score(dataset, outputs)


def _resumable(text: str, run: Run) -> str:
    return f"{text}; go on with: mtjlearn train --resume {run.path}"


def _start(plan: Plan, run: Run, board: Board, checkpoint: Checkpoint | None) -> _Progress:
    """Configures the board, from the checkpoint if there is one."""
    if checkpoint is None:
        board.configure(plan.network)
        return _Progress()
    board.configure(resumed(plan, checkpoint.random_state).network)
    board.set_weights(_rows(checkpoint.weights, [array.shape for array in board.weights()]))
    if any(plan.network.decorrelate):
        board.set_matrices(_rows(checkpoint.matrices, [array.shape for array in board.matrices()]))
    counted = [record for record in read_metrics(run.path) if "skipped" in record and record["step"] <= checkpoint.steps]
    last = counted[-1] if counted else {"skipped": 0, "saturations": 0}
    return _Progress(
        checkpoint.epoch,
        checkpoint.samples,
        checkpoint.steps,
        skipped=last["skipped"],
        saturations=last["saturations"],
        before_steps=checkpoint.steps,
        before_skipped=last["skipped"],
        before_saturations=last["saturations"],
    )


def _rows(values: NDArray[Any], shapes: list[tuple[int, ...]]) -> list[NDArray[Any]]:
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1].tolist()
    return [part.reshape(shape) for part, shape in zip(np.split(values, ends), shapes, strict=True)]


def _record_noise(run: Run, board: Board, observer: Observer) -> None:
    codes = board.noise(NOISE_CODES)
    recording = Recording(codes.codes.astype(np.float64), tuple(segment.start for segment in codes.segments), float(codes.rate))
    recording.save(run.path / "noise.npz")
    info = board.info
    noise_plot(
        recording,
        run.path / "noise.png",
        millivolts_per_code=1000 * info.adc_reference / 2**info.adc_bits,
        title=f"noise of {info.name}",
    )
    observer.note(f"noise plotted: {run.path / 'noise.png'}")


def _epochs(plan: Plan, run: Run, board: Board, observer: Observer, quantised: Quantised, at: _Progress) -> None:
    samples = len(quantised.x_train)
    total = plan.epochs * samples
    schedule = halving if plan.falling else constant
    every = max(1, plan.epochs // EVALUATIONS)
    saved = time.monotonic()
    before = board.status()
    loss: float | None = None
    while at.epoch < plan.epochs:
        board.set_rates(plan.network.learning_rate * schedule(at.epoch, plan.epochs))
        order = epoch_order(plan.seed, at.epoch, samples)[at.samples :]
        started = time.monotonic()

        def tell(acknowledged: int, done: int = at.steps, started: float = started, loss: float | None = loss) -> None:
            elapsed = time.monotonic() - started
            observer.progress("board", done + acknowledged, total, loss, acknowledged / elapsed if elapsed else None)

        board.train(quantised.x_train[order], quantised.t_train[order], on_progress=tell)
        at.seconds += time.monotonic() - started
        at.streamed += len(order)
        status = board.status()
        loss = (status.loss_sum - before.loss_sum) / 2**LOSS_BITS / len(order)
        before = status
        at.take(status, samples)
        record = {"step": at.steps, "epoch": at.epoch, "loss": loss, "skipped": at.skipped, "saturations": at.saturations}
        if at.epoch % every == 0 or at.epoch == plan.epochs:
            evaluation = board.evaluate(quantised.x_test, quantised.t_test)
            record["test_loss"] = evaluation.loss
            if plan.task == "classification":
                record["test_accuracy"] = evaluation.accuracy
        run.metric(**record)
        if time.monotonic() - saved >= _CHECKPOINT_INTERVAL or at.epoch == plan.epochs:
            _save(run, board, at, samples)
            saved = time.monotonic()


def _save(run: Run, board: Board, at: _Progress, samples_per_epoch: int) -> None:
    status = board.status()
    at.take(status, samples_per_epoch)
    weights = np.concatenate([array.ravel() for array in board.weights()])
    matrices = [array.ravel().astype(np.int16) for array in board.matrices()]
    run.save_weights(
        Checkpoint(
            at.epoch,
            at.samples,
            at.steps,
            weights,
            np.concatenate(matrices) if matrices else np.zeros(0, np.int16),
            status.random_state,
        )
    )


def _save_interrupted(run: Run, board: Board, observer: Observer, at: _Progress, samples_per_epoch: int) -> None:
    try:
        _save(run, board, at, samples_per_epoch)
    except BoardError as error:
        observer.note(f"the last weights could not be read ({error}); the run resumes from its last checkpoint")


def _beside(plan: Plan, run: Run, observer: Observer, dataset: Dataset, result: Report) -> None:
    started = time.monotonic()

    def tell(done: int, total: int, loss: float) -> None:
        elapsed = time.monotonic() - started
        observer.progress("reference", done, total, loss, done / elapsed if elapsed else None)

    try:
        found: FloatRun = train_reference(plan, dataset, tell)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_resumable("interrupted", run)) from None
    samples = len(dataset.x_train)
    for epoch, loss in enumerate(found.losses, 1):
        run.metric(step=epoch * samples, reference_loss=float(loss))
    result.reference_test_accuracy, result.reference_test_r2 = _score(dataset, found.outputs)
    if result.reference_test_accuracy is not None:
        run.metric(step=plan.epochs * samples, reference_test_accuracy=result.reference_test_accuracy)
    if not plan.on_board:
        result.steps = plan.epochs * samples


def _score(dataset: Dataset, outputs: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Accuracy, or coefficient of determination, of outputs on the test part."""
    if dataset.classes is not None:
        return float(np.mean(predicted_classes(outputs) == dataset.y_test)), None
    residual = np.sum((outputs - dataset.y_test) ** 2)
    spread = np.sum((dataset.y_test - dataset.y_test.mean(axis=0)) ** 2)
    return None, float(1 - residual / spread)
