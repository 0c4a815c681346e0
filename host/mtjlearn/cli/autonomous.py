"""``mtjlearn autonomous``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mtjlearn.cli.view.command import EXIT_INTERRUPTED, command, exit_with
from mtjlearn.cli.view.console import bar, say
from mtjlearn.cli.view.options import board_option, columns_options, refuse_what_ends, runs_option, seed_option, slope_option
from mtjlearn.network import BOARD_RULES, Loss, WeightFormat, parse_sizes
from mtjlearn.schedule import CHECKPOINT_INTERVAL, EPOCH_STEPS, LIVE_PERIOD

if TYPE_CHECKING:
    from mtjlearn.board import Board, Schedule
    from mtjlearn.training.autonomous import AutonomousPlan

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group(short_help="Let a board learn autonomously: start, status, watch, stop.")
def cli() -> None:
    """Let a board learn autonomously, without a host, also after a loss of power.

    The board keeps a dataset in its memory, or makes its task up itself. It learns until a rule is met; the host may leave
    and come back at any time.
    """


def _stopping_options(function: Function) -> Function:
    options = (
        click.option("--epochs", metavar="N", type=click.IntRange(1, 65535), help="Stop after this many epochs."),
        click.option("--steps", metavar="N", type=click.IntRange(1, 2**32 - 1), help="Stop after this many steps."),
        click.option("--loss-target", metavar="LOSS", type=click.FloatRange(2**-24, 128), help="Stop at this mean loss."),
        click.option("--forever", is_flag=True, help="Never stop."),
        click.option("--halve-every", metavar="STEPS", type=click.IntRange(0, 2**32 - 1), help="Halve the rate; 0: never."),
        click.option("--evaluate-every", metavar="EPOCHS", type=click.IntRange(0, 255), help="Evaluate without noise; 0: never."),
        click.option(
            "--checkpoint-interval",
            metavar="SECONDS",
            type=click.IntRange(0, 65535),
            default=CHECKPOINT_INTERVAL,
            show_default=True,
            help="Time between checkpoints while it learns; 0: at stops only.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@cli.command()
@click.argument("data", required=False)
@click.option("--task", type=click.Choice(["teacher", "xor", "live"]), help="Instead of DATA: what the board makes up, or reads.")
@click.option("--target", metavar="COLUMN", help="What to predict from a file: a column's name, or its number from 1.")
@columns_options
@board_option
@seed_option
@click.option("--rule", type=click.Choice(BOARD_RULES), default="anp", show_default=True, help="Learning rule.")
@click.option("--net", metavar="4-8-3", help="Inputs and units of each layer; if omitted, a suitable one.")
@click.option("--loss", type=click.Choice(["squared", "cross-entropy"]), help="Of DATA: cross-entropy for classes unless given.")
@click.option("--eta", metavar="RATE", type=click.FloatRange(0, 16, max_open=True), help="Learning rate.")
@click.option("--sigma", metavar="STD", type=click.FloatRange(0.004, 0.999), help="Standard deviation of a unit's noise.")
@slope_option
@click.option("--weights", type=click.Choice(["int16", "int32"]), help="Of DATA: storage of weights; int16 unless given.")
@_stopping_options
@click.option("--epoch-steps", metavar="N", type=click.IntRange(1, 65535), help=f"Epoch of teacher and live; {EPOCH_STEPS}.")
@click.option("--live-period", metavar="MS", type=click.IntRange(1, 65535), help=f"Between live samples; {LIVE_PERIOD} ms.")
@command
def start(board: str | None, **asked: Any) -> dict[str, Any]:
    """Let the board learn DATA, or a task, autonomously.

    DATA is as for mtjlearn train; its training part goes into the board's memory, as int16 if that fits and else as int8.
    The task teacher is a random network drawn on the board; live reads inputs, then targets, from the pins A1 to A7.
    Without a rule the board learns DATA for as many epochs as mtjlearn train, and a task forever.
    """
    from mtjlearn.cli.view import autonomous as view
    from mtjlearn.training.autonomous import begin

    plan = _plan(asked)
    if asked["slope"] is not None and plan.network.layers == 1:
        raise click.UsageError(f"--slope would be ignored: it is of hidden units, and {plan.network.name} has none; omit it")
    with _open(board) as opened:
        name = board or opened.info.url
        network, schedule = plan.network, plan.schedule
        with bar("dataset") as progress:
            packed = begin(opened, plan, progress.update)
        stands = opened.progress()
        say(f"{asked['data'] or schedule.task.name.lower()}: {network.name}, {asked['rule']}, eta {network.learning_rate:.4g}")
        for text in plan.dataset.notes if plan.dataset is not None else ():
            say(text)
        if packed is not None:
            kind = "int8" if packed.value_bytes == 1 else "int16"
            say(f"{packed.samples} samples as {kind} in its memory, {len(packed.data)} of {stands.room} bytes")
        say(f"checkpoints {view.wear(opened.info.name, schedule.checkpoint_interval)[1]}")
        view.say_stays(name, stands)
        stored = None
        if packed is not None:
            stored = {"samples": packed.samples, "value_bytes": packed.value_bytes, "bytes": len(packed.data), "room": stands.room}
        return {"board": opened.info.name, "net": network.name, "dataset": stored, "schedule": schedule, "progress": stands}


@cli.command()
@board_option
@command
def status(board: str | None) -> dict[str, Any]:
    """Show everything about a board that learns autonomously."""
    from mtjlearn.cli.view import autonomous as view

    with _open(board) as opened:
        found = view.read(opened)
    view.show(found)
    return found


@cli.command()
@board_option
@command
def stop(board: str | None) -> dict[str, Any]:
    """Stop the board; it saves a checkpoint and does not continue after its next start."""
    from mtjlearn.cli.view import autonomous as view
    from mtjlearn.wire.messages import Task

    with _open(board) as opened:
        before = opened.progress()
        if not before.running:
            say("the board does not learn autonomously" if before.task is Task.NONE else "it has already stopped")
        else:
            opened.halt()
            say("stopped; its network is in a checkpoint. Save it as a file with: mtjlearn checkpoint save FILE")
        found = view.read(opened)
    view.show(found)
    return found


@cli.command()
@board_option
@runs_option
@command
def watch(board: str | None, root: Path) -> dict[str, Any]:
    """Show the board's progress until it is done or Ctrl-C; the board continues to learn.

    If the board disappears, because its cable is out or its power is lost, the command waits for it. What is seen is kept in
    a run directory, where mtjlearn dashboard finds it.
    """
    from mtjlearn.cli.view.watch import Watcher
    from mtjlearn.training.watched import WatchedRun

    record = WatchedRun(root, say)
    watcher = Watcher(lambda: _open(board), record)
    try:
        watcher.watch()
    except KeyboardInterrupt:
        say("the board continues to learn; stop it with: mtjlearn autonomous stop")
        exit_with(EXIT_INTERRUPTED)
    finally:
        record.leave()
    return {**watcher.result, "run": record.path}


def _open(name: str | None) -> Board:
    refuse_what_ends(name)
    from mtjlearn.discovery import open_board

    return open_board(name)


def _plan(asked: dict[str, Any]) -> AutonomousPlan:
    from mtjlearn.board import Schedule
    from mtjlearn.training.autonomous import plan_task
    from mtjlearn.wire.messages import Task

    rules = [name for name in ("epochs", "steps", "loss_target") if asked[name] is not None]
    if asked["forever"] and rules:
        raise click.UsageError(f"--forever excludes --{rules[0].replace('_', '-')}")
    if (asked["data"] is None) == (asked["task"] is None):
        raise click.UsageError("name a dataset or a file, or a --task, e.g.: mtjlearn autonomous start iris --board /dev/ttyACM0")
    schedule = Schedule(
        steps=asked["steps"] or 0,
        epochs=asked["epochs"] or 0,
        loss_target=asked["loss_target"] or 0.0,
        checkpoint_interval=asked["checkpoint_interval"],
        epoch_steps=asked["epoch_steps"] or 0,
        live_period=asked["live_period"] or 0,
        seed=asked["seed"] + 1,
    )
    sizes = None if asked["net"] is None else parse_sizes(asked["net"])
    if asked["task"] is None:
        _refuse(asked, "epoch_steps", "live_period")
        return _plan_data(asked, schedule, sizes)
    _refuse(
        asked,
        "target",
        "drop",
        "features",
        "categorical",
        "loss",
        "weights",
        *(() if asked["task"] == "live" else ("live_period",)),
    )
    task = Task[asked["task"].upper()]
    if task is Task.XOR:
        _refuse(asked, "epoch_steps")
    if task is Task.LIVE:
        _refuse(asked, "evaluate_every")
    schedule = replace(schedule, task=task, halve_every=asked["halve_every"] or 0, evaluate_every=asked["evaluate_every"] or 0)
    options = {name: asked[name] for name in ("seed", "rule", "eta", "sigma", "slope")}
    return plan_task(schedule, sizes=sizes, **options)


def _plan_data(asked: dict[str, Any], schedule: Schedule, sizes: tuple[int, ...] | None) -> AutonomousPlan:
    from mtjlearn.datasets import Columns
    from mtjlearn.training import default_plan
    from mtjlearn.training.autonomous import plan_dataset, suited

    plan = default_plan(
        asked["data"],
        seed=asked["seed"],
        rule=asked["rule"],
        target=asked["target"],
        loss=None if asked["loss"] is None else Loss[asked["loss"].upper().replace("-", "_")],
        sizes=sizes,
        eta=asked["eta"],
        sigma=asked["sigma"],
        slope=asked["slope"],
        weight_format=WeightFormat[(asked["weights"] or "int16").upper()],
        columns=Columns(asked["drop"], asked["features"], categorical=asked["categorical"]),
    )
    rules = {name: asked[name] for name in ("forever", "halve_every", "evaluate_every")}
    return plan_dataset(plan, suited(plan, schedule, **rules))


def _refuse(asked: dict[str, Any], *names: str) -> None:
    for name in names:
        if asked[name] not in (None, ()):
            what = asked["task"] or "DATA"
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with {what}; omit it")
