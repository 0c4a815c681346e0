"""The habits of the code base, checked: linters, types, warnings, what firmware may use, who may import whom."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
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
    "src/autonomous": ["src", "lib/anp/src", "lib/wire/src"],
    "virtual": ["lib/wire/src"],
    "boards/native": ["virtual", "src", "lib/anp/src", "lib/wire/src"],
    "boards/inprocess": ["virtual", "src", "lib/anp/src", "lib/wire/src"],
    "boards/uno": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/qemu": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/qemu/profile": ["boards/qemu", "src", "lib/anp/src", "lib/wire/src"],
    "boards/lm3s6965": ["src", "lib/anp/src", "lib/wire/src"],
    "boards/arduino": ["src", "lib/anp/src", "lib/wire/src"],
    "bench": ["boards/uno", "src", "lib/anp/src", "lib/wire/src"],
    "bench/cost": ["boards/qemu", "lib/anp/src"],
    "bench/native": ["src", "lib/anp/src", "lib/wire/src"],
    "simulators/uno": ["virtual", "lib/wire/src"],
    "simulators/uno/library": ["simulators/uno", "virtual", "lib/wire/src"],
    "simulators/qemu": ["boards/qemu", "boards/qemu/profile", "virtual", "lib/wire/src"],  # what it says to the chip's image
}
IN_FLOATS = {"lib/anp/src/anp_inference.h"}
"""What scales features in the units of the data; the learner does not include it."""
BOARDS_OWN = {"src/board.h": "board_fixed.h", "lib/wire/src/session.c": "session_fixed.h"}
"""Headers of a board that is built alone; what asks for them by a macro is below the board, as it is below a board's callbacks."""
CHOSEN = {"src/autonomous.h": "autonomous/state.h"}
"""What a build may leave out is reached through one header, which needs to know how large its state is."""
C_SUFFIXES = {".c", ".cpp", ".h", ".ino", ".ld", ".S"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
AVR, ARM = {"boards/uno", "bench"}, {"bench/cost", "boards/lm3s6965", "boards/qemu", "boards/qemu/profile"}
COMPILED_ELSEWHERE = {"boards/arduino"}
"""Needs an Arduino core; tests/chips/arduino compiles it, with warnings as errors."""
FOR_ONE_CHIP = re.compile("_(avr|arm|m0)$")
"""Kernels and assembler macros, which that chip's image compiles."""
PORTABLE = ["lib/anp/src", "lib/wire/src", "src", "src/autonomous"]
PORTABLE_HEADERS = {"limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
TARGET_HEADERS = {"__AVR__": {"avr/pgmspace.h"}, "__ARM_FEATURE_DSP": {"arm_acle.h"}}
"""What a portable part may include besides, in a file that asks for the target by its macro."""
BANNED = re.compile(r"\b(?:float|double|(?:malloc|calloc|realloc|free|alloca)(?=\s*\())\b|(?<![\w.])\d+\.\d*|(?<![\w.])\.\d+")
COMMENT_OR_STRING = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)

FLOORS = [
    {"entry"},
    {"cli"},
    {"dashboard", "reproduction"},
    {"experiments", "sweeps", "validate"},
    {"bench", "estimators", "flashing", "torch", "training"},
    {"comparison", "discovery"},
    {"models", "plots", "reference", "virtual"},
    {"board", "inprocess", "noise"},
    {"datasets", "fixedpoint", "wire"},
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


def included(path: Path, folders: list[Path]) -> Iterator[tuple[str, Path | None]]:
    """The headers that a C file names in quotes, and where the compiler finds them, next to the file or in a folder."""
    for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
        yield header, next((folder / header for folder in [path.parent, *folders] if (folder / header).is_file()), None)


def unit_graph(files: list[tuple[Path, list[Path]]]) -> dict[Path, set[Path]]:
    """For each unit, which is a source file and its header, the units that it includes.

    Args:
        files: each with the folders that the compiler looks into.
    """
    graph: dict[Path, set[Path]] = {}
    for path, folders in files:
        uses = {found.with_suffix("") for _, found in included(path, folders) if found}
        graph.setdefault(path.with_suffix(""), set()).update(uses - {path.with_suffix("")})
    return graph


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


@functools.cache
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


@pytest.mark.thorough  # make check runs ruff and mypy before the tests
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-m", "ruff", "check", "--no-cache", "."], id="ruff"),
        pytest.param(["-m", "mypy"], id="mypy"),
        pytest.param(
            ["-m", "mypy", "--platform", "win32", "--cache-dir", ".mypy_cache/win32"], id="windows", marks=pytest.mark.slow
        ),
        pytest.param([".ci/micropython_types.py"], id="micropython"),
    ],
)
def test_checker_is_content(command: list[str]) -> None:
    run = subprocess.run([sys.executable, *command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def compiler_of(part: str, needs_tool: Callable[[str, str], str]) -> list[str]:
    """The compiler of a part of the firmware and the flags that choose its chip."""
    if part in AVR:
        return [str(find_avr_gcc()), "-mmcu=atmega328p", "-DF_CPU=16000000L", "-DDEVICE_MAX_PAYLOAD=64", "-DDEVICE_BOARD_FIXED"]
    if part in ARM:
        return [needs_tool("arm-none-eabi-gcc", "gcc-arm-none-eabi"), "-mcpu=cortex-m4", "-mthumb"]
    return [needs_tool("gcc", "gcc")]


@pytest.mark.thorough
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
        exact = path.relative_to(FIRMWARE).as_posix() not in IN_FLOATS
        for number, line in enumerate(code.splitlines() if exact else [], 1):
            problems += [f"{path}:{number}: {match.group()}" for match in BANNED.finditer(line)]
        for header in re.findall(r"^\s*#\s*include\s*<([^>]+)>", source, re.MULTILINE):
            allowed = PORTABLE_HEADERS.union(*(headers for macro, headers in TARGET_HEADERS.items() if macro in source))
            if header not in allowed:
                problems.append(f"{path}: <{header}>")
    assert not problems, "\n".join(problems)


def test_firmware_includes_lead_downwards() -> None:
    problems = []
    for part, path in firmware_files("*.[chS]*"):
        reachable = {header.name for folder in [part, *MAY_INCLUDE[part]] for header in (FIRMWARE / folder).glob("*.h")}
        name = path.relative_to(FIRMWARE).as_posix()
        for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if header not in reachable | {BOARDS_OWN.get(name), CHOSEN.get(name)}:
                problems.append(f"{path}: {header} is not below {part}")
    assert not problems, "\n".join(problems)
    TopologicalSorter(MAY_INCLUDE).prepare()  # raises on a circle of folders
    sources = [path for path in FIRMWARE.rglob("*.[chS]*") if path.suffix in C_SUFFIXES - {".ino"}]
    unplaced = {path.parent for path in sources if "examples" not in path.parts}  # a sketch has its headers next to it
    assert unplaced == {FIRMWARE / part for part in MAY_INCLUDE}, "what may a new folder include, and who may include from it?"


def test_no_files_of_the_firmware_include_in_a_circle() -> None:
    files = [(path, [FIRMWARE / folder for folder in MAY_INCLUDE[part]]) for part, path in firmware_files("*.[chS]*")]
    graph = unit_graph(files)
    assert graph[FIRMWARE / "src/turn"] > {FIRMWARE / "src/commands", FIRMWARE / "src/device"}
    TopologicalSorter(graph).prepare()  # raises on a circle and names it


def test_a_circle_through_a_source_file_is_found(tmp_path: Path) -> None:
    """The header of one and the source of the other would do for no compiler to notice."""
    texts = {"low.h": "", "low.c": '#include "low.h"\n#include "high.h"\n', "high.h": '#include "low.h"\n', "high.c": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = [(path, [tmp_path]) for path in sorted(tmp_path.iterdir())]
    with pytest.raises(CycleError):
        TopologicalSorter(unit_graph(files)).prepare()
    (tmp_path / "low.c").write_text('#include "low.h"\n', encoding="utf-8")
    TopologicalSorter(unit_graph(files)).prepare()


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


def test_a_comment_opens_every_c_file() -> None:
    """What the file holds, and where the header does not say so, who calls it."""
    files = [path for path in project_files() if path.suffix in C_SUFFIXES]
    comments = {path: re.match(r"/\*(.*?)\*/|((?://[^\n]*\n)+)", path.read_text(encoding="utf-8"), re.DOTALL) for path in files}
    assert not [str(path) for path, comment in comments.items() if comment is None or len(comment.group().split()) < 5]


def test_no_two_sources_share_an_object() -> None:
    """PlatformIO names an object file after its source without the suffix, and refuses two of one name in a folder."""
    sources = [path.with_suffix("") for path in project_files() if path.suffix in {".c", ".cpp", ".S"} and "firmware" in path.parts]
    assert sources
    assert sorted(set(sources)) == sorted(sources)


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
