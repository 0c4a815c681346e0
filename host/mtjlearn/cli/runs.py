"""``mtjlearn runs``."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import plain, print_result, result_console, say

if TYPE_CHECKING:
    from mtjlearn.comparison.export import Kind
    from mtjlearn.runs import RunSummary

ROOT = Path("runs")
_EXPORTS = ("csv", "parquet", "tensorboard")
_RESUMABLE = ("train", "demo")
_HIDDEN = ("lock",)
_WIDE = 120
"""Columns of a terminal that has room for what a run's name tells already."""
_STYLES = {"finished": "green", "running": "cyan", "interrupted": "yellow", "failed": "red", "damaged": "red"}

Content = TypeVar("Content")


class _Runs(click.Group):
    """A group whose first word may be a run: then it is listed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See :class:`click.Group`."""
        known = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if known else ["list", *args])


@click.group(cls=_Runs)
def cli() -> None:
    """List runs, show one, compare some, or export what they recorded.

    mtjlearn runs alone lists ./runs; mtjlearn runs PATH lists another directory of runs, or shows a run. PATH is a run directory,
    or the name of one in ./runs.
    """


@cli.command(name="list", short_help="List run directories, or show one; the same as without a command.")
@click.argument("path", type=click.Path(path_type=Path), default=ROOT)
@command
def show(path: Path) -> dict[str, Any]:
    """List run directories, or show one.

    PATH is a directory of runs (./runs unless given), a run directory, or the name of one in ./runs.
    """
    from mtjlearn.runs import RunError, list_runs

    path = _run(path)
    if path.name in ("", ".."):
        path = path.resolve()
    summary = next((run for run in list_runs(path.parent) if run.path.name == path.name), None)
    if summary is not None:
        return _show_run(summary)
    if path != ROOT and not path.is_dir():
        raise RunError(f"{path} is neither a run nor a directory of runs; mtjlearn runs lists those in ./{ROOT}")
    found = list_runs(path)
    if found:
        _show_list(found)
    else:
        say(f"no runs in {path} yet; make one, e.g. with: mtjlearn train iris --board native")
    return {"runs": found}


@cli.command(name="compare", short_help="Compare trainings: a table, and curves with bands over seeds.")
@click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Draw the curves: .png, .svg or .pdf.")
@command
def compare_runs(paths: tuple[Path, ...], out: Path | None) -> dict[str, Any]:
    """Compare trainings.

    RUN is a run directory, or the name of one in ./runs. Runs that differ in nothing but their seeds belong together: the table
    has their mean and standard deviation, and the plot their mean with a band from the smallest to the largest.
    """
    from mtjlearn.cli.view.comparison import check_figure, draw, show_comparison
    from mtjlearn.comparison import compare, read_training

    check_figure(out)
    found = compare([read_training(path) for path in _runs(paths)])
    return show_comparison(found) | draw(found, out)


@cli.command(name="export", short_help="Export what trainings recorded, for other programs.")
@click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(_EXPORTS), required=True, help="What to write.")
@click.option(
    "--out",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The file; for tensorboard the folder for the runs' folders. If omitted, it is here, with the run's name.",
)
@command
def export_runs(paths: tuple[Path, ...], kind: Kind, out: Path | None) -> dict[str, Any]:
    """Export what trainings recorded.

    RUN is a run directory, or the name of one in ./runs. csv and parquet are a table with a row for each record of each run.
    tensorboard writes an event file for each run; show them with: tensorboard --logdir PATH.
    """
    from mtjlearn.comparison import read_training
    from mtjlearn.comparison.export import export_runs as write

    unique = {path.resolve(): read_training(path) for path in _runs(paths)}
    runs = list(unique.values())
    name = runs[0].name if len(runs) == 1 else "runs"
    chosen = out or Path("tensorboard" if kind == "tensorboard" else f"{name}.{kind}")
    files = write(runs, kind, chosen)
    print_result(f"{sum(len(run.records) for run in runs):,} records of {len(runs)} runs are in {chosen}")
    return {"to": kind, "runs": [run.path for run in runs], "files": files}


def _runs(paths: tuple[Path, ...]) -> list[Path]:
    """The runs among paths that a shell may have made of runs/*, where plots of several runs are, too."""
    found = [path for path in map(_run, paths) if not path.is_file()]
    if len(found) < len(paths):
        say(f"{len(paths) - len(found)} of {len(paths)} are files, not run directories, and are ignored")
    if not found:
        raise click.UsageError("name run directories; mtjlearn runs lists them")
    return found


def _run(path: Path) -> Path:
    """A run's directory, given by its path or its name in ./runs."""
    return ROOT / path if not path.exists() and (ROOT / path).is_dir() else path


def _show_list(runs: list[RunSummary]) -> None:
    from rich.table import Table

    rows = [
        {
            "run": plain(run.path.name),
            "command": plain(run.command),
            "of": plain(run.name),
            "seed": "" if run.seed is None else str(run.seed),
            "started": plain(_moment(run.started)),
            "state": f"[{_STYLES[run.state]}]{run.state}[/]",
            "result": plain(_outcome(run)),
        }
        for run in runs
    ]
    columns = list(rows[0]) if result_console().width >= _WIDE else ["run", "state", "result"]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column == "seed" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    print_result(table)
    for run in runs:
        for problem in run.problems:
            say(problem)


def _outcome(run: RunSummary) -> str:
    """What a run found, in a few words; of an unfinished training its last loss."""
    found = run.result
    for key, name in (("test_accuracy", "accuracy"), ("test_r2", "R2")):
        values = [
            f"{who} {found[entry]:.3f}"
            for who, entry in ((name, key), ("float", f"reference_{key}"))
            if isinstance(found.get(entry), float)
        ]
        if values:
            return ", ".join(values)
    if "verdict" in found:
        return f"{found['verdict']} source"
    loss = (_last(run.path) or {}).get("loss")
    return f"loss {loss:.4g}" if isinstance(loss, float) else ""


def _show_run(run: RunSummary) -> dict[str, Any]:
    from rich.table import Table

    from mtjlearn.runs import read_config, read_meta

    config, meta = _readable(read_config, run.path), _readable(read_meta, run.path)
    last = _last(run.path)
    files = {file.name: file.stat().st_size for file in sorted(run.path.iterdir()) if _is_shown(file)}
    resume = None
    if run.command in _RESUMABLE and run.state in ("interrupted", "failed") and config is not None:
        resume = f"mtjlearn train --resume {run.path}"
    sections: dict[str, Mapping[str, Any]] = {
        "": {"run": run.path, "state": run.state, "started": run.started, **_more(meta)},
        "asked": config or {},
        "last record": last or {},
        "result": run.result,
        "files": {name: f"{size:,} bytes" for name, size in files.items()},
    }
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for title, content in sections.items():
        for number, (name, value) in enumerate(_flat(content)):
            table.add_row(f"[bold]{title}[/]" if number == 0 else "", plain(name), plain(value))
    print_result(table)
    for problem in run.problems:
        say(problem)
    if resume is not None:
        say(f"resume with: {resume}")
    return {"run": run, "config": config, "meta": meta, "last": last, "files": files, "resume": resume}


def _is_shown(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.name not in _HIDDEN


def _more(meta: dict[str, Any] | None) -> dict[str, Any]:
    return {name: meta[name] for name in ("ended", "error") if meta.get(name)} if meta is not None else {}


def _last(path: Path) -> dict[str, Any] | None:
    """The last record of the board's training."""
    from mtjlearn.runs import read_metrics

    records = _readable(read_metrics, path) or []
    return next((record for record in reversed(records) if "loss" in record), None)


def _readable(read: Callable[[Path], Content], path: Path) -> Content | None:
    """What a file holds; None if it is damaged, which the summary lists as a problem."""
    from mtjlearn.runs import RunError

    try:
        return read(path)
    except RunError:
        return None


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None and value != []:
            yield f"{prefix}{name}", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _moment(started: str) -> str:
    try:
        return f"{datetime.datetime.fromisoformat(started):%Y-%m-%d %H:%M}"
    except ValueError:
        return started
