"""The images that an installed package carries, so that flashing an Uno or a Nano needs no compiler.

They are built before the package is (mtjlearn.flashing.write_images); a checkout has none, and flash builds from its sources.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjlearn.firmware import firmware_root
from mtjlearn.firmware.compiled import installed_path
from mtjlearn.flashing.platformio import Sizes
from mtjlearn.flashing.targets import Target

LIST = "images.json"
"""The list of images: environment of platformio.ini to file, build id and sizes."""


@dataclass(frozen=True)
class Image:
    """An image that the package carries, and how its board's bootloader takes it.

    Args:
        path: Intel hex file.
        sizes: bytes that it uses.
        chip: as avrdude calls it.
        protocol: the bootloader's, as avrdude calls it.
        baud: of the bootloader.
    """

    path: Path
    sizes: Sizes
    chip: str
    protocol: str
    baud: int


def images_folder() -> Path | None:
    """Where the package carries its images; None: it carries none."""
    folder = installed_path("_images")
    return folder if folder is not None and (folder / LIST).is_file() else None


def find_image(target: Target, build: str) -> Image | None:
    """The image that the package carries for a target.

    Args:
        target: what is to be flashed.
        build: build id of the sources; an image of others is none.
    """
    folder = images_folder()
    if folder is None:
        return None
    entry = json.loads((folder / LIST).read_text(encoding="utf-8")).get(target.name)
    if entry is None or entry["build"] != build:
        return None
    board = _board(target)
    upload = board["upload"]
    sizes = Sizes(entry["flash"], upload["maximum_size"], entry["ram"], upload["maximum_ram_size"])
    return Image(folder / entry["file"], sizes, board["build"]["mcu"], upload["protocol"], upload["speed"])


def _board(target: Target) -> dict[str, Any]:
    """PlatformIO's description of the board."""
    file = firmware_root() / "firmware" / "platformio" / "platforms" / "atmelavr" / "boards" / f"{target.board}.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))
