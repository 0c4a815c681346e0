"""``mtjlearn train``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import click

from mtjlearn.board import Board
from mtjlearn.cli.common import (
    VIRTUAL_CODES_PER_STEP,
    Bar,
    bar,
    board_option,
    command,
    device_noise_options,
    runs_option,
    say,
    seed_option,
    virtual_options,
)
from mtjlearn.datasets import Task
from mtjlearn.discovery import open_board
from mtjlearn.network import Loss, WeightFormat, parse_sizes
from mtjlearn.runs import Run, read_config
from mtjlearn.training import RULES, Plan, default_plan, train
from mtjlearn.training.plan import RuleName


class Terminal:
    """Shows a training at the terminal: a bar for the board, then one for the reference."""

    def __init__(self) -> None:
        self._bars = ExitStack()
        self._phase = ""
        self._bar: Bar | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.close()

    def note(self, text: str) -> None:
        """See :class:`mtjlearn.training.session.Observer`."""
        say(text)

    def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
        """See :class:`mtjlearn.training.session.Observer`."""
        if self._bar is None or phase != self._phase:
            self._bars.close()
            self._bar = self._bars.enter_context(bar(f"{phase:9}"))
            self._phase = phase
        parts = [f"loss {loss:.4f}" if loss is not None else "", f"{rate:,.0f} steps/s" if rate is not None else ""]
        self._bar.update(done, total, "  ".join(part for part in parts if part))


@click.command()
@click.argument("data", required=False)
@board_option
@seed_option
@device_noise_options
@runs_option
@click.option("--rule", type=click.Choice(RULES), default="anp", show_default=True, help="Boards learn with anp and danp.")
@click.option("--net", metavar="4-8-3", help="Inputs and units of each layer.")
@click.option("--loss", type=click.Choice(["squared", "cross-entropy"]), help="Cross-entropy for classes unless given.")
@click.option("--epochs", type=click.IntRange(1), help="Passes through the training part.")
@click.option("--eta", type=click.FloatRange(0, 15.99), help="Learning rate.")
@click.option("--sigma", type=click.FloatRange(1 / 256, 0.9997), help="Standard deviation of a unit's noise.")
@click.option("--weights", type=click.Choice(["int16", "int32"]), default="int16", show_default=True, help="Storage of weights.")
@click.option("--antithetic", is_flag=True, help="The second pass uses the noise of the first, negated.")
@click.option("--constant-rate", is_flag=True, help="Do not halve the learning rate towards the end.")
@click.option("--target", help="Target column of a file: its name, or its number from 1.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="Seen from the target unless given.")
@click.option("--no-reference", is_flag=True, help="Do not train the float reference beside the board.")
@click.option("--resume", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Go on with an interrupted run.")
@command
def cli(resume: Path | None, board: str | None, root: Path, data: str | None, **asked: Any) -> dict[str, Any]:
    """Train DATA on a board, and the float reference beside it.

    DATA is teacher, xor, iris, wine, breast-cancer, digits, or a CSV, NPZ or Parquet file (with --target COLUMN). The split
    depends on the seed alone, scaling is fitted on the training part, and the last weights count. A run directory keeps
    settings, metrics, weights, plots and the raw log of the link.
    """
    if resume is not None:
        if data is not None:
            raise click.UsageError("--resume goes on with what its run was asked; leave DATA out")
        plan = Plan.from_config(read_config(resume))
        plan = plan if board is None else _moved(plan, board)
        return _train(plan, Run.open(resume))
    if data is None:
        raise click.UsageError("name a dataset or a file, e.g. mtjlearn train iris --board native")
    plan = _plan(data, board, asked)
    run = Run.create(root, "train", Path(data).stem, plan.seed, plan.config())
    return _train(plan, run)


def _moved(plan: Plan, board: str) -> Plan:
    from dataclasses import replace

    return replace(plan, board=board, virtual=plan.virtual if board == "native" else {})


def _plan(data: str, board: str | None, asked: dict[str, Any]) -> Plan:
    virtual = virtual_options(board, device_noise=asked["device_noise"], preset=asked["preset"])
    if board == "native":
        virtual = {"virtual_clock": VIRTUAL_CODES_PER_STEP, "seed": asked["seed"], **virtual}
    loss = asked["loss"]
    return default_plan(
        data,
        seed=asked["seed"],
        rule=cast("RuleName", asked["rule"]),
        target=asked["target"],
        task=cast("Task | None", asked["task"]),
        loss=None if loss is None else Loss[loss.upper().replace("-", "_")],
        sizes=None if asked["net"] is None else parse_sizes(asked["net"]),
        epochs=asked["epochs"],
        eta=asked["eta"],
        sigma=asked["sigma"],
        weight_format=WeightFormat[asked["weights"].upper()],
        antithetic=asked["antithetic"],
        falling=not asked["constant_rate"],
        reference=not asked["no_reference"],
        board=board,
        virtual=virtual,
    )


def _train(plan: Plan, run: Run) -> dict[str, Any]:
    def opened(log: Path) -> Board:
        return open_board(plan.board, log=log, **plan.virtual)

    network = plan.network
    say(
        f"{plan.data}: {network.name}, {network.loss.name.lower().replace('_', '-')} loss, {plan.rule}, "
        f"{network.weight_format.name.lower()} weights, eta {network.learning_rate:.4g}, {plan.epochs} epochs"
    )
    with Terminal() as terminal:
        report = train(plan, run, opened, terminal)
    _summary(report.__dict__)
    return report.__dict__


def _summary(found: dict[str, Any]) -> None:
    for name, board, reference in (
        ("test accuracy", found["test_accuracy"], found["reference_test_accuracy"]),
        ("test R2", found["test_r2"], found["reference_test_r2"]),
    ):
        values = [f"board {board:.4f}"] if board is not None else []
        values += [f"float reference {reference:.4f}"] if reference is not None else []
        if values:
            say(f"{name}: {', '.join(values)}")
    if found["samples_per_s"] is not None:
        say(f"{found['steps']} steps, {found['skipped']} skipped; {found['samples_per_s']:,.0f} samples/s over the line")
    say(f"everything is in {found['run']}: loss.png, metrics.jsonl, weights.npz, config.toml")
