"""``mtjlearn experiment``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import bar, print_result

if TYPE_CHECKING:
    from rich.table import Table

    from mtjlearn.experiments.cost_to_target import Cost
    from mtjlearn.experiments.rates import Rates

_Entry = TypeVar("_Entry")


@click.group()
def cli() -> None:
    """Repeat an experiment from the documentation."""


@cli.command("cost-to-target")
@click.option("--seeds", type=click.IntRange(10, 100_000), help="Starts that are measured; 200 unless given.")
@click.option("--task", "names", multiple=True, metavar="NAME", help="xor, iris, wine or digits; repeat it for several; else all.")
@command
def cost(seeds: int | None, names: tuple[str, ...]) -> dict[str, Any]:
    """What learning costs two chips, next to backpropagation.

    Every rule is a program: its steps are counted on uno-sim (cycles) and m4-sim (instructions), and it learns on this computer
    from many starts, with the learning rate that is best on other starts. The total is the expected cost with restarts.
    """
    from mtjlearn.experiments.cost_to_target import PEERS, SEEDS, TASKS, cost_to_target

    chosen = _chosen(names, TASKS, lambda task: task.name, "task")
    with bar("learning") as progress:
        found = cost_to_target(chosen, seeds=seeds or SEEDS, progress=progress.update)
    _show_costs(found)
    return {"seeds": seeds or SEEDS, "costs": [_cost_figures(entry) for entry in found], "peers": PEERS}


def _chosen(names: Sequence[str], entries: Sequence[_Entry], name_of: Callable[[_Entry], str], what: str) -> list[_Entry]:
    """The entries that were named, or all.

    Raises:
        UserError: something is unknown.
    """
    from mtjlearn.errors import UserError

    known = {name_of(entry) for entry in entries}
    for name in names:
        if name not in known:
            raise UserError(f"there is no {what} {name}; choose from {', '.join(sorted(known))}")
    return [entry for entry in entries if name_of(entry) in names or not names]


def _cost_figures(entry: Cost) -> dict[str, Any]:
    return {
        "task": entry.task.name,
        "network": "-".join(map(str, entry.task.network.sizes)),
        "loss": _loss(entry),
        "rule": entry.program.name,
        "rate": entry.rate,
        "patience": entry.patience,
        "median_steps": entry.median,
        "learned": entry.learned,
        "expected_steps": entry.expected,
        "step": dict(entry.cycles),
        "total": {chip: entry.total(chip) for chip in entry.cycles},
    }


def _loss(entry: Cost) -> str:
    return "cross-entropy" if entry.task.network.cross_entropy else "squared"


def _table(headings: Sequence[str], words: int) -> Table:
    """An empty table; the first headings are above words, the others above numbers."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < words else "right")
    return table


def _show_costs(found: list[Cost]) -> None:
    columns = ("uno-sim step", "total", "m4-sim step", "total")
    table = _table(("task", "loss", "rule", "eta", "steps", "learn", "expected", *columns), 3)
    for entry in found:
        costs = []
        for chip in ("uno-sim", "m4-sim"):
            known = chip in entry.cycles
            costs += [f"{entry.cycles[chip]:,.0f}", f"{entry.total(chip) / 1000:,.0f} k"] if known else ["", ""]
        steps = (f"{entry.rate:.3g}", f"{entry.median:,.0f}", f"{entry.learned:.1%}", f"{entry.expected:,.0f}")
        table.add_row(entry.task.name, _loss(entry), entry.program.name, *steps, *costs)
    print_result(table)
    print_result("steps: median of all starts; expected: with restarts; uno-sim: cycles; m4-sim: instructions")


@cli.command()
@click.option("--seeds", type=click.IntRange(2, 1000), help="Trainings at each rate; 20 unless given.")
@click.option("--data", "names", multiple=True, metavar="NAME", help="A built-in dataset, several times for several; all of them.")
@command
def rates(seeds: int | None, names: tuple[str, ...]) -> dict[str, Any]:
    """What the default learning rates buy, next to smaller and larger ones.

    Every built-in dataset is trained as mtjlearn train does it, by the device's learner in this process and from simulated noise.
    Steps: median until 95 % of the training part are right (digits: 90 %), or until the squared error is a tenth of the variance.
    """
    from mtjlearn.experiments.rates import SEEDS, TASKS, compare_rates

    tasks = _chosen(names, TASKS, lambda task: task.data, "built-in dataset")
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
    table = _table(("data", "net", "eta N", "steps", "reached", "loss", "test score", "saturations"), 2)
    for entry in found:
        cells = (f"{entry.rate:g}", f"{entry.median('steps'):,.0f}", f"{entry.reached}/{len(entry.runs)}")
        ends = (f"{entry.median('loss'):.3g}", f"{entry.score:.3f}", f"{entry.median('saturations'):.2f}")
        table.add_row(entry.task.data, entry.network, *cells, *ends, style="bold" if entry.default else None)
    print_result(table)
    print_result("bold: the default; test score: accuracy or explained variance; saturations: values at a limit per step")
