"""The command ``mtjlearn``."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from mtjlearn import __version__

_COMMANDS = {
    "demo": "Show everything in a minute: a virtual board learns iris from its noise.",
    "train": "Train a dataset on a board, and the float reference beside it.",
    "autonomous": "Let a board learn on its own: start, status, watch, stop.",
    "checkpoint": "Save, load or show a board's checkpoint.",
    "validate": "Prove a board bit for bit, and the integers against floats.",
    "boards": "List boards, tell what one is, or start a virtual one that stays.",
    "flash": "Build the firmware and put it onto a board.",
    "noise": "Record a board's noise and characterise it.",
    "bench": "Measure steps and samples per second.",
    "experiment": "Repeat an experiment of the documentation.",
    "runs": "List run directories, or show one.",
    "log": "Decode or replay the raw log of a link.",
}


class _Lazy(click.Group):
    """Imports a command when it is used: plots and scikit-learn take a second that --help need not pay."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"mtjlearn.cli.{cmd_name}")
        found: click.Command = module.cli
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Mistakes in options are told as all others are: in one line, with exit code 2."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            path = (error.ctx or ctx).command_path
            click.echo(f"mtjlearn: {error.format_message().rstrip('.')}; see {path} --help", err=True)
            sys.exit(2)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mtjlearn")
def main() -> None:
    """Neural networks that learn on a microcontroller from physical noise.

    Every command takes --help. Without hardware, use --board native: the same firmware as a process on this computer.
    """
