"""``mtjlearn train``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result, say
from mtjlearn.cli.view.options import board_option, figures_option, runs_option, seed_option
from mtjlearn.cli.view.planning import check_rule, data_options, learning_options, make_plan

if TYPE_CHECKING:
    from mtjlearn.plots import FigureFormat
    from mtjlearn.runs import Run
    from mtjlearn.training import Plan, Report

_BESIDE_RESUME = ("resume", "board", "link_log", "figures", "accept_changed_data", "as_json")


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
@data_options
@board_option
@seed_option
@learning_options
@click.option("--no-reference", is_flag=True, help="Do not train the float reference with the board.")
@runs_option
@figures_option
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
    figures: FigureFormat,
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
        check_rule(plan)
        if not accept_changed_data:
            refuse_changed_data(plan, resume)
        return asdict(_train(plan, Run.open(resume), link_log, figures, accept_changed_data))
    if accept_changed_data:
        raise click.UsageError("--accept-changed-data goes with --resume RUN; omit it")
    if data is None:
        raise click.UsageError("name a dataset or a file, e.g.: mtjlearn train iris --board native")
    plan = make_plan(data, board, asked)
    run = Run.create(root, "train", plan.name, plan.seed, plan.config())
    return asdict(_train(plan, run, link_log, figures))


def _refuse_beside_resume() -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _BESIDE_RESUME and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            named = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
            raise click.UsageError(f"--resume uses the settings of its run; omit {named}")


def _train(plan: Plan, run: Run, link_log: int | None, figures: FigureFormat, accept_changed_data: bool = False) -> Report:
    from mtjlearn.cli.view.training import Terminal, line_rate
    from mtjlearn.training import train
    from mtjlearn.wire.linklog import MOST

    network, floats = plan.network, plan.floats
    numbers = f"{network.weight_format.name.lower()} weights" if plan.on_board else ", ".join(["floats", *floats.asked])
    say(
        f"{plan.name}: {network.name}, {network.loss.name.lower().replace('_', '-')} loss, {plan.rule}, "
        f"{numbers}, eta {network.learning_rate:.4g}, {plan.epochs} epochs"
    )
    with Terminal() as terminal:
        bound = MOST if link_log is None else link_log
        report = train(plan, run, terminal, link_log=bound, accept_changed_data=accept_changed_data, figures=figures)
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
    possible = (f"loss.{figures}", "metrics.jsonl", "config.toml", "weights.npz", "model.npz", f"noise.{figures}")
    kept = [name for name in possible if (Path(report.run) / name).exists()]
    print_result(f"everything is in {report.run}: {', '.join(kept)}")
    return report
