"""Neural networks that learn on a microcontroller from physical noise: the host side."""

from __future__ import annotations

import importlib.metadata

__version__ = importlib.metadata.version("mtjlearn")
