"""What the package is where POSIX is missing: it imports, CMake leaves out what cannot be built, and commands say so in a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from mtjlearn import discovery
from mtjlearn.board import BoardError
from mtjlearn.cli.boards import cli as boards_command
from mtjlearn.discovery import list_boards, open_board
from mtjlearn.firmware import compiled
from mtjlearn.virtual import boards
from mtjlearn.virtual.boards import VIRTUAL, default_virtual_board, start_process

HERE = Path(__file__).parent


def configure(project: Path, build: Path, cmake: str, *options: str) -> str:
    """What CMake would build and install, as text."""
    subprocess.run(
        [cmake, "-G", "Unix Makefiles", "-S", project / "firmware", "-B", build, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *options],
        capture_output=True,
        check=True,
    )
    commands = build / "compile_commands.json"
    return (commands.read_text() if commands.exists() else "") + (build / "cmake_install.cmake").read_text()


def test_every_module_imports_without_posix() -> None:
    done = subprocess.run([sys.executable, HERE / "import_without_posix.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_cmake_builds_everything_here_and_warnings_stay_warnings(
    project: Path, tmp_path: Path, needs_tool: Callable[[str, str], str]
) -> None:
    found = configure(project, tmp_path, needs_tool("cmake", "cmake"))
    assert "mtjlearn-native" in found
    assert "mtjlearn-inprocess" in found
    assert "-Wconversion" in found
    assert "-Werror" not in found


def test_cmake_leaves_out_what_it_is_told_to(project: Path, tmp_path: Path, needs_tool: Callable[[str, str], str]) -> None:
    cmake = needs_tool("cmake", "cmake")
    found = configure(project, tmp_path / "windows", cmake, "-DMTJLEARN_NATIVE_BOARD=OFF", "-DMTJLEARN_WERROR=ON")
    assert "mtjlearn-native" not in found
    assert "mtjlearn-inprocess" in found
    assert "-Werror" in found


def test_cmake_succeeds_without_a_compiler(
    project: Path, tmp_path: Path, needs_tool: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cmake = needs_tool("cmake", "cmake")
    make = needs_tool("make", "make")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    found = configure(
        project, tmp_path / "build", cmake, f"-DCMAKE_MAKE_PROGRAM={make}", f"-DPython3_EXECUTABLE={sys.executable}"
    )
    assert "mtjlearn-native" not in found
    assert "mtjlearn-inprocess" not in found
    assert "platformio.ini" in found


@pytest.fixture
def nothing_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without compiled parts."""
    monkeypatch.delenv("MTJLEARN_NATIVE", raising=False)
    monkeypatch.setattr(compiled, "installed_path", lambda name: tmp_path / name)
    monkeypatch.setattr(discovery.list_ports, "comports", list)


@pytest.mark.usefixtures("nothing_built")
def test_what_was_not_built_is_not_listed_and_named_in_one_line() -> None:
    assert [board.name for board in list_boards()] == ["uno-sim", "m4-sim", "m0-sim", "micropython"]
    assert default_virtual_board() == "inprocess"
    with pytest.raises(compiled.NotBuiltError, match=r"no native virtual board, which needs Linux, macOS or Windows' WSL"):
        open_board("native")
    found = CliRunner().invoke(boards_command, ["--board", "native", "--json"])
    assert found.exit_code == 2
    assert "use --board inprocess" in json.loads(found.stdout)["error"]
    assert len(found.stderr.strip().splitlines()) == 1


def test_boards_that_are_processes_need_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    class Windows:
        name = "nt"

        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

    monkeypatch.setattr(boards, "os", Windows())
    monkeypatch.setattr(discovery.list_ports, "comports", list)
    assert [board.name for board in list_boards()] == ["inprocess"]
    assert default_virtual_board() == "inprocess"
    for name in (name for name, board in VIRTUAL.items() if board.process):
        with pytest.raises(BoardError, match=f"board {name} needs Linux, macOS or Windows' WSL; here there is --board inprocess"):
            open_board(name)
    with open_board("inprocess") as board:
        assert board.info.name == "inprocess"


def test_nothing_connects_to_the_board_in_this_process() -> None:
    with pytest.raises(BoardError, match="inprocess lives inside one program, and no other can connect to it; use native"):
        start_process("inprocess")
