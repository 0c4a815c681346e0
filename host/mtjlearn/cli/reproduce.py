"""``mtjlearn reproduce``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import bar, print_result, say
from mtjlearn.cli.view.options import figures_option, runs_option, seed_option

if TYPE_CHECKING:
    from mtjlearn.plots import FigureFormat

_NAMES = ("fig1b", "fig2", "fig3", "fig3-chip", "fig4", "fig4-chip", "fig5", "table1", "all")


_USED = {
    "data": ("fig3", "fig3-chip", "fig4", "table1"),
    "board": ("fig2", "fig3-chip", "fig4-chip", "fig5"),
    "recordings": ("fig2", "fig4"),
    "sets": ("fig3", "fig3-chip", "fig4"),
    "epochs": ("fig4",),
    "device": ("fig4", "table1"),
    "wait": ("fig5",),
}
"""The figures that an option matters to."""
_ALWAYS = ("figure", "resumed", "drawn", "jobs", "figures", "as_json")


@click.command(short_help="Compute the paper's figures again.")
@click.argument("figure", required=False, type=click.Choice(_NAMES), metavar=f"[{'|'.join(_NAMES)}]")
@click.option("--quick/--full", "quick", default=True, show_default=True, help="Reduced sizes, or the paper's.")
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder with image sets (IDX or CIFAR files); if omitted, the system's packages are searched.",
)
@click.option(
    "--board",
    metavar="NAME",
    help="Board of fig2, fig3-chip, fig4-chip and fig5: native, inprocess, m4-sim, a port such as /dev/ttyACM0, or a URL; native "
    "if omitted, and fig2 simulates its junction.",
)
@click.option(
    "--recording",
    "recordings",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Noise for fig2, up to three files, one for each bias; the first one also for fig4.",
)
@click.option(
    "--set",
    "sets",
    metavar="NAME",
    multiple=True,
    help="Data of fig3, fig3-chip and fig4, e.g. fashion-mnist; several are allowed, of which fig3-chip uses the first.",
)
@click.option("--epochs", metavar="N", type=click.IntRange(2, 10**6), help="Epochs of fig4; the task's own if omitted.")
@click.option("--device", metavar="NAME", help="fig4 computes with torch on this device, e.g. cuda; with NumPy if omitted.")
@click.option(
    "--wait",
    metavar="MS",
    type=click.FloatRange(0, 1000),
    default=0.0,
    show_default=True,
    help="Milliseconds that fig5's network in Python waits for each noise sample; the paper: 1.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Processes, each of one thread; one for each processor core if omitted.",
)
@seed_option
@runs_option
@figures_option
@click.option("--resume", "resumed", metavar="RUN", type=click.Path(path_type=Path), help="Continue an interrupted run.")
@click.option("--replot", "drawn", metavar="RUN", type=click.Path(path_type=Path), help="Draw a finished run again.")
@command
def cli(
    figure: str | None,
    quick: bool,
    data: Path | None,
    board: str | None,
    recordings: tuple[Path, ...],
    sets: tuple[str, ...],
    epochs: int | None,
    device: str | None,
    wait: float,
    jobs: int | None,
    seed: int,
    root: Path,
    figures: FigureFormat,
    resumed: Path | None,
    drawn: Path | None,
) -> dict[str, Any]:
    """Compute a figure of the paper again, or all of them.

    Numbers and plots go into a run directory. Ctrl-C keeps what is done; --resume continues. Without --full everything is
    small enough for minutes on two cores; docs/reproduction.md says what differs from the paper.
    """
    from mtjlearn import reproduction
    from mtjlearn.reproduction.pieces import cpu_seconds

    if sum(value is not None for value in (figure, resumed, drawn)) != 1:
        raise click.UsageError(f"give a figure ({', '.join(_NAMES)}), or --resume RUN, or --replot RUN")
    _refuse_unused(figure)
    workers = jobs or os.cpu_count() or 1
    if drawn is not None:
        found = reproduction.redraw(drawn, figures=figures)
    else:
        with bar(figure or "resumed") as progress:

            def update(done: float, total: float, note: str) -> None:
                progress.update(round(done), round(total), note)

            if resumed is not None:
                found = reproduction.resume(resumed, jobs=workers, progress=update, figures=figures)
            else:
                assert figure is not None
                options = reproduction.Options(
                    full=not quick,
                    data=None if data is None else os.path.abspath(data),
                    board=board,
                    recordings=tuple(map(os.path.abspath, recordings)),
                    sets=sets,
                    epochs=epochs,
                    device=device,
                    wait=wait / 1000,
                    seed=seed,
                )
                found = reproduction.reproduce(figure, options, root, jobs=workers, progress=update, figures=figures)
    if found.again:
        say(f"{found.again} pieces of this run came from other source code, and were computed again with this one")
    for name, numbers in found.numbers.items():
        for line in reproduction.FIGURES[name].lines(numbers):
            print_result(f"{name}: {line}")
        say(f"{name}, {reproduction.FIGURES[name].shows}: {found.plots[name]}")
    return {**found.numbers, "run": found.run, "seconds": round(found.seconds, 1), "cpu_seconds": cpu_seconds(found.run)}


def _refuse_unused(figure: str | None) -> None:
    """Refuses options that would be ignored.

    Raises:
        click.UsageError: naming the first one.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE or name in _ALWAYS:
            continue
        option = parameter.opts[0]
        if figure is None:
            raise click.UsageError(f"the run says how it was computed; omit {option}")
        if name in _USED and figure not in (*_USED[name], "all"):
            raise click.UsageError(f"{figure} has no {option}, which is for {', '.join(_USED[name])}; omit it")
