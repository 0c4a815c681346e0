"""``mtjlearn demo --autonomous``: the host leaves, the board learns on, the host comes back."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.board import Board, CheckpointFile, Curve, Progress, Schedule
from mtjlearn.cli.view.autonomous import plain_curve, rule_text, sparkline
from mtjlearn.cli.view.console import bar, print_result, result_console, say
from mtjlearn.datasets import dequantise, predicted_classes
from mtjlearn.discovery import open_board
from mtjlearn.plots import loss_curve
from mtjlearn.runs import Run, read_metrics
from mtjlearn.runs.storage import describe
from mtjlearn.training import Plan, default_plan
from mtjlearn.training.autonomous import AutonomousPlan, begin, halving_steps, plan_dataset
from mtjlearn.virtual.boards import VIRTUAL, start_process
from mtjlearn.wire.linklog import MOST, LogFile

AWAY = 5.0
"""Seconds that the host stays away."""
_POLL = 0.3
_EVALUATE_EVERY = 4


def run_demo(board: str, seed: int, root: Path) -> dict[str, Any]:
    """Uploads iris, closes the connection, waits, comes back and reads what was learned.

    Args:
        board: its name; a virtual one is started, and lives on while the connection is closed.
        seed: of everything random.
        root: directory of run directories.

    Raises:
        BoardError, DatasetError: with one line that says what to do.
    """
    plan = default_plan("iris", seed=seed, board=board)
    samples = len(plan.dataset.x_train)
    schedule = Schedule(
        epochs=plan.epochs, evaluate_every=_EVALUATE_EVERY, halve_every=halving_steps(plan.epochs * samples), seed=seed + 1
    )
    given = plan_dataset(plan, schedule)
    run = Run.create(root, "demo", "iris-alone", seed, {**plan.config(), "schedule": schedule})
    with run, ExitStack() as owned:
        name = board
        if board in VIRTUAL:
            options = {key: value for key, value in {"seed": seed + 1, "tcp_port": 0}.items() if key in VIRTUAL[board].options}
            name = owned.enter_context(start_process(board, **options)).url
            say(f"1. a {board} board is started; it is a separate process and needs no host")
        left = _leave(name, given, run)
        _stay_away(AWAY)
        say(f"3. {AWAY:g} s later the host comes back; it knows only the name of the port")
        with open_board(name, log=LogFile(run.link_log, MOST)) as back:
            found = _come_back(back, run, plan)
        result = {"run": run.path, "steps_when_left": left.steps, **found}
        run.finish(result)
    _show(run, left, found)
    return result


def _leave(name: str, plan: AutonomousPlan, run: Run) -> Progress:
    with open_board(name, log=LogFile(run.link_log, MOST)) as board:
        run.update(board=board.info)
        with bar("dataset") as progress:
            packed = begin(board, plan, progress.update)
        run.keep()
        assert packed is not None
        left = board.progress()
        stored = f"{packed.samples} samples are in its memory, {len(packed.data)} of {left.room} bytes"
        say(f"2. {stored}; it learns and {rule_text(left)}")
    say("   the connection is closed now")
    return left


def _stay_away(seconds: float) -> None:
    started = time.monotonic()
    with bar("away") as progress:
        while (passed := time.monotonic() - started) < seconds:
            progress.update(round(passed), round(seconds))
            time.sleep(_POLL)


def _come_back(board: Board, run: Run, plan: Plan) -> dict[str, Any]:
    """What the board learned; its curve as metrics and plot, its checkpoint as a file."""
    network = board.adopt()
    returned = stands = board.progress()
    with bar("learning") as shown:
        while stands.running:
            shown.update(stands.steps, stands.total or stands.steps)
            time.sleep(_POLL)
            stands = board.progress()
    curve = board.curve()
    for step, loss in zip(curve.steps, curve.losses, strict=True):
        run.metric(step=int(step), loss=float(loss))
    accuracy = _accuracy(board, plan)
    run.metric(step=stands.steps, test_accuracy=accuracy)
    info = board.info
    CheckpointFile(board.read_checkpoint(), info.name, info.build, time.time()).write(run.path / "board.ckpt")
    plot: Path | None = run.path / "loss.png"
    try:
        loss_curve(read_metrics(run.path), run.path / "loss.png", title=f"iris {network.name}, learned without a host")
    except OSError as error:
        say(f"there is no plot: {describe(run.path / 'loss.png', error)}")
        plot = None
    return {
        "net": network.name,
        "steps_when_back": returned.steps,
        "steps": stands.steps,
        "stop_reason": stands.stop_reason,
        "training_accuracy": stands.accuracy,
        "test_accuracy": accuracy,
        "curve": plain_curve(curve),
        "plot": plot,
        "checkpoint": run.path / "board.ckpt",
    }


def _accuracy(board: Board, plan: Plan) -> float:
    outputs = dequantise(board.predict(plan.quantised.x_test))
    return float(np.mean(predicted_classes(outputs) == plan.dataset.y_test))


def _show(run: Run, left: Progress, found: dict[str, Any]) -> None:
    curve = Curve(found["curve"]["interval"], np.array(found["curve"]["losses"]))
    line = f"{sparkline(curve.losses)}  " if result_console().encoding.lower().startswith("utf") else ""
    rows = {
        "steps when the host left": f"{left.steps:,}",
        "steps when it came back": f"{found['steps_when_back']:,}",
        "steps in all": f"{found['steps']:,}",
        "training part": f"{found['training_accuracy']:.3f} correct, as the board evaluated itself",
        "test accuracy of its network": f"{found['test_accuracy']:.3f}",
        "loss curve that the board kept": f"{line}{curve.losses[0]:.3f} to {curve.losses[-1]:.3f}",
        "plotted": str(found["plot"] or "no"),
        "its network and state": str(found["checkpoint"]),
        "run directory": str(run.path),
    }
    width = max(map(len, rows))
    for what, value in rows.items():
        print_result(f"  {what:{width}}  {value}")
