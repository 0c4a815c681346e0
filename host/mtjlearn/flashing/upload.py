"""Builds a board's firmware, uploads it, and asks the board what runs on it now."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.board import BoardError, BoardInfo, BoardTimeout
from mtjlearn.discovery import BoardPort
from mtjlearn.firmware import build_ids, firmware_root
from mtjlearn.firmware.uno_options import UnoOptions
from mtjlearn.flashing.failures import FlashError, blames_port, explain
from mtjlearn.flashing.platformio import Progress, Sizes, find_platformio, run
from mtjlearn.flashing.ports import choose_port, open_after_upload
from mtjlearn.flashing.targets import Target, option_differences
from mtjlearn.wire.transport import BAUD, SerialTransport

HELLO_TIMEOUT = 5.0
"""Seconds in which the new firmware must answer; a bootloader takes one or two of them."""
_IMAGES = ("firmware.hex", "firmware.uf2", "firmware.bin")


@dataclass(frozen=True)
class Flashed:
    """What was built, and what runs on the board.

    Args:
        target: the environment of platformio.ini.
        build: build id of the sources, eight hexadecimal digits.
        sizes: bytes of the image; None if PlatformIO does not report it for this board.
        image: the file that was built.
        port: where it was uploaded to; None: it was only built.
        info: what the board reports about itself; None: it was only built.
    """

    target: str
    build: str
    sizes: Sizes | None
    image: Path | None
    port: str | None = None
    info: BoardInfo | None = None


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
        lines: list[str] = []

        def keep(line: str) -> None:
            lines.append(line)
            output(line)

        if run(command, environment, progress, keep):
            if upload_port is not None and blames_port(lines):
                SerialTransport(upload_port).close()  # raises what is wrong with it
                raise FlashError(f"the upload tool could not open {upload_port}, which is free now; try again")
            raise FlashError(explain(lines, self.target.name, upload_port))
        return lines


def flash(
    target: Target,
    port: str | None = None,
    *,
    options: UnoOptions | None = None,
    upload: bool = True,
    force: bool = False,
    offline: bool = False,
    progress: Progress = lambda what, detail: None,
    output: Callable[[str], None] = lambda line: None,
) -> Flashed:
    """Builds the firmware, uploads it and compares what the board then reports about itself.

    Args:
        target: the board.
        port: its serial port; None: the only port with such a board.
        options: how an Uno R3 is to be built.
        upload: False: only build.
        force: upload although the USB id says that another board is there.
        offline: build with stand-ins for PlatformIO's own packages, without a network (firmware/platformio).
        progress: called with what happens now.
        output: called with every line that PlatformIO prints.

    Raises:
        FlashError: it could not be built or uploaded, or the board does not run it.
        PortMissing, PortBusy, PortForbidden, PortError: the port cannot be opened.
    """
    options = options or UnoOptions()
    root = firmware_root()
    build_id = build_ids(root)[target.folder]
    place = choose_port(target, port, force=force) if upload else None
    build = _Build(target, root, _workspace(root), options.flags, offline)
    lines = build.run(place.name if place is not None else None, progress, output)
    flashed = Flashed(target.name, build_id, Sizes.of(lines), build.image)
    if place is None:
        return flashed
    progress("asking the board what runs on it", "")
    info = _ask(place, options)
    _compare(info, build_id, target, options)
    return Flashed(target.name, build_id, flashed.sizes, flashed.image, info.url, info)


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
