"""The golden vectors of whole training steps on a Cortex-M4, in C and with the chip's own kernels."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

import pytest
from places import TESTS

from mtjlearn.firmware import find_arm_gcc, firmware_root

HERE = Path(__file__).resolve().parent
PROGRAM = TESTS / "platformio" / "project" / "test_steps"
CHIP = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-std=gnu11")
CODE = ("-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-strict-aliasing", "-ffunction-sections", "-O2")


@pytest.mark.parametrize("flags", [(), ("-DANP_PORTABLE",)], ids=["kernels", "portable"])
def test_golden_vectors(tmp_path: Path, flags: tuple[str, ...]) -> None:
    vectors = runpy.run_path(str(PROGRAM.with_name("vectors.py")))
    (tmp_path / "vectors.h").write_text(vectors["header"](), encoding="utf-8")
    firmware = firmware_root() / "firmware"
    learner, wire, board = firmware / "lib" / "anp" / "src", firmware / "lib" / "wire" / "src", firmware / "boards" / "qemu"
    includes = [f"-I{folder}" for folder in (learner, wire, board, PROGRAM, tmp_path)]
    sources = [*sorted(learner.glob("*.[cS]")), wire / "crc32.c", board / "semihosting.c", HERE / "vectors.c"]
    sources += [PROGRAM / "main.c", PROGRAM / "report.c"]
    image = tmp_path / "vectors.elf"
    command = [find_arm_gcc(), *CHIP, *CODE, *flags, *includes, *sources, "-nostartfiles", "-Wl,--gc-sections"]
    built = subprocess.run([*command, f"-T{board / 'mps2.ld'}", "-o", image], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    simulator = ["qemu-system-arm", "-M", "mps2-an386", "-nic", "none", "-display", "none", "-kernel", image]
    simulator += ["-semihosting-config", "enable=on,target=native"]
    run = subprocess.run(simulator, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert "all cases are done" in run.stderr
    names = [case["name"] for case in vectors["load"]()]
    said = dict(re.findall(r"^case (\d+) (.*)$", run.stdout, re.MULTILINE))
    assert {name: said.get(str(number)) for number, name in enumerate(names)} == dict.fromkeys(names, "passed")
    assert run.stdout.endswith("end\n")
