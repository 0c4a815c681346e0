"""What can be built: the images of chips, and the programs that simulate chips.

``platformio.ini`` stays the only description of the Uno's builds: flags and sources are those of its environments for that board,
so the images are those that PlatformIO makes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mtjlearn.firmware.compilers import FirmwareError, ToolMissing, find_arm_gcc, find_avr_gcc, find_host_cc
from mtjlearn.firmware.environments import read_environments
from mtjlearn.firmware.sources import firmware_root

_WIRE = "firmware/lib/wire/src"
_WARNINGS = ("-Wall", "-Wextra", "-Wconversion")


@dataclass(frozen=True)
class Image:
    """How one program is built. Paths are relative to firmware_root().

    Args:
        name: of the image.
        sources: patterns of files that are linked as they are.
        libraries: folders whose files are linked as archives, so that only what is used comes in.
        compiler: finds the compiler.
        flags: for compiling and linking.
        link: for linking only, behind the files.
        board: folder below firmware/boards whose build id the firmware says; None: a program without one.
        explain: turns the compiler's message into a better error, or returns None.
    """

    name: str
    sources: tuple[str, ...]
    libraries: tuple[str, ...]
    compiler: Callable[[], Path]
    flags: tuple[str, ...]
    link: tuple[str, ...] = ()
    board: str | None = None
    explain: Callable[[str], FirmwareError | None] = lambda message: None


_LIBRARIES = ("firmware/lib/wire/src", "firmware/lib/anp/src")  # in the order in which PlatformIO links them
_INCLUDES = tuple(f"-I{folder}" for folder in _LIBRARIES)
_FILTER = re.compile(r"([+-])<([^>]+?)/?>")
_NO_SIMAVR = re.compile(r"simavr/\S+: No such file|-l(?:simavr|elf)\b")


def _source_folders(source_filter: str) -> list[str]:
    """Folders below firmware/ that a build_src_filter lets through; as in PlatformIO a folder is all that is in it."""
    chosen: list[str] = []
    firmware = firmware_root() / "firmware"
    for sign, name in _FILTER.findall(source_filter):
        inside = [folder for folder in (firmware / name, *sorted((firmware / name).rglob("*"))) if folder.is_dir()]
        names = [folder.relative_to(firmware).as_posix() for folder in inside]
        chosen = [*chosen, *names] if sign == "+" else [folder for folder in chosen if folder not in names]
    return chosen


def uno_images() -> list[str]:
    """The environments of platformio.ini for an Uno R3's chip: the whole firmware and its variants.

    Raises:
        FirmwareError: platformio.ini is missing or damaged.
    """
    return [name for name, environment in read_environments(firmware_root()).items() if environment.folder == "uno"]


def _uno(environment: str) -> Image:
    described = read_environments(firmware_root())[environment]
    # PlatformIO's own flags for the board.
    platform = ("-mmcu=atmega328p", "-DF_CPU=16000000L", "-Os", "-ffunction-sections", "-fdata-sections")
    optimised = ("-flto", "-fuse-linker-plugin")  # likewise
    return Image(
        environment,
        sources=tuple(f"firmware/{folder}/*.c" for folder in _source_folders(described.source_filter)),
        libraries=_LIBRARIES,
        compiler=find_avr_gcc,
        flags=(*platform, *optimised, *described.flags, *_INCLUDES),
        link=("-Wl,--gc-sections", "-lm"),
        board="uno",
    )


def _uno_resident() -> Image:
    """The program that measures the learner with samples in memory, of the same parts and flags as the Uno's firmware."""
    drivers = [f"firmware/boards/uno/{name}.c" for name in ("arithmetic", "clock", "converter", "eeprom", "line", "starts")]
    sources = ("firmware/bench/resident.c", "firmware/src/health.c", *drivers)
    return replace(_uno("uno"), name="uno-resident", sources=sources, board=None)


def _bare_arm(name: str, board: str, *chip: str) -> Image:
    """A Cortex-M without an Arduino core: the whole device with all of firmware/boards/BOARD, and the linker script NAME.ld.

    Args:
        name: of the image.
        board: the board's folder.
        chip: flags that choose the processor.
    """
    folder = f"firmware/boards/{board}"
    code = ("-O2", "-std=gnu11", *_WARNINGS, "-fno-strict-aliasing", "-ffunction-sections", "-fdata-sections")
    return Image(
        name,
        sources=("firmware/src/*.c", "firmware/src/autonomous/*.c", f"{folder}/*.c"),
        libraries=_LIBRARIES,
        compiler=find_arm_gcc,
        flags=(*chip, "-mthumb", *code, *_INCLUDES, "-Ifirmware/src", f"-I{folder}"),
        link=("-nostartfiles", "-Wl,--gc-sections", f"-T{folder}/{name}.ld"),
        board=board,
    )


_mps2 = functools.partial(_bare_arm, "mps2", "qemu", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
_microbit = functools.partial(_bare_arm, "microbit", "qemu", "-mcpu=cortex-m0")
_lm3s6965 = functools.partial(_bare_arm, "lm3s6965", "lm3s6965", "-mcpu=cortex-m3")


_PROFILED = (
    *("main", "anp_train", "anp_noise_draw", "anp_global_factor", "anp_update_layer", "anp_update_layers"),
    *("anp_update_wide", "anp_update_matrix", "uart_receive_interrupt", "uart_transmit_interrupt"),
)


def _profiled(plain: Image) -> Image:
    """An image of a Cortex-M in QEMU that counts instructions."""
    folder = "firmware/boards/qemu/profile"
    return replace(
        plain,
        name=f"{plain.name}-profile",
        sources=(*plain.sources, f"{folder}/*.c"),
        flags=(*plain.flags, f"-I{folder}"),
        link=(*plain.link, *(f"-Wl,--wrap={function}" for function in _PROFILED)),
    )


_VIRTUAL = ("firmware/virtual/*.c", f"{_WIRE}/crc32.c", f"{_WIRE}/frame.c")
"""The virtual world around a simulated chip, and the frames that its line reads."""


def _qemu_simulator() -> Image:
    folders = ("firmware/simulators/qemu", "firmware/boards/qemu", "firmware/boards/qemu/profile", "firmware/virtual", _WIRE)
    return Image(
        "qemu-sim",
        sources=(f"{folders[0]}/*.c", *_VIRTUAL),
        libraries=(),
        compiler=find_host_cc,
        flags=("-std=gnu11", "-O2", *_WARNINGS, *(f"-I{folder}" for folder in folders)),
        link=("-lm",),
    )


def _uno_simulator() -> Image:
    return Image(
        "uno-sim",
        sources=("firmware/simulators/uno/*.c", *_VIRTUAL),
        libraries=(),
        compiler=find_host_cc,
        flags=("-std=gnu11", "-O2", *_WARNINGS, "-Ifirmware/simulators/uno", "-Ifirmware/virtual", f"-I{_WIRE}"),
        link=("-lsimavr", "-lm"),
        explain=_explain_simavr,
    )


def _uno_library() -> Image:
    """The simulated Uno without the program around it, to be loaded into a process."""
    parts = ("adc", "chip", "eeprom", "image", "module", "profile", "usart", "watchdog")
    program = _uno_simulator()
    folder = "firmware/simulators/uno/library"
    return replace(
        program,
        name="uno-library",
        sources=(
            f"{folder}/*.c",
            *(f"firmware/simulators/uno/{name}.c" for name in parts),
            *(f"firmware/virtual/{name}.c" for name in ("generator", "sensors", "smtj")),
        ),
        flags=(*program.flags, f"-I{folder}", "-fPIC"),
        link=("-shared", *program.link),
    )


def _explain_simavr(message: str) -> FirmwareError | None:
    if _NO_SIMAVR.search(message):
        return ToolMissing("libsimavr is missing; install it: apt-get install libsimavr-dev libelf-dev")
    return None


FIRMWARE: dict[str, Callable[[], Image]] = {
    "uno-resident": _uno_resident,
    "mps2": _mps2,
    "mps2-profile": lambda: _profiled(_mps2()),
    "microbit": _microbit,
    "microbit-profile": lambda: _profiled(_microbit()),
    "lm3s6965": _lm3s6965,
}
"""Images of chips that platformio.ini does not describe, by the names that build_firmware() accepts."""
SIMULATORS: dict[str, Callable[[], Image]] = {"uno": _uno_simulator, "uno-library": _uno_library, "qemu": _qemu_simulator}
"""What simulates chips, by the names that build_simulator() accepts."""


def firmware_image(name: str) -> Image:
    """How an image of a chip is built: one of FIRMWARE, or an environment of platformio.ini for the Uno's chip.

    Raises:
        FirmwareError: there is no such image.
    """
    if name in FIRMWARE:
        return FIRMWARE[name]()
    if name in uno_images():
        return _uno(name)
    raise FirmwareError(f"no firmware {name}; choose one of {', '.join([*uno_images(), *FIRMWARE])}")
