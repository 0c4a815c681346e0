"""The chips' environments of platformio.ini: the Uno's image is the one of the host's own build, the Mega's runs in a simulator."""

from __future__ import annotations

import configparser
import re
import runpy
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from boards_page_support import check_stated
from plain_client import PlainClient, configure, noise_codes
from simulated_avr import Simulate, SimulatedAvr

from mtjlearn.firmware import build_firmware, find_avr_gcc, uno_images
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.frame import Frame, FrameDecoder, encode_frame
from mtjlearn.wire.messages import ResetCause


def image(elf: Path, folder: Path) -> bytes:
    """What is flashed."""
    objcopy = shutil.which("avr-objcopy", path=str(find_avr_gcc().parent)) or "avr-objcopy"
    subprocess.run([objcopy, "-O", "binary", "-R", ".eeprom", elf, folder / "image"], check=True)
    return (folder / "image").read_bytes()


def build_id(project: Path, board: str) -> int:
    return int(runpy.run_path(str(project / "firmware/build_id.py"))["build_id"](board), 16)


def greet(chip: SimulatedAvr, boot_count: int) -> PlainClient:
    """Greets the chip as a host does, again and again, until it answers that it has started so often."""
    nonce = boot_count  # the same one gives the same session again, so an answer to an earlier greeting does no harm
    hello = messages.Hello(nonce, messages.VERSION, messages.VERSION)
    decoder, end = FrameDecoder(), time.monotonic() + 60
    while time.monotonic() < end:
        chip.write(encode_frame(hello.TYPE, messages.SESSION_NONE, 0, hello.pack()))
        patience = time.monotonic() + 0.3
        while time.monotonic() < patience:
            frames = [frame for frame in decoder.feed(chip.read()) if isinstance(frame, Frame)]
            welcomes = [messages.Welcome.unpack(frame.payload) for frame in frames if frame.type == messages.Welcome.TYPE]
            if any(welcome.boot_count == boot_count for welcome in welcomes):
                return PlainClient(chip.write, chip.read, nonce)
    pytest.fail("the chip does not answer")


def environments(project: Path) -> configparser.ConfigParser:
    """The environments of platformio.ini by their names, and the sections that they share under theirs."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read_string((project / "platformio.ini").read_text(encoding="utf-8").replace("[env:", "["))
    return ini


def test_environments_say_what_their_boards_are(project: Path) -> None:
    ini = environments(project)
    on_a_core = [ini.get(name, "build_flags") for name in ini.sections() if ini.get(name, "extends", fallback="") == "arduino"]
    names = re.findall(r'-DDEVICE_BOARD="([^"]*)"', (project / "platformio.ini").read_text(encoding="utf-8"))
    assert on_a_core
    assert all("-DDEVICE_BOARD=" in flags for flags in on_a_core)
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 11  # HELLO's field


def test_page_has_environments_that_there_are(project: Path) -> None:
    """An environment may be younger than its row, which shows how far it got."""
    page = (project / "docs" / "boards.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")][1:]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert {"native", *uno_images()} <= named <= {*environments(project).sections(), "mps2", "microbit", "lm3s6965"}


@pytest.mark.parametrize("environment", ["uno", "uno_streamed", "nano", "nano_old"])
def test_uno_is_the_image_that_the_host_builds(pio_build: Callable[[str], Path], tmp_path: Path, environment: str) -> None:
    assert image(pio_build(environment) / "firmware.elf", tmp_path) == image(build_firmware(environment), tmp_path)


@pytest.mark.usefixtures("arduino_core")
def test_mega_learns_in_the_simulator(pio_build: Callable[[str], Path], simulate: Simulate, project: Path) -> None:
    network = Network((4, 8, 3), learning_rate=0.05, seed=7)
    elf = pio_build("mega2560") / "firmware.elf"
    check_stated(project, "mega2560", elf)
    with simulate("atmega2560", elf) as mega:
        client = greet(mega, 1)
        welcome = client.welcome
        assert (welcome.board, welcome.build) == ("mega2560", build_id(project, "arduino"))
        assert (welcome.boot_count, welcome.reset_cause) == (1, ResetCause.POWER_ON)
        assert (welcome.adc_bits, welcome.adc_rate, welcome.adc_reference) == (10, 9615, 1100)
        client.tell(configure(network))
        rows = np.random.default_rng(1).integers(-4096, 4097, (200, 7))
        for frame in np.split(rows, 20):
            client.tell(messages.Train(frame.ravel()))
        status = client.status()
        assert (status.steps, status.codes_lost) == (200, 0)
        # The simulated junction's levels are 36 and 48 mV.
        assert set(np.unique(noise_codes(client.noise(1000)))) <= {36 * 1023 // 1100, 48 * 1023 // 1100}
        client.tell(messages.Reset())
        again = greet(mega, 2).welcome
        assert (again.boot_count, again.reset_cause) == (2, ResetCause.SOFTWARE)


@pytest.mark.parametrize("environment", ["native", "uno"])
def test_golden_vectors(pio: Callable[..., str], environment: str, needs_tool: Callable[[str, str], str]) -> None:
    if environment == "uno":
        needs_tool("simavr", "simavr")
    said = pio("test", "--environment", environment, "--without-uploading")
    passed, skipped = said.count("[PASSED]"), said.count("[SKIPPED]")
    # One PASSED more is the suite's. What does not fit the chip's memory is skipped.
    assert passed + skipped - 1 >= 90
    assert skipped == 0 if environment == "native" else passed > 70
