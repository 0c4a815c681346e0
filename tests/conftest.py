"""What all tests share: the choice of the board, C programs with sanitizers, and what to do when a tool is missing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from mtjlearn.discovery import VIRTUAL

TESTS = Path(__file__).resolve().parent
PROJECT = TESTS.parent
CHIPS = {"bench", "chips", "platformio"}
SIMULATED = {"uno-sim", "m4-sim", "m0-sim"}
BY_HAND = {"m0-sim"}
"""Boards whose C is that of m4-sim, but for kernels with tests of their own: their run of the board suite is slow."""
FAST = "unit"
"""The folder whose tests are fast unless they say otherwise."""
FOLDERS = {path for path in TESTS.iterdir() if path.is_dir() and path.name != FAST}
CI = os.environ.get("CI", "").lower() == "true"

SANITIZED = (
    *("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
)

NeedsTool = Callable[[str, str], str]
CompileC = Callable[..., Path]

# Shared machines stall for seconds, so no deadline; CI repeats exactly what it ran before.
settings.register_profile("mtjlearn", deadline=None, derandomize=CI, print_blob=True)
settings.register_profile("check", settings.get_profile("mtjlearn"), max_examples=20)
settings.load_profile("mtjlearn")

# A shell starts its background jobs with Ctrl-C ignored, and a program that ignores a signal hands that on to those it starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--board", metavar="NAME", help=f"board to test: {', '.join(VIRTUAL)}, or a port; default: each virtual one")


def pytest_configure(config: pytest.Config) -> None:
    """``make check`` tries a few examples of each property; ``make test`` tries them all."""
    if config.option.markexpr == "fast":
        settings.load_profile("check")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``board_name``: name of the board under test, as mtjlearn takes it; a test with it runs once for each board."""
    if "board_name" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--board")
        metafunc.parametrize("board_name", [chosen] if chosen else list(VIRTUAL), scope="session")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``-m fast`` no file is imported that has no fast test; None leaves the choice to pytest."""
    return True if config.option.markexpr == "fast" and collection_path in FOLDERS else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``chips`` and ``fast`` follow from where a test lives and which board it has; ``thorough`` and ``slow`` it says itself."""
    for item in items:
        place = item.path.relative_to(TESTS).parts
        board = getattr(item, "callspec", None) and item.callspec.params.get("board_name")
        if place[0] in CHIPS or board in SIMULATED:
            item.add_marker("chips")
            if board in BY_HAND:
                item.add_marker("slow")
        elif place[0] == FAST and not any(item.iter_markers("thorough")) and not any(item.iter_markers("slow")):
            item.add_marker("fast")


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def tool_missing() -> Callable[[str], NoReturn]:
    """``tool_missing(message)``: skips the test, or fails it with CI=true."""

    def stop(message: str) -> NoReturn:
        if CI:
            pytest.fail(message)
        pytest.skip(message)

    return stop


@pytest.fixture(scope="session")
def needs_tool(tool_missing: Callable[[str], NoReturn]) -> NeedsTool:
    """``needs_tool(command, package)``: path of the command; without it the test is skipped, or fails with CI=true."""

    def find(command: str, package: str) -> str:
        path = shutil.which(command)
        if path is None:
            tool_missing(f"{command} is missing (Debian package {package})")
        return path

    return find


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory: pytest.TempPathFactory, needs_tool: NeedsTool) -> CompileC:
    """``compile_c(sources, include_dirs, flags=())``: path of a program built with the address and UB sanitizers.

    Paths are relative to the project or absolute. The same request is built once a session. An error fails the test.
    """
    built: dict[tuple[tuple[str, ...], ...], Path] = {}

    def build(
        sources: Sequence[str | Path], include_dirs: Sequence[str | Path] = (), flags: Sequence[str] = ()
    ) -> Path:
        key = tuple(map(str, sources)), tuple(map(str, include_dirs)), tuple(flags)
        if key not in built:
            program = tmp_path_factory.mktemp("c") / Path(sources[0]).stem
            includes = [f"-I{directory}" for directory in include_dirs]
            inputs = [*includes, *map(str, sources), *flags]
            command = [needs_tool("gcc", "gcc"), *SANITIZED, *inputs, "-o", str(program)]
            run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
            if run.returncode:
                pytest.fail(f"{' '.join(command)}\n{run.stderr}")
            built[key] = program
        return built[key]

    return build
