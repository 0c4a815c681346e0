"""Puts the firmware onto a board: built and uploaded with PlatformIO, or copied to MicroPython. HELLO proves that it runs there."""

from mtjlearn.firmware import build_ids, sources_of_build
from mtjlearn.firmware.uno_options import UnoOptions
from mtjlearn.flashing.failures import FlashError
from mtjlearn.flashing.micropython import MICROPYTHON_BOARDS, FlashedFiles, flash_micropython
from mtjlearn.flashing.platformio import Sizes
from mtjlearn.flashing.ports import choose_target
from mtjlearn.flashing.targets import Target, find_target, list_targets
from mtjlearn.flashing.upload import Flashed, flash

__all__ = [
    "MICROPYTHON_BOARDS",
    "FlashError",
    "Flashed",
    "FlashedFiles",
    "Sizes",
    "Target",
    "UnoOptions",
    "build_ids",
    "choose_target",
    "find_target",
    "flash",
    "flash_micropython",
    "list_targets",
    "sources_of_build",
]
