"""The tools that all tests of the Uno's firmware need."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtjlearn.firmware import ToolMissing, build_simulator, find_avr_gcc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))


@pytest.fixture(scope="package", autouse=True)
def tools(tool_missing: Callable[[str], None]) -> None:
    """Without compiler or simulator the tests of this folder are skipped."""
    try:
        find_avr_gcc()
        build_simulator("uno")
    except ToolMissing as missing:
        tool_missing(str(missing))
