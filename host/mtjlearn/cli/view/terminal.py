"""A terminal that obeys nobody but this program."""

from __future__ import annotations

from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

COMMANDS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
"""Characters that a terminal would obey, and what is shown for them."""


class PlainConsole(Console):
    """Prints text that others wrote (names of boards and files, what a file holds) without the commands that a terminal obeys."""

    def render_str(self, text: str, **how: Any) -> Text:
        """See :class:`rich.console.Console`."""
        return super().render_str(text.translate(COMMANDS), **how)


class ShownText:
    """A stream that shows text from files: at a terminal without the commands that it obeys, elsewhere exactly.

    Args:
        stream: where the text goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._obeys = stream.isatty()

    def write(self, text: str) -> int:
        """See :class:`typing.TextIO`."""
        return self._stream.write(text.translate(COMMANDS) if self._obeys else text)
