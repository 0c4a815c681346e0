"""Programs of MicroPython next to the tests, run in its Unix port with the firmware's modules."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from mtjlearn.firmware.micropython_sources import micropython_root, write_sources
from mtjlearn.virtual.micropython import interpreter

PROGRAMS = Path(__file__).resolve().parents[1] / "micropython"


def run_program(
    name: str,
    *arguments: str | Path,
    viper: bool = True,
    heap: int | None = None,
    timeout: float = 300,
    root: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, which is the caller's to judge.

    Args:
        name: of a file in tests/micropython.
        arguments: of the program.
        viper: whether the firmware's functions that are marked for viper become machine code.
        heap: bytes of the heap; None: as many as the port has by itself.
        timeout: seconds.
        root: of the firmware's modules; None: the firmware's own.

    Raises:
        ToolMissing: MicroPython is not installed.
        subprocess.TimeoutExpired: it did not end.
    """
    settings = ["-X", f"heapsize={heap}"] if heap is not None else []
    command = [*interpreter(), *settings, str(PROGRAMS / name), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        if root is None:
            root = micropython_root() if viper else Path(folder)
        if not viper:
            write_sources(root, viper=False)
        environment = {**os.environ, "MICROPYPATH": f".frozen:{root}"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=timeout)
