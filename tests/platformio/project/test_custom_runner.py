"""Runs the tests of this folder for PlatformIO: on the desktop, on a board at a serial port, or without one in simavr."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import click
from platformio.exception import UserSideException
from platformio.test.result import TestCase, TestStatus
from platformio.test.runners.base import TestRunnerBase
from platformio.test.runners.readers.native import NativeTestOutputReader

sys.path.insert(0, str(Path(__file__).resolve().parent))
import vectors

CASE = re.compile(r"case (\d+) (passed|failed|skipped)(?:: (.*))?")
COLOURS = re.compile(r"\x1b\[[\d;]*m")
"""simavr's, around what a chip sends."""


class SimulatorReader(NativeTestOutputReader):
    """The output of a simulated AVR."""

    def get_testing_command(self) -> list[str]:
        """The simulator, the chip of the environment's board, and the program."""
        simavr = shutil.which("simavr")
        if simavr is None:
            raise UserSideException("simavr is missing; install Debian's simavr, or test on a board: leave out --without-uploading")
        runner = self.test_runner
        environment = runner.test_suite.env_name
        board = runner.platform.board_config(runner.project_config.get(f"env:{environment}", "board"))
        elf = Path(runner.project_config.get("platformio", "build_dir")) / environment / "firmware.elf"
        return [simavr, "-m", board.get("build.mcu"), "-f", board.get("build.f_cpu").rstrip("L"), str(elf)]


class CustomTestRunner(TestRunnerBase):  # type: ignore[misc]  # PlatformIO has no types
    """Tests that report a line for every case, and ``end``."""

    EXTRA_LIB_DEPS = None

    def configure_build_env(self, env: Any) -> Any:
        """Provides the golden vectors as a header of the build."""
        folder = Path(env.subst("$BUILD_DIR")) / "vectors"
        folder.mkdir(parents=True, exist_ok=True)
        path, text = folder / "vectors.h", vectors.header()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        env.Append(CPPPATH=[str(folder)])
        return env

    def setup(self) -> None:
        """Reads the cases' names."""
        self.names = [case["name"] for case in vectors.load()]

    def stage_testing(self) -> None:
        """Collects what the program says; a program that does not say ``end`` has failed."""
        simulated = self.options.without_uploading and self.platform.is_embedded()
        if self.options.without_testing or not simulated:
            super().stage_testing()
        else:
            click.secho("Testing in simavr...", bold=True)
            SimulatorReader(self).begin()
        if not self.options.without_testing and not self.test_suite.is_finished():
            raise UserSideException("the test program ended early")

    def on_testing_line_output(self, line: str) -> None:
        """Makes a test case of a line."""
        line = COLOURS.sub("", line).strip().rstrip(".")
        if line == "end":
            self.test_suite.on_finish()
        elif found := CASE.fullmatch(line):
            case = TestCase(self.names[int(found[1])], TestStatus.from_string(found[2]), found[3])
            self.test_suite.add_case(case)
            click.echo(case.humanize())
        else:
            click.echo(line)
