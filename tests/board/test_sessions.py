"""Sessions one after the other, hosts that stop reading, lines with garbage, boards that vanish."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from mtjlearn.board import Board, BoardError, BoardLost
from mtjlearn.discovery import board_options
from mtjlearn.network import Network
from mtjlearn.virtual.process import BoardProcess
from mtjlearn.wire.decoding import decode
from mtjlearn.wire.linklog import LogKind, read_log
from mtjlearn.wire.messages import Ack, Train, Welcome

NETWORK = Network((4, 8, 3), learning_rate=0.01, seed=2)
X = np.random.default_rng(1).integers(-4096, 4096, (2000, 4)).astype(np.int16)
TARGET = np.random.default_rng(2).integers(-4096, 4096, (2000, 3)).astype(np.int16)


def ready(board: Board) -> None:
    board.reset()
    board.configure(NETWORK, injected=True)
    board.inject(np.random.default_rng(4).choice([30, 40], 200))


def expected_weights(board: Board, count: int) -> list[list[int]]:
    ready(board)
    board.train(X[:count], TARGET[:count])
    return [w.tolist() for w in board.weights()]


def test_a_new_session_finds_the_network_of_the_last(board: Board) -> None:
    expected = expected_weights(board, 300)
    ready(board)
    board.train(X[:200], TARGET[:200])
    assert board.reconnect()
    assert board.acknowledged_samples == 200
    board.train(X[200:300], TARGET[200:300])
    assert [w.tolist() for w in board.weights()] == expected


def test_a_restart_between_sessions_is_noticed(board: Board) -> None:
    ready(board)
    board.train(X[:20], TARGET[:20])
    board.reset()
    with pytest.raises(BoardError, match="call configure"):
        board.train(X[:20], TARGET[:20])
    assert board.acknowledged_samples == 0


def test_a_new_session_ends_what_the_last_one_asked_for(board: Board) -> None:
    ready(board)
    board.telemetry(1)
    board.reconnect()
    board.train(X[:50], TARGET[:50])
    assert board.take_telemetry() == []


def test_a_host_that_stops_reading_loses_telemetry_and_nothing_else(board: Board) -> None:
    expected = expected_weights(board, 2000)
    ready(board)
    board.telemetry(1)
    line = board._connection.transport
    read = line.read

    def nothing(timeout: float) -> bytes:
        time.sleep(timeout)
        return b""

    thread = threading.Thread(target=board.train, args=(X, TARGET))
    thread.start()
    time.sleep(0.002)
    line.read = nothing  # type: ignore[method-assign]
    time.sleep(0.5)
    line.read = read  # type: ignore[method-assign]
    thread.join()
    status = board.status()
    assert status.steps == board.acknowledged_samples == 2000
    assert [w.tolist() for w in board.weights()] == expected
    told = board.take_telemetry()
    assert len(told) == 2000 - status.telemetry_dropped
    assert [t.sequence for t in told] == [t.step - 1 for t in told]


def test_garbage_on_the_line_harms_nothing(board: Board) -> None:
    expected = expected_weights(board, 1000)
    ready(board)
    random = Random(6)
    for start in range(0, 1000, 100):
        board._connection.transport.write(random.randbytes(random.randint(1, 200)))
        board.train(X[start : start + 100], TARGET[start : start + 100])
    assert board.link.bad_frames > 0
    assert board.status().steps == 1000
    assert [w.tolist() for w in board.weights()] == expected


def test_an_interrupted_training_counts_what_was_trained(board: Board) -> None:
    expected = expected_weights(board, 2000)
    ready(board)

    def interrupt(done: int) -> None:
        if done >= 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        board.train(np.tile(X, (5, 1)), np.tile(TARGET, (5, 1)), on_progress=interrupt)
    done = board.acknowledged_samples
    assert 300 <= done == board.status().steps < 10_000
    rest = slice(done, 2000)
    if done < 2000:
        board.train(X[rest], TARGET[rest])
        assert [w.tolist() for w in board.weights()] == expected


def test_the_raw_log_tells_all_that_passed(open_under_test: Callable[..., Board], tmp_path: Path) -> None:
    log = tmp_path / "link.log"
    with open_under_test(log=log) as board:
        ready(board)
        board.train(X[:100], TARGET[:100])
    records = list(read_log(log))
    entries = list(decode(records))
    sent = [entry.frame for entry in entries if entry.kind is LogKind.TO_BOARD]
    received = [entry.frame for entry in entries if entry.kind is LogKind.FROM_BOARD]
    # A frame may have been sent again.
    trained = {f.seq: f.payload for f in sent if f is not None and f.type == Train.TYPE}
    assert b"".join(trained.values()) == np.concatenate([X[:100], TARGET[:100]], axis=1).tobytes()
    assert {f.type for f in received if f is not None} == {Welcome.TYPE, Ack.TYPE}
    assert records[0].kind is LogKind.OPENED
    assert records[-1].kind is LogKind.CLOSED


@pytest.mark.parametrize("options", [{}, {"tcp_port": 0}], ids=["pty", "tcp"])
def test_a_board_that_is_killed_is_noticed(
    board_name: str, start_under_test: Callable[..., BoardProcess], options: dict[str, int]
) -> None:
    if not options.keys() <= board_options(board_name):
        pytest.skip("this board serves a pseudo-terminal alone")
    with start_under_test(**options) as process, Board.open(process.url) as board:
        board.configure(NETWORK)
        killed: list[float] = []

        def kill(done: int) -> None:
            if not killed:
                killed.append(time.monotonic())
                process.kill()

        with pytest.raises(BoardLost, match="is gone"):
            board.train(np.tile(X, (50, 1)), np.tile(TARGET, (50, 1)), on_progress=kill)
        assert time.monotonic() - killed[0] < 10
        assert 0 < board.acknowledged_samples < 100_000


def test_a_board_that_hangs_is_noticed_and_found_again(start_under_test: Callable[..., BoardProcess]) -> None:
    with start_under_test() as started, Board.open(started.url) as board:
        board.configure(NETWORK)
        board.train(X[:100], TARGET[:100])
        started.process.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        try:
            with pytest.raises(BoardLost, match="has not answered"):
                board.train(X, TARGET)
            assert time.monotonic() - start < 10
        finally:
            started.process.send_signal(signal.SIGCONT)
        assert board.reconnect()
        done = board.acknowledged_samples
        assert 100 <= done <= 2100
        assert board.train(X[:10], TARGET[:10]) == 10
        assert board.status().steps == done + 10
