"""Loads a compiled part of the firmware into this process."""

from __future__ import annotations

import functools
from typing import Any

import cffi

from mtjlearn.firmware.compiled import native_file


class Library:
    """The firmware loaded into this process, through its C functions.

    Args:
        definitions: the C declarations that the caller uses.
        name: of the library.
    """

    def __init__(self, definitions: str, name: str = "mtjlearn-inprocess") -> None:
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
        return ffi, ffi.dlopen(str(native_file(f"lib{self._name}.so")))
