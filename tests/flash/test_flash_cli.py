"""``mtjlearn flash`` with a stand-in for PlatformIO: what it asks for, shows, and makes of what comes back."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import flash_support as said
import pytest
from click.testing import CliRunner, Result
from flash_support import Port, asked, fake_platformio

from mtjlearn import discovery
from mtjlearn.cli.flash import cli
from mtjlearn.firmware import firmware_root
from mtjlearn.flashing import FlashError, build_ids, platformio, ports, upload
from mtjlearn.virtual.native import start_native

Fake = Callable[..., None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """``fake(output, code)``: what PlatformIO prints and its exit status; no USB device is there."""
    monkeypatch.setattr(discovery.list_ports, "comports", list)

    def prepare(output: str, code: int = 0, seconds: float = 0.0) -> None:
        command = fake_platformio(tmp_path, output, code, seconds)
        monkeypatch.setattr(upload, "find_platformio", lambda: command)

    return prepare


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--json"])


def answer(result: Result) -> dict[str, object]:
    return dict(json.loads(result.stdout.splitlines()[-1]))


def test_a_dry_run_builds_and_tells_the_sizes(fake: Fake, tmp_path: Path) -> None:
    fake(said.BUILDING)
    found = run("--board", "uno", "--dry-run")
    assert found.exit_code == 0, found.stderr
    result = answer(found)
    assert (result["board"], result["port"], result["info"]) == ("uno", None, None)
    assert result["build"] == build_ids(firmware_root())["uno"]
    assert result["sizes"] == {"flash": 16754, "flash_limit": 32256, "ram": 1438, "ram_limit": 2048}
    assert "flash 16,754 of 32,256 bytes, RAM 1,438 of 2,048 bytes" in found.stderr
    assert found.stderr.index("compiling") < found.stderr.index("linking")
    arguments, flags = asked(tmp_path)
    assert arguments == ["run", "--project-dir", str(firmware_root()), "--environment", "uno"]
    assert flags == ""


def test_options_reach_the_compiler_beside_the_users_own_flags(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(said.BUILDING)
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-DMINE='a b'")
    run("--board", "uno", "--dry-run", "--baud", "115200", "--adc-rate", "19231", "--reference", "5000")
    assert asked(tmp_path)[1] == "'-DMINE=a b' -DUNO_BAUD=115200 -DUNO_ADC_PRESCALER=64 -DUNO_REFERENCE_MV=5000"


def test_the_upload_names_its_port(fake: Fake, tmp_path: Path, silent: str) -> None:
    fake(said.UPLOADING + said.NOT_IN_SYNC, 1)
    found = run("--board", "uno", "--port", silent)
    assert found.exit_code == 2
    assert f"no bootloader answers at {silent}" in str(answer(found)["error"])
    assert asked(tmp_path)[0][-4:] == ["--target", "upload", "--upload-port", silent]


def test_a_board_that_runs_something_else_afterwards_is_told(fake: Fake) -> None:
    fake(said.UPLOADING)
    with start_native() as native:
        found = run("--board", "uno", "--port", native.url)
    assert found.exit_code == 2
    expected = build_ids(firmware_root())["uno"]
    assert f"not {expected}: the upload had no effect" in str(answer(found)["error"])


def test_a_board_that_was_built_otherwise_is_told(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(said.UPLOADING)
    with start_native(adc_reference=1100) as native:
        with discovery.open_board(native.url) as board:
            build = board.info.build
        monkeypatch.setattr(upload, "build_ids", lambda root: {"uno": build})
        found = run("--board", "uno", "--port", native.url, "--reference", "5000")
        assert "1,100 mV at full scale instead of 5,000" in str(answer(found)["error"])
        found = run("--board", "uno", "--port", native.url, "--reference", "1100")
    assert found.exit_code == 0, found.stderr
    assert answer(found)["port"] == native.url
    assert f"runs build {build}, as it says itself" in found.stderr


def test_the_other_of_two_images_of_the_same_sources_is_told(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(said.UPLOADING)
    with start_native() as native:
        with discovery.open_board(native.url) as board:
            build = board.info.build
        monkeypatch.setattr(upload, "build_ids", lambda root: {"uno": build})
        found = run("--board", "uno_streamed", "--port", native.url)
    assert found.exit_code == 2
    assert "was not built as asked: it has autonomous learning" in str(answer(found)["error"])


def test_a_board_that_stays_silent_afterwards_is_told(fake: Fake, silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(said.UPLOADING)
    monkeypatch.setattr(upload, "HELLO_TIMEOUT", 0.3)
    found = run("--board", "uno", "--port", silent)
    assert "the upload succeeded, but the board" in str(answer(found)["error"])
    assert "press reset" in str(answer(found)["error"])


def test_a_port_that_goes_away_meanwhile_is_told(
    fake: Fake, silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name of our own: the number of a closed pseudo-terminal is anybody's at once.
    port = tmp_path / "port"
    port.symlink_to(silent)
    fake(said.UPLOADING)
    monkeypatch.setattr(ports, "RETURN_TIMEOUT", 0.5)
    real = upload.run

    def run_and_unplug(*arguments: object) -> int:
        code = int(real(*arguments))
        port.unlink()
        return code

    monkeypatch.setattr(upload, "run", run_and_unplug)
    found = run("--board", "uno", "--port", str(port))
    assert "the upload succeeded, but then: there is no port" in str(answer(found)["error"])


def test_a_board_that_comes_back_under_another_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with start_native() as native:
        monkeypatch.setattr(discovery.list_ports, "comports", lambda: [Port(native.url, 0x2341, 0x0069, "77")])
        before = discovery.BoardPort("/dev/ttyACM99", "Arduino Uno R4 Minima", known=True, serial_number="77")
        with ports.open_after_upload(before, 250_000, 5.0) as board:
            assert board.info.url == native.url


def test_a_port_that_the_upload_tool_cannot_open_is_explained_by_us(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(said.UPLOADING + said.FORBIDDEN, 1)
    monkeypatch.setattr(
        upload,
        "choose_port",
        lambda target, port, force: discovery.BoardPort("/dev/no-such-port", "", known=False),
    )
    found = run("--board", "uno", "--port", "/dev/no-such-port")
    assert "there is no port /dev/no-such-port" in str(answer(found)["error"])


def test_silence_is_told(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(said.NO_REGISTRY, 1, seconds=0.5)
    monkeypatch.setattr(platformio, "QUIET", 0.2)
    found = run("--board", "uno", "--dry-run")
    assert "PlatformIO fetches its tools (no word from it for" in found.stderr
    assert "registry cannot be reached" in str(answer(found)["error"])


def test_verbose_shows_all(fake: Fake) -> None:
    fake(said.BUILDING)
    found = run("--board", "uno", "--dry-run", "--verbose")
    for line in said.BUILDING.splitlines():
        assert line in found.stderr


def test_ctrl_c_ends_the_build(fake: Fake) -> None:
    fake("Compiling main.c.o\n", seconds=30)
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    found = run("--board", "uno", "--dry-run")
    assert found.exit_code == 130


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--board", "due"], "no firmware for due"),
        (["--board", "uno", "--dry-run", "--port", "COM3"], "--dry-run uploads nothing; omit --port"),
        (["--board", "uno", "--port", "socket://127.0.0.1:1"], "not over a network"),
        (["--board", "uno", "--port", "/dev/no-such-port"], "there is no port /dev/no-such-port"),
        (["--board", "uno"], "no uno is connected; connect it by USB"),
        ([], "which board it is cannot be seen; name it with --board"),
    ],
)
def test_mistakes_are_told_in_one_line(fake: Fake, tmp_path: Path, arguments: list[str], expected: str) -> None:
    fake(said.UPLOADING)
    found = run(*arguments)
    assert found.exit_code == 2
    assert expected in str(answer(found)["error"])
    assert len(found.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "asked.json").exists()


def test_platformio_is_found_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert platformio.find_platformio()[-2:] == ["-m", "platformio"]
    monkeypatch.setattr(platformio, "find_spec", lambda name: None)
    program = tmp_path / "pio"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert platformio.find_platformio() == [str(program)]
    program.unlink()
    with pytest.raises(FlashError, match=r"PlatformIO is missing; install it: .*python\S* -m pip install 'mtjlearn\[chips\]'"):
        platformio.find_platformio()
