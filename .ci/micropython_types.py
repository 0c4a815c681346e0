"""Checks the types of the firmware in MicroPython against the stubs of the Pico's port.

The stubs replace Python's own standard library, so that mypy runs apart from that of the host, and sees nothing else that is
installed.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STUBS = ("micropython-rp2-rpi-pico-stubs", "micropython-stdlib-stubs")
CORRECTIONS = (
    # Viper makes a pointer of any object, and of every argument what the parameter says.
    ("stdlib/builtins.pyi", "def __new__(cls, value: int | ReadableBuffer, /)", "def __new__(cls, value: object, /)"),
    ("rp2/__init__.pyi", "class DMA:\n", "class DMA:\n    channel: int\n    count: int\n"),
    ("binascii.pyi", "crc32(data, value: Optional[Any] = None) -> Incomplete", "crc32(data: object, value: int = 0) -> int"),
    ("stdlib/sys/__init__.pyi", "file: IOBase_mp = stdout, /) -> None", "file: object = stdout, /) -> None"),
    (
        "micropython.pyi",
        "def viper(_func: Callable[_Param, _Ret], /) -> Callable[_Param, _Ret]:",
        "def viper(_func: Callable[_Param, _Ret], /) -> Callable[..., _Ret]:",
    ),
)
"""What the stubs say wrong, by file."""


def copy_stubs(folder: Path) -> None:
    """Copies the stubs' files and folders into an empty folder, and corrects them."""
    for package in STUBS:
        distribution = importlib.metadata.distribution(package)
        for name in sorted({path.parts[0] for path in distribution.files or ()}):
            if not name.endswith(".dist-info") and not (folder / name).exists():
                source = Path(str(distribution.locate_file(name)))
                (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "stubs").mkdir(exist_ok=True)
    for name, wrong, right in CORRECTIONS:
        text = (folder / name).read_text(encoding="utf-8")
        if wrong not in text:
            sys.exit(f"{name} of the stubs has changed: see whether it still needs the correction {right!r}")
        (folder / name).write_text(text.replace(wrong, right), encoding="utf-8")


def main() -> int:
    """Command line; arguments go to mypy."""
    with tempfile.TemporaryDirectory(prefix="mtjlearn-stubs-") as folder:
        copy_stubs(Path(folder))
        command = [sys.executable, "-m", "mypy", "--config-file", "firmware/micropython/mypy.ini"]
        command += ["--custom-typeshed-dir", folder, "--cache-dir", ".mypy_cache/micropython", *sys.argv[1:]]
        environment = os.environ | {"MYPYPATH": f"{folder}{os.pathsep}firmware/micropython"}
        return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
