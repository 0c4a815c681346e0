"""Whole boards as processes of their own, which outlive their hosts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mtjlearn.discovery import VIRTUAL
from mtjlearn.firmware import ToolMissing


@pytest.fixture(scope="session")
def _tools(tool_missing: Callable[[str], None]) -> None:
    """uno-sim and its image are built once; without the tools its tests are skipped."""
    try:
        VIRTUAL["uno-sim"].start().close()
    except ToolMissing as missing:
        tool_missing(str(missing))


@pytest.fixture(params=["native", "uno-sim", pytest.param("micropython", marks=pytest.mark.slow)])
def name(request: pytest.FixtureRequest) -> str:
    """A board with nonvolatile memory, as mtjlearn takes it."""
    if request.param == "uno-sim":
        request.getfixturevalue("_tools")
    return str(request.param)
