"""How the results of a sweep or a search are shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtjlearn.cli.view.console import plain, print_result
from mtjlearn.cli.view.sweeping import command_of

if TYPE_CHECKING:
    from mtjlearn.sweeps import Results

_SHOWN = 5
"""Best points that are listed."""


def show_best(found: Results, objective: str, settings: Mapping[str, Any], *, maximise: bool) -> list[dict[str, Any]]:
    """Lists the best points with the spread over their seeds, and the command that repeats the best one.

    Returns:
        The listed points: their parameters, mean, smallest and largest value, runs and command.
    """
    from rich.table import Table

    from mtjlearn.sweeps.points import SEED
    from mtjlearn.sweeps.search_files import TRIAL
    from mtjlearn.sweeps.slices import ranked, text_of

    rows = []
    for setting in ranked(found, objective, maximise=maximise)[:_SHOWN]:
        if not setting.values.size:
            continue
        first = next(row for row in found.rows if all(row[name] == value for name, value in setting.parameters.items()))
        point = {name: value for name, value in setting.parameters.items() if name != TRIAL}
        values = {"mean": setting.mean, "low": setting.values.min(), "high": setting.values.max()}
        command = command_of(settings, {**point, SEED: first[SEED]})
        rows.append({"parameters": setting.parameters, **values, "runs": setting.values.size, "command": command})
    if not rows:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in (*rows[0]["parameters"], f"mean {objective}", "low", "high", "runs"):
        table.add_column(plain(name), justify="right")
    for row in rows:
        numbers = [f"{row[name]:.4g}" for name in ("mean", "low", "high")]
        table.add_row(*(plain(text_of(value)) for value in row["parameters"].values()), *numbers, str(row["runs"]))
    print_result(table)
    print_result(f"repeat the best with curves and plots: {rows[0]['command']}")
    return rows


def read_any(directory: Path) -> tuple[Results, str | None, bool | None]:
    """Results of a sweep or a search so far, and the number that a search looks at with its direction.

    Raises:
        SweepError: the directory holds neither, or it is damaged.
    """
    from mtjlearn.sweeps import read_results
    from mtjlearn.sweeps.search import read_trials
    from mtjlearn.sweeps.search_files import SEARCH

    if not (directory / SEARCH).exists():
        return read_results(directory), None, None
    found, search = read_trials(directory)
    return found, search.objective, search.maximise
