"""How runs next to each other are shown: a table of groups, and where their curves are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.console import plain, print_result
from mtjlearn.cli.view.options import FIGURES

if TYPE_CHECKING:
    from mtjlearn.comparison import Comparison, Group, Spread

_COLUMNS = {
    "loss": "loss",
    "test_accuracy": "test accuracy",
    "test_r2": "test R2",
    "reference_loss": "float loss",
    "reference_test_accuracy": "float accuracy",
    "reference_test_r2": "float R2",
}


def show_comparison(comparison: Comparison) -> dict[str, Any]:
    """Prints the table; what of it belongs to the result in JSON."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    shown = [name for name in _COLUMNS if any(name in group.numbers for group in comparison.groups)]
    for number, column in enumerate(("runs of", "seeds", "steps", *(_COLUMNS[name] for name in shown))):
        table.add_column(column, justify="right" if number > 1 else "left", overflow="fold")
    for group in comparison.groups:
        cells = [_text(group.numbers.get(name)) for name in shown]
        table.add_row(*map(plain, (group.label, _seeds(group), _steps(group), *cells)))
    print_result(table)
    if any(len(group.runs) > 1 for group in comparison.groups):
        print_result("mean and standard deviation of the seeds; --json has smallest and largest, too")
    return {
        "groups": [
            {
                "label": group.label,
                "runs": group.runs,
                "seeds": group.seeds,
                "states": group.states,
                "settings": {name: values[place] for name, values in comparison.different.items()},
                "numbers": group.numbers,
            }
            for place, group in enumerate(comparison.groups)
        ]
    }


def check_figure(out: Path | None) -> None:
    """Refuses a figure that cannot be written, before anything is read.

    Raises:
        click.UsageError: its suffix is not a figure's.
    """
    if out is not None and out.suffix.lower() not in FIGURES:
        raise click.UsageError(f"--out {out}: figures are {', '.join(FIGURES[:-1])} or {FIGURES[-1]}; name it so")


def draw(comparison: Comparison, out: Path | None) -> dict[str, Any]:
    """Draws the curves, if a file was named; what of it belongs to the result in JSON.

    Raises:
        RunError: it cannot be written.
    """
    if out is None:
        return {"plot": None}
    from mtjlearn.comparison.plot import draw_comparison
    from mtjlearn.runs import RunError
    from mtjlearn.runs.storage import describe

    try:
        draw_comparison(comparison, out)
    except OSError as error:
        raise RunError(describe(out, error)) from None
    print_result(f"plotted: {out}")
    return {"plot": out}


def _seeds(group: Group) -> str:
    """The seeds, those that follow each other as 0-9."""
    parts: list[list[int]] = []
    for seed in group.seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    unfinished = sum(state != "finished" for state in group.states)
    text = ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts)
    return text + (f" ({unfinished} not finished)" if unfinished else "")


def _steps(group: Group) -> str:
    steps = group.numbers.get("steps")
    if steps is None:
        return ""
    return f"{steps.high:,.0f}" if steps.low == steps.high else f"{steps.low:,.0f} to {steps.high:,.0f}"


def _text(spread: Spread | None) -> str:
    if spread is None:
        return ""
    if spread.runs == 1:
        return f"{spread.mean:.4g}"
    return f"{spread.mean:.3g} +- {spread.deviation:.1g}"
