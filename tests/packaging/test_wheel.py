"""The wheel: one for every Python, with nothing of Python in its libraries, and with the images of Uno and Nano."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import _cffi_backend
import pytest

from mtjlearn.firmware import build_ids, firmware_root
from mtjlearn.firmware.micropython_sources import micropython_root
from mtjlearn.virtual.boards import VIRTUAL, start_process

pytestmark = pytest.mark.slow

Run = Callable[..., "subprocess.CompletedProcess[str]"]

OTHERS = ("3.12", "3.13", "3.14")
MOST_BYTES = 2 << 20
_CPYTHON = re.compile(r"\b_?Py[A-Z_]\w*|libpython\S*")


def cpython_in(library: Path) -> set[str]:
    """Symbols and libraries of CPython that a binary needs."""
    symbols = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True).stdout
    needed = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    return set(_CPYTHON.findall(symbols + needed))


def test_one_wheel_serves_every_python(wheel: Path) -> None:
    assert re.fullmatch(r"mtjlearn-[\d.]+-py3-none-(?!any)\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/WHEEL"))
        metadata = archive.read(name).decode()
    assert "Root-Is-Purelib: false" in metadata
    assert re.findall(r"^Tag: (.*)", metadata, re.MULTILINE) == ["-".join(wheel.stem.split("-")[-3:])]
    assert wheel.stat().st_size < MOST_BYTES


def test_its_libraries_know_nothing_of_python(installed: Path, needs_tool: Callable[[str, str], str]) -> None:
    for tool in ("nm", "readelf"):
        needs_tool(tool, "binutils")
    binaries = sorted((installed / "mtjlearn" / "_native").iterdir())
    assert {path.name for path in binaries} >= {"mtjlearn-native", "libmtjlearn-inprocess.so"}
    assert {path.name: cpython_in(path) for path in binaries} == {path.name: set() for path in binaries}
    # An extension module of somebody else has them, so they would be seen.
    assert cpython_in(Path(_cffi_backend.__file__))


def test_it_carries_the_images_of_its_sources(installed: Path, run_installed: Run) -> None:
    for name in ("uno", "uno_streamed", "nano", "nano_old"):
        found = run_installed(installed, "-m", "mtjlearn", "flash", "--board", name, "--dry-run", "--json", PATH="/nowhere")
        assert found.returncode == 0, found.stderr
        result = json.loads(found.stdout)
        assert result["carried"] is True
        assert result["build"] == build_ids(firmware_root())["uno"]
        assert Path(result["image"]).is_relative_to(installed)


def test_it_carries_the_firmware_in_micropython(installed: Path) -> None:
    here, there = micropython_root(), installed / "mtjlearn" / "_firmware" / "firmware" / "micropython"
    names = {path.relative_to(here) for path in here.rglob("*.py")}
    assert names == {path.relative_to(there) for path in there.rglob("*.py")}
    assert all((here / name).read_bytes() == (there / name).read_bytes() for name in names)


@pytest.fixture
def address() -> Iterator[str]:
    """Where a virtual board of this checkout listens."""
    with start_process("native", tcp_port=0) as board:
        yield board.url


def test_without_the_native_board_it_imports_lists_and_opens(without_native: Path, run_installed: Run, address: str) -> None:
    assert not (without_native / "mtjlearn" / "_native" / "mtjlearn-native").exists()
    found = run_installed(without_native, Path(__file__).with_name("import_without_posix.py"))
    assert found.returncode == 0, found.stderr
    found = run_installed(without_native, "-m", "mtjlearn", "boards", "--json")
    assert found.returncode == 0, found.stderr
    names = [board["name"] for board in json.loads(found.stdout)["boards"] if board["virtual"]]
    assert names == [name for name in VIRTUAL if name != "native"]
    found = run_installed(without_native, "-m", "mtjlearn", "boards", "--board", address, "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["info"]["name"] == "native"
    found = run_installed(without_native, "-m", "mtjlearn", "boards", "--board", "native", "--json")
    assert found.returncode == 2
    assert "no native virtual board, which needs" in json.loads(found.stdout)["error"]


def test_without_the_native_board_the_demo_takes_the_one_inside(without_native: Path, run_installed: Run, tmp_path: Path) -> None:
    found = run_installed(without_native, "-m", "mtjlearn", "demo", "--runs", tmp_path, "--json")
    assert found.returncode == 0, found.stderr
    result = json.loads(found.stdout.splitlines()[-1])
    assert result["board"]["url"] == "inprocess"
    assert result["bit_exact"]["mismatches"] == 0


def interpreter(version: str) -> Path | None:
    """A Python of this version on this computer, if there is one that runs."""
    places = [shutil.which(f"python{version}"), *(Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")]
    for place in filter(None, places):
        command = [place, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return Path(place)
    return None


@pytest.mark.parametrize("version", [version for version in OTHERS if version != f"3.{sys.version_info.minor}"])
def test_it_runs_under_another_python(wheel: Path, tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    environment = tmp_path / "environment"
    subprocess.run([python, "-m", "venv", environment], check=True)
    # Nothing large is compiled here; cobs has no wheels for each version.
    install = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--no-binary=cobs", wheel]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    demo = [environment / "bin" / "mtjlearn", "demo", "--runs", tmp_path / "runs", "--json"]
    done = subprocess.run(demo, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["test_accuracy"] > 0.9
    assert result["bit_exact"]["mismatches"] == 0
