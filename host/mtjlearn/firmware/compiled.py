"""Finds what was compiled when the package was installed: the native board's program and the firmware as a library."""

from __future__ import annotations

import contextlib
import os
from importlib import metadata
from pathlib import Path

from mtjlearn.errors import UserError


class NotBuiltError(UserError, RuntimeError):
    """A compiled part is missing; the text says how to build it."""


def native_file(name: str) -> Path:
    """The path of a compiled file that was installed with the package.

    The environment variable MTJLEARN_NATIVE names another directory to look in first.

    Raises:
        NotBuiltError: if it is not there.
    """
    places = [Path(os.environ["MTJLEARN_NATIVE"])] if "MTJLEARN_NATIVE" in os.environ else []
    # Where pip put the package: with an editable install that is not where the Python sources are.
    with contextlib.suppress(metadata.PackageNotFoundError):
        places.append(Path(str(metadata.distribution("mtjlearn").locate_file("mtjlearn/_native"))))
    for place in places:
        if (place / name).exists():
            return place / name
    raise NotBuiltError(f"{name} was not built; run `pip install .` in the project's directory (it needs a C compiler)")
