"""The options that describe a training, and the plan that they make: for every command that trains.

A new option of a training is added here, and ``sweep`` can vary it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.options import (
    Function,
    columns_options,
    device_noise_options,
    float_options,
    images_options,
    slope_option,
    virtual_options,
)
from mtjlearn.network import BOARD_RULES, BOARD_RULES_TEXT, RULES, Loss, WeightFormat, parse_sizes
from mtjlearn.schedule import SCHEDULES, ScheduleName

if TYPE_CHECKING:
    from mtjlearn.training import Plan

_AS_ASKED = (
    *("seed", "rule", "target", "task", "epochs", "eta", "sigma", "epsilon", "antithetic", "plain_step", "slope"),
    *("scale", "data_dir", "samples", "pool"),
)
"""Options that a plan takes as they are."""
_RULE_HELP = f"Learning rule. Boards learn with {BOARD_RULES_TEXT}."
_WEIGHTS = click.Choice(["int16", "int32"])
_DATA = (
    click.option(
        "--target", metavar="COLUMN", help="What to predict from a file: a column's name, or its number from 1; several as a,b."
    ),
    click.option("--task", type=click.Choice(["classification", "regression"]), help="Derived from the target if omitted."),
    columns_options,
    images_options,
)
_LEARNING = (
    click.option("--rule", type=click.Choice(RULES), default="anp", show_default=True, help=_RULE_HELP),
    click.option("--net", metavar="4-8-3", help="Inputs and units of each layer; if omitted, one hidden layer sized for the data."),
    click.option("--loss", type=click.Choice(["squared", "cross-entropy"]), help="Cross-entropy for classes unless given."),
    click.option("--epochs", metavar="N", type=click.IntRange(1), help="Passes through the training part."),
    click.option("--eta", metavar="RATE", type=click.FloatRange(0, 16, max_open=True), help="Learning rate."),
    click.option(
        "--schedule",
        type=click.Choice(SCHEDULES),
        help="How the rate falls: halving, from epoch to epoch (the default); stepped, at 50, 70 and 85 % of the training, also "
        "within an epoch; constant, not at all.",
    ),
    click.option("--constant-rate", is_flag=True, hidden=True, help="The older name of --schedule constant."),
    click.option("--sigma", metavar="STD", type=click.FloatRange(0.004, 0.999), help="Standard deviation of a unit's noise."),
    click.option("--epsilon", metavar="RATE", type=click.FloatRange(0, 1), help="Decorrelation rate of danp."),
    click.option("--plain-step", is_flag=True, help="Eq. 4 as printed: do not divide the step by 1 + ||x||^2."),
    click.option("--weights", type=_WEIGHTS, default="int16", show_default=True, help="Storage of weights."),
    click.option("--antithetic", is_flag=True, help="The second pass uses the noise of the first, negated."),
    slope_option,
    device_noise_options,
    float_options,
)


def data_options(function: Function) -> Function:
    """Which data a training learns from."""
    for option in reversed(_DATA):
        function = option(function)
    return function


def learning_options(function: Function) -> Function:
    """How it learns."""
    for option in reversed(_LEARNING):
        function = option(function)
    return function


def make_plan(data: str, board: str | None, asked: Mapping[str, Any]) -> Plan:
    """The training that a command line describes.

    Args:
        data: name of a dataset, or path of a file.
        board: name of the board; None for the only one connected, or for a rule that boards do not know; none for none.
        asked: values of all options of data and learning, ``seed`` and ``no_reference``.

    Raises:
        click.UsageError: options that contradict each other.
        DatasetError, NetworkError: as :func:`mtjlearn.training.default_plan`.
    """
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
            schedule=schedule_of(asked) or "halving",
            reference=not asked["no_reference"],
            board=board,
            columns=Columns(asked["drop"], asked["features"], categorical=asked["categorical"]),
            virtual=virtual_options(board, device_noise=asked["device_noise"], preset=asked["preset"]),
            floats=FloatOptions(**{name: asked[name] for name in names}),
            progress=progress,
            **{name: asked[name] for name in _AS_ASKED},
        )
    check_rule(plan)
    if asked["no_reference"] and not plan.on_board:
        why = f"with {plan.rule}" if plan.rule not in BOARD_RULES else "without a board"
        raise click.UsageError(f"the float reference is all that learns {why}; omit --no-reference")
    return plan


def schedule_of(asked: Mapping[str, Any]) -> ScheduleName | None:
    """How the learning rate is to fall; None: not asked.

    Raises:
        click.UsageError: two answers.
    """
    schedule: ScheduleName | None = asked["schedule"]
    if not asked["constant_rate"]:
        return schedule
    if schedule not in (None, "constant"):
        raise click.UsageError(f"--constant-rate is --schedule constant; omit it, or --schedule {schedule}")
    return "constant"


def refuse_ignored(plan: Plan, asked: Mapping[str, Any]) -> None:
    """Refuses options of a single training that nothing would read; a sweep may vary the rule that reads them.

    Args:
        plan: that was made.
        asked: values of all options of learning, and ``link_log``.

    Raises:
        click.UsageError: naming the first one.
    """
    learner = f"{plan.rule} learns in floats" if plan.rule not in BOARD_RULES else "no board learns"
    unread = {
        "weights": (asked["weights"] != "int16" and not plan.on_board, f"it is how boards store weights, and {learner}"),
        "link-log": (bool(asked["link_log"]) and not plan.on_board, f"it is the log of a board's link, and {learner}"),
        "sigma": (asked["sigma"] is not None and plan.rule == "bp", "it is the noise's deviation, and bp learns without noise"),
        "antithetic": (
            asked["antithetic"] and plan.rule not in ("anp", "danp"),
            f"it is about the noise of anp and danp, and the rule is {plan.rule}",
        ),
        "slope": (
            asked["slope"] is not None and plan.network.layers == 1,
            f"it is of hidden units, and {plan.network.name} has none",
        ),
    }
    for name, (ignored, why) in unread.items():
        if ignored:
            raise click.UsageError(f"--{name} would be ignored: {why}; omit it")


def check_rule(plan: Plan) -> None:
    """Refuses a board for a rule that only the float reference knows.

    Raises:
        click.UsageError: it is such a rule, and a board was named.
    """
    from mtjlearn.training import NO_BOARD

    if plan.board not in (None, NO_BOARD) and not plan.on_board:
        raise click.UsageError(
            f"boards learn with {BOARD_RULES_TEXT}; omit --board: the float reference alone learns with {plan.rule}"
        )
