"""Compiles firmware/boards/arduino with a fake Arduino for this desktop, with sanitizers, as C++11 as the oldest cores have it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from places import PROJECT

HERE = Path(__file__).resolve().parent
FIRMWARE = PROJECT / "firmware"

INCLUDES = ["tests/chips/arduino/fake", *(f"firmware/{part}" for part in ("boards/arduino", "src", "lib/anp/src", "lib/wire/src"))]
FLAGS = (
    *("-g", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-strict-aliasing"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
    *(f"-I{folder}" for folder in INCLUDES),
)
CompileArduino = Callable[..., Path]


@pytest.fixture(scope="session")
def compile_arduino(tmp_path_factory: pytest.TempPathFactory, needs_tool: Callable[[str, str], str]) -> CompileArduino:
    """``compile_arduino(sources, *flags)``: path of a program; C++ sources as C++11. Paths are relative to the project."""
    compilers = {".c": [needs_tool("gcc", "gcc"), "-std=gnu11"], ".cpp": [needs_tool("g++", "g++"), "-std=gnu++11"]}

    def build(sources: Sequence[str], *flags: str) -> Path:
        folder = tmp_path_factory.mktemp("arduino")

        def compile_one(source: str) -> Path:
            result = folder / (source.replace("/", "_") + ".o")
            run([*compilers[Path(source).suffix], *FLAGS, *flags, "-c", source, "-o", result])
            return result

        with ThreadPoolExecutor(2) as pool:
            objects = list(pool.map(compile_one, sources))
        program = folder / "program"
        run([compilers[".cpp"][0], *FLAGS, *objects, "-o", program])
        return program

    return build


def run(command: Sequence[str | Path]) -> None:
    """A command that must succeed and say nothing."""
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stderr}")
