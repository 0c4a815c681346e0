"""The command ``mtjlearn``. Every module here is a command; ``view`` is what commands show with.

Shells and people ask for --help often, so a command's module imports what it works with when it runs.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any

import click

_FIRST = (
    *("demo", "train", "predict", "show", "export", "sweep", "autonomous", "checkpoint", "validate", "boards", "flash", "noise"),
    *("dashboard", "bench", "experiment", "reproduce", "runs", "log"),
)
"""The order in which they are listed; others follow by name."""


def commands() -> list[str]:
    """Names of all commands."""
    found = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    return sorted(found, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))


class _Commands(click.Group):
    """The modules of this package: adding one adds a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return commands()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in commands():
            return None
        found: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").cli
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Mistakes in options are reported as all others are: in one line, with exit code 2."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            path = (error.ctx or ctx).command_path
            text = " ".join(error.format_message().split()).rstrip(".")
            click.echo(f"mtjlearn: {text}; see {path} --help", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mtjlearn", prog_name="mtjlearn")
def main() -> None:
    """Neural networks that learn on a microcontroller from physical noise.

    Every command has --help. Without hardware, use --board native: the same firmware as a process on this computer.
    """
