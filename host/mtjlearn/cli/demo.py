"""``mtjlearn demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from mtjlearn.board import Board
from mtjlearn.cli.common import (
    EXIT_UNPROVEN,
    VIRTUAL_CODES_PER_STEP,
    bar,
    board_option,
    command,
    console,
    exit_with,
    runs_option,
    say,
    seed_option,
)
from mtjlearn.cli.train import Terminal
from mtjlearn.discovery import open_board
from mtjlearn.runs import Run
from mtjlearn.training import Report, default_plan, train
from mtjlearn.validate import cases, check_board, compare
from mtjlearn.validate.against_float import RULES

VALIDATION_STEPS = 40
"""Steps of each bit-exact case: the short form."""
REPLICAS = 20


@click.command()
@board_option
@seed_option
@runs_option
@command
def cli(board: str | None, seed: int, root: Path) -> dict[str, Any]:
    """Show everything in a minute: a board learns iris from its own noise.

    Without --board it is the virtual one: the firmware as a process, with a simulated magnetic tunnel junction at its
    converter, behind a pseudo-terminal. Its noise is plotted, iris is streamed to it and learned on it, the float reference
    learns beside it, and a short validation proves the board against the integer model.
    """
    name = board or "native"
    virtual = {"virtual_clock": VIRTUAL_CODES_PER_STEP, "seed": seed} if name == "native" else {}

    def opened(log: Path | None = None) -> Board:
        return open_board(name, log=log, **virtual)

    plan = default_plan("iris", seed=seed, board=name, virtual=virtual)
    run = Run.create(root, "demo", "iris", seed, plan.config())
    say(f"1. the {name} board learns iris with {plan.network.name}, streamed sample by sample, then the float reference does")
    with Terminal() as terminal:
        report = train(plan, run, opened, terminal)
    say("2. is the board's arithmetic the model's, bit for bit?")
    with opened() as proven, bar("validate") as progress:
        exact = check_board(proven, cases(seed), VALIDATION_STEPS, lambda done, total, case: progress.update(done, total, case))
    say("3. do the integers learn as well as floats?")
    comparisons: dict[str, dict[str, Any]] = {}
    with bar("XOR, integers and floats") as progress:
        for number, rule in enumerate(RULES):
            found = compare("xor", rule, REPLICAS, progress=lambda share, n=number: progress.update(n + share, len(RULES)))
            comparisons[rule] = {"ratio": found.ratio, "ci95": list(found.ci95), "replicas": found.replicas}
    _show(report, exact.steps, exact.mismatches, comparisons)
    if exact.mismatches:
        exit_with(EXIT_UNPROVEN)
    return {
        **report.__dict__,
        "bit_exact": {"steps": exact.steps, "mismatches": exact.mismatches},
        "float": {"xor": comparisons},
    }


def _show(report: Report, steps: int, mismatches: int, comparisons: dict[str, dict[str, Any]]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("test accuracy on the board", f"[bold]{report.test_accuracy:.3f}[/]")
    if report.reference_test_accuracy is not None:
        table.add_row("float reference, same seed", f"{report.reference_test_accuracy:.3f}")
    table.add_row("training steps", f"{report.steps:,}, of these {report.skipped} skipped")
    table.add_row("streamed and trained", f"{report.samples_per_s or 0:,.0f} samples/s")
    table.add_row("bit for bit against the model", f"{steps:,} steps, {mismatches} mismatches")
    for rule, found in comparisons.items():
        low, high = found["ci95"]
        table.add_row(f"final loss over float's, XOR {rule}", f"{found['ratio']:.2f} (95 % interval {low:.2f} to {high:.2f})")
    for what, file in (("noise", "noise.png"), ("loss curve", "loss.png"), ("run directory", "")):
        table.add_row(what, str(Path(report.run) / file))
    console.print(table)
