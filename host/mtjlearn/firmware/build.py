"""Builds the firmware of chips, and the simulators that run it, with the compilers of this computer.

What is built once is kept under a checksum of its sources, its flags and the compiler's version; several processes may
build at the same time.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.firmware.compilers import FirmwareError
from mtjlearn.firmware.images import SIMULATORS, Image, firmware_image
from mtjlearn.firmware.sources import build_id, firmware_root

_SUFFIXES = {".c", ".h", ".S", ".ld"}


def build_firmware(image: str) -> Path:
    """Builds the image of a chip, or finds it among what was built before; returns the path of its ELF file.

    Args:
        image: an environment of platformio.ini for an ATmega328P, such as ``uno`` or ``uno_streamed`` (learning from a
            host's stream alone), ``uno-resident`` (measures it, see firmware/bench), ``mps2`` and ``microbit`` (Cortex-M4F
            and Cortex-M0 in QEMU), ``mps2-profile`` and ``microbit-profile`` (the same, counting instructions) or
            ``lm3s6965`` (Cortex-M3, the example of docs/porting.md).

    Raises:
        ToolMissing: the compiler is not installed.
        FirmwareError: no such image, or the sources do not compile.
    """
    return _build(firmware_image(image), "firmware.elf")


def compiler_version(image: str) -> str:
    """The first line in which the compiler of an image of build_firmware() says what it is.

    Raises:
        ToolMissing: the compiler is not installed.
    """
    return _version(firmware_image(image).compiler())


def build_simulator(name: str) -> Path:
    """Builds the program that simulates a chip, or finds it among what was built before; returns its path.

    Args:
        name: ``uno`` (libsimavr) or ``qemu``, programs; ``uno-library``, a shared library.

    Raises:
        ToolMissing: the compiler or a library is not installed.
        FirmwareError: no such simulator, or the sources do not compile.
    """
    if name not in SIMULATORS:
        raise FirmwareError(f"no simulator {name}; choose one of {', '.join(SIMULATORS)}")
    return _build(SIMULATORS[name](), f"mtjlearn-{name}-sim")


def _build(image: Image, file_name: str) -> Path:
    root = firmware_root()
    compiler = image.compiler()
    flags = [*image.flags]
    if image.board is not None:
        flags.append(f"-DDEVICE_BUILD=0x{build_id(root, image.board)}u")
    folder = _cache() / f"{image.name}-{_checksum(image, flags, compiler)}"
    if not (folder / file_name).is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{image.name}-") as scratch:
            _Compilation(image, root, compiler, flags, Path(scratch)).link(file_name)
            done = Path(scratch) / "done"
            done.mkdir()
            shutil.move(Path(scratch) / file_name, done)
            try:
                done.rename(folder)
            except OSError:  # another process was faster
                if not (folder / file_name).is_file():
                    raise
    return folder / file_name


def _cache() -> Path:
    """Where builds are kept: next to the sources, or with the user when those may not be written."""
    root = firmware_root()
    if os.access(root, os.W_OK):
        return root / "build" / "chips"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "mtjlearn" / "chips"


@functools.cache
def _version(compiler: Path) -> str:
    run = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return run.stdout.partition("\n")[0]


def _checksum(image: Image, flags: list[str], compiler: Path) -> str:
    root = firmware_root()
    folders = {(root / pattern).parent for pattern in image.sources} | {root / folder for folder in image.libraries}
    included = {root / flag.removeprefix("-I") for flag in image.flags if flag.startswith("-I")}
    digest = hashlib.sha256(repr((image.sources, flags, image.link, _version(compiler))).encode())
    for path in sorted(path for folder in folders | included for path in folder.iterdir() if path.suffix in _SUFFIXES):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_LINKING = ("-mmcu", "-mcpu", "-mthumb", "-mfpu", "-mfloat-abi", "-O", "-flto", "-fuse-linker-plugin", "-shared", "-Wl,")
"""What PlatformIO says when it links; with link-time optimisation more would make another image of the same sources."""


@dataclass(frozen=True)
class _Compilation:
    """One build, in a folder of its own."""

    image: Image
    root: Path
    compiler: Path
    flags: list[str]
    scratch: Path

    def link(self, file_name: str) -> None:
        sources = [path for pattern in self.image.sources for path in self.root.glob(pattern)]
        groups = [sources, *((self.root / folder).glob("*.[cS]") for folder in self.image.libraries)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            compiled = [list(pool.map(self._compile, sorted(group))) for group in groups]
        archives = [self._archive(index, objects) for index, objects in enumerate(compiled) if index]
        flags = [flag for flag in self.flags if flag.startswith(_LINKING)]
        self._run([self.compiler, *flags, *compiled[0], *archives, *self.image.link, "-o", self.scratch / file_name])

    def _compile(self, source: Path) -> Path:
        name = source.relative_to(self.root)
        result = self.scratch / f"{'-'.join(name.parts)}.o"
        self._run([self.compiler, *self.flags, "-c", name, "-o", result])
        return result

    def _archive(self, index: int, objects: list[Path]) -> Path:
        result = self.scratch / f"lib{index}.a"
        # GCC's own archiver also indexes what is left to link-time optimisation.
        name = self.compiler.name
        archiver = self.compiler.with_name(f"{name}-ar" if name.endswith("gcc") else f"{name.removesuffix('cc')}ar")
        self._run([archiver, "rcs", result, *objects])
        return result

    def _run(self, command: list[str | Path]) -> None:
        environment = {**os.environ, "LC_ALL": "C"}  # messages are looked into
        run = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            lines = [line for line in run.stderr.splitlines() if "error" in line or "undefined" in line or "cannot find" in line]
            raise self.image.explain(run.stderr) or FirmwareError(
                f"{self.image.name} does not build: {(lines or run.stderr.splitlines() or ['no message'])[0]}"
            )
