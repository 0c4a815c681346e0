"""Where the firmware's sources are, and the build ids that say in which state they are."""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

from mtjlearn.firmware.compilers import FirmwareError


@functools.cache
def firmware_root() -> Path:
    """The directory with ``platformio.ini`` and ``firmware/``: a checkout's, or the copy inside an installed package.

    Raises:
        FirmwareError: if there is neither.
    """
    package = Path(__file__).resolve().parents[1]
    for root in (package.parent.parent, package / "_firmware"):
        if (root / "platformio.ini").is_file() and (root / "firmware" / "src").is_dir():
            return root
    raise FirmwareError("the firmware's sources are missing; install mtjlearn again, or work in a checkout of the project")


def build_id(root: Path, board: str) -> str:
    """The build id of the sources of a folder in firmware/boards (firmware/build_id.py)."""
    return str(_script(root)["build_id"](board))


def build_ids(root: Path) -> dict[str, str]:
    """The build ids of all of them, by the folder's name."""
    script = _script(root)
    return {folder: script["build_id"](folder) for folder in script["boards"]()}


def sources_of_build(build: str) -> str | None:
    """The folder of firmware/boards that a build id belongs to; None: it was built from other sources than those here."""
    return next((folder for folder, found in build_ids(firmware_root()).items() if found == build), None)


def _script(root: Path) -> dict[str, Any]:
    return runpy.run_path(str(root / "firmware" / "build_id.py"))
