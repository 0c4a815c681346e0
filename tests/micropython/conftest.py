"""The interpreters of MicroPython, each with the firmware's sources in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from micropython_support import Interpreter, node_interpreter, unix_interpreter
from stepped_support import SteppedDevice, Stepper


@pytest.fixture(scope="session")
def interpreters(tmp_path_factory: pytest.TempPathFactory, tool_missing: Callable[[str], NoReturn]) -> Callable[[str], Interpreter]:
    """``interpreters(name)``: viper, bytecode or node; the test is skipped where it is missing."""
    found: dict[str, Interpreter | str] = {}

    def get(name: str) -> Interpreter:
        if name not in found:
            folder = tmp_path_factory.mktemp(name)
            if name == "node":
                found[name] = node_interpreter(folder, tmp_path_factory.mktemp("npm"))
            else:
                found[name] = unix_interpreter(folder, viper=name == "viper")
        interpreter = found[name]
        if isinstance(interpreter, str):
            tool_missing(interpreter)
        return interpreter

    return get


@pytest.fixture(scope="session")
def stepper(tmp_path_factory: pytest.TempPathFactory, tool_missing: Callable[[str], NoReturn]) -> Iterator[Stepper]:
    """The process in which each SteppedDevice is."""
    try:
        process = Stepper(tmp_path_factory.mktemp("stepped"))
    except LookupError as missing:
        tool_missing(str(missing))
    SteppedDevice.stepper = process
    yield process
    process.close()
