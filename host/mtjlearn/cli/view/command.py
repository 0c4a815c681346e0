"""What every command does: errors in one line with exit code 2, and with ``--json`` the result in one line at the end."""

from __future__ import annotations

import errno
import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from mtjlearn import interruption
from mtjlearn.cli.view.console import AS_JSON, complain
from mtjlearn.errors import UserError
from mtjlearn.interruption import EXIT_INTERRUPTED as EXIT_INTERRUPTED

EXIT_UNPROVEN = 1
EXIT_USAGE = 2

_EXIT = "mtjlearn.exit"


def command(function: Callable[..., Mapping[str, Any] | None]) -> Callable[..., None]:
    """Adds ``--json`` to a command that returns its result, and turns expected errors into one line and exit code 2."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line of standard output.")
    @functools.wraps(function)
    def run(as_json: bool, **options: Any) -> None:
        click.get_current_context().meta[AS_JSON] = as_json
        with interruption.deferred():
            try:
                result = function(**options)
            except (UserError, click.UsageError) as error:
                # Ctrl-C at a terminal reaches the programs that were started, too, and their end is not a fault of theirs.
                if interruption.asked():
                    _fail("interrupted", EXIT_INTERRUPTED, as_json)
                _fail(str(error), EXIT_USAGE, as_json)
            except OSError as error:
                if error.errno == errno.EPIPE:
                    raise
                _fail(_system(error), EXIT_USAGE, as_json)
            except UnicodeEncodeError as error:
                unknown = ascii(error.object[error.start : error.end])
                _fail(
                    f"standard output is {error.encoding} and cannot show {unknown}; set PYTHONUTF8=1, or write a file",
                    EXIT_USAGE,
                    as_json,
                )
            except KeyboardInterrupt as interrupt:
                _fail(str(interrupt) or "interrupted", EXIT_INTERRUPTED, as_json)
            if as_json:
                from mtjlearn.runs.storage import plain

                _print_json(plain(result or {}))
        code = click.get_current_context().meta.get(_EXIT, 0)
        if code:
            sys.exit(code)

    return run


def exit_with(code: int) -> None:
    """Makes the running command end with this exit code, after its result was printed."""
    click.get_current_context().meta[_EXIT] = code


def _fail(text: str, code: int, as_json: bool) -> None:
    complain(text)
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
        complain(_unwritten(Path("standard output"), error))
        # What could not be written must not be tried again at exit, which would end in a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_USAGE)


def _system(error: OSError) -> str:
    """What the system refused, where nothing closer to it has said so."""
    if error.filename is not None:
        return _unwritten(Path(os.fsdecode(error.filename)), error)
    return f"{error.strerror or error}; make room on the disk if it is full, and try again"


def _unwritten(path: Path, error: OSError) -> str:
    from mtjlearn.runs.storage import describe

    return describe(path, error)
