"""The nonvolatile memory of m4-sim and its last error, seen by a device that does what it is told."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
import serial
from obedient_support import Obedient
from places import TESTS

from mtjlearn.firmware import build_firmware, firmware_root
from mtjlearn.firmware.images import FIRMWARE
from mtjlearn.virtual.m4_sim import start_m4_sim
from mtjlearn.wire.messages import ResetCause

PATIENCE = 30.0


def obedient_image() -> Path:
    usual = FIRMWARE["mps2"]()
    source = TESTS / "c" / "obedient.c"
    sources = (str(source.relative_to(firmware_root())), "firmware/boards/qemu/*.c")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIRMWARE, "mps2-obedient", lambda: dataclasses.replace(usual, sources=sources, board=None))
        return build_firmware("mps2-obedient")


def test_memory_and_last_error_outlive_a_reset() -> None:
    with start_m4_sim(elf=obedient_image()) as board, serial.Serial(board.url, timeout=PATIENCE) as port:

        def ask(data: bytes, count: int) -> bytes:
            port.write(data)
            return bytes(port.read(count))

        device = Obedient(ask)
        told = device.told
        assert (told.memory_bytes, told.memory_block) == (16384, 1)
        assert (told.boot_count, told.reset_cause, told.last_error) == (1, ResetCause.POWER_ON, 0)
        assert device.ready
        assert [device.read(address) for address in (0, 1, 16383)] == [255] * 3
        for address in (0, 255, 256, 16383):
            device.write(address, address % 251)
        device.flush()
        for start, error in ((2, 9), (3, 0)):
            if error:
                device.leave_error(error)
            port.write(b"q")
            time.sleep(0.5)
            told = device.told
            assert (told.boot_count, told.reset_cause, told.last_error) == (start, ResetCause.SOFTWARE, error)
            assert [device.read(address) for address in (0, 255, 256, 16383)] == [0, 4, 5, 16383 % 251]
            assert device.read(1) == 255
