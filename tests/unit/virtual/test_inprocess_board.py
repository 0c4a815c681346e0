"""The board inside this process: the same device as the native board, reached through calls."""

from __future__ import annotations

import itertools
import re
import threading
import time
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from places import PROJECT

from mtjlearn.board import BoardError, BoardLost
from mtjlearn.cli import main
from mtjlearn.discovery import open_board
from mtjlearn.inprocess.board import start_inprocess
from mtjlearn.inprocess.device import DeviceNoise, Preset
from mtjlearn.network import Loss, Network
from mtjlearn.wire.linklog import LogKind, read_log

NETWORK = Network((4, 5, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.05, seed=7)


def learned(name: str, seed: int) -> list[list[int]]:
    rng = np.random.default_rng(5)
    x, target = rng.integers(-4096, 4097, (300, 4)).astype(np.int16), rng.integers(0, 3, 300)
    with open_board(name, seed=seed, virtual_clock=16) as board:
        board.configure(NETWORK)
        board.train(x, target)
        return [layer.tolist() for layer in board.weights()]


def test_a_seed_gives_the_weights_of_the_native_board() -> None:
    weights = learned("inprocess", 3)
    assert weights == learned("native", 3)
    assert weights != learned("inprocess", 4)


@pytest.mark.parametrize(("names", "first"), [(DeviceNoise, "TELEGRAPH"), (Preset, "RECORDING")])
def test_sources_and_presets_are_numbered_as_in_c(names: type[IntEnum], first: str) -> None:
    header = (PROJECT / "firmware" / "virtual" / "smtj.h").read_text()
    block = next(
        part for part in re.findall(r"^enum smtj_\w+ \{(.*?)^\};", header, re.DOTALL | re.MULTILINE) if f"SMTJ_{first}," in part
    )
    in_c = re.findall(r"^\s*SMTJ_(\w+),", block, re.MULTILINE)
    assert [member.value for member in names] == list(range(len(names)))
    ours = [member.name.replace("SMTJ", "TELEGRAPH") for member in names]
    assert in_c[: len(ours)] == ours


def test_a_stream_has_every_code_unless_bursts_are_asked_for() -> None:
    with open_board("inprocess", seed=3, virtual_clock=16) as board:
        board.configure(NETWORK)
        with board.noise_stream() as stream:
            chunks = list(itertools.islice(stream, 5))
        assert all(len(chunk.codes) > 1 for chunk in chunks)
        assert [chunk.first for chunk in chunks[1:]] == [chunk.first + len(chunk.codes) for chunk in chunks[:-1]]
        with board.noise_stream(burst=1) as stream:
            assert [len(chunk.codes) for chunk in itertools.islice(stream, 3)] == [1, 1, 1]


def test_a_read_ends_when_it_is_woken_or_its_time_is_over() -> None:
    line = start_inprocess().open_transport()
    started = time.monotonic()
    assert line.read(0.05) == b""
    assert time.monotonic() - started >= 0.05
    threading.Timer(0.05, line.wake).start()
    assert line.read(30) == b""
    assert time.monotonic() - started < 20
    line.wake()
    assert line.read(30) == b""  # also when it was woken before
    assert time.monotonic() - started < 20


def test_a_closed_line_and_a_closed_board_say_so() -> None:
    started = start_inprocess()
    line = started.open_transport()
    line.close()
    line.wake()  # called by any thread, also after close()
    for use in (lambda: line.read(0), lambda: line.write(b"\0")):
        with pytest.raises(BoardLost, match="was closed"):
            use()
    started.close()
    started.close()
    with pytest.raises(BoardLost, match="open it again"):
        started.open_transport()


def test_its_log_is_that_of_a_line(tmp_path: Path) -> None:
    with open_board("inprocess", log=tmp_path / "link.log") as board:
        board.status()
    records = list(read_log(tmp_path / "link.log"))
    assert (records[0].kind, records[0].data) == (LogKind.OPENED, b"inprocess")
    assert {record.kind for record in records[1:-1]} == {LogKind.TO_BOARD, LogKind.FROM_BOARD}
    assert records[-1].kind is LogKind.CLOSED


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"virtual_clock": 0}, "no real time"),
        ({"virtual_clock": 1025}, "codes_per_step is 0 .. 1024"),
        ({"device_noise": "quantum"}, "quantum is not one of smtj, gaussian"),
        ({"preset": "SMTJ"}, "SMTJ is not one of recording, bench"),
        ({"seed": -1}, "inprocess: "),
        ({"fault": "stuck"}, "inprocess has no such option"),
    ],
)
def test_what_it_cannot_be_is_refused(options: dict[str, object], text: str) -> None:
    with pytest.raises(BoardError, match=text):
        open_board("inprocess", **options)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "arguments",
    [
        ["autonomous", "start", "iris", "--board", "inprocess"],
        ["checkpoint", "erase", "--board", "inprocess"],
        ["demo", "--autonomous", "--board", "inprocess"],
    ],
)
def test_what_is_to_outlive_the_command_is_refused(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 2
    assert "inprocess starts and ends with this command" in found.stderr or "inprocess lives inside one program" in found.stderr
    assert not list(tmp_path.rglob("meta.json"))


@pytest.mark.parametrize(
    "codes",
    [[[1, 2]], [1.0, 2.0], [-1, 2], [1, 65536], [True, False], ["1"]],
    ids=["table", "reals", "below", "above", "flags", "texts"],
)
def test_codes_that_no_converter_has_are_not_injected(codes: list[object]) -> None:
    with open_board("inprocess") as board:
        board.configure(Network((2, 3, 1)), injected=True)
        with pytest.raises(ValueError, match=r"^noise codes are whole numbers 0 .. 65535, shape \(n,\)$"):
            board.inject(codes)  # type: ignore[arg-type]
        board.inject(np.zeros(0, np.uint16))
        board.inject(np.array([0, 65535]))
        assert board.status().noise_filled == 2
