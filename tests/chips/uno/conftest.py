"""The tools that all tests of the Uno's firmware need."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mtjlearn.firmware import ToolMissing, build_simulator, find_avr_gcc


@pytest.fixture(scope="package", autouse=True)
def tools(tool_missing: Callable[[str], None]) -> None:
    """Without compiler or simulator the tests of this folder are skipped."""
    try:
        find_avr_gcc()
        build_simulator("uno")
    except ToolMissing as missing:
        tool_missing(str(missing))
