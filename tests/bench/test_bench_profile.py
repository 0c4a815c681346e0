"""Reading what simulators write and what linkers make, and comparing figures with those kept."""

from __future__ import annotations

import copy
import json
import struct

import pytest
from figures import PAGE, load, render, shown, slower

from mtjlearn.bench.chip.profile import Interrupt, PhaseCosts, Profile
from mtjlearn.bench.phases import BenchError
from mtjlearn.bench.workload import STEP_SIZES
from mtjlearn.firmware import FirmwareError
from mtjlearn.firmware.sizes import ImageSize

WRITTEN = {
    "unit": "cycles",
    "steps": [[100, 10, 60, 5, 25, 40], [104, 10, 62, 5, 27, 0], [300, 12, 200, 8, 80, 0]],
    "interrupts": {"adc": {"calls": 4, "cycles": 190}, "uart_rx": {"calls": 0, "cycles": 0}},
    "stack_bytes": 188,
    "untouched_bytes": 362,
    "rx_overruns": 2,
    "cycles": 9000,
}


@pytest.fixture
def profile_file(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(WRITTEN))
    return path


def test_profile(profile_file):
    profile = Profile.read(profile_file)
    assert (profile.unit, profile.stack_bytes, profile.untouched_bytes, profile.rx_overruns) == ("cycles", 188, 362, 2)
    assert profile.total == 9000
    assert profile.interrupts == {"adc": Interrupt(4, 190), "uart_rx": Interrupt(0, 0)}
    assert (profile.interrupts["adc"].mean, profile.interrupts["uart_rx"].mean) == (47.5, 0)
    costs = PhaseCosts.of(profile.steps)
    assert costs.steps == 3
    assert costs.median == {"step": 104, "draw": 10, "forward": 62, "normalise": 5, "update": 27}
    assert costs.maximum == {"step": 300, "draw": 12, "forward": 200, "normalise": 8, "update": 80}


def test_profile_without_steps(profile_file):
    profile_file.write_text(json.dumps({**WRITTEN, "steps": []}))
    with pytest.raises(BenchError, match="no training step"):
        PhaseCosts.of(Profile.read(profile_file).steps)


@pytest.mark.parametrize("text", [None, "", "{}", '{"unit": "cycles", "steps": [[1, 2]]}'])
def test_no_usable_profile(tmp_path, text):
    path = tmp_path / "profile.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BenchError, match="run it again"):
        Profile.read(path)


def elf(sections):
    """An ELF file with nothing but section headers: name, type, flags, address, size."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, *_ in sections) + b".shstrtab\0"
    place = {name: names.index(b"\0" + name.encode() + b"\0") + 1 for name, *_ in sections}
    headers = [struct.pack("<6I16x", place[name], kind, flags, address, 0, size) for name, kind, flags, address, size in sections]
    headers.append(struct.pack("<6I16x", 0, 3, 0, 0, 52, len(names)))
    head = b"\x7fELF\x01\x01".ljust(32, b"\0") + struct.pack("<I10xHHH", 52 + len(names), 40, len(headers), len(headers) - 1)
    return head + names + b"".join(headers)


@pytest.mark.parametrize(
    ("sections", "size"),
    [
        (
            [
                (".data", 1, 3, 0x800100, 20),
                (".text", 1, 6, 0, 1000),
                (".bss", 8, 3, 0x800114, 300),
                (".noinit", 8, 3, 0x800240, 6),
                (".eeprom", 1, 3, 0x810000, 12),
                (".debug_info", 1, 0, 0, 5000),
            ],
            ImageSize(flash=1020, ram=326),
        ),
        (
            [
                (".text", 1, 6, 0, 2000),
                (".rodata", 1, 2, 2000, 100),
                (".data", 1, 3, 0x20000000, 40),
                (".bss", 8, 3, 0x20000028, 600),
                (".stack", 8, 3, 0x20001000, 4096),
            ],
            ImageSize(flash=2140, ram=640),
        ),
    ],
    ids=["avr", "cortex-m"],
)
def test_image_size(tmp_path, sections, size):
    path = tmp_path / "firmware.elf"
    path.write_bytes(elf(sections))
    assert ImageSize.read(path) == size


def test_no_image(tmp_path):
    path = tmp_path / "firmware.elf"
    path.write_bytes(b"\x7fELF\x02\x01" + bytes(60))
    with pytest.raises(FirmwareError, match="not an ELF file of a chip"):
        ImageSize.read(path)


def test_slower_steps_are_found():
    kept = {"unit": "cycles", "nets": {"2-3-1": {"step": 1000.0}, "4-8-3": {"step": 5000.0}, "64-32-10": None}, "variants": {}}
    same = copy.deepcopy(kept)
    assert slower(same, kept) == []
    same["nets"]["2-3-1"]["step"] = 1030.0
    assert slower(same, kept) == []
    same["nets"]["2-3-1"]["step"] = 1031.0
    assert slower(same, kept) == ["2-3-1: a step takes 1,031 cycles, it took 1,000"]
    same["nets"]["4-8-3"] = None
    assert slower(same, kept)[1] == "4-8-3 does not fit any more"


def test_the_figures_kept_are_of_the_networks_measured():
    for report in load().values():
        assert list(report["nets"]) == ["-".join(map(str, sizes)) for sizes in STEP_SIZES]


def test_page_shows_the_figures_kept():
    assert shown(PAGE.read_text(encoding="utf-8")) == render(load())
