"""What the tests of the learner on a Cortex-M need: QEMU and the compiler, or they are skipped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qemu_support import CHIPS, Chip


@pytest.fixture(scope="session", autouse=True)
def _tools(needs_tool: Callable[[str, str], str]) -> None:
    needs_tool("qemu-system-arm", "qemu-system-arm")
    needs_tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")


@pytest.fixture(scope="module")
def chip(request: pytest.FixtureRequest) -> Chip:
    return CHIPS[request.param]
