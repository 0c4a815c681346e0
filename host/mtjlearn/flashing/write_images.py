"""Builds the images that a package is to carry.

The command::

    python -m mtjlearn.flashing.write_images FOLDER

writes each as an Intel hex file, and the list of them with their build ids (mtjlearn.flashing.images).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from pathlib import Path

from mtjlearn.firmware import build_firmware, compiler_version, find_avr_gcc, firmware_root
from mtjlearn.flashing.images import LIST
from mtjlearn.flashing.targets import build_ids, list_targets
from mtjlearn.targets import UNO_IMAGES

_SAME = {"nano_old": "nano"}
"""Environments whose image is another's: only the bootloader behind it differs."""
_CARRIED = (*UNO_IMAGES, *_SAME)
_SECTION = re.compile(r"^\.(\w+)\s+(\d+)", re.MULTILINE)
_FLASH, _RAM = {"text", "data", "bootloader"}, {"data", "bss", "noinit"}


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


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Builds the images that a package carries.")
    parser.add_argument("folder", type=Path)
    write_images(parser.parse_args().folder)


if __name__ == "__main__":
    main()
