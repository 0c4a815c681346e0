"""A board that learns autonomously: what it is given, and starting it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mtjlearn.board import Board, PackedDataset, Schedule
from mtjlearn.datasets import Dataset, DatasetError, Quantised
from mtjlearn.network import (
    BOARD_RULES,
    BOARD_RULES_TEXT,
    EXACT_RATES,
    Loss,
    Network,
    NetworkError,
    RuleName,
    device_rule,
    slope_exponent,
)
from mtjlearn.schedule import CONSTANT_SHARE, EPOCH_STEPS, LIVE_PERIOD
from mtjlearn.training.defaults import DECORRELATION_RATE, SQUARED_FACTOR, XOR_FACTOR
from mtjlearn.training.plan import Plan
from mtjlearn.wire.messages import Task

TASK_SIZES = {Task.TEACHER: (2, 2, 2, 1), Task.XOR: (2, 4, 1)}
"""Networks of tasks that need no data: the paper's teacher (section III D), and XOR."""
EVALUATIONS = 25
"""Evaluations until an epoch rule is met, about, unless asked for otherwise."""
EVALUATE_EVERY = 10
"""Epochs between two evaluations where there is no such rule."""
MOST_PINS = 7
"""Analog pins besides the noise's, A1 to A7."""
_LIMITS = {"steps": 2**32 - 1, "epochs": 65535, "halve_every": 2**32 - 1, "evaluate_every": 255, "checkpoint_interval": 65535}


@dataclass(frozen=True)
class AutonomousPlan:
    """What a board is given.

    Args:
        network: that learns.
        schedule: the task and its rules.
        dataset: for the board's memory; None with tasks that need none.
        quantised: the dataset in the device's numbers.
    """

    network: Network
    schedule: Schedule
    dataset: Dataset | None = None
    quantised: Quantised | None = None


def plan_dataset(plan: Plan, schedule: Schedule) -> AutonomousPlan:
    """A dataset, network and rates as for a streamed training, for the board's memory.

    Args:
        plan: data and network, e.g. default_plan().
        schedule: its rules.

    Raises:
        DatasetError: the data do not fit.
        NetworkError: a number of the schedule is out of range.
    """
    if plan.rule not in BOARD_RULES:
        raise NetworkError(f"boards learn with {BOARD_RULES_TEXT}, not with {plan.rule}")
    schedule = _checked(replace(schedule, task=Task.DATASET), len(plan.dataset.x_train))
    return AutonomousPlan(plan.network, schedule, plan.dataset, plan.quantised)


def suited(
    plan: Plan, schedule: Schedule, *, forever: bool = False, halve_every: int | None = None, evaluate_every: int | None = None
) -> Schedule:
    """The schedule with what was left open: as many epochs as a streamed training has, and halvings and evaluations that suit.

    Args:
        plan: data and network.
        schedule: its rules, so far.
        forever: there is to be no rule.
        halve_every: steps between two halvings of the rate, 0: never; None: as suits.
        evaluate_every: epochs between two evaluations, 0: never; None: as suits.
    """
    if not (schedule.epochs or schedule.steps or schedule.loss_target or forever):
        schedule = replace(schedule, epochs=plan.epochs)
    samples = len(plan.dataset.x_train)
    end = min((n for n in (schedule.steps, schedule.epochs * samples) if n), default=0)
    often = max(1, min(_LIMITS["evaluate_every"], end // samples // EVALUATIONS or EVALUATE_EVERY))
    return replace(
        schedule,
        halve_every=halving_steps(end) if halve_every is None else halve_every,
        evaluate_every=often if evaluate_every is None else evaluate_every,
    )


def plan_task(
    schedule: Schedule,
    *,
    sizes: tuple[int, ...] | None,
    seed: int,
    rule: RuleName = "anp",
    eta: float | None = None,
    sigma: float | None = None,
    slope: float | None = None,
) -> AutonomousPlan:
    """A task that the board makes up itself, or reads from its pins.

    Args:
        schedule: its task and rules.
        sizes: of the network; None: one that suits the task.
        seed: of the weights.
        rule: one of boards.
        eta: learning rate; None: one that suits the network.
        sigma: standard deviation of a unit's noise; None: 1/32.
        slope: of hidden units below 0, a power of two; None: the rule's.

    Raises:
        NetworkError: the network does not fit the task, or a number of the schedule is out of range.
    """
    task = schedule.task
    shape = sizes or TASK_SIZES.get(task)
    if shape is None:
        raise NetworkError("a live task needs a network: inputs come from A1 on, targets from the next pins, e.g. --net 2-4-1")
    if task is Task.XOR and (shape[0], shape[-1]) != (2, 1):
        raise NetworkError(f"XOR has 2 inputs and 1 output, which {'-'.join(map(str, shape))} does not fit; use --net 2-4-1")
    if task is Task.LIVE and shape[0] + shape[-1] > MOST_PINS:
        pins = shape[0] + shape[-1]
        raise NetworkError(f"{shape[0]} inputs and {shape[-1]} targets need {pins} pins; a board has at most {MOST_PINS}")
    if rule not in BOARD_RULES:
        raise NetworkError(f"boards learn with {BOARD_RULES_TEXT}, not with {rule}")
    decorrelated = rule == "danp"
    if rule in EXACT_RATES:
        rate = EXACT_RATES[rule][Loss.SQUARED]
    else:
        rate = (XOR_FACTOR if task is Task.XOR else SQUARED_FACTOR) / sum(shape[1:])
    network = Network(
        shape,
        antithetic=rule in EXACT_RATES,
        learning_rate=rate if eta is None else eta,
        decorrelate=(decorrelated,) * (len(shape) - 1),
        decorrelation_rate=DECORRELATION_RATE if decorrelated else 0.0,
        sigma=1 / 32 if sigma is None else sigma,
        seed=seed + 1,
        rule=device_rule(rule),
        slope=None if slope is None else slope_exponent(slope),
    ).for_device()
    samples = 4 if task is Task.XOR else schedule.epoch_steps or EPOCH_STEPS
    schedule = replace(
        schedule,
        epoch_steps=0 if task is Task.XOR else samples,
        live_period=(schedule.live_period or LIVE_PERIOD) if task is Task.LIVE else 0,
    )
    return AutonomousPlan(network, _checked(schedule, samples))


def begin(board: Board, plan: AutonomousPlan, on_progress: Callable[[int, int], None] | None = None) -> PackedDataset | None:
    """Configures the board, puts the training part into its memory, and lets it learn.

    Args:
        board: that does not learn autonomously yet.
        plan: what it is given.
        on_progress: called with the bytes of the dataset that are written, and their number.

    Returns:
        The dataset as it is stored; None without one.

    Raises:
        BoardError: as Board.configure(), upload_dataset() and start_autonomous().
    """
    board.progress()  # refused, by firmware that learns from a stream only, before its network is replaced
    board.configure(plan.network)
    packed = None
    if plan.quantised is not None:
        packed = board.upload_dataset(plan.quantised.x_train, plan.quantised.t_train, on_progress=on_progress)
    board.start_autonomous(plan.schedule)
    return packed


def halving_steps(steps: int) -> int:
    """Steps between two halvings that suit this many: the full rate for three sevenths of them, as in a streamed training."""
    return round(CONSTANT_SHARE * steps)


def _checked(schedule: Schedule, samples: int) -> Schedule:
    for name, most in _LIMITS.items():
        if not 0 <= getattr(schedule, name) <= most:
            raise NetworkError(f"--{name.replace('_', '-')} {getattr(schedule, name)} is outside 0 .. {most}")
    if samples > 65535:
        raise DatasetError(f"an epoch of {samples} steps is longer than 65,535")
    if schedule.loss_target and not 2**-24 <= schedule.loss_target < 2**8:
        raise NetworkError(f"--loss-target {schedule.loss_target} is outside 2^-24 .. 256")
    return schedule
