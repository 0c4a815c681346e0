"""Builds the firmware of chips and the simulators that run it, and finds what was built when the package was installed."""

from mtjlearn.firmware.build import build_firmware, build_simulator, compiler_version
from mtjlearn.firmware.compilers import FirmwareError, ToolMissing, find_arm_gcc, find_avr_gcc, find_host_cc
from mtjlearn.firmware.images import uno_images
from mtjlearn.firmware.sources import build_ids, firmware_root, sources_of_build

__all__ = [
    "FirmwareError",
    "ToolMissing",
    "build_firmware",
    "build_ids",
    "build_simulator",
    "compiler_version",
    "find_arm_gcc",
    "find_avr_gcc",
    "find_host_cc",
    "firmware_root",
    "sources_of_build",
    "uno_images",
]
