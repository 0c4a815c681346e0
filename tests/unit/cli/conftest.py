"""What tests of several commands share."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from views_support import Told

from mtjlearn.cli.view import console


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """``told()``: the lines of the result so far, each split into its columns."""
    wide = Console(file=io.StringIO(), width=400, highlight=False, emoji=False)
    monkeypatch.setattr(console, "_results", lambda: wide)

    def lines() -> list[list[str]]:
        assert isinstance(wide.file, io.StringIO)
        return [re.split(r"\s{2,}", line.strip()) for line in wide.file.getvalue().splitlines()]

    return lines
