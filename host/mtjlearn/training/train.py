"""One training from start to end: the board learns, the reference with it, and the run directory keeps everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.board import Board, BoardError, BoardLost
from mtjlearn.board.samples import longest_targets
from mtjlearn.datasets import dequantise
from mtjlearn.discovery import open_board
from mtjlearn.models import ModelError, write_model
from mtjlearn.models.storage import FILE as MODEL
from mtjlearn.network import NetworkError
from mtjlearn.noise import Recording
from mtjlearn.plots import FigureFormat, loss_curve, noise_plot
from mtjlearn.runs import Run, RunError, read_metrics
from mtjlearn.runs.storage import describe
from mtjlearn.training.float_checkpoints import FloatCheckpoints
from mtjlearn.training.float_options import INSTEAD
from mtjlearn.training.floats import train_reference
from mtjlearn.training.models import model_of
from mtjlearn.training.on_board import BoardTraining, start_of
from mtjlearn.training.plan import Plan
from mtjlearn.training.report import Observer, Report
from mtjlearn.training.sameness import ChangedError, own_data, own_firmware
from mtjlearn.training.scores import is_constant, score
from mtjlearn.training.start import in_floats
from mtjlearn.wire.linklog import MOST, LogFile, set_aside
from mtjlearn.wire.messages import MAX_PAYLOAD

RECORDING = "noise.npz"
NOISE_CODES = 4000
"""Codes recorded for the noise plot."""
LOSS_PLOT = "loss"
NOISE_PLOT = "noise"
"""Names of the plots, without the suffix that says what they are written as."""


@dataclass(frozen=True)
class _Noise:
    """Some noise of a board, to be drawn."""

    recording: Recording
    millivolts_per_code: float
    title: str

    def draw(self, path: Path) -> None:
        noise_plot(self.recording, path, millivolts_per_code=self.millivolts_per_code, title=self.title)


@dataclass
class _Drawings:
    """Model and plots of a run. They come last, so that they take no room from weights and metrics; one that fails is a note."""

    plan: Plan
    run: Run
    observer: Observer
    wanted: bool = True
    figures: FigureFormat = "png"
    noise: _Noise | None = None
    board: Mapping[str, Any] = field(default_factory=dict)

    def draw(self) -> None:
        if not self.wanted:
            return
        self._write_model()
        noise_file = f"{NOISE_PLOT}.{self.figures}"
        drawings: dict[str, Callable[[Path], None]] = {f"{LOSS_PLOT}.{self.figures}": self._draw_losses}
        if self.noise is not None:
            drawings |= {RECORDING: self.noise.recording.save, noise_file: self.noise.draw}
        for name, draw in drawings.items():
            path = self.run.path / name
            try:
                draw(path)
            except OSError as error:
                self.observer.note(f"{describe(path, error)} (weights and metrics are not affected)")
            else:
                if name == noise_file:
                    self.observer.note(f"noise plotted: {path}")

    def _write_model(self) -> None:
        checkpoint = self.run.load_weights()
        if checkpoint is None:
            return
        try:
            write_model(model_of(self.plan, checkpoint, self.run.path, self.board), self.run.path / MODEL)
        except ModelError as error:
            self.observer.note(f"no {MODEL}: {error} (weights and metrics are not affected)")

    def _draw_losses(self, path: Path) -> None:
        loss_curve(read_metrics(self.run.path), path, title=f"{self.plan.name} {self.plan.network.name} {self.plan.rule}")


def train(
    plan: Plan,
    run: Run,
    observer: Observer,
    *,
    link_log: int = MOST,
    accept_changed_data: bool = False,
    plots: bool = True,
    figures: FigureFormat = "png",
) -> Report:
    """Trains as planned, or continues with what the run directory holds.

    After an interruption (Ctrl-C), a board that vanished, or one that refuses in the middle of training, the run can be
    resumed, and the exception's text says how. A run that began with other data, or on the same board with another
    firmware, does not continue unless ``accept_changed_data`` says so.

    Args:
        plan: what to do.
        run: where everything is kept; closed at the end.
        observer: is informed.
        link_log: bytes of the raw log of the link, at most; 0: none.
        accept_changed_data: continue although the data or the firmware are not those that the run began with.
        plots: draw them, and write the model.
        figures: what the plots are written as.

    Raises:
        ChangedError: as said.
        BoardError, DatasetError, NetworkError: with one line that says what to do.
        KeyboardInterrupt: the same.
    """
    drawings = _Drawings(plan, run, observer, plots, figures)
    with run:
        try:
            report = _train(plan, run, observer, drawings, link_log, accept_changed_data)
        except ChangedError:
            run.interrupt()
            raise
        except KeyboardInterrupt:
            with suppress(RunError):
                drawings.draw()
            raise KeyboardInterrupt(_resumable("interrupted", run)) from None
        except RunError as error:
            with suppress(RunError):
                run.interrupt()
            raise RunError(_resumable(str(error), run)) from None
        except BoardError as error:
            if not isinstance(error, BoardLost) and run.load_weights() is None:
                raise
            # Said at once, without time for a plot.
            with suppress(RunError):
                run.interrupt()
            kind = BoardLost if isinstance(error, BoardLost) else BoardError
            raise kind(_resumable(str(error), run)) from error
        try:
            run.finish(asdict(report))
        except RunError as error:
            raise RunError(_resumable(str(error), run)) from None
        return report


def _train(plan: Plan, run: Run, observer: Observer, drawings: _Drawings, link_log: int, accept: bool) -> Report:
    if plan.on_board:
        _check_frame(plan)
    dataset, quantised = plan.dataset, plan.quantised
    known = own_data(plan, run, observer.note, accept=accept)
    run.update(total_steps=plan.epochs * len(dataset.x_train), schedule=plan.schedule)
    for text in dataset.notes:
        observer.note(text)
    for clipping in (quantised.inputs, quantised.targets):
        if clipping.clipped:
            observer.note(str(clipping))
    report = Report(str(run.path), clipped=quantised.inputs.clipped)
    if plan.on_board:
        log = _log(run, observer, link_log) if link_log else None
        _on_board(plan, run, drawings, report, log, accept or not known)
    if dataset.classes is None and is_constant(dataset.y_test):
        observer.note(f"test R2 is undefined: all targets of the {len(dataset.y_test)} test rows are equal; try another --seed")
    if plan.reference:
        run.keep()
        _beside(plan, run, observer, report)
    drawings.draw()
    return report


def _check_frame(plan: Plan) -> None:
    """Refuses outputs that no board can send, before it is opened."""
    outputs, most = plan.network.sizes[-1], longest_targets(MAX_PAYLOAD)
    if outputs > most:
        raise NetworkError(
            f"a message from a board holds at most {most} outputs, and {plan.name} has {outputs}: use fewer outputs, {INSTEAD}"
        )


def _log(run: Run, observer: Observer, most: int) -> LogFile:
    aside = set_aside(run.link_log)
    if aside is not None:
        observer.note(f"{run.link_log.name} cannot be read; it is kept as {aside.name}, and a new one begins")
    return LogFile(run.link_log, most)


def _on_board(
    plan: Plan,
    run: Run,
    drawings: _Drawings,
    report: Report,
    log: LogFile | None,
    accept: bool,
) -> None:
    observer = drawings.observer
    with open_board(plan.board, log=log, **plan.board_options) as board:
        report.board = {"name": board.info.name, "build": board.info.build, "url": board.info.url}
        drawings.board = report.board
        own_firmware(run, board.info, observer.note, accept=accept)
        training = BoardTraining(plan, run, board, observer)
        run.keep()
        if not (run.path / RECORDING).exists():
            drawings.noise = _record_noise(board)
        try:
            training.train()
        finally:
            if board.log_problem is not None:
                observer.note(f"{run.path / 'link.log'} ends early ({board.log_problem}); the training continued without it")
        report.steps = training.steps
        report.skipped = training.skipped
        report.saturations = training.saturations
        report.samples_per_s = training.samples_per_second
        observer.note(f"the board uses {board.status().arena_used} bytes for {plan.network.name}")
        outputs = dequantise(board.predict(plan.quantised.x_test))
    report.test_accuracy, report.test_r2 = score(plan.dataset, outputs)


def _record_noise(board: Board) -> _Noise:
    noise = board.noise(NOISE_CODES)
    starts = tuple(segment.start for segment in noise.segments)
    recording = Recording(noise.codes.astype(np.float64), starts, float(noise.rate))
    return _Noise(recording, board.info.millivolts_per_code, f"noise of {board.info.name}")


def _beside(plan: Plan, run: Run, observer: Observer, report: Report) -> None:
    started = time.monotonic()

    def tell(done: int, total: int, loss: float) -> None:
        observer.progress("reference", done, total, loss, done / max(time.monotonic() - started, 1e-9))

    samples = len(plan.dataset.x_train)
    beginning = start_of(plan, run)
    start = None if beginning is None else in_floats(plan, beginning)
    if plan.on_board:
        found = train_reference(plan, tell, start=start, evaluate=True)
        for epoch, loss in enumerate(found.losses, 1):
            accuracy = found.accuracies.get(epoch)
            evaluated = {} if accuracy is None else {"reference_test_accuracy": accuracy}
            run.metric(step=epoch * samples, reference_loss=float(loss), **evaluated)
    else:
        with FloatCheckpoints(run) as keeper:
            found = train_reference(plan, tell, keeper, start=start, evaluate=True)
    report.reference_test_accuracy, report.reference_test_r2 = score(plan.dataset, found.outputs)
    if report.reference_test_accuracy is not None and not found.accuracies:
        run.metric(step=plan.epochs * samples, reference_test_accuracy=report.reference_test_accuracy)
    if not plan.on_board:
        report.steps = plan.epochs * samples


def _resumable(text: str, run: Run) -> str:
    return f"{text}; resume with: mtjlearn train --resume {run.path}"
