"""The build id names the sources of a board's image, everywhere the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtjlearn.firmware import firmware_root
from mtjlearn.flashing import build_ids, sources_of_build


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small firmware with two boards."""
    files = {
        "lib/anp/src/anp.c": "int anp;\n",
        "lib/anp/src/anp.h": "extern int anp;\n",
        "lib/anp/examples/xor/xor.ino": "void loop() {}\n",
        "src/device.c": "int device;\n",
        "boards/uno/main.c": "int main(void) { return 0; }\n",
        "boards/uno/notes.md": "no source\n",
        "boards/arduino/main.cpp": "int main() {}\n",
    }
    for name, content in files.items():
        path = tmp_path / "firmware" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    shutil.copy(firmware_root() / "firmware" / "build_id.py", tmp_path / "firmware")
    return tmp_path


def test_every_source_of_the_board_counts_and_nothing_else(sources: Path) -> None:
    firmware = sources / "firmware"
    before = build_ids(sources)
    assert set(before) == {"arduino", "uno"}
    assert all(re.fullmatch("[0-9a-f]{8}", found) for found in before.values())
    assert before["uno"] != before["arduino"]
    for name in ("boards/uno/notes.md", "lib/anp/examples/xor/xor.ino", "README.md"):
        (firmware / name).write_text("changed\n")
    assert build_ids(sources) == before
    for name in ("lib/anp/src/anp.h", "src/device.c"):
        kept = (firmware / name).read_bytes()
        (firmware / name).write_bytes(kept + b"\n")
        assert {board for board, found in build_ids(sources).items() if found != before[board]} == {"arduino", "uno"}
        (firmware / name).write_bytes(kept)
    (firmware / "boards/uno/main.c").rename(firmware / "boards/uno/start.c")
    after = build_ids(sources)
    assert after["arduino"] == before["arduino"]
    assert after["uno"] != before["uno"]


def test_a_checkout_with_the_line_ends_of_windows_is_the_same(sources: Path) -> None:
    before = build_ids(sources)
    for path in (sources / "firmware").rglob("*.c"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert build_ids(sources) == before


def test_the_command_line_prints_it_and_refuses_what_is_no_board(sources: Path) -> None:
    program = [sys.executable, sources / "firmware" / "build_id.py"]
    found = subprocess.run([*program, "uno"], capture_output=True, text=True, check=True)
    assert found.stdout == build_ids(sources)["uno"] + "\n"
    listed = subprocess.run([*program, "uno", "--sources"], capture_output=True, text=True, check=True).stdout.splitlines()
    firmware = sources / "firmware"
    names = [Path(path).relative_to(firmware).as_posix() for path in listed]
    assert names == ["boards/uno/main.c", "lib/anp/src/anp.c", "lib/anp/src/anp.h", "src/device.c"]
    refused = subprocess.run([*program, "nano"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "uno" in refused.stderr


def test_a_build_is_traced_to_its_board() -> None:
    for board, found in build_ids(firmware_root()).items():
        assert sources_of_build(found) == board
    assert sources_of_build("00000000") is None


def test_cmake_compiles_it_in_and_installs_it(project: Path, tmp_path: Path, needs_tool: Callable[[str, str], str]) -> None:
    cmake = needs_tool("cmake", "cmake")
    build, installed = tmp_path / "build", tmp_path / "installed"
    subprocess.run([cmake, "-G", "Unix Makefiles", "-S", project / "firmware", "-B", build], capture_output=True, check=True)
    expected = build_ids(project)
    flags = (build / "CMakeFiles" / "mtjlearn-native.dir" / "build.make").read_text()
    flags += (build / "CMakeFiles" / "mtjlearn-native.dir" / "flags.make").read_text()
    assert f"DEVICE_BUILD=0x{expected['native']}u" in flags
    install = [cmake, "--install", build, "--component", "firmware", "--prefix", installed]
    subprocess.run(install, capture_output=True, check=True)
    root = installed / "mtjlearn" / "_firmware"
    assert build_ids(root) == expected
    assert (root / "platformio.ini").read_bytes() == (project / "platformio.ini").read_bytes()
    for name in ("platformio/prepare.py", "simulators/uno/main.c", "boards/uno/uno.h"):
        assert (root / "firmware" / name).read_bytes() == (project / "firmware" / name).read_bytes()
    if "test_framework = custom" in (root / "platformio.ini").read_text():
        assert (root / "tests/platformio/project/test_custom_runner.py").exists()
    assert not [path for path in root.rglob("*") if path.name in ("__pycache__", ".pio", "build")]
