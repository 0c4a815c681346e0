"""What PlatformIO and the upload tools say when they fail becomes one line that tells what to do."""

from __future__ import annotations

import flash_support as said
import pytest

from mtjlearn.flashing.failures import blames_port, explain

PORT = "/dev/ttyACM7"


@pytest.mark.parametrize(
    ("output", "board", "expected"),
    [
        (said.UPLOADING + said.NOT_IN_SYNC, "uno", ["no bootloader answers at /dev/ttyACM7", "press reset"]),
        (said.UPLOADING + said.NOT_IN_SYNC_7, "uno", ["no bootloader answers at /dev/ttyACM7", "press reset"]),
        (said.UPLOADING + "avrdude: stk500v2_ReceiveMessage(): timeout\n", "mega2560", ["no bootloader answers", "mega2560"]),
        (said.UPLOADING + said.WRONG_CHIP, "uno", ["signature 0x1e9801", "no ATmega328P", "--board"]),
        (said.UPLOADING + said.MISMATCH, "uno", ["differs from what was sent", "cable"]),
        (said.UPLOADING + said.NO_DFU, "uno_r4_minima", ["uno_r4_minima did not enter its bootloader", "reset twice"]),
        (said.UPLOADING + said.NO_BOSSA, "uno_r4_wifi", ["did not enter its bootloader", "reset twice"]),
        (said.UPLOADING + "dfu-util: Cannot open DFU device 2341:0369 (LIBUSB_ERROR_ACCESS)\n", "uno_r4_minima", ["udev rules"]),
        (said.UPLOADING + said.NO_PICO, "pico", ["hold BOOTSEL"]),
        (said.UPLOADING + said.NO_ESP, "esp32", ["hold the button BOOT"]),
        (said.UPLOADING + said.OTHER_ESP, "esp32", ["is ESP32-S3, not ESP32", "not esp32"]),
        (said.UPLOADING + said.NO_TOOL, "uno", ["avrdude is missing", "apt-get install avrdude"]),
        (said.NO_REGISTRY, "uno", ["registry cannot be reached", "--offline"]),
        (said.DOES_NOT_COMPILE, "uno", ["does not compile", "main.c:12:5: error: expected ';'"]),
        (said.DOES_NOT_FIT, "uno", ["does not fit into uno", "not within region"]),
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
        'avrdude error: cannot open port /dev/ttyACM7: Device or resource busy',
        "could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5)",
        "avrdude: ser_open(): can't open device \"/dev/ttyACM7\": No such file or directory",
    ],
)
def test_a_port_that_the_tool_could_not_open_is_tried_again_by_us(line: str) -> None:
    assert blames_port(line.splitlines())


def test_a_silent_bootloader_is_no_fault_of_the_port() -> None:
    assert not blames_port((said.UPLOADING + said.NOT_IN_SYNC).splitlines())
