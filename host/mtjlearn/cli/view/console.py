"""Where commands write: results to standard output, progress, advice and errors to standard error.

The terminal's library is imported with the first line, which --help does not need.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mtjlearn import interruption

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

AS_JSON = "mtjlearn.json"
"""Of a command's context: whether its result goes to standard output as one JSON object, alone."""


@functools.cache
def console() -> Console:
    """Standard error: progress, advice and errors, so that standard output is the result alone."""
    from mtjlearn.cli.view.terminal import PlainConsole

    return PlainConsole(stderr=True, highlight=False, emoji=False)


@functools.cache
def _results() -> Console:
    from mtjlearn.cli.view.terminal import PlainConsole

    return PlainConsole(highlight=False, emoji=False)


def result_console() -> Console:
    """Where results for people go: standard output, or standard error with ``--json``."""
    context = click.get_current_context(silent=True)
    return console() if context is not None and context.meta.get(AS_JSON) else _results()


def plain(text: str) -> str:
    """Text that stands as it is, whatever it holds."""
    from rich.markup import escape

    return escape(text)


def say(text: str) -> None:
    """One line for the person at the terminal."""
    console().print(plain(text), soft_wrap=True)


def complain(text: str) -> None:
    """The line that says what went wrong."""
    console().print(f"[bold red]mtjlearn:[/] {plain(text)}", soft_wrap=True)


def print_result(what: str | Table) -> None:
    """A line or a table of the result."""
    result_console().print(plain(what) if isinstance(what, str) else what, soft_wrap=isinstance(what, str))


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """A result in two columns: what it is, and its value."""
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for what, value in rows:
        table.add_row(plain(what), plain(value))
    print_result(table)


class Bar:
    """One line of progress."""

    def __init__(self, progress: Progress, text: str) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=None, note="")

    def update(self, done: float, total: float | None, note: str = "") -> None:
        """Sets what is done, of how much (None: unknown), and a note behind the bar. Work may be interrupted here."""
        interruption.check()
        self._progress.update(self._task, completed=done, total=total, note=plain(note))


@contextmanager
def bar(text: str) -> Iterator[Bar]:
    """A progress bar; nothing moves where standard error is not a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console(), disable=not console().is_terminal, transient=True) as progress:
        yield Bar(progress, text)
