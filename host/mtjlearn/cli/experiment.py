"""``mtjlearn experiment``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import bar, print_result

if TYPE_CHECKING:
    from mtjlearn.experiments import xor_cycles
    from mtjlearn.experiments.rates import Rates


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


@cli.command()
@click.option("--seeds", type=click.IntRange(2, 1000), help="Trainings at each rate; 20 unless given.")
@click.option("--data", "names", multiple=True, metavar="NAME", help="A built-in dataset, several times for several; all of them.")
@command
def rates(seeds: int | None, names: tuple[str, ...]) -> dict[str, Any]:
    """What the default learning rates buy, next to smaller and larger ones.

    Every built-in dataset is trained as mtjlearn train does it, by the device's learner in this process and from simulated noise.
    Steps: median until 95 % of the training part are right (digits: 90 %), or until the squared error is a tenth of the variance.
    """
    from mtjlearn.errors import UserError
    from mtjlearn.experiments.rates import SEEDS, TASKS, compare_rates

    known = sorted({task.data for task in TASKS})
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"there is no built-in dataset {unknown[0]}; choose of {', '.join(known)}")
    tasks = [task for task in TASKS if task.data in names or not names]
    with bar("learning") as progress:
        found = compare_rates(tasks, seeds=seeds or SEEDS, progress=progress.update)
    _show_rates(found)
    return {"seeds": seeds or SEEDS, "rates": [_rate_figures(entry) for entry in found]}


def _rate_figures(entry: Rates) -> dict[str, Any]:
    return {
        "data": entry.task.data,
        "network": entry.network,
        "rate": entry.rate,
        "default": entry.default,
        "median_steps": entry.median("steps"),
        "reached": entry.reached,
        "median_loss": entry.median("loss"),
        "mean_score": entry.score,
        "median_saturations": entry.median("saturations"),
    }


def _show_rates(found: list[Rates]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("data", "net", "eta N", "steps", "reached", "loss", "test score", "saturations"):
        table.add_column(heading, justify="left" if heading in ("data", "net") else "right")
    for entry in found:
        cells = (f"{entry.rate:g}", f"{entry.median('steps'):,.0f}", f"{entry.reached}/{len(entry.runs)}")
        ends = (f"{entry.median('loss'):.3g}", f"{entry.score:.3f}", f"{entry.median('saturations'):.2f}")
        table.add_row(entry.task.data, entry.network, *cells, *ends, style="bold" if entry.default else None)
    print_result(table)
    print_result("bold: the default; test score: accuracy or explained variance; saturations: values at a limit per step")
