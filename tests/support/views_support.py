"""What commands print, by lines and columns."""

from __future__ import annotations

from collections.abc import Callable

Told = Callable[[], list[list[str]]]
"""The lines so far, each split into its columns."""
