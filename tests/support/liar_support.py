"""A board that lies in one field: a proxy before a true one that decodes its frames, edits one, and encodes it again."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Self

from mtjlearn.wire import messages
from mtjlearn.wire.frame import Frame, Numbering, decode_body, encode_frame, fitting_seed
from mtjlearn.wire.messages import Message

SEQ_ITSELF = 128
"""The number expected with which a frame's seq is its number."""
_WIDTHS = {"B": 8, "H": 16, "I": 32, "Q": 64}


@dataclass(frozen=True)
class Lie:
    """A field of a message, and what the board says instead of it."""

    kind: type[Message]
    field: str
    value: int

    def __str__(self) -> str:
        return f"{self.kind.NAME}.{self.field}={self.value}"


def lies() -> Iterator[Lie]:
    """Of each number in each message: the ends of its type, both sides of its range's end, and one."""
    for kind in messages.DEVICE_MESSAGES:
        names = [field.name for field in fields(kind) if field.name != kind.TAIL[0]]
        for name, code in zip(names, re.findall(r"\d*[A-Za-z]", kind.LAYOUT.format), strict=True):
            if code not in _WIDTHS:
                continue  # a text
            top = 2 ** _WIDTHS[code] - 1
            ends = {min(top, kind.BOUNDS[name][1] + 1)} if name in kind.BOUNDS else set()
            for value in sorted({0, 1, top // 2, top} | ends):
                yield Lie(kind, name, value)


class Liar:
    """A TCP port before a board's TCP port; a context manager.

    Args:
        board: URL of the true board.
        lie: what is edited in every such message from it.
    """

    def __init__(self, board: str, lie: Lie) -> None:
        self.told = 0
        """Messages edited."""
        self.lie = lie
        """May be changed."""
        self._board = tuple(board.removeprefix("socket://").split(":"))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for opened in (self._server, *self._open):
            opened.close()

    def _serve(self) -> None:
        while True:
            try:
                host, _ = self._server.accept()
                board = socket.create_connection((self._board[0], int(self._board[1])))
            except OSError:
                return
            self._open += [host, board]
            threading.Thread(target=_pass_on, args=(host, board), daemon=True).start()
            threading.Thread(target=self._tell, args=(board, host), daemon=True).start()

    def _tell(self, board: socket.socket, host: socket.socket) -> None:
        editor = FrameEditor(self._edit)
        _pass_on(board, host, editor.feed)

    def _edit(self, kind: int, payload: bytes) -> bytes:
        if kind != self.lie.kind.TYPE:
            return payload
        self.told += 1
        layout = self.lie.kind.LAYOUT
        values = list(layout.unpack_from(payload))
        values[[field.name for field in fields(self.lie.kind)].index(self.lie.field)] = self.lie.value
        return layout.pack(*values) + payload[layout.size :]


class FrameEditor:
    """The one place that knows how frames are taken apart and put together.

    Args:
        edit: gets a message's type and payload, returns the payload to send.
    """

    def __init__(self, edit: Callable[[int, bytes], bytes]) -> None:
        self._edit = edit
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        """The frames in these bytes, edited."""
        *bodies, self._pending = (self._pending + data).split(b"\0")
        return b"".join(map(self._edited, filter(None, bodies)))

    def _edited(self, body: bytes) -> bytes:
        """The frame with the seed that it came with, whatever session it is from."""
        seed = fitting_seed(body)
        assert seed is not None
        frame = decode_body(body, Numbering(seed, SEQ_ITSELF))
        assert isinstance(frame, Frame)
        return encode_frame(frame.type, frame.session, frame.seq, self._edit(frame.type, frame.payload), seed)


def _pass_on(source: socket.socket, target: socket.socket, through: Callable[[bytes], bytes] = bytes) -> None:
    try:
        with suppress(OSError):
            while data := source.recv(4096):
                target.sendall(through(data))
    finally:
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
