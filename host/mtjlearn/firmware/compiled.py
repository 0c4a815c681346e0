"""Finds what was compiled when the package was installed: the native board's program and the firmware as a library."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from mtjlearn.errors import UserError


class NotBuiltError(UserError, RuntimeError):
    """A compiled part is missing; the text says how to build it."""


def installed_path(name: str) -> Path | None:
    """Where pip put a part of the package: with an editable install that is not where the Python sources are.

    Args:
        name: below the package's folder.

    Returns:
        The path, which need not exist, or None if pip does not know the package.
    """
    with contextlib.suppress(metadata.PackageNotFoundError):
        return Path(str(metadata.distribution("mtjlearn").locate_file(f"mtjlearn/{name}")))
    return None


def native_file(name: str, missing: str) -> Path:
    """The path of a compiled file that was installed with the package.

    The environment variable MTJLEARN_NATIVE names another directory to look in first.

    Args:
        name: of the file.
        missing: the error's text if it is not there.

    Raises:
        NotBuiltError: if it is not there.
    """
    places = [Path(os.environ["MTJLEARN_NATIVE"])] if "MTJLEARN_NATIVE" in os.environ else []
    if installed := installed_path("_native"):
        places.append(installed)
    for place in places:
        if (place / name).exists():
            return place / name
    raise NotBuiltError(missing)


def is_built(find: Callable[[], Path]) -> bool:
    """Whether a function that looks for a compiled file finds it."""
    try:
        find()
    except NotBuiltError:
        return False
    return True
