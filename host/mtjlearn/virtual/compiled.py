"""Finds what was compiled: the virtual board's program and the firmware as a library."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import cffi

INPROCESS_LIBRARY = "mtjlearn-inprocess"
"""The library with learner and device."""
_WITHOUT_LIBRARY = (
    "this installation has no {name} library, which needs gcc or clang (on Windows MinGW or LLVM) when mtjlearn is installed; "
    "install such a compiler, then mtjlearn again"
)


class NotBuiltError(RuntimeError):
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
        missing: what to say where it is not there.

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


def library_file(name: str = INPROCESS_LIBRARY) -> Path:
    """The path of a compiled library.

    Raises:
        NotBuiltError: if it is not there.
    """
    return native_file(f"lib{name}.{'dll' if sys.platform == 'win32' else 'so'}", _WITHOUT_LIBRARY.format(name=name))


def is_built(find: Callable[[], Path]) -> bool:
    """Whether a function that looks for a compiled file finds it."""
    try:
        find()
    except NotBuiltError:
        return False
    return True


class Library:
    """The firmware loaded into this process, through its C functions.

    Args:
        definitions: the C declarations that the caller uses.
        name: of the library.
    """

    def __init__(self, definitions: str, name: str = INPROCESS_LIBRARY) -> None:
        self._definitions = definitions
        self._name = name

    @functools.cache  # noqa: B019 (libraries live as long as the process)
    def load(self) -> tuple[Any, Any]:
        """The cffi interface and the opened library.

        Raises:
            NotBuiltError: if the library was not built.
        """
        ffi = cffi.FFI()
        ffi.cdef(self._definitions)
        return ffi, ffi.dlopen(str(library_file(self._name)))
