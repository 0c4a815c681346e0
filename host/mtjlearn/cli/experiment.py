"""``mtjlearn experiment``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import bar, print_result

if TYPE_CHECKING:
    from mtjlearn.experiments import xor_cycles


@click.group()
def cli() -> None:
    """Repeat an experiment from the documentation."""


@cli.command("xor-cycles")
@click.option("--seeds", type=click.IntRange(2, 10_000), help="Runs at each learning rate; 100 unless given.")
@command
def xor(seeds: int | None) -> dict[str, Any]:
    """Processor cycles until an Uno has learned XOR, against backpropagation.

    A training step of 2-3-1 is measured on uno-sim; then the integer model learns XOR as the chip would, and float
    backpropagation from the same weights, each at its best learning rate of a list. A step of backpropagation counts as the
    cheapest library that was measured on this chip takes for it.
    """
    from mtjlearn.bench.chip.steps import count_steps
    from mtjlearn.bench.workload import workload
    from mtjlearn.experiments import xor_cycles

    seeds = seeds or xor_cycles.SEEDS
    with bar("a step on uno-sim") as progress:
        load = workload(xor_cycles.SIZES)
        counted = count_steps("uno-sim", [load], progress=progress.update)
    step = counted.costs[load.name].median["step"]
    with bar("XOR") as progress:
        found = xor_cycles.race(step, seeds=seeds, progress=progress.update)
    _show(found, seeds)
    return {
        "step_cycles": step,
        "peer_step_cycles": found.peer_cycles,
        "seeds": seeds,
        "anp": _figures(found.best_anp, found.anp_cycles),
        "bp": _figures(found.best_bp, found.bp_cycles),
        "break_even_step_cycles": found.break_even_cycles,
        "advantage": found.advantage,
    }


def _figures(runs: xor_cycles.Runs, cycles: float) -> dict[str, float]:
    return {"rate": runs.rate, "median_steps": runs.median, "reached": runs.reached, "cycles": cycles}


def _show(found: xor_cycles.Race, seeds: int) -> None:
    from rich.table import Table

    from mtjlearn.experiments import xor_cycles

    table = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("rule", "rate", "learned", "steps", "a step", "cycles"):
        table.add_column(heading, justify="left" if heading == "rule" else "right")
    for name, tried, best, cycles in (
        ("ANP", found.anp, found.best_anp, found.step_cycles),
        ("BP", found.bp, found.best_bp, found.peer_cycles),
    ):
        for runs in tried:
            costs = (f"{value:,.0f}" for value in (cycles, runs.median * cycles))
            cells = (f"{runs.rate:g}", f"{runs.reached}/{seeds}", f"{runs.median:,.1f}", *costs)
            table.add_row(name, *cells, style="bold" if runs is best else None)
    print_result(table)
    print_result(
        f"until XOR is learned ANP takes {found.anp_cycles:,.0f} cycles and backpropagation {found.bp_cycles:,.0f}: "
        f"{found.advantage:.2f} times as many"
    )
    print_result(
        f"that is int16 in assembly against floats in C: a step of backpropagation counts as the {found.peer_cycles:,} cycles of "
        f"{xor_cycles.PEER} with its sigmoid; at {found.break_even_cycles:,.0f} cycles per step both would be equal"
    )
