"""Uploads an image with avrdude: the system's own, or the one that PlatformIO has fetched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mtjlearn.flashing.failures import FlashError
from mtjlearn.flashing.images import Image


def find_avrdude() -> list[str]:
    """The command that runs avrdude: on the PATH, else in PlatformIO's packages.

    Raises:
        FlashError: if there is none.
    """
    if program := shutil.which("avrdude"):
        return [program]
    core = Path(os.environ.get("PLATFORMIO_CORE_DIR", Path.home() / ".platformio"))
    package = core / "packages" / "tool-avrdude"
    if program := shutil.which("avrdude", path=os.pathsep.join([str(package / "bin"), str(package)])):
        return [program, "-C", str(package / "avrdude.conf")]
    raise FlashError(
        "avrdude is missing; install it (Debian, Ubuntu: apt-get install avrdude; macOS: brew install avrdude; Windows: "
        "winget install AVRDudes.AVRDUDE), or let PlatformIO fetch it, build and upload with --build"
    )


def upload_command(image: Image, port: str) -> list[str]:
    """The command that puts an image onto the board at a port.

    Raises:
        FlashError: avrdude is missing.
    """
    chip = ["-p", image.chip, "-c", image.protocol, "-b", str(image.baud), "-D", "-P", port]
    return [*find_avrdude(), *chip, "-U", f"flash:w:{image.path}:i"]
