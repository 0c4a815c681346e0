"""A board that lies in one field ends every command in one line: no traceback, no waiting without end."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from liar_support import Liar, Lie, lies

from mtjlearn.board import Board
from mtjlearn.cli import main
from mtjlearn.network import Network
from mtjlearn.runs import list_runs
from mtjlearn.virtual.native import start_native
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Checkpoints, Health, NoiseCodes, Progress, Status, Welcome

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.thorough]

TRAIN = ("train", "xor", "--epochs", "3", "--no-reference")
NOISE = ("noise", "--codes", "400")
STATUS = ("autonomous", "status")
WATCH = ("autonomous", "watch")
BOARDS = ("boards",)


def tell(lie: Lie, *arguments: str) -> tuple[Result, int]:
    """What a command makes of the lie, and how often it heard it."""
    with start_native(tcp_port=0) as board, Liar(board.url, lie) as liar:
        return CliRunner().invoke(main, [*arguments, "--board", liar.url]), liar.told


@pytest.mark.parametrize(
    ("lie", "command", "said"),
    [
        (Lie(Welcome, "adc_bits", 0), NOISE, "adc_bits 0"),
        (Lie(Welcome, "adc_bits", 17), BOARDS, "adc_bits 17"),
        (Lie(Welcome, "adc_rate", 0), NOISE, "adc_rate 0"),
        (Lie(Welcome, "adc_reference", 0), NOISE, "adc_reference 0"),
        (Lie(Welcome, "features", 0xFFFF), BOARDS, "features 65535 in WELCOME"),
        (Lie(Welcome, "features", 0), TRAIN, "has no cross-entropy"),
        (Lie(Welcome, "loss_bits", 23), TRAIN, "loss_bits 23"),
        (Lie(Welcome, "receive_window", 0), BOARDS, "receive_window 0"),
        (Lie(Welcome, "restored", 6), STATUS, "restored 6 in WELCOME"),
        (Lie(Progress, "activity", 5), WATCH, "activity 5 in PROGRESS"),
        (Lie(Progress, "task", 255), WATCH, "task 255 in PROGRESS"),
        (Lie(Progress, "stop_reason", 255), WATCH, "stop_reason 255 in PROGRESS"),
        (Lie(Health, "fault", 9), STATUS, "fault 9 in HEALTH"),
        (Lie(Checkpoints, "restored", 255), STATUS, "restored 255 in CHECKPOINTS"),
        (Lie(Status, "state", 3), STATUS, "state 3 in STATUS"),
        (Lie(Status, "steps", 0), TRAIN, "steps 0 in STATUS"),
        (Lie(Status, "steps", 2**32 - 1), TRAIN, "steps 4294967295 in STATUS"),
        (Lie(NoiseCodes, "bits", 0), NOISE, "no noise codes"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else str(value) if isinstance(value, Lie) else value[0],
)
def test_one_line_says_what_cannot_be(lie: Lie, command: tuple[str, ...], said: str) -> None:
    found, told = tell(lie, *command)
    assert told
    assert found.exit_code == 2, found.output
    last = found.stderr.splitlines()[-1]
    assert last.startswith("mtjlearn: ")
    assert said in last
    assert isinstance(found.exception, SystemExit)
    assert all(run.state != "running" for run in list_runs(Path("runs")))


def test_a_board_that_is_away_is_waited_for_one_that_lies_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lie begins when the watching has."""
    with start_native(tcp_port=0) as board:
        started = CliRunner().invoke(main, ["autonomous", "start", "--task", "xor", "--board", board.url])
        assert started.exit_code == 0
        lie = Lie(Progress, "activity", messages.Activity.LEARNING)
        with Liar(board.url, lie) as liar:

            def now_another(*seen: object) -> None:
                liar.lie = Lie(Progress, "activity", 9)

            monkeypatch.setattr("mtjlearn.cli.view.watch.Watcher._update", now_another)
            found = CliRunner().invoke(main, ["autonomous", "watch", "--board", liar.url])
    assert found.exit_code == 2
    assert "activity 9 in PROGRESS" in found.stderr.splitlines()[-1]


@pytest.mark.parametrize("lie", [Lie(Welcome, "session", 1), Lie(messages.Blob, "offset", 1)], ids=str)
def test_a_board_that_leaves_questions_unanswered_is_not_watched_without_end(lie: Lie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtjlearn.cli.view.watch.RETRY", 0.01)
    with start_native(tcp_port=0) as board:
        with Board.open(board.url) as opened:
            opened.configure(Network((2, 4, 1)))
            opened.save_checkpoint()
        with Liar(board.url, lie) as liar:
            found = CliRunner().invoke(main, [*WATCH, "--board", liar.url])
    assert liar.told >= 3
    assert found.exit_code == 2, found.output
    assert "the board connects, but does not answer all questions" in found.stderr.splitlines()[-1]


def test_each_number_is_lied_about() -> None:
    """The sweep (tests/soak/liar.py) leaves out none."""
    fields = {(lie.kind.NAME, lie.field) for lie in lies()}
    assert {("WELCOME", "adc_bits"), ("ACK", "errors"), ("PROGRESS", "activity"), ("BLOB", "total")} <= fields
    assert len(fields) > 100
