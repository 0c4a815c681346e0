"""``mtjlearn train``."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result, say
from mtjlearn.cli.view.options import (
    board_option,
    columns_options,
    device_noise_options,
    float_options,
    images_options,
    runs_option,
    seed_option,
    virtual_options,
)
from mtjlearn.network import BOARD_RULES, RULES, Loss, WeightFormat, parse_sizes

if TYPE_CHECKING:
    from mtjlearn.runs import Run
    from mtjlearn.training import Plan, Report

_AS_ASKED = (
    *("seed", "rule", "target", "task", "epochs", "eta", "sigma", "epsilon", "antithetic", "plain_step"),
    *("scale", "data_dir", "samples"),
)
"""Options that a plan takes as they are."""
_BESIDE_RESUME = ("resume", "board", "link_log", "accept_changed_data", "as_json")


class LinkLogSize(click.ParamType):  # type: ignore[type-arg]
    """``off``, or a number of bytes."""

    name = "off|BYTES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes; 0 for off."""
        from mtjlearn.wire.linklog import LEAST

        if value == "off":
            return 0
        if str(value).isdecimal() and int(value) >= LEAST:
            return int(value)
        return self.fail(f"{value!r} is neither off nor a number of bytes from {LEAST:,} on", param, ctx)


@click.command(short_help="Train a dataset on a board, and the float reference with it.")
@click.argument("data", required=False)
@click.option("--target", metavar="COLUMN", help="What to predict from a file: a column's name, or its number from 1.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="Derived from the target if omitted.")
@columns_options
@images_options
@board_option
@seed_option
@click.option("--rule", type=click.Choice(RULES), default="anp", show_default=True, help="Boards learn with anp and danp.")
@click.option("--net", metavar="4-8-3", help="Inputs and units of each layer; if omitted, one hidden layer sized for the data.")
@click.option("--loss", type=click.Choice(["squared", "cross-entropy"]), help="Cross-entropy for classes unless given.")
@click.option("--epochs", metavar="N", type=click.IntRange(1), help="Passes through the training part.")
@click.option("--eta", metavar="RATE", type=click.FloatRange(0, 16, max_open=True), help="Learning rate.")
@click.option("--constant-rate", is_flag=True, help="Do not halve the learning rate towards the end.")
@click.option("--sigma", metavar="STD", type=click.FloatRange(0.004, 0.999), help="Standard deviation of a unit's noise.")
@click.option("--epsilon", metavar="RATE", type=click.FloatRange(0, 1), help="Decorrelation rate of danp.")
@click.option("--plain-step", is_flag=True, help="Eq. 4 as printed: do not divide the step by 1 + ||x||^2.")
@click.option("--weights", type=click.Choice(["int16", "int32"]), default="int16", show_default=True, help="Storage of weights.")
@click.option("--antithetic", is_flag=True, help="The second pass uses the noise of the first, negated.")
@device_noise_options
@float_options
@click.option("--no-reference", is_flag=True, help="Do not train the float reference with the board.")
@runs_option
@click.option("--link-log", type=LinkLogSize(), help="Bound of link.log; 33554432 unless given.")
@click.option("--resume", metavar="RUN", type=click.Path(path_type=Path), help="Resume the interrupted run in this directory.")
@click.option("--accept-changed-data", is_flag=True, help="Resume although the data or the firmware have changed.")
@command
def cli(
    resume: Path | None,
    board: str | None,
    root: Path,
    data: str | None,
    link_log: int | None,
    accept_changed_data: bool,
    **asked: Any,
) -> dict[str, Any]:
    """Train DATA on a board, and the float reference with it; with --board none the float reference alone.

    DATA is teacher, xor, iris, wine, breast-cancer or digits, a CSV, NPZ or Parquet file (with --target COLUMN), or an image
    set: mnist, fashion-mnist, cifar10 or cifar100. The split depends on the seed alone, scaling is fitted on the training
    part, and the last weights count. A run directory keeps settings, metrics, weights, plots and the raw log of the link;
    after Ctrl-C it can be resumed.
    """
    from mtjlearn.runs import Run, read_config
    from mtjlearn.training import NO_BOARD, Plan, refuse_changed_data

    if resume is not None:
        _refuse_beside_resume()
        plan = Plan.from_config(read_config(resume))
        if board is not None and plan.board != board and NO_BOARD in (board, plan.board):
            raise click.UsageError(f"{resume} began with{'out' if plan.board == NO_BOARD else ''} a board; omit --board {board}")
        plan = plan if board is None else replace(plan, board=board)
        _check_rule(plan)
        if not accept_changed_data:
            refuse_changed_data(plan, resume)
        return asdict(_train(plan, Run.open(resume), link_log, accept_changed_data))
    if accept_changed_data:
        raise click.UsageError("--accept-changed-data goes with --resume RUN; omit it")
    if data is None:
        raise click.UsageError("name a dataset or a file, e.g.: mtjlearn train iris --board native")
    plan = _plan(data, board, asked)
    run = Run.create(root, "train", plan.name, plan.seed, plan.config())
    return asdict(_train(plan, run, link_log))


def _refuse_beside_resume() -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _BESIDE_RESUME and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            named = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
            raise click.UsageError(f"--resume uses the settings of its run; omit {named}")


def _plan(data: str, board: str | None, asked: dict[str, Any]) -> Plan:
    for name in ("eta", "sigma", "epsilon"):
        if asked[name] is not None and not math.isfinite(asked[name]):
            raise click.UsageError(f"--{name} must be a number")
    from mtjlearn.cli.view.training import download_bars
    from mtjlearn.datasets import Columns
    from mtjlearn.training import FloatOptions, default_plan

    loss = asked["loss"]
    names = ("batch", "optimiser", "reading", "dtype", "centring", "augment")
    with download_bars() as progress:
        plan = default_plan(
            data,
            loss=None if loss is None else Loss[loss.upper().replace("-", "_")],
            sizes=None if asked["net"] is None else parse_sizes(asked["net"]),
            weight_format=WeightFormat[asked["weights"].upper()],
            falling=not asked["constant_rate"],
            reference=not asked["no_reference"],
            board=board,
            columns=Columns(asked["drop"], asked["features"]),
            virtual=virtual_options(board, device_noise=asked["device_noise"], preset=asked["preset"]),
            floats=FloatOptions(**{name: asked[name] for name in names}),
            progress=progress,
            **{name: asked[name] for name in _AS_ASKED},
        )
    _check_rule(plan)
    if asked["no_reference"] and not plan.on_board:
        why = f"with {plan.rule}" if plan.rule not in BOARD_RULES else "without a board"
        raise click.UsageError(f"the float reference is all that learns {why}; omit --no-reference")
    return plan


def _check_rule(plan: Plan) -> None:
    from mtjlearn.training import NO_BOARD

    if plan.board not in (None, NO_BOARD) and not plan.on_board:
        rules = " and ".join(BOARD_RULES)
        raise click.UsageError(f"boards learn with {rules}; omit --board: the float reference alone learns with {plan.rule}")


def _train(plan: Plan, run: Run, link_log: int | None, accept_changed_data: bool = False) -> Report:
    from mtjlearn.cli.view.training import Terminal, line_rate
    from mtjlearn.training import train
    from mtjlearn.wire.linklog import MOST

    network = plan.network
    say(
        f"{plan.name}: {network.name}, {network.loss.name.lower().replace('_', '-')} loss, {plan.rule}, "
        f"{network.weight_format.name.lower()} weights, eta {network.learning_rate:.4g}, {plan.epochs} epochs"
    )
    with Terminal() as terminal:
        bound = MOST if link_log is None else link_log
        report = train(plan, run, terminal, link_log=bound, accept_changed_data=accept_changed_data)
    for name, board, reference in (
        ("test accuracy", report.test_accuracy, report.reference_test_accuracy),
        ("test R2", report.test_r2, report.reference_test_r2),
    ):
        values = [f"board {board:.4f}"] if board is not None else []
        values += [f"float reference {reference:.4f}"] if reference is not None else []
        if values:
            print_result(f"{name}: {', '.join(values)}")
    if report.samples_per_s is not None:
        print_result(f"{report.steps:,} steps, {report.skipped:,} skipped; {line_rate(plan.board, report.samples_per_s)}")
    kept = "loss.png, metrics.jsonl, config.toml, weights.npz" + (", noise.png" if plan.on_board else "")
    print_result(f"everything is in {report.run}: {kept}")
    return report
