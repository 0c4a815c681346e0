"""`mtjlearn flash` without hardware: PlatformIO, avrdude and the bootloader are the real ones, the Uno is simulated."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtjlearn.board import Board
from mtjlearn.firmware import firmware_root
from mtjlearn.flashing import build_ids
from mtjlearn.virtual.process import BoardProcess

UPLOAD_TIMEOUT = 120


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where PlatformIO builds; empty at first."""
    return tmp_path_factory.mktemp("workspace")


def flash(workspace: Path, port: str, *options: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `mtjlearn flash` as a command, without PlatformIO's registry."""
    program = [sys.executable, "-c", "from mtjlearn.cli import main; main()", "flash", "--board", "uno", "--port", port]
    environment = {**os.environ, "PLATFORMIO_WORKSPACE_DIR": str(workspace)}
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    command = [*program, "--offline", "--json", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=UPLOAD_TIMEOUT)


def test_an_empty_uno_is_flashed_and_says_the_build_that_was_built(workspace: Path, empty_uno: BoardProcess) -> None:
    found = flash(workspace, empty_uno.url)
    assert found.returncode == 0, found.stdout + found.stderr
    result = json.loads(found.stdout.splitlines()[-1])
    expected = build_ids(firmware_root())["uno"]
    assert result["build"] == result["info"]["build"] == expected
    assert (result["info"]["name"], result["info"]["adc_rate"]) == ("uno", 9615)
    assert 0 < result["sizes"]["flash"] < result["sizes"]["flash_limit"] == 32_256
    assert 0 < result["sizes"]["ram"] < result["sizes"]["ram_limit"] == 2048
    assert Path(result["image"]) == workspace / "build" / "uno" / "firmware.hex"
    assert f"runs build {expected}, as it says itself" in found.stderr
    # It stays flashed: a reset, here by opening the port, starts it again.
    with Board.open(empty_uno.url) as board:
        assert board.info.build == expected


def test_without_a_bootloader_the_real_avrdude_is_explained(
    workspace: Path, tmp_path: Path, needs_tool: Callable[[str, str], str]
) -> None:
    avrdude = needs_tool("avrdude", "avrdude")
    once = tmp_path / "avrdude"  # ten attempts take a minute
    once.write_text(f'#!/bin/sh\nexec {avrdude} -x attempts=1 "$@"\n')
    once.chmod(0o755)
    master, slave = pty.openpty()
    try:
        found = flash(workspace, os.ttyname(slave), path=tmp_path)
    finally:
        os.close(master)
        os.close(slave)
    assert found.returncode == 2
    assert "no bootloader answers at" in json.loads(found.stdout.splitlines()[-1])["error"]
    assert "pressing the board's reset may help" in found.stderr


def test_a_missing_upload_tool_is_named(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("sh", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    monkeypatch.setenv("PATH", str(tmp_path))
    master, slave = pty.openpty()
    try:
        found = flash(workspace, os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert "avrdude is missing; install it" in json.loads(found.stdout.splitlines()[-1])["error"]


@pytest.mark.slow
def test_options_change_the_image_and_are_seen_on_the_board(workspace: Path, empty_uno: BoardProcess) -> None:
    found = flash(workspace, empty_uno.url, "--baud", "115200", "--adc-rate", "38462", "--reference", "5000")
    assert found.returncode == 0, found.stdout + found.stderr
    info = json.loads(found.stdout.splitlines()[-1])["info"]
    assert info["adc_reference"] == 5.0
    assert info["adc_rate"] == pytest.approx(38_462, abs=1)
    assert info["line_rate"] == pytest.approx(11_765, abs=1)  # 16 MHz / 8 / 17: the nearest to 115,200 baud
    with Board.open(empty_uno.url, baud=115_200) as board:
        assert board.info.build == build_ids(firmware_root())["uno"]
