"""Neural networks that learn on a microcontroller from physical noise: the host side."""

from __future__ import annotations

import sys

from mtjlearn.moved import Moved

sys.meta_path.append(Moved())


def __getattr__(name: str) -> str:
    """``__version__``, looked up when it is asked for: that takes longer than all of --help."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("mtjlearn")
