"""What the tests of m4-sim need: QEMU and the compilers, or they are skipped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mtjlearn.firmware import ToolMissing
from mtjlearn.virtual.m4_sim import start_m4_sim


@pytest.fixture(scope="session", autouse=True)
def _tools(tool_missing: Callable[[str], None]) -> None:
    """Everything is built and starts once."""
    try:
        start_m4_sim().close()
    except ToolMissing as missing:
        tool_missing(str(missing))
