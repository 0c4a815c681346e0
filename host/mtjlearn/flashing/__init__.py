"""Puts the firmware onto a board: builds it, uploads it with PlatformIO, and proves by HELLO that it is what runs now."""

from mtjlearn.firmware import build_ids, sources_of_build
from mtjlearn.firmware.uno_options import UnoOptions
from mtjlearn.flashing.failures import FlashError
from mtjlearn.flashing.platformio import Sizes
from mtjlearn.flashing.ports import choose_target
from mtjlearn.flashing.targets import Target, find_target, list_targets
from mtjlearn.flashing.upload import Flashed, flash

__all__ = [
    "FlashError",
    "Flashed",
    "Sizes",
    "Target",
    "UnoOptions",
    "build_ids",
    "choose_target",
    "find_target",
    "flash",
    "list_targets",
    "sources_of_build",
]
