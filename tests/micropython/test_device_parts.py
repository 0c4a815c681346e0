"""Parts of the device in MicroPython by themselves (device_checks.py), and mistakes in them that only these checks find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from unix_port_support import run_program

from mtjlearn.firmware import ToolMissing
from mtjlearn.firmware.micropython_sources import write_sources

MISTAKES = [
    ("session.py", "due = SIZE_ACK + frame.ENCODED if self.ack_due else 0", "due = 0"),
    ("stream.py", "self._burst_left = self._burst\n        return", "return"),
]


def good(answers: Path, tool_missing: Callable[[str], None], root: Path | None = None) -> bool:
    try:
        done = run_program("device_checks.py", answers, root=root)
    except ToolMissing as missing:
        tool_missing(str(missing))
    # The exit code does not show an exception.
    return answers.exists() and "Traceback" not in done.stdout + done.stderr


def test_the_parts_do_what_they_say(tmp_path: Path, tool_missing: Callable[[str], None]) -> None:
    assert good(tmp_path / "answers", tool_missing)


@pytest.mark.parametrize(("file", "old", "new"), MISTAKES, ids=[file for file, _, _ in MISTAKES])
def test_a_mistake_in_a_part_is_found(tmp_path: Path, tool_missing: Callable[[str], None], file: str, old: str, new: str) -> None:
    write_sources(tmp_path, viper=True)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    assert not good(tmp_path / "answers", tool_missing, tmp_path)
