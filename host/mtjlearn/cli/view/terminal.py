"""A terminal that obeys nobody but this program."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

_COMMANDS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


class PlainConsole(Console):
    """Prints text that others wrote (names of boards and files, what a file holds) without the commands that a terminal obeys."""

    def render_str(self, text: str, **how: Any) -> Text:
        """See :class:`rich.console.Console`."""
        return super().render_str(text.translate(_COMMANDS), **how)
