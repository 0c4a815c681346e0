"""Where things are, so that a test may move without counting folders."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PROJECT = TESTS.parent
CASES = TESTS / "cases" / "data"
VECTORS = PROJECT / "shared" / "vectors"
