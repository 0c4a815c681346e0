"""What PlatformIO and the upload tools say when they fail becomes one line that shows what to do."""

from __future__ import annotations

import flash_support as said
import pytest

from mtjlearn.firmware import images
from mtjlearn.firmware.compilers import ToolMissing
from mtjlearn.flashing.failures import blames_port, explain

PORT = "/dev/ttyACM7"


@pytest.mark.parametrize(
    ("output", "board", "expected"),
    [
        (said.UPLOADING + said.NOT_IN_SYNC, "uno", ["no bootloader answers at /dev/ttyACM7", "press reset"]),
        (said.UPLOADING + said.NOT_IN_SYNC_7, "uno", ["no bootloader answers at /dev/ttyACM7", "press reset"]),
        (said.UPLOADING + "avrdude: stk500v2_ReceiveMessage(): timeout\n", "mega2560", ["no bootloader answers", "mega2560"]),
        (said.UPLOADING + said.WRONG_CHIP, "uno", ["signature 0x1e9801", "not ATmega328P", "--board"]),
        (said.UPLOADING + said.MISMATCH, "uno", ["differs from what was sent", "cable"]),
        (said.UPLOADING + said.NO_DFU, "uno_r4_minima", ["uno_r4_minima did not enter its bootloader", "reset twice"]),
        (said.UPLOADING + said.NO_BOSSA, "uno_r4_wifi", ["did not enter its bootloader", "reset twice"]),
        (said.UPLOADING + "dfu-util: Cannot open DFU device 2341:0369 (LIBUSB_ERROR_ACCESS)\n", "uno_r4_minima", ["udev rules"]),
        (said.UPLOADING + said.NO_PICO, "pico", ["hold BOOTSEL"]),
        (said.UPLOADING + said.NO_ESP, "esp32", ["hold the BOOT button"]),
        (said.UPLOADING + said.OTHER_ESP, "esp32", ["is ESP32-S3, not ESP32", "not esp32"]),
        (said.UPLOADING + said.NO_TOOL, "uno", ["avrdude is missing", "apt-get install avrdude"]),
        (said.NO_REGISTRY, "uno", ["registry cannot be reached", "--offline"]),
        (said.DOES_NOT_COMPILE, "uno", ["does not compile", "main.c:12:5: error: expected ';'"]),
        (said.DOES_NOT_FIT, "uno", ["does not fit into uno", "not within region"]),
        (said.UPLOADING + said.WRONG_CHIP_7, "uno", ["signature 1E 98 01", "not ATmega328P", "--board"]),
        (said.UPLOADING + said.VANISHED, "uno", ["/dev/ttyACM7 vanished during the upload", "ser_send(): write error", "cable"]),
        (said.UPLOADING + said.VANISHED_7, "uno", ["/dev/ttyACM7 vanished", "ser_send(): write error", "cable"]),
        (said.UPLOADING + said.VANISHED_ESP, "esp32", ["/dev/ttyACM7 vanished", "Protocol error", "cable"]),
        (said.UPLOADING + said.NOISY, "esp32", ["errors on the line to /dev/ttyACM7", "Invalid head of packet", "shorter cable"]),
        (said.UPLOADING + said.NO_RP, "pico", ["hold BOOTSEL"]),
        (said.UPLOADING + said.NO_ACCESS_RP, "pico", ["udev rules"]),
        (said.UPLOADING + said.FULL, "pico", ["the disk is full", "make room"]),
        (said.BUILDING + said.FULL_COMPILER, "uno", ["the disk is full", "make room"]),
        (
            said.UPLOADING + "avrdude error: something new\nit has a cause\n\nand advice\n*** [upload] Error 1\n====\n",
            "uno",
            ["PlatformIO failed: avrdude error: something new / it has a cause / and advice; see"],
        ),
        (said.WARNING + said.UPLOADING + "a tool: error: of its own\n", "uno", ["a tool: error: of its own"]),
        ("Error: Unknown board ID 'uno'\n", "uno", ["PlatformIO failed: Error: Unknown board ID 'uno'", "--verbose"]),
        ("", "uno", ["PlatformIO failed; see", "--verbose"]),
    ],
)
def test_failures_are_told_in_one_line(output: str, board: str, expected: list[str]) -> None:
    text = explain(output.splitlines(), board, PORT)
    assert "\n" not in text
    for part in expected:
        assert part in text


@pytest.mark.parametrize(
    "line",
    [
        said.FORBIDDEN,
        "avrdude error: cannot open port /dev/ttyACM7: Device or resource busy",
        "could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5)",
        'avrdude: ser_open(): can\'t open device "/dev/ttyACM7": No such file or directory',
    ],
)
def test_a_port_that_the_tool_could_not_open_is_tried_again_by_us(line: str) -> None:
    assert blames_port((said.UPLOADING + line).splitlines())


def test_what_the_compiler_could_not_open_is_no_fault_of_the_port() -> None:
    assert not blames_port(["ar: .pio/build/uno/lib.a: Permission denied", "*** [lib.a] Error 1"])
    assert not blames_port(["rm: x: Permission denied", *(said.UPLOADING + said.NOT_IN_SYNC).splitlines()])


def test_an_error_that_overtakes_the_beginning_of_the_upload_is_found() -> None:
    missing = (said.WARNING + "sh: 1: avrdude: not found\n*** [upload] Error 127\n" + said.UPLOADING).splitlines()
    assert explain(missing, "uno", PORT).startswith("avrdude is missing; install it")
    assert not blames_port(missing)
    assert blames_port((said.FORBIDDEN + "\n" + said.UPLOADING).splitlines())


@pytest.mark.parametrize("output", [said.VANISHED, said.VANISHED_7, said.VANISHED_ESP, said.NOISY, said.FULL, said.WRONG_CHIP_7])
def test_no_failed_upload_is_called_a_compile_error_or_a_burnt_bootloader(output: str) -> None:
    text = explain((said.WARNING + said.UPLOADING + output).splitlines(), "uno", PORT)
    assert "compile" not in text
    assert "burn" not in text


def test_a_silent_bootloader_is_no_fault_of_the_port() -> None:
    assert not blames_port((said.UPLOADING + said.NOT_IN_SYNC).splitlines())


@pytest.mark.parametrize(
    ("message", "is_missing"),
    [
        ("uno.c:3:10: fatal error: simavr/sim_avr.h: No such file or directory", True),
        ("/usr/bin/ld: cannot find -lsimavr: No such file or directory", True),
        ("/usr/bin/ld: cannot find -lelf", True),
        ("uno.c:9:1: error: expected ';' before '}' token", False),
        ("/usr/bin/ld: cannot find -lelfish", False),
    ],
)
def test_a_simulator_without_its_library_is_named_and_other_errors_are_not(message: str, is_missing: bool) -> None:
    found = images._explain_simavr(message)
    assert isinstance(found, ToolMissing) == is_missing
    assert found is None or "apt-get install libsimavr-dev libelf-dev" in str(found)
