"""``mtjlearn validate``."""

from __future__ import annotations

from typing import Any

import click

from mtjlearn.board import BoardInfo
from mtjlearn.cli.common import EXIT_UNPROVEN, bar, board_option, command, device_noise_options, exit_with, say, seed_option, virtual_options
from mtjlearn.discovery import open_board
from mtjlearn.validate import REPLICAS, TASKS, cases, check_board, compare
from mtjlearn.validate.against_float import RULES
from mtjlearn.wire.messages import Features

STEPS_PER_CASE = 260
FULL_STEPS_PER_CASE = 2000
SHORT_STEPS_PER_CASE = 30
SHORT_REPLICAS = 20
SHORT_TASKS = ("xor", "iris")


@click.command()
@board_option
@seed_option
@device_noise_options
@click.option("--full", is_flag=True, help="More steps, digits with a hidden layer and 100 replicas: about ten minutes.")
@click.option("--short", is_flag=True, help="A few seconds: fewer steps, two tasks with 20 replicas.")
@click.option("--steps", type=click.IntRange(1), help="Training steps of each bit-exact case.")
@click.option("--exact-only", is_flag=True, help="Leave the comparison with floats out; it does not use the board.")
@command
def cli(
    board: str | None,
    seed: int,
    device_noise: str | None,
    preset: str | None,
    full: bool,
    short: bool,
    steps: int | None,
    exact_only: bool,
) -> dict[str, Any]:
    """Prove a board bit for bit against the integer model, and the integers against the float reference.

    The board gets injected noise codes and must agree with the model in every loss, weight and random state. Then paired
    runs (same weights, samples and noise) tell whether the integers learn as well as floats: the ratio of final losses.
    Exit code 1 when a bit differs.
    """
    if full and short:
        raise click.UsageError("--full and --short exclude each other")
    per_case = steps or (FULL_STEPS_PER_CASE if full else SHORT_STEPS_PER_CASE if short else STEPS_PER_CASE)
    exact = _bit_exact(board, seed, per_case, virtual_options(board, device_noise=device_noise, preset=preset))
    comparisons: dict[str, dict[str, Any]] = {}
    for task in [] if exact_only else SHORT_TASKS if short else TASKS:
        replicas = SHORT_REPLICAS if short else REPLICAS["full" if full else "default"][task]
        comparisons[task] = {rule: _compare(task, rule, replicas, full) for rule in RULES}
    result = {"board": exact.pop("board"), "bit_exact": exact, "float": comparisons}
    if exact["mismatches"]:
        exit_with(EXIT_UNPROVEN)
    return result


def _bit_exact(board: str | None, seed: int, steps: int, virtual: dict[str, Any]) -> dict[str, Any]:
    with open_board(board, **virtual) as opened, bar("bit for bit") as progress:
        chosen = cases(seed, _features(opened.info))
        found = check_board(opened, chosen, steps, lambda done, total, name: progress.update(done, total, name))
        name = opened.info.name
    compared = len(chosen) - len(found.skipped)
    say(f"{name}: {found.steps} steps in {compared} cases against the integer model, {found.mismatches} mismatches")
    for line in found.first:
        say(f"  {line}")
    for line in found.skipped:
        say(f"  left out: {line}")
    return {"board": name, "steps": found.steps, "mismatches": found.mismatches, "cases": compared, "skipped": found.skipped}


def _features(info: BoardInfo) -> frozenset[str]:
    names = {"danp": Features.DECORRELATION, "cross-entropy": Features.CROSS_ENTROPY, "int32": Features.INT32_WEIGHTS}
    return frozenset(name for name, feature in names.items() if feature in info.features)


def _compare(task: str, rule: str, replicas: int, full: bool) -> dict[str, Any]:
    with bar(f"{task} {rule}") as progress:
        found = compare(task, rule, replicas, full=full, progress=lambda share: progress.update(round(100 * share), 100))
    low, high = found.ci95
    say(
        f"{task:16} {rule:5} final loss {found.fixed:.3g}, float {found.reference:.3g}; "
        f"median ratio {found.ratio:.3f} [{low:.3f}, {high:.3f}] over {replicas} replicas"
    )
    return {"ratio": found.ratio, "ci95": list(found.ci95), "replicas": found.replicas}
