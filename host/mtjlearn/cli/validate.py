"""``mtjlearn validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import EXIT_UNPROVEN, command, exit_with
from mtjlearn.cli.view.console import bar, print_result
from mtjlearn.cli.view.options import board_option, seed_option
from mtjlearn.network import BOARD_RULES, RuleName
from mtjlearn.virtual.boards import VIRTUAL

if TYPE_CHECKING:
    from mtjlearn.validate import BitExact, Comparison

STEPS_PER_CASE = 260
FULL_STEPS_PER_CASE = 2000
SHORT_STEPS_PER_CASE = 30
SHORT_REPLICAS = 20
SHORT_TASKS = ("xor", "iris")
OTHER_RULES: dict[RuleName, tuple[str, ...]] = {"anp-exact": ("xor", "iris"), "feedback": ("xor", "iris")}
"""Tasks of the rules that are not compared in all."""


@click.command(short_help="Prove a board bit for bit, and the integers against floats.")
@board_option
@seed_option
@click.option("--full", is_flag=True, help="The full proof: 2,000 steps per case, a hidden layer for digits, 100 replicas; 10 min.")
@click.option("--short", is_flag=True, help="A few seconds: fewer steps, two tasks with 20 replicas.")
@click.option("--steps", metavar="N", type=click.IntRange(1), help="Steps of each bit-exact case: 260; 2000 for the full proof.")
@click.option("--exact-only", is_flag=True, help="Omit the comparison with floats; it does not use the board.")
@command
def cli(board: str | None, seed: int, full: bool, short: bool, steps: int | None, exact_only: bool) -> dict[str, Any]:
    """Prove a board bit for bit against the integer model, and the integers against the float reference.

    The board gets injected noise codes and must agree with the model in every loss, weight and random state; its network
    is replaced. Then paired runs (same weights, samples and noise) tell whether the integers learn as well as floats: the
    ratio of final losses. Exit code 1 when a bit differs.

    For the full proof use --full, or --steps 2000 --exact-only for the board's arithmetic alone; by itself a case has 260 steps.
    """
    from mtjlearn.validate import REPLICAS, TASKS

    if full and short:
        raise click.UsageError("--full and --short exclude each other")
    per_case = steps or (FULL_STEPS_PER_CASE if full else SHORT_STEPS_PER_CASE if short else STEPS_PER_CASE)
    name, exact, compared = _bit_exact(board, seed, per_case)
    comparisons: dict[str, dict[str, Any]] = {}
    for task in [] if exact_only else SHORT_TASKS if short else TASKS:
        replicas = SHORT_REPLICAS if short else REPLICAS["full" if full else "default"][task]
        rules = [rule for rule in BOARD_RULES if task in OTHER_RULES.get(rule, TASKS)]
        comparisons[task] = {rule: _compare(task, rule, replicas, full).figures for rule in rules}
    if not exact.proven:
        exit_with(EXIT_UNPROVEN)
    bit_exact = {"steps": exact.steps, "mismatches": exact.mismatches, "cases": compared, "skipped": exact.skipped}
    return {"board": name, "bit_exact": bit_exact, "float": comparisons}


def _bit_exact(board: str | None, seed: int, steps: int) -> tuple[str, BitExact, int]:
    """Name of the board, what was found, and the number of cases compared."""
    from mtjlearn.discovery import open_board
    from mtjlearn.validate import cases, check_board

    with open_board(board) as opened, bar("bit for bit") as progress:
        name = board if board in VIRTUAL else opened.info.name
        chosen = cases(seed, opened.info.features)
        found = check_board(opened, chosen, steps, progress.update)
    compared = len(chosen) - len(found.skipped)
    print_result(f"{name}: {found.steps:,} steps in {compared} cases against the integer model, {found.mismatches} mismatches")
    for line in found.first:
        print_result(f"  {line}")
    for line in found.skipped:
        print_result(f"omitted: {line}")
    return name, found, compared


def _compare(task: str, rule: RuleName, replicas: int, full: bool) -> Comparison:
    from mtjlearn.validate import compare

    with bar(f"{task} {rule}") as progress:
        found = compare(task, rule, replicas, full=full, progress=lambda share: progress.update(round(100 * share), 100))
    low, high = found.ci95
    print_result(
        f"{task:16} {rule:9} final loss {found.fixed:.3g}, float {found.reference:.3g}; "
        f"median ratio {found.ratio:.3f} [{low:.3f}, {high:.3f}] over {replicas} replicas"
    )
    return found
