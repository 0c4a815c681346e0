"""The browser of these tests, and a lab for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from lab import MISSING, Lab, find_browser, launch


@pytest.fixture(scope="module")
def browser(tool_missing: Callable[[str], NoReturn]) -> Iterator[Any]:
    """Not for the session: while it is open an event loop runs in this thread, and other modules' tests start their own."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        tool_missing(f"playwright is not installed: {MISSING}")
    path = find_browser()
    if path is None:
        tool_missing(f"there is no Chromium: {MISSING}")
    with sync_playwright() as playwright:
        opened = launch(playwright, path)
        yield opened
        opened.close()


@pytest.fixture
def lab(tmp_path: Path, browser: Any) -> Iterator[Lab]:
    with Lab(tmp_path, browser) as made:
        yield made
    assert made.problems == []
