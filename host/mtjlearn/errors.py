"""Errors that a user can fix: the text is one line that says what to do."""

from __future__ import annotations

import shlex
import sys


class UserError(Exception):
    """Shown without a traceback by the command line."""


class BoardError(UserError):
    """Anything that goes wrong with a board, its firmware or its tools; catch this to catch them all."""


def install_extra(name: str) -> str:
    """The command that installs an optional part of mtjlearn: with this Python's own pip, not the first on the PATH."""
    return f"{shlex.quote(sys.executable)} -m pip install 'mtjlearn[{name}]'"
