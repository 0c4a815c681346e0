"""Builds the images that a package is to carry.

The command::

    python -m mtjlearn.flashing.write_images FOLDER

writes each as an Intel hex file, and the list of them with their build ids (mtjlearn.flashing.images).
"""

from __future__ import annotations

import argparse
import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from mtjlearn.firmware import build_firmware, build_ids, compiler_version, find_avr_gcc, firmware_root, uno_images
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.flashing.images import LIST


def write_images(folder: Path) -> None:
    """Builds all images that a package carries into a folder: those for an Uno R3's chip.

    Args:
        folder: made if it does not exist.

    Raises:
        ToolMissing: the compiler for AVR is not installed.
        FirmwareError: the sources do not compile.
    """
    build = build_ids(firmware_root())["uno"]
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for name in uno_images():
        elf, file = build_firmware(name), f"{name}.hex"
        objcopy = find_avr_gcc().with_name("avr-objcopy")
        subprocess.run([objcopy, "-O", "ihex", "-R", ".eeprom", elf, folder / file], check=True)
        sizes = asdict(ImageSize.read(elf))
        entries[name] = {"file": file, "build": build, "compiler": compiler_version(name), **sizes}
    (folder / LIST).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Builds the images that a package carries.")
    parser.add_argument("folder", type=Path)
    write_images(parser.parse_args().folder)


if __name__ == "__main__":
    main()
