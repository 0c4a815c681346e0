"""What unit tests of several subjects share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
