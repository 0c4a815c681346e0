"""``mtjlearn train --seeds``: the trainings of all seeds one after another, a table and a plot of them together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtjlearn import interruption
from mtjlearn.cli.view.console import say
from mtjlearn.errors import UserError

if TYPE_CHECKING:
    from mtjlearn.plots import FigureFormat
    from mtjlearn.runs import Run
    from mtjlearn.training import Plan
    from mtjlearn.training.seeds import Seeds


def train_seeds(
    plan: Plan, seeds: Seeds, root: Path, figures: FigureFormat, train: Callable[[Plan, Run], object], *, accept: bool = False
) -> dict[str, Any]:
    """Trains the seeds that are not finished, and shows all of them together.

    Args:
        plan: of any seed.
        seeds: the group, new or begun.
        root: the directory of its runs.
        figures: what the plot is written as.
        train: trains a plan in a run.
        accept: continue although data have changed.

    Raises:
        UserError: with how to continue, once there is a run.
        KeyboardInterrupt: the same.
    """
    from mtjlearn.cli.view.comparison import draw, show_comparison
    from mtjlearn.comparison import compare, read_training
    from mtjlearn.runs import RunError, read_meta
    from mtjlearn.training.seeds import check_data

    members = seeds.members(root)
    done = {seed for seed, path in members.items() if read_meta(path)["state"] == "finished"}
    left = [seed for seed in seeds.all if seed not in done]
    check_data(plan, tuple(seed for seed in left if seed not in members))
    started = time.monotonic()
    for number, seed in enumerate(left):
        estimate = f", about {_minutes((time.monotonic() - started) / number * (len(left) - number))} left" if number else ""
        say(f"seed {seed}: {len(seeds.all) - len(left) + number + 1} of {len(seeds.all)}{estimate}")
        try:
            interruption.check()
            _train_one(plan, seed, seeds, root, members.get(seed), train, accept=accept)
        except (UserError, KeyboardInterrupt) as error:
            members = seeds.members(root)
            if "--resume" in str(error) or not members:
                raise
            kind = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else RunError
            text = str(error) or "interrupted"
            raise kind(f"{text}; continue the seeds with: mtjlearn train --resume {next(iter(members.values()))}") from None
    members = seeds.members(root)
    found = compare([read_training(members[seed]) for seed in seeds.all])
    return {"seeds": seeds.all, **show_comparison(found), **draw(found, root / f"{seeds.group}.{figures}")}


def _train_one(
    plan: Plan,
    seed: int,
    seeds: Seeds,
    root: Path,
    path: Path | None,
    train: Callable[[Plan, Run], object],
    *,
    accept: bool,
) -> None:
    """Trains a seed in a new run, or in the one that was begun."""
    from dataclasses import replace

    from mtjlearn.runs import Run, read_config
    from mtjlearn.training import Plan as AnyPlan
    from mtjlearn.training import refuse_changed_data
    from mtjlearn.training.seeds import with_seed

    if path is None:
        own = with_seed(plan, seed)
        train(own, seeds.create(root, own))
        return
    own = replace(AnyPlan.from_config(read_config(path)), board=plan.board)
    if not accept:
        refuse_changed_data(own, path)
    train(own, Run.open(path))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
