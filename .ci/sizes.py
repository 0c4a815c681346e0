"""Prints the sizes of the chips' images as a Markdown table: what a change costs in flash and RAM."""

from __future__ import annotations

from mtjlearn.firmware import build_firmware
from mtjlearn.firmware.sizes import ImageSize

IMAGES = ("uno", "uno_streamed", "nano", "mps2", "lm3s6965")


def main() -> None:
    """Command line."""
    print("| image | flash, bytes | static RAM, bytes |")
    print("|---|--:|--:|")
    for name in IMAGES:
        size = ImageSize.read(build_firmware(name))
        print(f"| `{name}` | {size.flash:,} | {size.ram:,} |")


if __name__ == "__main__":
    main()
