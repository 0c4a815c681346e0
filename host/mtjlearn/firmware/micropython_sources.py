"""The firmware in MicroPython as files: for a port with viper, or as bytecode for one without.

One text serves both. Functions that viper compiles are marked with ``@micropython.viper`` on a line of its own, and reach arrays
through ``ptr8(name)``, ``ptr16(name)`` or ``ptr32(name)``, or parameters of these types. A port without viper rejects the mark
and does not know the pointers: for it the marks are taken out, and each pointer becomes the array that it points to, whose type
has the same width.

What a module imports for its annotations alone is left out of both: a board has none of it.
"""

from __future__ import annotations

import re
from pathlib import Path

from mtjlearn.firmware.compilers import FirmwareError
from mtjlearn.firmware.sources import firmware_root

_MARK = re.compile(r"^[ \t]*@micropython\.viper[ \t]*\n", re.MULTILINE)
_POINTER = re.compile(r"\bptr(?:8|16|32)\((\w+)\)")
_PARAMETER = re.compile(r"(\w+): ?ptr(?:8|16|32)\b")
_TYPES = re.compile(r"^if False:\n    from kinds import .*\n", re.MULTILINE)
_LEFT = re.compile(r"\bptr(?:8|16|32)\b|micropython\.viper")


def micropython_root() -> Path:
    """The folder of the sources, which is the root of their imports on a board.

    Raises:
        FirmwareError: if they are missing.
    """
    folder = firmware_root() / "firmware" / "micropython"
    if not (folder / "learner.py").is_file():
        raise FirmwareError("the firmware in MicroPython is missing; install mtjlearn again, or work in a checkout of the project")
    return folder


def micropython_sources(*, viper: bool) -> dict[str, str]:
    """The text of every module by its path on the board, such as ``boards/unix.py``, sorted.

    Args:
        viper: whether the port compiles viper; else the text is what it runs as bytecode.

    Raises:
        FirmwareError: if the sources are missing, or one uses a pointer in a way that bytecode has no counterpart for.
    """
    root = micropython_root()
    paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    # As many lines as before, so that reports of faults name the lines of the sources.
    texts = {name: _TYPES.sub("\n\n", paths[name].read_text(encoding="utf-8")) for name in sorted(paths)}
    return texts if viper else {name: as_bytecode(text, name) for name, text in texts.items()}


def as_bytecode(text: str, name: str) -> str:
    """A module's text for a port without viper; line numbers change.

    Args:
        text: of the module.
        name: of the file, for the error.

    Raises:
        FirmwareError: if a pointer is left in it.
    """
    plain = _PARAMETER.sub(r"\1", _POINTER.sub(r"\1", _MARK.sub("", text)))
    if left := _LEFT.search(plain):
        line = plain[: left.start()].count("\n")
        raise FirmwareError(f"{name}: {plain.splitlines()[line].strip()!r} has no counterpart in bytecode")
    return plain


def write_sources(folder: Path, *, viper: bool) -> list[Path]:
    """Writes every module into a folder that exists; returns the paths.

    Args:
        folder: becomes the root of the imports.
        viper: as for :func:`micropython_sources`.

    Raises:
        FirmwareError: as for :func:`micropython_sources`.
        OSError: if a file cannot be written.
    """
    written = []
    for name, text in micropython_sources(viper=viper).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
