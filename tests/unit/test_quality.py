"""The habits of the code base, checked: linters, types, warnings, what firmware may use, who may import whom."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from mtjlearn.firmware import find_avr_gcc

PROJECT = Path(__file__).resolve().parents[2]
FIRMWARE = PROJECT / "firmware"
PACKAGE = PROJECT / "host" / "mtjlearn"
SOURCES = {".py", ".c", ".h", ".cpp"}
MOST_LINES = 450

# What a part of the firmware may include besides its own folder. No library knows the other, the device or a board.
MAY_INCLUDE = {
    "lib/anp/src": [],
    "lib/wire/src": [],
    "src": ["lib/anp/src", "lib/wire/src"],
    "src/alone": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/native": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/inprocess": ["boards/native", "src", "lib/anp/src", "lib/wire/src"],  # the virtual sMTJ is the native board's
    "boards/uno": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/mps2": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/mps2/profile": ["boards/mps2", "src", "lib/anp/src", "lib/wire/src"],
    "boards/arduino": ["src", "lib/anp/src", "lib/wire/src"],
    "bench": ["boards/uno", "src", "lib/anp/src", "lib/wire/src"],
    "bench/native": ["src", "lib/anp/src", "lib/wire/src"],
    "simulators/uno": ["boards/native", "lib/wire/src"],
    "simulators/uno/library": ["simulators/uno", "boards/native", "lib/wire/src"],
    "simulators/mps2": ["boards/mps2", "boards/mps2/profile", "boards/native", "lib/wire/src"],  # what it says to the chip's image
}
BOARDS_OWN = {"board_fixed.h", "session_fixed.h"}
"""What a board that is built alone says to board.h and session.c, which ask for it by a macro."""
CHOSEN = {"alone.h": "alone/"}
"""What a build may leave out is reached through one header."""
AVR, ARM = {"boards/uno", "bench"}, {"boards/mps2", "boards/mps2/profile"}
COMPILED_ELSEWHERE = {"boards/arduino"}
"""Needs an Arduino core; tests/arduino compiles it, with warnings as errors."""
FOR_ONE_CHIP = re.compile("_(avr|arm)$")
"""Kernels and assembler macros, which that chip's image compiles."""
PORTABLE = ["lib/anp/src", "lib/wire/src", "src", "src/alone"]
PORTABLE_HEADERS = {"limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
TARGET_HEADERS = {"__AVR__": {"avr/pgmspace.h"}, "__ARM_FEATURE_DSP": {"arm_acle.h"}}
"""What a portable part may include besides, in a file that asks for the target by its macro."""
BANNED = re.compile(r"\b(?:float|double|(?:malloc|calloc|realloc|free|alloca)(?=\s*\())\b|(?<![\w.])\d+\.\d*|(?<![\w.])\.\d+")
COMMENT_OR_STRING = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)

FLOORS = [
    {"entry"},
    {"cli"},
    {"bench", "discovery", "estimators", "experiments", "flashing", "training", "validate"},
    {"board", "dashboard", "inprocess", "plots", "reference", "virtual"},
    {"compilers", "datasets", "firmware", "fixedpoint", "noise", "runs", "targets", "wire"},
    {"interruption", "network", "npz", "schedule"},
]
"""The host's modules from the top; imports lead down or stay on a floor, and never in a circle."""


def project_files() -> Iterator[Path]:
    """The project's own files: all but what tools and runs leave behind."""
    for folder, folders, files in os.walk(PROJECT):
        left_behind = {"build", "dist", "runs"} if folder == str(PROJECT) else set()
        folders[:] = [n for n in folders if n == ".ci" or not (n.startswith((".", "__")) or n in left_behind)]
        yield from (Path(folder) / name for name in files)


def firmware_files(pattern: str) -> list[tuple[str, Path]]:
    """Pairs of a part of the firmware and a file of it."""
    return [(part, path) for part in MAY_INCLUDE for path in sorted((FIRMWARE / part).glob(pattern))]


def without_comments(source: str) -> str:
    """C source with comments and literals blanked, lines kept."""
    return COMMENT_OR_STRING.sub(lambda match: " " + "\n" * match.group().count("\n"), source)


def imported_modules(path: Path) -> Iterator[str]:
    """First names below mtjlearn of all that a module of the package imports."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "mtjlearn" and len(parts) > 1 and not parts[1].startswith("__"):
                yield parts[1]


def import_graph() -> dict[str, set[str]]:
    """For each module or subpackage directly below mtjlearn, the others that it imports."""
    graph: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        owner = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if not owner.startswith("__"):
            graph.setdefault(owner, set()).update(set(imported_modules(path)) - {owner})
    return graph


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["mypy"],
        ["mypy", "--platform", "win32", "--cache-dir", ".mypy_cache/win32"],
    ],
    ids=["ruff", "mypy", "windows"],
)
def test_checker_is_content(command: list[str]) -> None:
    run = subprocess.run([sys.executable, "-m", *command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def compiler_of(part: str, needs_tool: Callable[[str, str], str]) -> list[str]:
    """The compiler of a part of the firmware and the flags that choose its chip."""
    if part in AVR:
        return [str(find_avr_gcc()), "-mmcu=atmega328p", "-DF_CPU=16000000L", "-DDEVICE_MAX_PAYLOAD=64", "-DDEVICE_BOARD_FIXED"]
    if part in ARM:
        return [needs_tool("arm-none-eabi-gcc", "gcc-arm-none-eabi"), "-mcpu=cortex-m4", "-mthumb"]
    return [needs_tool("gcc", "gcc")]


@pytest.mark.parametrize("part", sorted(set(MAY_INCLUDE) - COMPILED_ELSEWHERE))
def test_firmware_compiles_alone_and_without_warnings(part: str, needs_tool: Callable[[str, str], str]) -> None:
    files = [path for path in sorted((FIRMWARE / part).glob("*.[ch]")) if not FOR_ONE_CHIP.search(path.stem)]
    assert files
    standard = "c11" if part in PORTABLE else "gnu11"  # boards use what their system offers
    folders = [f"-I{FIRMWARE / folder}" for folder in [part, *MAY_INCLUDE[part]]]
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only"]
    command = [*compiler_of(part, needs_tool), f"-std={standard}", "-O1", *warnings, *folders, "-xc", "-"]
    problems = []
    for path in files:
        # Through an #include, so that a header is not taken for a program of its own.
        run = subprocess.run(command, input=f'#include "{path}"\n', capture_output=True, text=True, check=False)
        if run.returncode:
            problems.append(run.stderr)
    assert not problems, "\n".join(problems)


def test_portable_firmware_has_no_floats_heap_or_platform_headers() -> None:
    problems = []
    for part, path in firmware_files("*.[ch]"):
        if part not in PORTABLE:
            continue
        source = path.read_text(encoding="utf-8")
        code = without_comments(source)
        for number, line in enumerate(code.splitlines(), 1):
            problems += [f"{path}:{number}: {match.group()}" for match in BANNED.finditer(line)]
        for header in re.findall(r"^\s*#\s*include\s*<([^>]+)>", source, re.MULTILINE):
            allowed = PORTABLE_HEADERS.union(*(headers for macro, headers in TARGET_HEADERS.items() if macro in source))
            if header not in allowed:
                problems.append(f"{path}: <{header}>")
    assert not problems, "\n".join(problems)


def test_firmware_includes_lead_downwards() -> None:
    problems = []
    for part, path in firmware_files("*.[ch]*"):
        reachable = {header.name for folder in [part, *MAY_INCLUDE[part]] for header in (FIRMWARE / folder).glob("*.h")}
        for header in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
            if header not in reachable | BOARDS_OWN and not header.startswith(CHOSEN.get(path.name, "?")):
                problems.append(f"{path}: {header} is not below {part}")
    assert not problems, "\n".join(problems)


def test_host_imports_lead_downwards() -> None:
    floor = {module: depth for depth, modules in enumerate(FLOORS) for module in modules}
    graph = import_graph()
    homeless = sorted({*graph, *(used for uses in graph.values() for used in uses)} - {*floor})
    assert not homeless, f"on which floor do these live? {homeless}"
    imports = [(module, used) for module, uses in graph.items() for used in uses]
    assert not [f"{module} imports {used}" for module, used in imports if floor[used] < floor[module]]
    TopologicalSorter(graph).prepare()  # raises on a circle


def test_files_are_short() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in project_files() if path.suffix in SOURCES}
    lines = {str(path): text.count("\n") for path, text in sources.items() if "Generated by" not in text[:400]}
    assert not {path: count for path, count in lines.items() if count > MOST_LINES}


def test_no_file_names_a_folder_of_some_machine() -> None:
    # Spelled in pieces, so that this file does not name one either.
    folders = re.compile(r"(?<![\w.:/])/(?:work|root|home|tmp|Users)/[\w.]")
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}: {match.group()}" for match in folders.finditer(text)]
    assert not found
