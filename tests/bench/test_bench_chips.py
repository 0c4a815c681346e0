"""Training steps on the simulated chips cost what the kept figures say, and the figures are what the chips did."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from figures import load, slower
from renew import sizes

from mtjlearn.bench.chip.report import chip_report
from mtjlearn.bench.chip.steps import workloads
from mtjlearn.bench.phases import PHASES
from mtjlearn.bench.workload import STEP_SIZES, workload
from mtjlearn.firmware import build_firmware
from mtjlearn.firmware.compilers import ToolMissing, find_avr_gcc
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.virtual.boards import SIMULATED

SLOW = {"64-32-10"}
"""In the figures kept, but too slow for a test."""
STEPS = 400
"""The figures kept are of 1,000; medians hardly move, and the same steps cost the same."""

BUILD_ID_BYTES = 8
"""Of code, at most, that the four bytes of a build id can save."""


@pytest.fixture(scope="module", params=list(SIMULATED))
def report(request, tool_missing):
    try:
        return chip_report(request.param, [one for one in workloads() if one.name not in SLOW], STEPS)
    except ToolMissing as missing:
        tool_missing(str(missing))


def test_no_step_is_slower_than_it_was(report, tool_missing):
    kept = load()[report["board"]]
    if report["compiler"] != kept["compiler"]:
        tool_missing(f"the figures were counted with {kept['compiler']}, here is {report['compiler']}")
    for group in ("nets", "variants"):
        kept[group] = {net: figures for net, figures in kept[group].items() if net not in SLOW}
    assert (report["task"], report["seed"]) == (kept["task"], kept["seed"])
    assert slower(report, kept) == []


def test_sizes_kept_are_the_images(report, tool_missing):
    kept = load()[report["board"]]
    if report["compiler"] != kept["compiler"]:
        tool_missing(f"the figures were counted with {kept['compiler']}, here is {report['compiler']}")
    pairs = [(report, kept)]
    if report["board"] == "uno-sim":
        pairs.append((sizes("uno_streamed"), kept["streamed_only"]))
    for now, before in pairs:
        # The build id is in the code: a byte of it that is 0 saves an instruction, so that a comment can change the size.
        assert abs(now["flash_bytes"] - before["flash_bytes"]) <= BUILD_ID_BYTES, "python tests/bench/renew.py sizes"
        assert now["ram_bytes"] == before["ram_bytes"], "python tests/bench/renew.py sizes"


def test_report(report):
    assert report["unit"] == {"uno-sim": "cycles", "m4-sim": "instructions", "m0-sim": "instructions"}[report["board"]]
    assert set(report["nets"]) == {"-".join(map(str, sizes)) for sizes in STEP_SIZES} - SLOW
    for net, figures in (report["nets"] | report["variants"]).items():
        if figures is None:
            assert report["left_out"][net]
            continue
        assert 0 < figures["step"] <= figures["max"]
        assert all(0 < figures[phase] <= figures["phase_max"][phase] for phase in PHASES[1:])
        # Medians of parts need not add up to the median of the whole, but nearly do.
        assert figures["step"] == pytest.approx(sum(figures[phase] for phase in PHASES[1:]), rel=0.02)
        assert figures["limit"] is None or figures["step"] > figures["limit"]
    assert report["nets"]["4-8-3"]["step"] > 1.5 * report["nets"]["2-3-1"]["step"]
    assert 0 < report["stack_bytes"] < report["ram_bytes"]
    assert report["rx_overruns"] == 0


def test_sizes_are_those_of_the_toolchain(tool_missing):
    try:
        image, size = build_firmware("uno"), find_avr_gcc().with_name("avr-size")
    except ToolMissing as missing:
        tool_missing(str(missing))
    printed = subprocess.run([size, image], capture_output=True, text=True, check=True).stdout
    text, data, bss = map(int, printed.splitlines()[1].split()[:3])
    assert ImageSize.read(image) == ImageSize(flash=text + data, ram=data + bss)


def test_workload_is_the_same_everywhere():
    one = workload((2, 3, 1))
    x, targets = one.samples()
    assert x.shape == (256, 2)
    assert x[:3].tolist() == [[-202, 489], [-2233, -1996], [1900, 3323]]
    assert np.abs(x).max() <= 4096
    assert targets.dtype == np.int16
    assert one.codes(8).tolist() == [33, 34, 33, 34, 44, 35, 35, 44]
    assert set(one.codes(1000).tolist()) == {33, 34, 35, 44, 45, 46}
