"""`mtjlearn flash` with the images that an installed package carries: avrdude alone puts them onto a board."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flash_support import BUILDING, asked, fake_platformio

from mtjlearn.board import Board
from mtjlearn.cli.flash import cli
from mtjlearn.firmware import build_firmware, build_ids, find_avr_gcc, firmware_root
from mtjlearn.flashing import avrdude, images, upload
from mtjlearn.flashing.images import LIST
from mtjlearn.flashing.write_images import write_images
from mtjlearn.virtual.process import BoardProcess

NAMES = ("uno", "uno_streamed", "nano", "nano_old")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images as a package is built with."""
    folder = tmp_path_factory.mktemp("images") / "made"
    write_images(folder)
    return folder


@pytest.fixture
def carried(written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This package carries the images, and nothing compiles."""

    def none() -> list[str]:
        raise AssertionError("PlatformIO was asked")

    monkeypatch.setattr(images, "images_folder", lambda: written)
    monkeypatch.setattr(upload, "find_platformio", none)
    monkeypatch.delenv("PLATFORMIO_BUILD_FLAGS", raising=False)
    return written


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--json"])


def answer(result: Result) -> dict[str, object]:
    return dict(json.loads(result.stdout.splitlines()[-1]))


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_what_is_built_from_the_same_sources(written: Path, name: str, tmp_path: Path) -> None:
    entry = json.loads((written / LIST).read_text())[name]
    assert entry["build"] == build_ids(firmware_root())["uno"]
    objcopy = find_avr_gcc().with_name("avr-objcopy")
    subprocess.run([objcopy, "-O", "binary", "-R", ".eeprom", build_firmware(name), tmp_path / "built"], check=True)
    subprocess.run([objcopy, "-I", "ihex", "-O", "binary", written / entry["file"], tmp_path / "carried"], check=True)
    assert (tmp_path / "carried").read_bytes() == (tmp_path / "built").read_bytes()
    assert entry["flash"] == (tmp_path / "built").stat().st_size


def test_an_empty_uno_is_flashed_without_a_compiler(carried: Path, empty_uno: BoardProcess) -> None:
    found = run("--board", "uno", "--port", empty_uno.url)
    assert found.exit_code == 0, found.stderr
    result = answer(found)
    expected = build_ids(firmware_root())["uno"]
    assert result["build"] == expected
    assert result["carried"] is True
    assert result["image"] == str(carried / "uno.hex")
    assert dict(result["info"])["build"] == expected  # type: ignore[call-overload]
    with Board.open(empty_uno.url) as board:
        assert board.info.build == expected


def test_without_a_board_the_image_is_shown(carried: Path) -> None:
    found = run("--board", "nano", "--dry-run")
    assert found.exit_code == 0, found.stderr
    sizes = dict(answer(found)["sizes"])  # type: ignore[call-overload]
    assert 0 < sizes["flash"] < sizes["flash_limit"] == 30_720
    assert 0 < sizes["ram"] < sizes["ram_limit"] == 2048
    assert "in this package" in found.stderr


@pytest.mark.parametrize("name", NAMES)
def test_avrdude_is_told_chip_bootloader_and_image(
    carried: Path, silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    baud = 57600 if name == "nano_old" else 115200
    program(tmp_path / "avrdude", f'echo "$@" > {tmp_path}/arguments; echo "avrdude: not in sync: resp=0x00"; exit 1')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = run("--board", name, "--port", silent)
    assert f"no bootloader answers at {silent}" in str(answer(found)["error"])
    expected = f"-p atmega328p -c arduino -b {baud} -D -P {silent} -U flash:w:{carried / name}.hex:i"
    assert (tmp_path / "arguments").read_text().strip() == expected


@pytest.mark.parametrize("arguments", [["--build"], ["--offline"], ["--baud", "115200"]])
def test_what_the_image_is_not_gets_built(
    carried: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    command = fake_platformio(tmp_path, BUILDING)
    monkeypatch.setattr(upload, "find_platformio", lambda: command)
    # With --offline the stand-in is started by another program, which has its place in a core directory of its own.
    monkeypatch.setenv("PLATFORMIO_WORKSPACE_DIR", str(tmp_path / "workspace"))
    found = run("--board", "uno", "--dry-run", *arguments)
    assert found.exit_code == 0, found.stderr
    assert answer(found)["carried"] is False
    assert "run" in asked(tmp_path)[0]


def test_an_image_of_other_sources_is_not_taken(
    carried: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = json.loads((carried / LIST).read_text())
    entries["uno"]["build"] = "00000000"
    (tmp_path / LIST).write_text(json.dumps(entries))
    monkeypatch.setattr(images, "images_folder", lambda: tmp_path)
    command = fake_platformio(tmp_path, BUILDING)
    monkeypatch.setattr(upload, "find_platformio", lambda: command)
    assert answer(run("--board", "uno", "--dry-run"))["carried"] is False


def test_avrdude_is_found_where_platformio_put_it_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(avrdude.FlashError, match=r"avrdude is missing; install it .* or let PlatformIO .* with --build"):
        avrdude.find_avrdude()
    package = tmp_path / "packages" / "tool-avrdude"
    program(package / "avrdude", "exit 0")
    assert avrdude.find_avrdude() == [str(package / "avrdude"), "-C", str(package / "avrdude.conf")]
    program(package / "bin" / "avrdude", "exit 0")
    assert avrdude.find_avrdude()[0] == str(package / "bin" / "avrdude")
    program(tmp_path / "nothing" / "avrdude", "exit 0")
    assert avrdude.find_avrdude() == [str(tmp_path / "nothing" / "avrdude")]
