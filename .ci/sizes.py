"""Prints the sizes of the chips' images as Markdown tables: what a change costs in flash and RAM."""

from __future__ import annotations

from mtjlearn.firmware import build_firmware
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.flashing import MICROPYTHON_BOARDS, flash_micropython

IMAGES = ("uno", "uno_streamed", "nano", "mps2", "microbit", "lm3s6965")


def main() -> None:
    """Command line."""
    print("| image | flash, bytes | static RAM, bytes |")
    print("|---|--:|--:|")
    for name in IMAGES:
        size = ImageSize.read(build_firmware(name))
        print(f"| `{name}` | {size.flash:,} | {size.ram:,} |")
    print()
    print("| firmware in MicroPython | files | bytes |")
    print("|---|--:|--:|")
    for board in MICROPYTHON_BOARDS.values():
        files = flash_micropython(board, upload=False).files
        print(f"| `{board.target.name}`, {board.architecture} | {len(files)} | {sum(files.values()):,} |")


if __name__ == "__main__":
    main()
