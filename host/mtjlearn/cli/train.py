"""``mtjlearn train``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result, say
from mtjlearn.cli.view.options import board_option, figures_option, runs_option, seed_option, virtual_options
from mtjlearn.cli.view.planning import check_rule, data_options, learning_options, make_plan, refuse_ignored, schedule_of

if TYPE_CHECKING:
    from mtjlearn.runs import Run
    from mtjlearn.training import Plan, Report
    from mtjlearn.training.seeds import Seeds

_BESIDE_RESUME = ("resume", "board", "link_log", "figures", "accept_changed_data", "as_json")
_BESIDE_CONTINUE = (
    *("continued", "board", "epochs", "eta", "sigma", "epsilon", "schedule", "constant_rate", "no_reference"),
    *("device_noise", "preset", "root", "link_log", "figures", "as_json"),
)


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
@click.option("--seeds", metavar="A-B", help="A run for each seed, such as 0-9 or 0,2,5-7, and all of them in a table and a plot.")
@learning_options
@click.option("--no-reference", is_flag=True, help="Do not train the float reference with the board.")
@runs_option
@figures_option
@click.option("--link-log", type=LinkLogSize(), help="Bound of link.log; 33554432 unless given.")
@click.option(
    "--continue",
    "continued",
    metavar="RUN",
    type=click.Path(path_type=Path),
    help="Start a new run with the weights that this run has learned; --epochs is how long.",
)
@click.option("--resume", metavar="RUN", type=click.Path(path_type=Path), help="Resume the interrupted run in this directory.")
@click.option("--accept-changed-data", is_flag=True, help="Resume although the data or the firmware have changed.")
@command
def cli(
    resume: Path | None,
    continued: Path | None,
    board: str | None,
    root: Path,
    data: str | None,
    seeds: str | None,
    accept_changed_data: bool,
    **asked: Any,
) -> dict[str, Any]:
    """Train DATA on a board, and the float reference with it; with --board none the float reference alone.

    DATA is teacher, xor, iris, wine, breast-cancer or digits, a CSV, NPZ or Parquet file (with --target COLUMN), or an image
    set: mnist, fashion-mnist, cifar10 or cifar100. The split depends on the seed alone, scaling is fitted on the training
    part, and the last weights count. A run directory keeps settings, metrics, weights, plots and the raw log of the link;
    after Ctrl-C it can be resumed.
    """
    if resume is not None:
        _refuse_others(_BESIDE_RESUME, "--resume uses the settings of its run")
        return _resume(resume, board, asked, accept_changed_data)
    if accept_changed_data:
        raise click.UsageError("--accept-changed-data goes with --resume RUN; omit it")
    if continued is not None:
        _refuse_others(_BESIDE_CONTINUE, "--continue keeps the data, the network and the rule of its run")
        return _continue(continued, board, root, asked)
    if data is None:
        raise click.UsageError("name a dataset or a file, e.g.: mtjlearn train iris --board native")
    if seeds is not None:
        return _train_seeds(data, board, root, seeds, asked)
    plan = make_plan(data, board, asked)
    refuse_ignored(plan, asked)
    from mtjlearn.runs import Run

    return asdict(_train(plan, Run.create(root, "train", plan.name, plan.seed, plan.config()), asked))


def _refuse_others(allowed: tuple[str, ...], why: str) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in allowed and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            named = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
            raise click.UsageError(f"{why}; omit {named}")


def _resume(path: Path, board: str | None, asked: dict[str, Any], accept: bool) -> dict[str, Any]:
    from mtjlearn.runs import Run, read_config
    from mtjlearn.training import NO_BOARD, Plan, refuse_changed_data
    from mtjlearn.training.seeds import Seeds

    plan = Plan.from_config(read_config(path))
    if board is not None and plan.board != board and NO_BOARD in (board, plan.board):
        raise click.UsageError(f"{path} began with{'out' if plan.board == NO_BOARD else ''} a board; omit --board {board}")
    plan = plan if board is None else replace(plan, board=board)
    check_rule(plan)
    refuse_ignored(plan, asked)
    if not accept:
        refuse_changed_data(plan, path)
    group = Seeds.of(path)
    if group is not None:
        return _train_group(plan, group, path.resolve().parent, asked, accept=accept)
    return asdict(_train(plan, Run.open(path), asked, accept))


def _continue(path: Path, board: str | None, root: Path, asked: dict[str, Any]) -> dict[str, Any]:
    from mtjlearn.runs import Run
    from mtjlearn.training import NO_BOARD
    from mtjlearn.training.start import continued

    virtual = virtual_options(board or _board_of(path), device_noise=asked["device_noise"], preset=asked["preset"])
    plan, beginning = continued(
        path,
        board=board,
        virtual=virtual,
        schedule=schedule_of(asked),
        reference=False if asked["no_reference"] else None,
        **{name: asked[name] for name in ("epochs", "eta", "sigma", "epsilon")},
    )
    check_rule(plan)
    refuse_ignored(plan, asked)
    if asked["no_reference"] and not plan.on_board:
        raise click.UsageError("the float reference is all that learns without a board; omit --no-reference")
    assert plan.start is not None
    before = f"{plan.start.steps:,} steps in {plan.start.epochs} epochs"
    where = "without a board" if plan.board == NO_BOARD else f"on {plan.board}" if plan.board else "on the board"
    say(f"continues {plan.start.run} ({before}) {where}, from the full learning rate on")
    return asdict(_train(plan, Run.create(root, "train", plan.name, plan.seed, plan.config(), beginning), asked))


def _board_of(path: Path) -> str | None:
    from mtjlearn.runs import read_config

    found = read_config(path).get("board")
    return found if isinstance(found, str) else None


def _train_seeds(data: str, board: str | None, root: Path, text: str, asked: dict[str, Any]) -> dict[str, Any]:
    from mtjlearn.training.seeds import Seeds, parse_seeds

    if click.get_current_context().get_parameter_source("seed") is not ParameterSource.DEFAULT:
        raise click.UsageError("--seeds has every seed; omit --seed")
    try:
        seeds = parse_seeds(text)
    except ValueError as error:
        raise click.UsageError(f"--seeds: {error}") from None
    plan = make_plan(data, board, {**asked, "seed": seeds[0]})
    refuse_ignored(plan, asked)
    return _train_group(plan, Seeds.new(plan.name, seeds), root, asked)


def _train_group(plan: Plan, seeds: Seeds, root: Path, asked: dict[str, Any], *, accept: bool = False) -> dict[str, Any]:
    from mtjlearn.cli.view.seeds import train_seeds

    def train_one(own: Plan, run: Run) -> None:
        _train(own, run, asked, accept)

    return train_seeds(plan, seeds, root, asked["figures"], train_one, accept=accept)


def _train(plan: Plan, run: Run, asked: dict[str, Any], accept_changed_data: bool = False) -> Report:
    from mtjlearn.cli.view.training import Terminal, line_rate
    from mtjlearn.training import train
    from mtjlearn.wire.linklog import MOST

    network, floats = plan.network, plan.floats
    numbers = f"{network.weight_format.name.lower()} weights" if plan.on_board else ", ".join(["floats", *floats.asked])
    told = "" if plan.schedule == "halving" else f", schedule {plan.schedule}"
    say(
        f"{plan.name}: {network.name}, {network.loss.name.lower().replace('_', '-')} loss, {plan.rule}, "
        f"{numbers}, eta {network.learning_rate:.4g}{told}, {plan.epochs} epochs"
    )
    with Terminal() as terminal:
        bound = MOST if asked["link_log"] is None else asked["link_log"]
        figures = asked["figures"]
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
