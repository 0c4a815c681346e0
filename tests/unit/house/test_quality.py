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
from places import PROJECT

from mtjlearn.firmware import find_avr_gcc

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
"""Needs an Arduino core; tests/chips/arduino compiles it, with warnings as errors."""
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
    {"validate"},
    {"bench", "experiments", "flashing", "training"},
    {"discovery", "plots", "reference"},
    {"board", "inprocess", "noise"},
    {"datasets", "fixedpoint", "virtual", "wire"},
    {"firmware", "network", "runs"},
    {"errors", "interruption", "moved", "npz", "schedule"},
]
"""The host's rooms, modules and packages directly below mtjlearn, from the top: imports lead to a lower floor."""


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


def module_files() -> dict[str, Path]:
    """The host's modules by their names below mtjlearn; a package has its own name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if name not in ("", "__main__"):
            found[name] = path
    return found


def imported_names(path: Path) -> Iterator[str]:
    """Full names of all that a module imports, wherever in it."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def import_graph() -> dict[str, set[str]]:
    """For each of the host's modules the others that it imports."""
    files = module_files()
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        used = graph.setdefault(module, set())
        for name in imported_names(path):
            top, _, name = name.partition(".")
            while name and name not in files:
                name = name.rpartition(".")[0]
            used |= {name} - {"", module} if top == "mtjlearn" else set()
    return graph


@pytest.mark.parametrize("command", [["ruff", "check", "--no-cache", "."], ["mypy"]], ids=["ruff", "mypy"])
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
    floor = {room: depth for depth, rooms in enumerate(FLOORS) for room in rooms}
    rooms = {module: module.partition(".")[0] for module in module_files()}
    assert set(floor) == set(rooms.values()), "FLOORS in this file says on which floor each room is"
    upwards = [
        f"{module} (floor {floor[rooms[module]]}) imports {used} (floor {floor[rooms[used]]})"
        for module, uses in import_graph().items()
        for used in uses
        if rooms[used] != rooms[module] and floor[rooms[used]] <= floor[rooms[module]]
    ]
    assert not upwards, "\n".join(upwards)


def test_host_modules_import_each_other_in_no_circle() -> None:
    TopologicalSorter(import_graph()).prepare()  # raises on a circle, also on one inside a package


def test_no_command_imports_another() -> None:
    graph = import_graph()
    commands = {module for module in graph if module.count(".") == 1 and module.startswith("cli.")} - {"cli.view"}
    assert {"cli.demo", "cli.train"} <= commands
    crossing = {module: uses & commands for module, uses in graph.items() if uses & commands}
    assert not crossing, f"what commands share belongs into cli/view: {crossing}"


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
