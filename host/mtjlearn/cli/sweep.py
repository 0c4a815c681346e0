"""``mtjlearn sweep``."""

from __future__ import annotations

import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import EXIT_UNPROVEN, command, exit_with
from mtjlearn.cli.view.console import bar, say
from mtjlearn.cli.view.options import figures_option
from mtjlearn.cli.view.planning import data_options, learning_options
from mtjlearn.cli.view.sweep_results import show_best
from mtjlearn.cli.view.sweeping import (
    NO_BOARD,
    PORT,
    check_first,
    command_of,
    points_of,
    ports_of,
    refuse_changed_file,
    seeds_of,
    settings_of,
    space_of,
    train_point,
)

if TYPE_CHECKING:
    from mtjlearn.plots import FigureFormat
    from mtjlearn.sweeps import Results
    from mtjlearn.sweeps.slices import Spread

ROOT = Path("sweeps")
_BESIDE_RESUME = ("resume", "board", "jobs", "scheduler", "search", "retry_failed", "as_json")
_BESIDE_PLOT = ("plot", "number", "x", "by", "whole_range", "figures", "as_json")
_OBJECTIVE = "test_loss"


@click.command(short_help="Train with every combination of parameters and seeds, here or on a cluster; or search the best.")
@click.argument("data", required=False)
@click.option(
    "--over",
    metavar="NAME=VALUES",
    multiple=True,
    help="An option of a training and its values: eta=.1,.05, eta=0.1*2^-0:20 (0.1 * 2^-k for k = 0 to 19), eta=log:1e-4:1:9, "
    "sigma=lin:.02:.1:5, epochs=10:60:10, rule=anp,danp, antithetic=off,on. Give it several times for a grid.",
)
@click.option("--seeds", metavar="A:B", help="Seeds of each point: 0:5 are 0 to 4; or a list. 0 unless given.")
@data_options
@learning_options
@click.option(
    "--board",
    metavar="NAME",
    default=NO_BOARD,
    show_default=True,
    help="What learns: none is the float reference. A virtual board, one for each worker; ports such as /dev/ttyACM0,/dev/ttyACM1, "
    "each used by one run at a time; or, on a cluster, worker: the port that a worker has in MTJLEARN_BOARD.",
)
@click.option("--jobs", metavar="N", type=click.IntRange(0), help="Processes; one per core unless given; 0: in this process.")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster of this scheduler, e.g. tcp://10.0.0.1:8786.")
@click.option("--search", metavar="N", type=click.IntRange(1), help="Do not compute a grid: let Optuna choose N points.")
@click.option("--minimise", metavar="NUMBER", help="The number that a search makes small; test_loss unless given.")
@click.option("--maximise", metavar="NUMBER", help="The number that a search makes large, e.g. test_accuracy.")
@click.option("--together", metavar="N", type=click.IntRange(1), help="Points that a search chooses at once; 1 unless given.")
@click.option("--directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Where the sweep is kept.")
@click.option("--resume", metavar="DIR", type=click.Path(path_type=Path), help="Continue the sweep or search in this directory.")
@click.option("--retry-failed", is_flag=True, help="Compute the runs again that failed.")
@click.option("--plot", metavar="DIR", type=click.Path(path_type=Path), help="Plot slices of the sweep in this directory.")
@click.option("--number", metavar="NAME", help="With --plot: what is plotted; test_loss unless given.")
@click.option("--x", metavar="NAME", help="With --plot: only over this parameter.")
@click.option("--by", metavar="NAME", help="With --plot: a curve for each value of this parameter.")
@click.option("--range", "whole_range", is_flag=True, help="With --plot: bars from smallest to largest, not quartiles.")
@figures_option
@command
def cli(data: str | None, resume: Path | None, plot: Path | None, **asked: Any) -> dict[str, Any]:
    """Train DATA with every combination of the values of --over and --seeds, and keep one row per run in a Parquet file.

    Every option of mtjlearn train that describes a training can be given, and can be varied. The sweep is kept in a directory.
    However it ended, --resume DIR continues it, and so does the same command with --directory DIR; runs that are kept are not
    computed again. More values and seeds extend it.
    """
    if sum(given is not None for given in (data, resume, plot)) != 1:
        raise click.UsageError(
            "name a dataset or a file, e.g. mtjlearn sweep iris --over eta=.1,.2; or use --resume DIR or --plot DIR"
        )
    if plot is not None:
        _refuse_others("plot", _BESIDE_PLOT)
        return _plot(plot, **{name: asked[name] for name in ("number", "x", "by", "whole_range", "figures")})
    if resume is not None:
        _refuse_others("resume", _BESIDE_RESUME)
        return _resume(resume, asked)
    assert data is not None
    _refuse_without("plot", asked, "number", "x", "by", "whole_range")
    if click.get_current_context().get_parameter_source("figures") is not ParameterSource.DEFAULT:
        raise click.UsageError("--figures goes with --plot; omit it")
    ports_of(asked["board"])
    settings = settings_of(click.get_current_context(), data, asked["board"])
    directory = asked["directory"] or ROOT / f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{Path(data).stem}"
    if asked["search"] is None:
        _refuse_without("search", asked, "minimise", "maximise", "together")
        points = points_of(asked["over"], asked["seeds"])
        check_first(settings, points[0])
        return _sweep(settings, points, directory, asked)
    if asked["minimise"] is not None and asked["maximise"] is not None:
        raise click.UsageError("a search has one goal; give --minimise or --maximise")
    goal = {"objective": asked["maximise"] or asked["minimise"] or _OBJECTIVE, "maximise": asked["maximise"] is not None}
    space, seeds = space_of(asked["over"]), seeds_of(asked["seeds"])
    check_first(settings, {"seed": seeds[0]})
    return _search(
        settings, directory, asked, space=space, seeds=seeds, together=asked["together"] or 1, trials=asked["search"], **goal
    )


def _refuse_without(name: str, asked: dict[str, Any], *options: str) -> None:
    for option in options:
        if asked[option]:
            raise click.UsageError(f"--{option.removeprefix('whole_')} goes with --{name}; omit it")


def _refuse_others(name: str, allowed: tuple[str, ...]) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name not in allowed and context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} uses what its directory holds; omit {parameter.opts[0]}")


def _resume(directory: Path, asked: dict[str, Any]) -> dict[str, Any]:
    from mtjlearn.sweeps.search_files import SEARCH, read_search
    from mtjlearn.sweeps.search_files import space_of as kept_space
    from mtjlearn.sweeps.store import read_description

    if (directory / SEARCH).exists():
        known, trials = read_search(directory)
        refuse_changed_file(known.settings)
        _check_board(known.settings, asked)
        goal = {"objective": known.objective, "maximise": known.maximise, "seeds": known.seeds, "together": known.together}
        trials = max(trials, asked["search"] or 0)
        return _search(known.settings, directory, asked, space=kept_space(known.space), trials=trials, **goal)
    if asked["search"] is not None:
        raise click.UsageError(f"{directory} is not a search; omit --search")
    description = read_description(directory)
    refuse_changed_file(description.settings)
    _check_board(description.settings, asked)
    return _sweep(description.settings, description.points, directory, asked)


def _check_board(settings: dict[str, Any], asked: dict[str, Any]) -> None:
    given = click.get_current_context().get_parameter_source("board") is not ParameterSource.DEFAULT
    if settings["board"] == PORT and not given:
        raise click.UsageError("this sweep learns on boards; give their ports with --board")
    if given and bool(ports_of(asked["board"])) != (settings["board"] == PORT):
        raise click.UsageError(f"this sweep began with --board {settings['board']}; omit --board {asked['board']}")
    if not given:
        asked["board"] = settings["board"]


def _where(settings: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Where runs are computed."""
    if asked["scheduler"] is not None and asked["jobs"] is not None:
        raise click.UsageError("--jobs counts processes of this computer; omit it with --scheduler")
    if asked["board"] == "worker" and asked["scheduler"] is None:
        raise click.UsageError("--board worker is for workers of a cluster; give --scheduler, or ports with --board")
    return {
        "settings": settings,
        "scheduler": asked["scheduler"],
        "workers": asked["jobs"],
        "boards": ports_of(asked["board"]),
        "board_resource": settings["board"] != NO_BOARD,
        "command": partial(command_of, settings),
    }


def _sweep(settings: dict[str, Any], points: list[Any], directory: Path, asked: dict[str, Any]) -> dict[str, Any]:
    from mtjlearn.sweeps import run_sweep

    say(f"{_count(len(points), 'run')}; the sweep is kept in {directory}")
    where = _where(settings, asked)
    try:
        with bar("runs") as progress:
            found = run_sweep(train_point, points, directory, progress=progress.update, retry_failed=asked["retry_failed"], **where)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_resumable(directory)) from None
    return _report(found, settings, _OBJECTIVE if _OBJECTIVE in found.numbers else None, maximise=False)


def _search(settings: dict[str, Any], directory: Path, asked: dict[str, Any], **search: Any) -> dict[str, Any]:
    from mtjlearn.sweeps.search import run_search

    if asked["retry_failed"]:
        raise click.UsageError("a search does not repeat trials; omit --retry-failed")
    say(f"{_count(search['trials'], 'trial')} of {_count(len(search['seeds']), 'run')} each; the search is kept in {directory}")
    where = _where(settings, asked)
    try:
        with bar("trials") as progress:
            found = run_search(train_point, directory=directory, progress=progress.update, **search, **where)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_resumable(directory)) from None
    return _report(found, settings, search["objective"], maximise=search["maximise"])


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _resumable(directory: Path) -> str:
    return f"interrupted; resume with: mtjlearn sweep --resume {directory}" if directory.exists() else "interrupted"


def _report(found: Results, settings: dict[str, Any], objective: str | None, *, maximise: bool) -> dict[str, Any]:
    best = [] if objective is None else show_best(found, objective, settings, maximise=maximise)
    if found.damaged:
        say(f"{found.damaged} damaged lines of the journal were not trusted, and their runs computed again")
    if found.failed:
        say(f"{len(found.failed)} of {len(found.rows)} runs failed, the first with: {found.failed[0]['error']}")
        say(f"compute them again with: mtjlearn sweep --resume {found.directory} --retry-failed")
        exit_with(EXIT_UNPROVEN)
    say(f"a row per run is in {found.path}; plot slices with: mtjlearn sweep --plot {found.directory}")
    return {
        "directory": found.directory,
        "results": found.path,
        "runs": len(found.rows),
        "computed": found.computed,
        "failed": len(found.failed),
        "best": best,
    }


def _plot(
    directory: Path, *, number: str | None, x: str | None, by: str | None, whole_range: bool, figures: FigureFormat
) -> dict[str, Any]:
    from mtjlearn.cli.view.sweep_results import read_any
    from mtjlearn.sweeps.plots import draw

    found, objective, maximise = read_any(directory)
    shown = number or objective or _OBJECTIVE
    wanted = maximise if number is None else None
    spread: Spread = "range" if whole_range else "quartiles"
    paths = draw(found, shown, x=x, by=by, spread=spread, maximise=wanted, figures=figures)
    for path in paths:
        say(f"plotted: {path}")
    return {"directory": directory, "number": shown, "plots": paths}
