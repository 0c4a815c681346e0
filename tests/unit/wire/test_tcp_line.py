"""What may talk to a board behind TCP: hosts, one at a time, and nothing that a browser sends."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from plain_client import PlainClient, configure, set_blob

from mtjlearn.board import Board
from mtjlearn.network import Network
from mtjlearn.virtual.micropython import start_micropython
from mtjlearn.virtual.native import start_native
from mtjlearn.virtual.process import BoardProcess
from mtjlearn.virtual.uno_sim import start_uno_sim
from mtjlearn.wire import messages
from mtjlearn.wire.errors import PortBusy
from mtjlearn.wire.frame import Frame, FrameDecoder, encode_frame
from mtjlearn.wire.messages import BlobKind, CheckpointAction, Err, Error, Hello
from mtjlearn.wire.transport import SerialTransport

pytestmark = pytest.mark.thorough

NETWORK = Network((4, 3, 2), seed=5)
GREETING = 5.0
"""Seconds within which a client sends HELLO (LINE_GREETING_MS)."""


@pytest.fixture(params=[start_native, start_micropython], ids=["native", "micropython"])
def start(request: pytest.FixtureRequest) -> Callable[..., BoardProcess]:
    """``start(**options)``: starts a board whose line is its own."""
    return request.param  # type: ignore[no-any-return]


@contextlib.contextmanager
def client_of(url: str, nonce: int = 1) -> Iterator[PlainClient]:
    line = SerialTransport(url)
    try:
        yield PlainClient(line.write, lambda: line.read(0.1), nonce)
    finally:
        line.close()


def connect(url: str) -> socket.socket:
    host, port = url.removeprefix("socket://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def until_closed(line: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(4096):
            data += piece
    return data


def hello(nonce: int) -> bytes:
    message = Hello(nonce, messages.VERSION, messages.VERSION)
    return encode_frame(message.TYPE, messages.SESSION_NONE, 0, message.pack())


def everything_for_every_session(nonce: int = 0) -> bytes:
    """What a web page may send, with every session that the board may have: erases checkpoints, then resets the board."""
    erase, reset = messages.Checkpoint(CheckpointAction.ERASE), messages.Reset()
    frames = b"".join(
        encode_frame(command.TYPE, session, number, command.pack(), nonce)
        for session in range(1, 256)
        for number, command in enumerate((erase, reset))
    )
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: {len(frames)}\r\n\r\n"
    return head.encode() + frames


@pytest.mark.parametrize("nonce", [0, 1], ids=["as a page must", "with the nonce known"])
def test_a_web_page_changes_nothing(start: Callable[..., BoardProcess], nonce: int) -> None:
    with start(tcp_port=0) as board:
        with client_of(board.url) as client:
            client.tell(configure(NETWORK))
            client.tell(messages.Checkpoint(CheckpointAction.SAVE))
            before, session = client.ask(messages.GetCheckpoint(), messages.Checkpoints), client.welcome
        with connect(board.url) as page:
            page.sendall(everything_for_every_session(nonce))
            assert until_closed(page) == b""
        with client_of(board.url) as client:  # the same nonce: the session continues, if the board did not restart
            assert (client.welcome.session, client.welcome.boot_count) == (session.session, session.boot_count)
            client.skip(3)
            assert client.ask(messages.GetCheckpoint(), messages.Checkpoints) == before
            assert client.blob(BlobKind.WEIGHTS)


@pytest.mark.parametrize("start", [start_native, start_micropython, start_uno_sim])
def test_a_second_host_is_told_of_the_first(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board, Board.open(board.url) as first:
        with connect(board.url) as second:
            second.sendall(hello(7))
            (frame,) = FrameDecoder().feed(until_closed(second))
            assert isinstance(frame, Frame)
            assert (frame.type, frame.session) == (Err.TYPE, messages.SESSION_NONE)
            assert Err.unpack(frame.payload) == Err(Hello.TYPE, Error.ANOTHER_HOST, 0)
        begun = time.monotonic()
        with pytest.raises(PortBusy, match="another host is connected to this board; close it"):
            Board.open(board.url)
        assert time.monotonic() - begun < 10
        assert first.status().steps == 0


def test_a_second_client_that_floods_does_not_stop_the_board(start: Callable[..., BoardProcess]) -> None:
    ended = threading.Event()

    def flood(url: str) -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError), connect(url) as line:
                while not ended.is_set():
                    line.send(bytes(65536))

    with start(tcp_port=0) as process, Board.open(process.url) as board:
        thread = threading.Thread(target=flood, args=(process.url,), daemon=True)
        thread.start()
        try:
            # Longer than a host waits for an answer.
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                assert board.status().last_error == 0
        finally:
            ended.set()
            thread.join(30)


def test_who_sends_no_hello_is_dropped_and_an_open_session_may_idle(start: Callable[..., BoardProcess]) -> None:
    with (
        start(tcp_port=0) as board,
        start(tcp_port=0) as another,
        connect(another.url) as idle,
        connect(board.url) as mute,
        connect(board.url) as other,
    ):
        begun = time.monotonic()
        idle.sendall(hello(9))
        assert idle.recv(100)
        mute.sendall(b"\0" + encode_frame(messages.Reset.TYPE, 1, 0, b""))
        other.sendall(b"\0")
        assert list(FrameDecoder().feed(until_closed(other)))  # it is told that there is one
        assert until_closed(mute) == b""
        assert GREETING - 0.5 < time.monotonic() - begun < GREETING + 10
        time.sleep(max(0, begun + GREETING + 0.5 - time.monotonic()))
        idle.sendall(hello(9))
        assert idle.recv(100)


def test_a_host_that_comes_as_the_other_leaves_is_let_in(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board:
        for nonce in range(1, 20):
            with client_of(board.url, nonce) as client:
                client.push(messages.GetStatus.TYPE, b"")


def test_bytes_before_the_hello_are_no_answer_to_anybody(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board:
        with client_of(board.url) as client:
            client.tell(configure(NETWORK))
            client.tell(messages.Noise(0, 0))
        with connect(board.url) as stranger:
            stranger.sendall(b"\0")
            stranger.settimeout(0.5)
            with pytest.raises(TimeoutError):
                stranger.recv(1)
        with client_of(board.url, 2) as client:
            chunk = set_blob(BlobKind.WEIGHTS, bytes(4))[0]
            assert client.refused(chunk)[0] in (Error.OUT_OF_RANGE, Error.BAD_LENGTH)
