"""One training from start to end: the board learns, the reference beside it, and the run directory keeps everything."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import Board, BoardError, BoardLost
from mtjlearn.datasets import Dataset, Quantised, dequantise, predicted_classes, quantise
from mtjlearn.discovery import open_board
from mtjlearn.noise import Recording
from mtjlearn.plots import loss_curve, noise_plot
from mtjlearn.runs import Run, RunError, read_metrics
from mtjlearn.training.floats import train_reference
from mtjlearn.training.on_board import BoardTraining
from mtjlearn.training.plan import Plan
from mtjlearn.training.report import Observer, Report
from mtjlearn.wire.linklog import MOST, LogFile, set_aside

NOISE_CODES = 4000
"""Codes recorded for the noise plot."""


def train(plan: Plan, run: Run, observer: Observer, link_log: int = MOST) -> Report:
    """Trains as planned, or goes on with what the run directory holds.

    After an interruption (Ctrl-C), a board that vanished, or one that refuses in the middle of training, the run can be
    resumed, and the exception's text says how.

    Args:
        plan: what to do.
        run: where everything is kept; closed at the end.
        observer: is informed.
        link_log: bytes of the raw log of the link, at most; 0: none.

    Raises:
        BoardError, DatasetError, NetworkError: with one line that says what to do.
        KeyboardInterrupt: the same.
    """
    with run:
        try:
            report = _train(plan, run, observer, link_log)
        except KeyboardInterrupt:
            with suppress(OSError, RunError):
                _draw_losses(plan, run)
            raise KeyboardInterrupt(_resumable("interrupted", run)) from None
        except BoardError as error:
            if not isinstance(error, BoardLost) and run.load_weights() is None:
                raise
            # Said at once, without time for a plot.
            run.interrupt()
            kind = BoardLost if isinstance(error, BoardLost) else BoardError
            raise kind(_resumable(str(error), run)) from error
        run.finish(asdict(report))
        return report


def _train(plan: Plan, run: Run, observer: Observer, link_log: int) -> Report:
    dataset = plan.load()
    quantised = quantise(dataset, plan.network)
    for text in dataset.notes:
        observer.note(text)
    for clipping in (quantised.inputs, quantised.targets):
        if clipping.clipped:
            observer.note(str(clipping))
    report = Report(str(run.path), clipped=quantised.inputs.clipped)
    if plan.on_board:
        log = _log(run, observer, link_log) if link_log else None
        _on_board(plan, run, observer, dataset, quantised, report, log)
    if plan.reference:
        _beside(plan, run, observer, dataset, report)
    _draw_losses(plan, run)
    return report


def _log(run: Run, observer: Observer, most: int) -> LogFile:
    aside = set_aside(run.link_log)
    if aside is not None:
        observer.note(f"{run.link_log.name} cannot be read; it is kept as {aside.name}, and a new one begins")
    return LogFile(run.link_log, most)


def _on_board(
    plan: Plan, run: Run, observer: Observer, dataset: Dataset, quantised: Quantised, report: Report, log: LogFile | None
) -> None:
    with open_board(plan.board, log=log, **plan.board_options) as board:
        report.board = {"name": board.info.name, "build": board.info.build, "url": board.info.url}
        run.update(board=board.info)
        training = BoardTraining(plan, run, board, quantised, observer)
        _record_noise(run, board, observer)
        training.train()
        report.steps = training.steps
        report.skipped = training.skipped
        report.saturations = training.saturations
        report.samples_per_s = training.samples_per_second
        observer.note(f"the board takes {board.status().arena_used} bytes for {plan.network.name}")
        outputs = dequantise(board.predict(quantised.x_test))
    report.test_accuracy, report.test_r2 = _score(dataset, outputs)


def _record_noise(run: Run, board: Board, observer: Observer) -> None:
    """Keeps and plots some of the board's noise, unless an earlier part of the run has."""
    plot = run.path / "noise.png"
    if plot.exists():
        return
    noise = board.noise(NOISE_CODES)
    starts = tuple(segment.start for segment in noise.segments)
    recording = Recording(noise.codes.astype(np.float64), starts, float(noise.rate))
    recording.save(run.path / "noise.npz")
    info = board.info
    noise_plot(recording, plot, millivolts_per_code=info.millivolts_per_code, title=f"noise of {info.name}")
    observer.note(f"noise plotted: {plot}")


def _beside(plan: Plan, run: Run, observer: Observer, dataset: Dataset, report: Report) -> None:
    started = time.monotonic()

    def tell(done: int, total: int, loss: float) -> None:
        observer.progress("reference", done, total, loss, done / max(time.monotonic() - started, 1e-9))

    found = train_reference(plan, dataset, tell)
    samples = len(dataset.x_train)
    for epoch, loss in enumerate(found.losses, 1):
        run.metric(step=epoch * samples, reference_loss=float(loss))
    report.reference_test_accuracy, report.reference_test_r2 = _score(dataset, found.outputs)
    if report.reference_test_accuracy is not None:
        run.metric(step=plan.epochs * samples, reference_test_accuracy=report.reference_test_accuracy)
    if not plan.on_board:
        report.steps = plan.epochs * samples


def _score(dataset: Dataset, outputs: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Accuracy, or coefficient of determination, of outputs on the test part."""
    if dataset.classes is not None:
        return float(np.mean(predicted_classes(outputs) == dataset.y_test)), None
    residual = np.sum((outputs - dataset.y_test) ** 2)
    spread = np.sum((dataset.y_test - dataset.y_test.mean(axis=0)) ** 2)
    return None, float(1 - residual / spread)


def _draw_losses(plan: Plan, run: Run) -> None:
    loss_curve(read_metrics(run.path), run.path / "loss.png", title=f"{plan.name} {plan.network.name} {plan.rule}")


def _resumable(text: str, run: Run) -> str:
    return f"{text}; go on with: mtjlearn train --resume {run.path}"
