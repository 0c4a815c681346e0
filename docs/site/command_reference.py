"""Writes the reference of the commands into docs/reference/cli.md: what their --help says, as Markdown.

The page has a line ``<!-- commands -->``, which this replaces when Sphinx reads the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

PAGE = "docs/reference/cli"
MARK = "<!-- commands -->"
_OPTION = re.compile(r"(?<![\w`-])--?[a-z][\w-]*")
_MARKUP = re.compile(r"([<\\*_|\[\]])")


def reference(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    """The lines of a command's section, and of those of its subcommands.

    Args:
        command: the command.
        name: what it is called below its parent.
        parent: the context of the group that it belongs to; None: it is called by itself.
    """
    context = click.Context(command, parent, name, **command.context_settings)
    if parent is not None:
        yield from (f"{'#' * (1 + context.command_path.count(' '))} {context.command_path}", "")
    yield from (_text(cleandoc(command.help or "").partition("\f")[0]), "")
    yield from ("```text", " ".join([context.command_path, *command.collect_usage_pieces(context)]), "```", "")
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from reference(found, inner, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [record for parameter in command.params if (record := parameter.get_help_record(context)) and record[1]]
    if records:
        yield from ("| option | what it does |", "|---|---|")
        for names, said in records:
            name = names.replace("|", "\\|")
            yield f"| `{name}` | {_text(' '.join(said.split()))} |"
        yield ""


def _text(text: str) -> str:
    """Plain text as Markdown, with options in the type of code."""
    pieces = re.split(f"({_OPTION.pattern})", text)
    return "".join(f"`{piece}`" if number % 2 else _MARKUP.sub(r"\\\1", piece) for number, piece in enumerate(pieces))


def _write(app: Any, docname: str, source: list[str]) -> None:
    if docname == PAGE:
        from mtjlearn.cli import __file__ as package
        from mtjlearn.cli import main

        for path in Path(package).parent.rglob("*.py"):
            app.env.note_dependency(str(path), docname=docname)
        source[0] = source[0].replace(MARK, "\n".join(reference(main, "mtjlearn")))


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("source-read", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
