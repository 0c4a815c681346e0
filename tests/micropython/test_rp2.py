"""The Pico's converter keeps every code, or says which are lost. A real Pico is not here: the chip is tests/micropython/chip."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from unix_port_support import PROGRAMS

from mtjlearn.firmware.micropython_sources import micropython_root
from mtjlearn.virtual.micropython import interpreter

CHECKS = re.findall(r"^def check_(\w+)", (PROGRAMS / "rp2_checks.py").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("check", CHECKS)
def test_the_pico(check: str, tmp_path: Path) -> None:
    path = f".frozen:{PROGRAMS / 'chip'}:{micropython_root()}"
    command = [*interpreter(), str(PROGRAMS / "rp2_checks.py"), check]
    environment = os.environ | {"MICROPYPATH": path}
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert run.stdout == "passed\n", run.stdout + run.stderr
