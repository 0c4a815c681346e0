"""The golden vectors of whole training steps on Cortex-M4 and Cortex-M0, in C and with the chip's own kernels."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from places import TESTS
from qemu_support import FIRMWARE, Chip, run_in_qemu

HERE = Path(__file__).resolve().parent
PROGRAM = TESTS / "platformio" / "project" / "test_steps"


@pytest.mark.parametrize(
    ("chip", "flags"),
    [
        ("m4", ()),
        ("m4", ("-DANP_PORTABLE",)),
        ("m0", ()),
        pytest.param("m0", ("-DANP_PORTABLE",), marks=pytest.mark.slow),
    ],
    indirect=["chip"],
)
def test_golden_vectors(chip: Chip, tmp_path: Path, flags: tuple[str, ...]) -> None:
    vectors = runpy.run_path(str(PROGRAM.with_name("vectors.py")))
    (tmp_path / "vectors.h").write_text(vectors["header"](), encoding="utf-8")
    wire = FIRMWARE / "lib" / "wire" / "src"
    sources = [wire / "crc32.c", HERE / "vectors.c", PROGRAM / "main.c", PROGRAM / "report.c"]
    includes = [f"-I{folder}" for folder in (wire, PROGRAM, tmp_path)]
    said = run_in_qemu(chip, tmp_path / "vectors.elf", sources, "-O2", *flags, *includes)
    names = [case["name"] for case in vectors["load"]()]
    told = dict(re.findall(r"^case (\d+) (.*)$", said, re.MULTILINE))
    assert {name: told.get(str(number)) for number, name in enumerate(names)} == dict.fromkeys(names, "passed")
    assert said.endswith("end\n")
