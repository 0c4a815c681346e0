"""``mtjlearn demo``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import EXIT_UNPROVEN, command, exit_with
from mtjlearn.cli.view.console import bar, print_result, say
from mtjlearn.cli.view.options import runs_option, seed_option
from mtjlearn.network import RuleName
from mtjlearn.virtual.boards import default_virtual_board

if TYPE_CHECKING:
    from mtjlearn.training import Report
    from mtjlearn.validate import BitExact, Comparison

VALIDATION_STEPS = 40
"""Steps of each bit-exact case: the short form."""
REPLICAS = 20
RULES: tuple[RuleName, ...] = ("anp", "danp")


@click.command(short_help="Show everything in a minute: a virtual board learns iris from its noise.")
@click.option(
    "--board",
    metavar="NAME",
    default=default_virtual_board,
    show_default="native, or inprocess where that is not available",
    help="The board, e.g. uno-sim, m4-sim, m0-sim or a port.",
)
@seed_option
@runs_option
@click.option("--autonomous", is_flag=True, help="The board learns autonomously while the host is away.")
@command
def cli(board: str, seed: int, root: Path, autonomous: bool) -> dict[str, Any]:
    """Show everything in a minute: a board learns iris from its own noise.

    If --board is omitted, a virtual board is used: the firmware as a process, with a simulated magnetic tunnel
    junction at its converter, behind a pseudo-terminal. Its noise is plotted, iris is streamed to it and learned on it, the
    float reference learns with it, and a short validation proves the board against the integer model.

    With --autonomous iris is put into the board's memory, the connection is closed, the board learns autonomously, and the host
    comes back to read the network and the loss curve that the board kept.
    """
    if autonomous:
        from mtjlearn.cli.view.demo_autonomous import run_demo

        return run_demo(board, seed, root)
    from mtjlearn.cli.view.training import Terminal
    from mtjlearn.discovery import open_board
    from mtjlearn.runs import Run
    from mtjlearn.training import default_plan, train
    from mtjlearn.validate import cases, check_board

    plan = default_plan("iris", seed=seed, board=board)
    run = Run.create(root, "demo", plan.name, seed, plan.config())
    say(f"1. the {board} board learns iris with {plan.network.name}, streamed sample by sample, then the float reference does")
    with Terminal() as terminal:
        report = train(plan, run, terminal)
    say("2. is the board's arithmetic the model's, bit for bit?")
    with open_board(board, **plan.board_options) as proven, bar("validate") as progress:
        chosen = cases(seed, proven.info.features)
        exact = check_board(proven, chosen, VALIDATION_STEPS, progress.update)
    say("3. do the integers learn as well as floats?")
    compared: dict[str, Comparison] = {}
    for rule in RULES:
        compared[rule] = _compare(rule)
    _show(board, report, exact, compared)
    if not exact.proven:
        exit_with(EXIT_UNPROVEN)
    return {
        **asdict(report),
        "bit_exact": {"steps": exact.steps, "mismatches": exact.mismatches},
        "float": {"xor": {rule: found.figures for rule, found in compared.items()}},
    }


def _compare(rule: RuleName) -> Comparison:
    from mtjlearn.validate import compare

    with bar(f"XOR {rule}, integers and floats") as progress:
        return compare("xor", rule, REPLICAS, progress=lambda share: progress.update(round(100 * share), 100))


def _show(board: str, report: Report, exact: BitExact, compared: dict[str, Comparison]) -> None:
    from mtjlearn.cli.view.training import line_rate

    rows = {
        "test accuracy on the board": f"{report.test_accuracy:.3f}",
        "float reference, same seed": f"{report.reference_test_accuracy:.3f}",
        "training steps": f"{report.steps:,}, of these {report.skipped} skipped",
        "streamed and trained": line_rate(board, report.samples_per_s or 0.0),
        "bit for bit against the model": f"{exact.steps:,} steps, {exact.mismatches} mismatches",
    }
    for rule, found in compared.items():
        low, high = found.ci95
        rows[f"final loss over float's, XOR {rule}"] = f"{found.ratio:.2f} (95 % interval {low:.2f} to {high:.2f})"
    path = Path(report.run)
    rows |= {"noise": str(path / "noise.png"), "loss curve": str(path / "loss.png"), "run directory": str(path)}
    width = max(map(len, rows))
    for what, value in rows.items():
        print_result(f"  {what:{width}}  {value}")
