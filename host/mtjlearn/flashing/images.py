"""The images that the package carries, so that flashing an Uno or a Nano needs no compiler.

They are built before the package is; a checkout has none, and flash builds from its sources::

    python -m mtjlearn.flashing.images FOLDER

writes each image as an Intel hex file, and a list of them with their build ids.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjlearn.firmware import build_firmware, compiler_version, find_avr_gcc, firmware_root
from mtjlearn.flashing.platformio import Sizes
from mtjlearn.flashing.targets import Target, build_ids, list_targets
from mtjlearn.targets import UNO_IMAGES
from mtjlearn.virtual.compiled import installed_path

LIST = "images.json"
_SAME = {"nano_old": "nano"}
"""Environments whose image is another's: only the bootloader behind it differs."""
_CARRIED = (*UNO_IMAGES, *_SAME)
_SECTION = re.compile(r"^\.(\w+)\s+(\d+)", re.MULTILINE)
_FLASH, _RAM = {"text", "data", "bootloader"}, {"data", "bss", "noinit"}


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


def write_images(folder: Path) -> None:
    """Builds all images that a package carries into a folder.

    Args:
        folder: made if it does not exist.

    Raises:
        ToolMissing: the compiler for AVR is not installed.
        FirmwareError: the sources do not compile.
    """
    root = firmware_root()
    targets, ids = list_targets(root), build_ids(root)
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for name in _CARRIED:
        image = _SAME.get(name, name)
        elf = build_firmware(image)
        _tool("objcopy", "-O", "ihex", "-R", ".eeprom", elf, folder / f"{image}.hex")
        sections = {section: int(size) for section, size in _SECTION.findall(_tool("size", "-A", "-d", elf))}
        entries[name] = {
            "file": f"{image}.hex",
            "build": ids[targets[name].folder],
            "compiler": compiler_version(image),
            "flash": sum(size for section, size in sections.items() if section in _FLASH),
            "ram": sum(size for section, size in sections.items() if section in _RAM),
        }
    (folder / LIST).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def _tool(name: str, *arguments: str | Path) -> str:
    tool = find_avr_gcc().with_name(f"avr-{name}")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=True).stdout


def _board(target: Target) -> dict[str, Any]:
    """PlatformIO's description of the board."""
    file = firmware_root() / "firmware" / "platformio" / "platforms" / "atmelavr" / "boards" / f"{target.board}.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Builds the images that a package carries.")
    parser.add_argument("folder", type=Path)
    write_images(parser.parse_args().folder)


if __name__ == "__main__":
    main()
