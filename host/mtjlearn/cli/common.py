"""What all commands share: options, progress bars, errors in one line with exit code 2, and the JSON line at the end."""

from __future__ import annotations

import errno
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from mtjlearn import interruption
from mtjlearn.bench.limits import CHIPS as SIMULATED
from mtjlearn.board import BoardError
from mtjlearn.datasets import DatasetError
from mtjlearn.discovery import VIRTUAL, board_options, default_virtual_board
from mtjlearn.fixedpoint import NoiseError
from mtjlearn.interruption import EXIT_INTERRUPTED as EXIT_INTERRUPTED
from mtjlearn.network import NetworkError
from mtjlearn.noise import RecordingError
from mtjlearn.runs import RunError
from mtjlearn.runs.storage import describe, plain
from mtjlearn.virtual.compiled import NotBuiltError

EXPECTED = (
    *(BoardError, DatasetError, NetworkError, NoiseError, NotBuiltError, RecordingError, RunError),
    click.UsageError,
)
"""What a user can mend: told in one line."""
EXIT_UNPROVEN = 1
EXIT_USAGE = 2

_EXIT = "mtjlearn.exit"
_AS_JSON = "mtjlearn.json"

Function = TypeVar("Function", bound=Callable[..., Any])

_COMMANDS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


class _PlainConsole(Console):
    """Prints text that others wrote (names of boards and files, what a file holds) without the commands that a terminal obeys."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(text.translate(_COMMANDS), **how)


console = _PlainConsole(stderr=True, highlight=False, emoji=False)
"""Progress, advice and errors: standard error, so that standard output is the result alone."""
_results = _PlainConsole(highlight=False, emoji=False)


def board_option(function: Function) -> Function:
    """``--board``."""
    return click.option(
        "--board",
        metavar="NAME",
        help="A virtual board (native, inprocess, uno-sim or m4-sim), a port such as /dev/ttyACM0 or COM3, or a URL such as "
        "socket://127.0.0.1:4000; /dev/ttyACM0@115200 if it was flashed with --baud 115200; left out: the only board connected.",
    )(function)


def seed_option(function: Function) -> Function:
    """``--seed``."""
    return click.option(
        "--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Fixes everything random."
    )(function)


def runs_option(function: Function) -> Function:
    """``--runs``."""
    return click.option(
        "--runs",
        "root",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Directory of run directories.",
    )(function)


def columns_options(function: Function) -> Function:
    """``--drop`` and ``--features``, for files."""
    drop = click.option("--drop", metavar="COLUMN", multiple=True, help="Not an input: a name or number, or several as a,b,c.")
    features = click.option("--features", metavar="COLUMN", multiple=True, help="The inputs; all other columns are left out.")
    return drop(features(function))


def device_noise_options(function: Function) -> Function:
    """``--device-noise`` and ``--preset``, for virtual boards."""
    noise = click.option(
        "--device-noise",
        type=click.Choice(["smtj", "gaussian", "bernoulli"]),
        help="Noise at a virtual board's converter; smtj unless given.",
    )
    preset = click.option(
        "--preset",
        type=click.Choice(["recording", "bench"]),
        help="Voltages of a virtual board's junction: the paper's recording (36 and 48 mV) or its bench (96 and 187 mV).",
    )
    return noise(preset(function))


def virtual_options(board: str | None, **values: Any) -> dict[str, Any]:
    """Options of a virtual board that were given.

    Raises:
        click.UsageError: if one was given for a real board, or for a virtual one that does not have it.
    """
    given = {name: value for name, value in values.items() if value is not None}
    strange = next((name.replace("_", "-") for name in given if name not in board_options(board)), None)
    if strange is not None and board in VIRTUAL:
        raise click.UsageError(f"{board} has no --{strange}; leave it out")
    if strange is not None:
        usual = default_virtual_board()
        raise click.UsageError(f"--{strange} sets up a virtual board; leave it out, or use a virtual one, such as --board {usual}")
    return given


def refuse_what_ends(name: str | None) -> None:
    """For commands whose work is to outlive them.

    Raises:
        click.UsageError: the board is a virtual one that this command would start and end.
    """
    if name not in VIRTUAL:
        return
    if VIRTUAL[name].process:
        stays = f"start one that stays, in another terminal: mtjlearn boards start {name}, then use the --board that it prints"
    else:
        stays = "use a real board, or one that mtjlearn boards start prints"
    raise click.UsageError(f"{name} starts and ends with this command; {stays}")


def command(function: Callable[..., Mapping[str, Any] | None]) -> Callable[..., None]:
    """Adds ``--json`` to a command that returns its result, and turns expected errors into one line and exit code 2."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line of standard output.")
    @functools.wraps(function)
    def run(as_json: bool, **options: Any) -> None:
        click.get_current_context().meta[_AS_JSON] = as_json
        with interruption.deferred():
            try:
                result = function(**options)
            except EXPECTED as error:
                # Ctrl-C at a terminal reaches the programs that were started, too, and their end is no fault of theirs.
                if interruption.asked():
                    _fail("interrupted", EXIT_INTERRUPTED, as_json)
                _fail(str(error), EXIT_USAGE, as_json)
            except OSError as error:
                if error.errno == errno.EPIPE:
                    raise
                _fail(_system(error), EXIT_USAGE, as_json)
            except KeyboardInterrupt as interrupt:
                _fail(str(interrupt) or "interrupted", EXIT_INTERRUPTED, as_json)
            if as_json:
                _print_json(plain(result or {}))
        code = click.get_current_context().meta.get(_EXIT, 0)
        if code:
            sys.exit(code)

    return run


def exit_with(code: int) -> None:
    """Makes the running command end with this exit code, after its result was printed."""
    click.get_current_context().meta[_EXIT] = code


def _fail(text: str, code: int, as_json: bool) -> None:
    console.print(f"[bold red]mtjlearn:[/] {escape(text)}", soft_wrap=True)
    if as_json:
        _print_json({"error": text})
    sys.exit(code)


def _print_json(result: Any) -> None:
    """The last line of standard output, which may be a file on a full disk."""
    try:
        click.echo(json.dumps(result, allow_nan=False))
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        console.print(f"[bold red]mtjlearn:[/] {escape(describe(Path('standard output'), error))}", soft_wrap=True)
        # What could not be written must not be tried again at exit, which would end in a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_USAGE)


def _system(error: OSError) -> str:
    """What the system refused, where nothing closer to it has said so."""
    if error.filename is not None:
        return describe(Path(os.fsdecode(error.filename)), error)
    return f"{error.strerror or error}; make room on the disk if it is full, and try again"


def line_rate(board: str | None, rate: float) -> str:
    """Samples a second over the line, end to end, by this computer's clock: of a simulated chip not the chip's own."""
    if board in SIMULATED:
        return f"{rate:,.0f} samples/s of the simulator, as fast as this computer goes; mtjlearn bench tells the chip's"
    return f"{rate:,.0f} samples/s over the line"


def say(text: str) -> None:
    """One line for the person at the terminal."""
    console.print(escape(text), soft_wrap=True)


def result_console() -> Console:
    """Where results for people go: standard output, or standard error with ``--json``."""
    context = click.get_current_context(silent=True)
    return console if context is not None and context.meta.get(_AS_JSON) else _results


def print_result(what: str | Table) -> None:
    """A line or a table of the result."""
    result_console().print(escape(what) if isinstance(what, str) else what, soft_wrap=isinstance(what, str))


class Bar:
    """One line of progress."""

    def __init__(self, progress: Progress, text: str) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=None, note="")

    def update(self, done: float, total: float, note: str = "") -> None:
        """Sets what is done, of how much, and a note behind the bar. Work may be interrupted here."""
        interruption.check()
        self._progress.update(self._task, completed=done, total=total, note=escape(note))


@contextmanager
def bar(text: str) -> Iterator[Bar]:
    """A progress bar; nothing moves where standard error is no terminal."""
    columns = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield Bar(progress, text)
