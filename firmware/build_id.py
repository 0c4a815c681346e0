"""The build id: a checksum of the sources of one board's image, so that a board shows what it runs.

It is the same in a checkout, in an unpacked archive and in an installed package, and does not depend on a compiler, on
options or on the time. CMake, PlatformIO and the host compute it with this file::

    python firmware/build_id.py uno

prints eight hexadecimal digits, which src/turn.c is compiled with as DEVICE_BUILD and the board says in its WELCOME.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent
SUFFIXES = {".c", ".cpp", ".h", ".hpp", ".ino", ".ld", ".S"}
"""What a compiler or linker reads."""
VIRTUAL = {"native", "inprocess"}
"""Boards that have the virtual world of firmware/virtual in their image."""
MICROPYTHON = "micropython"
"""All boards that run the firmware in MicroPython, which is a folder of its own."""


def boards(firmware: Path = FIRMWARE) -> list[str]:
    """Names of the folders of boards, and of the firmware in MicroPython, sorted."""
    folders = [folder.name for folder in (firmware / "boards").iterdir() if folder.is_dir() and folder.name[0] not in "._"]
    return sorted([*folders, *([MICROPYTHON] if (firmware / MICROPYTHON).is_dir() else [])])


def sources(board: str, firmware: Path = FIRMWARE) -> list[Path]:
    """The sources that go into a board's image, sorted by their paths below ``firmware``.

    Raises:
        ValueError: if there is no such board.
    """
    if board not in boards(firmware):
        raise ValueError(f"no board {board}; there are {', '.join(boards(firmware))}")
    if board == MICROPYTHON:
        return sorted((firmware / MICROPYTHON).rglob("*.py"), key=lambda path: path.relative_to(firmware).as_posix())
    folders = [*(firmware / "lib").glob("*/src"), firmware / "src", firmware / "boards" / board]
    folders += [firmware / "virtual"] if board in VIRTUAL else []
    return sorted(_sources_in(folders), key=lambda path: path.relative_to(firmware).as_posix())


def build_id(board: str, firmware: Path = FIRMWARE) -> str:
    """Eight hexadecimal digits: the start of the SHA-256 over names and contents of :func:`sources`.

    Args:
        board: a folder of ``firmware/boards``, or ``micropython``.
        firmware: the folder that this file lies in.

    Raises:
        ValueError: if there is no such board.
    """
    digest = hashlib.sha256()
    for path in sources(board, firmware):
        # A checkout on Windows may end its lines otherwise.
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(firmware).as_posix()}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:8]


def _sources_in(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Prints the build id of a board's sources.")
    parser.add_argument("board", choices=boards())
    parser.add_argument("--sources", action="store_true", help="print the sources' paths instead, one a line")
    arguments = parser.parse_args()
    print(*(sources(arguments.board) if arguments.sources else [build_id(arguments.board)]), sep="\n")


if __name__ == "__main__":
    main()
