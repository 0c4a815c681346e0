"""Loads a compiled part of the firmware into this process."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import cffi

from mtjlearn.firmware.compiled import native_file

INPROCESS_LIBRARY = "mtjlearn-inprocess"
"""The library with learner and device."""
_MISSING = (
    "this installation has no {name} library, which needs gcc or clang (on Windows MinGW or LLVM) when mtjlearn is installed; "
    "install such a compiler, then mtjlearn again"
)


def library_file(name: str = INPROCESS_LIBRARY) -> Path:
    """The path of a compiled library.

    Raises:
        NotBuiltError: if it is not there.
    """
    return native_file(f"lib{name}.{'dll' if sys.platform == 'win32' else 'so'}", _MISSING.format(name=name))


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
