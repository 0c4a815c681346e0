"""Builds a board's firmware or takes the image of the package, uploads it, and asks the board what runs on it now."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mtjlearn.board import BoardError, BoardInfo, BoardTimeout
from mtjlearn.discovery import BoardPort
from mtjlearn.firmware import build_ids, firmware_root
from mtjlearn.firmware.uno_options import UnoOptions
from mtjlearn.flashing.avrdude import upload_command
from mtjlearn.flashing.failures import FlashError, blames_port, explain
from mtjlearn.flashing.images import Image, find_image
from mtjlearn.flashing.platformio import Progress, Sizes, find_platformio, run
from mtjlearn.flashing.ports import choose_port, open_after_upload
from mtjlearn.flashing.targets import Target, option_differences
from mtjlearn.wire.transport import BAUD, SerialTransport

HELLO_TIMEOUT = 5.0
"""Seconds in which the new firmware must answer; a bootloader takes one or two of them."""
_IMAGES = ("firmware.hex", "firmware.uf2", "firmware.bin")


@dataclass(frozen=True)
class Flashed:
    """What was built or carried by the package, and what runs on the board.

    Args:
        target: the environment of platformio.ini.
        build: build id of the sources, eight hexadecimal digits.
        sizes: bytes of the image; None if PlatformIO does not report it for this board.
        image: the file.
        port: where it was uploaded to; None: nowhere.
        info: what the board reports about itself; None: nothing was uploaded.
        carried: the package brought the image; nothing was compiled.
    """

    target: str
    build: str
    sizes: Sizes | None
    image: Path | None
    port: str | None = None
    info: BoardInfo | None = None
    carried: bool = False


@dataclass(frozen=True)
class _Build:
    """One run of PlatformIO for a target."""

    target: Target
    root: Path
    workspace: Path
    flags: list[str]
    offline: bool

    @property
    def image(self) -> Path | None:
        folder = self.workspace / "build" / self.target.name
        return next((folder / name for name in _IMAGES if (folder / name).exists()), None)

    def run(self, upload_port: str | None, progress: Progress, output: Callable[[str], None]) -> list[str]:
        """Builds, and uploads if there is a port; returns what was printed, None of it an error."""
        command: list[str | Path] = [*find_platformio(), "run", "--project-dir", self.root, "--environment", self.target.name]
        if upload_port is not None:
            command += ["--target", "upload", "--upload-port", upload_port]
        if self.offline:
            prepare = self.root / "firmware" / "platformio" / "prepare.py"
            command = [sys.executable, prepare, "--core-dir", self.workspace / "core", *command]
        flags = shlex.join([*shlex.split(os.environ.get("PLATFORMIO_BUILD_FLAGS", "")), *self.flags])
        environment = {"PLATFORMIO_WORKSPACE_DIR": str(self.workspace), "PLATFORMIO_BUILD_FLAGS": flags}
        return _Tool("PlatformIO", command, environment).run(self.target, upload_port, progress, output)


@dataclass(frozen=True)
class _Tool:
    """A program that builds or uploads.

    Args:
        name: of the program.
        command: with its arguments.
        environment: variables besides this process's own.
        says: lines as if it had printed them first.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    says: Sequence[str] = ()

    def run(self, target: Target, port: str | None, progress: Progress, output: Callable[[str], None]) -> list[str]:
        """Runs it to its end; returns what was printed, None of it an error."""
        lines: list[str] = []

        def keep(line: str) -> None:
            lines.append(line)
            output(line)

        for line in self.says:
            keep(line)
        if run(self.command, self.environment, progress, keep, f"{self.name} starts"):
            if port is not None and blames_port(lines):
                SerialTransport(port).close()  # raises what is wrong with it
                raise FlashError(f"the upload tool could not open {port}, which is free now; try again")
            raise FlashError(explain(lines, target.name, port, self.name))
        return lines


def flash(
    target: Target,
    port: str | None = None,
    *,
    options: UnoOptions | None = None,
    upload: bool = True,
    force: bool = False,
    build: bool = False,
    offline: bool = False,
    progress: Progress = lambda what, detail: None,
    output: Callable[[str], None] = lambda line: None,
) -> Flashed:
    """Uploads the firmware and compares what the board then reports about itself.

    Where the package carries an image of its sources, as nobody asked to change, that is taken; else the firmware is built.

    Args:
        target: the board.
        port: its serial port; None: the only port with such a board.
        options: how an Uno R3 is to be built.
        upload: False: only build, or find the package's image.
        force: upload although the USB id says that another board is there.
        build: build it from its sources even if the package carries its image.
        offline: build with stand-ins for PlatformIO's own packages, without a network (firmware/platformio).
        progress: called with what happens now.
        output: called with every line that the tools print.

    Raises:
        FlashError: it could not be built or uploaded, or the board does not run it.
        PortMissing, PortBusy, PortForbidden, PortError: the port cannot be opened.
    """
    options = options or UnoOptions()
    root = firmware_root()
    build_id = build_ids(root)[target.folder]
    place = choose_port(target, port, force=force) if upload else None
    changed = build or offline or options.flags or os.environ.get("PLATFORMIO_BUILD_FLAGS")
    carried = None if changed else find_image(target, build_id)
    port_name = place.name if place is not None else None
    if carried is not None:
        flashed = _take(carried, target, build_id, port_name, progress, output)
    else:
        compilation = _Build(target, root, _workspace(root), options.flags, offline)
        lines = compilation.run(port_name, progress, output)
        flashed = Flashed(target.name, build_id, Sizes.of(lines), compilation.image)
    if place is None:
        return flashed
    progress("asking the board what runs on it", "")
    info = _ask(place, options)
    _compare(info, build_id, target, options)
    return replace(flashed, port=info.url, info=info)


def _take(
    image: Image, target: Target, build_id: str, port: str | None, progress: Progress, output: Callable[[str], None]
) -> Flashed:
    """Uploads an image of the package, if there is a port."""
    if port is not None:
        progress("uploading", "")
        _Tool("avrdude", upload_command(image, port), says=[f"Uploading {image.path}"]).run(target, port, progress, output)
    return Flashed(target.name, build_id, image.sizes, image.path, carried=True)


def _ask(port: BoardPort, options: UnoOptions) -> BoardInfo:
    try:
        with open_after_upload(port, options.baud or BAUD, HELLO_TIMEOUT) as board:
            return board.info
    except BoardTimeout:
        raise FlashError(
            f"the upload succeeded, but the board at {port.name} does not answer; press reset and look with "
            f"`mtjlearn boards --board {port.name}`"
        ) from None
    except BoardError as error:
        raise FlashError(f"the upload succeeded, but then: {error}") from error


def _compare(info: BoardInfo, build_id: str, target: Target, options: UnoOptions) -> None:
    """Raises FlashError unless the board runs what was built, as it was built."""
    if info.build != build_id:
        raise FlashError(
            f"the board at {info.url} says that it runs build {info.build}, not {build_id}: the upload had no effect; try again"
        )
    different = target.differences(info) + option_differences(options, info)
    if different:
        raise FlashError(f"the board at {info.url} was not built as asked: it has {', '.join(different)}; try again")


def _workspace(root: Path) -> Path:
    """Where PlatformIO builds: in a checkout where its own command does, else a folder of the user's."""
    if "PLATFORMIO_WORKSPACE_DIR" in os.environ:
        return Path(os.environ["PLATFORMIO_WORKSPACE_DIR"]).resolve()
    if (root / "pyproject.toml").exists():
        return root / ".pio"
    caches = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "mtjlearn" / "pio"
