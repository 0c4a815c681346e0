"""How uno-sim starts, what it says when it cannot, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import serial
from chip_line import PATIENCE

from mtjlearn.board import BoardLost
from mtjlearn.discovery import open_board
from mtjlearn.firmware import (
    FirmwareError,
    ToolMissing,
    build,
    build_firmware,
    build_simulator,
    compilers,
    find_avr_gcc,
    find_host_cc,
    firmware_root,
    images,
)
from mtjlearn.virtual.process import BoardProcess, BoardProcessError
from mtjlearn.virtual.uno_sim import start_uno_sim

Compile = Callable[[str], Path]


@pytest.fixture
def compile_avr(tmp_path: Path) -> Compile:
    """``compile_avr(assembly)``: a program that is nothing but this."""

    def build(assembly: str) -> Path:
        source, target = tmp_path / "program.S", tmp_path / "program.elf"
        source.write_text(f".global main\nmain: {assembly}\n")
        subprocess.run([find_avr_gcc(), "-mmcu=atmega328p", "-nostartfiles", source, "-o", target], check=True)
        return target

    return build


def run(*options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [build_simulator("uno"), *options]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ([], "nothing to run: name an image with --elf or --bootloader"),
        (["--seed", "one"], "--seed does not take 'one'"),
        (["--preset", "desk"], "--preset does not take 'desk'"),
        (["--device-noise", "pink"], "--device-noise does not take 'pink'"),
        (["--speed", "-1"], "--speed does not take '-1'"),
        (["--speed", "nan"], "--speed does not take 'nan'"),
        (["--tcp", "65536"], "--tcp does not take '65536'"),
        (["--elf", "a", "b"], "is not an option"),
        (["--elf", "a", "--tcp", "0", "--reset-on-open"], "--reset-on-open needs a pseudo-terminal"),
        (["--cut-after-writes", "0"], "--cut-after-writes does not take '0'"),
        (["--hang", "0"], "--hang does not take '0'"),
        (["--baud", "9600"], "--baud"),
    ],
)
def test_mistakes_are_named(options: list[str], named: str) -> None:
    found = run(*options)
    assert found.returncode == 2
    assert named in found.stderr
    assert "mtjlearn-uno-sim --help" in found.stderr
    assert found.stdout == ""


def test_help_names_every_option() -> None:
    found = run("--help")
    options = ("elf", "bootloader", "tcp", "seed", "preset", "device-noise", "speed", "reset-on-open", "eeprom", "profile")
    for option in (*options, "cut-after-writes", "hang"):
        assert f"--{option} " in found.stdout


def test_files_that_cannot_be_used_are_named(tmp_path: Path, probe: Path) -> None:
    def explained(name: str, content: bytes | None, option: str, text: str) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        more = [] if option in ("--elf", "--bootloader") else ["--elf", probe]
        found = run(option, path, *more)
        assert (found.returncode, found.stdout) == (1, "")
        assert found.stderr.strip() == f"mtjlearn-uno-sim: {path} {text}"

    image = probe.read_bytes()
    explained("missing", None, "--elf", "cannot be read")
    explained("text", b"no program", "--elf", "is not an ELF file")
    explained("host", Path(build_simulator("uno")).read_bytes()[:4096], "--elf", "is not a program for an AVR")
    explained("cut", image[:200], "--elf", "is damaged: it ends too early")
    explained("cut.hex", b":107E0000112484B714BE81FFDDD085E080938100EA\n", "--bootloader", "is not an Intel hex file, or damaged")
    explained("open.hex", b":027FFE00040479\n", "--bootloader", "is damaged: it ends too early")
    explained("far.hex", b":0280000001027B\n:00000001FF\n", "--bootloader", "does not fit into the chip's memory")
    explained("eeprom", bytes(1000), "--eeprom", "is not an EEPROM image of 1024 bytes")


def test_a_bootloader_starts_where_its_file_begins(tmp_path: Path, compile_avr: Compile) -> None:
    # At 0x7e00: enable the transmitter at 250,000 baud, send 'B' forever.
    program = compile_avr("ldi r24, 3\nsts 0xc4, r24\nldi r24, 8\nsts 0xc1, r24\n1: ldi r24, 'B'\nsts 0xc6, r24\nrjmp 1b")
    hex_file = tmp_path / "boot.hex"
    objcopy = find_avr_gcc().with_name("avr-objcopy")
    subprocess.run([objcopy, "-O", "ihex", "--change-addresses", "0x7e00", program, hex_file], check=True)
    with start_uno_sim(bootloader=hex_file) as board, serial.Serial(board.url, 250000, timeout=10) as port:
        assert port.read(3) == b"BBB"


def test_a_program_that_goes_astray_is_told(compile_avr: Compile) -> None:
    with start_uno_sim(elf=compile_avr(".word 0xffff")) as board:
        assert board.process.wait(20) == 1
        assert "the chip met an instruction that it does not know at" in board.last_words()
    with start_uno_sim(elf=compile_avr("sleep")) as board:
        assert board.process.wait(20) == 1
        assert "sleeps with interrupts off" in board.last_words()
    with open_board("uno-sim") as opened:
        opened._owned.process.kill()  # type: ignore[union-attr]
        opened._owned.process.wait()  # type: ignore[union-attr]
        with pytest.raises(BoardLost, match="process of the virtual board has ended; open the board again"):
            opened.reconnect()


def test_opening_the_port_resets_the_chip(probe: Path) -> None:
    with start_uno_sim(elf=probe, reset_on_open=True) as board:
        for start in (2, 3):
            until = time.monotonic() + PATIENCE
            with serial.Serial(board.url, 250000, timeout=0.1) as port:
                answer = b""
                while answer != bytes([0x02, start, 0]):  # an external reset
                    assert time.monotonic() < until, answer
                    port.reset_input_buffer()
                    port.write(b"s")
                    answer = port.read(3)


@pytest.mark.parametrize("end", ["signal", "pipe"])
def test_ends_with_its_profile_written(tmp_path: Path, end: str) -> None:
    profile = tmp_path / "profile.json"
    with start_uno_sim(profile=profile) as board:
        if end == "pipe":
            assert board.process.stdin is not None
            board.process.stdin.close()
        else:
            board.process.send_signal(signal.SIGTERM)
        assert board.process.wait(20) == 0
    assert json.loads(profile.read_text())["steps"] == []


def test_start_explains_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(BoardProcessError, match="--seed does not take '-1'"):
        start_uno_sim(seed=-1)
    with pytest.raises(BoardProcessError, match="cannot be read"):
        start_uno_sim(elf=tmp_path / "nothing")


# --- compiling ---


def test_what_was_built_is_found_again() -> None:
    image = build_firmware("uno")
    assert image.is_relative_to(firmware_root() / "build" / "chips")
    before = image.stat().st_mtime_ns
    assert build_firmware("uno") == image
    assert image.stat().st_mtime_ns == before


def test_names_that_nothing_has_are_told() -> None:
    with pytest.raises(FirmwareError, match="no firmware due; choose one of uno"):
        build_firmware("due")
    with pytest.raises(FirmwareError, match="no simulator due; choose one of uno"):
        build_simulator("due")


def fake_compiler(folder: Path, message: str) -> Path:
    """A compiler that knows its version and nothing else."""
    path = folder / "cc"
    path.write_text(f'#!/bin/sh\ncase "$1" in --version) echo fake 1.0;; *) echo "{message}" >&2; exit 1;; esac\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("message", "error", "told"),
    [
        ("module.h:5:10: fatal error: simavr/sim_avr.h: No such file or directory", ToolMissing, "apt-get install libsimavr-dev"),
        ("/usr/bin/ld: cannot find -lsimavr: No such file or directory", ToolMissing, "apt-get install libsimavr-dev"),
        ("chip.c:1:1: error: this is selfish", FirmwareError, "uno-sim does not build: chip.c:1:1: error: this is selfish"),
        ("chip.c: In function main:\nchip.c:2:1: error: later", FirmwareError, "uno-sim does not build: chip.c:2:1: error: later"),
    ],
)
def test_what_the_compiler_misses_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, message: str, error: type[FirmwareError], told: str
) -> None:
    monkeypatch.setattr(images, "find_host_cc", lambda: fake_compiler(tmp_path, message))
    with pytest.raises(FirmwareError) as caught:
        build_simulator("uno")
    assert type(caught.value) is error
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    monkeypatch.setattr(compilers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match=r"avr-gcc is missing; install it: .* -m pip install 'mtjlearn\[chips\]', or apt-get"):
        build_firmware("uno")
    with pytest.raises(ToolMissing, match="arm-none-eabi-gcc is missing; install it: apt-get install gcc-arm-none-eabi"):
        build_firmware("mps2")
    with pytest.raises(ToolMissing, match="cc is missing; install it: apt-get install gcc"):
        build_simulator("uno")
    packaged = tmp_path / "packages" / "toolchain-atmelavr" / "bin"
    packaged.mkdir(parents=True)
    compiler = packaged / "avr-gcc"
    compiler.touch(mode=0o755)
    assert find_avr_gcc() == compiler


def test_builds_go_to_the_user_where_the_sources_are_read_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    access = os.access
    monkeypatch.setattr(build.os, "access", lambda path, mode: path != firmware_root() and access(path, mode))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build_simulator("uno").is_relative_to(tmp_path / "mtjlearn" / "chips")


def test_the_simulator_compiles_without_warnings() -> None:
    target = images.SIMULATORS["uno"]()
    for pattern in target.sources:
        for source in sorted(firmware_root().glob(pattern)):
            command = [find_host_cc(), *target.flags, "-Werror", "-fsyntax-only", source]
            found = subprocess.run(command, cwd=firmware_root(), capture_output=True, text=True, check=False)
            assert found.returncode == 0, found.stderr


def test_a_process_that_says_nothing_is_told() -> None:
    with pytest.raises(BoardProcessError, match=r"the virtual board did not start$"):
        BoardProcess(["true"])
