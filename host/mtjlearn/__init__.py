"""Neural networks that learn on a microcontroller from physical noise: the host side."""

from __future__ import annotations

import importlib.metadata
import sys

from mtjlearn.moved import Moved

__version__ = importlib.metadata.version("mtjlearn")

sys.meta_path.append(Moved())
