"""Ctrl-C in the command line: a wish that is asked for at safe points, and an end at once when it comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mtjlearn import interruption

PATIENCE = 30.0


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_waits_for_a_safe_point() -> None:
    with interruption.deferred():
        interruption.check()
        press()
        assert interruption.asked()
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
        interruption.check()  # obeyed once
    with pytest.raises(KeyboardInterrupt):  # as before
        os.kill(os.getpid(), signal.SIGINT)


def test_a_wish_does_not_outlive_its_command() -> None:
    with interruption.deferred():
        press()
    interruption.check()


@pytest.mark.parametrize(("apart", "ended"), [(1.9, True), (2.1, False)])
def test_two_within_two_seconds_end_at_once(apart: float, ended: bool) -> None:
    times = iter([10.0, 10.0 + apart])
    said: list[str] = []
    with interruption.deferred(lambda: next(times), said.append):
        press()
        press()
    assert bool(said) is ended


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption.deferred():
            press()
            assert not interruption.asked()
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_a_command_is_imported_is_one_line() -> None:
    """The slow import is one that takes no end; the signal finds it in its middle."""
    slow = (
        "import sys, time, importlib.abc\n"
        "class Slow(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'click':\n"
        "            print('importing', flush=True)\n"
        "            time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from mtjlearn.entry import main; main()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", slow, "boards"],
        stdout=pipe,
        stderr=pipe,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.split("\n") == ["", "mtjlearn: interrupted", ""]
