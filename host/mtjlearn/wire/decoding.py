"""A link log (linklog.py) as messages: what was sent when, by whom, and what was damaged."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from mtjlearn.wire import messages
from mtjlearn.wire.frame import SEED_STEP, BadFrame, Frame, FrameDecoder, Numbering, Unseeded, decode_body, fitting_seed
from mtjlearn.wire.linklog import LogKind, LogRecord
from mtjlearn.wire.messages import Message

_WELCOME = struct.Struct("<IBB")  # nonce, version and session open every version's WELCOME
_SEEDED = 3
"""The first version whose CRCs are seeded."""
_MOST_TURNS = 1 << 20
"""Times 256 commands of a session, at most, when the place behind a gap is looked for."""
_SHOWN = 8
"""Values of an open field in a line."""


@dataclass(frozen=True)
class Entry:
    """One line of a decoded log.

    Args:
        time: seconds since 1970.
        kind: who sent it, or that the port was opened or closed.
        frame: the frame; None for a damaged one and for OPENED and CLOSED.
        message: what the frame says; None if its type or length is unknown.
        text: the port, why it was closed, or what is wrong with a damaged frame.
        damaged: the bytes between two delimiters that are not a frame.
    """

    time: float
    kind: LogKind
    frame: Frame | None = None
    message: Message | None = None
    text: str = ""
    damaged: bytes = b""

    @property
    def bad(self) -> bool:
        """A damaged frame, or one that means nothing."""
        return self.kind in (LogKind.TO_BOARD, LogKind.FROM_BOARD) and self.message is None

    def plain(self) -> dict[str, Any]:
        """As one JSON object; bytes are hexadecimal."""
        found: dict[str, Any] = {"time": self.time, "kind": self.kind.name.lower()}
        if self.frame is not None:
            found |= {"type": self.frame.type, "session": self.frame.session, "seq": self.frame.seq}
        if self.message is not None:
            found |= {"message": self.message.NAME, "fields": _fields(self.message)}
        elif self.frame is not None:
            found["payload"] = self.frame.payload.hex()
        if self.text:
            found["text"] = self.text
        if self.damaged:
            found["damaged"] = self.damaged.hex()
        return found

    def line(self) -> str:
        """As a person reads it, without the time."""
        if self.kind not in (LogKind.TO_BOARD, LogKind.FROM_BOARD):
            return f"-- {self.kind.name.lower()}: {self.text}"
        arrow = "->" if self.kind is LogKind.TO_BOARD else "<-"
        if self.frame is None:
            return f"{arrow} damaged, {self.text}: {len(self.damaged)} bytes {_short(self.damaged)}"
        head = f"{arrow} {self.frame.session:3}:{self.frame.seq:<3}"
        if self.message is None:
            return f"{head} {self.text}: {_short(self.frame.payload)}"
        shown = " ".join(f"{name}={_value(value)}" for name, value in _fields(self.message, short=True).items())
        return f"{head} {self.message.NAME} {shown}".rstrip()


def decode(records: Iterable[LogRecord]) -> Iterator[Entry]:
    """The entries of a log, in order. What is cut off in the middle of a frame when the log ends is reported as damaged."""
    directions = {kind: _Direction() for kind in (LogKind.TO_BOARD, LogKind.FROM_BOARD)}
    last = 0.0
    for record in records:
        last = record.time
        if record.kind in directions:
            for found in directions[record.kind].feed(record.data):
                if isinstance(found, Frame) and found.type == messages.Welcome.TYPE:
                    for direction in directions.values():
                        direction.open(found)
                yield _entry(record.time, record.kind, found)
        else:
            # The line is empty when a port is opened; what had arrived of a frame is lost.
            for kind, direction in directions.items():
                for found in direction.feed(b"\0"):
                    yield _entry(record.time, kind, found)
                direction.gap |= record.kind is LogKind.SKIPPED
            yield Entry(record.time, record.kind, text=record.data.decode("utf-8", "replace"))
    for kind, direction in directions.items():
        for found in direction.feed(b"\0"):
            yield _entry(last, kind, found)


class _Direction:
    """One direction of the line; knows the sessions from their WELCOMEs, and finds its place again behind a gap in the log."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self.gap = False
        """Something is missing since the last frame."""

    def open(self, frame: Frame) -> None:
        """The board has said WELCOME."""
        if len(frame.payload) < _WELCOME.size:
            return
        nonce, version, session = _WELCOME.unpack_from(frame.payload)
        known = self._decoder.numbering
        if session != messages.SESSION_NONE and (isinstance(known, Unseeded) or known.nonce != nonce or version < _SEEDED):
            self._decoder.numbering = Numbering(nonce) if version >= _SEEDED else Unseeded()

    def feed(self, data: bytes) -> Iterator[Frame | BadFrame]:
        """What ends within these bytes."""
        for found in self._decoder.feed(data):
            numbering = self._decoder.numbering
            if isinstance(found, BadFrame) and self.gap:
                found = self._found_again(found.data) or found
            if isinstance(found, Frame) and found.session != messages.SESSION_NONE:
                numbering.expected = numbering.nearest(found.seq)
                self.gap = False
            yield found

    def _found_again(self, data: bytes) -> Frame | None:
        """A frame behind the gap; its CRC says how often the numbers have come round."""
        numbering, seed = self._decoder.numbering, fitting_seed(data)
        if isinstance(numbering, Unseeded) or seed is None:
            return None
        turns = (seed - numbering.nonce) * pow(SEED_STEP, -1, 1 << 32) & 0xFFFFFFFF
        found = decode_body(data, Numbering(numbering.nonce, turns * 256 + 128))
        if turns >= _MOST_TURNS or isinstance(found, BadFrame):
            return None
        numbering.expected = turns * 256 + found.seq
        return found


def _entry(time: float, kind: LogKind, found: Frame | BadFrame) -> Entry:
    if isinstance(found, BadFrame):
        return Entry(time, kind, text=found.reason, damaged=found.data)
    known = messages.MESSAGES.get(found.type)
    if known is None:
        return Entry(time, kind, found, text=f"unknown type 0x{found.type:02x}")
    try:
        return Entry(time, kind, found, known.unpack(found.payload))
    except messages.MessageError as error:
        return Entry(time, kind, found, text=str(error))


def _fields(message: Message, *, short: bool = False) -> dict[str, Any]:
    return {field.name: _plain(message, field.name, short) for field in fields(message)}


def _plain(message: Message, name: str, short: bool) -> Any:
    value = getattr(message, name)
    if isinstance(value, bytes):
        return _short(value) if short else value.hex()
    if isinstance(value, np.ndarray):
        if short and len(value) > _SHOWN:
            return [*map(str, value[:_SHOWN].tolist()), f"... {len(value)} in all"]
        return value.tolist()
    if (message.NAME, name) == ("ERR", "command") and value in messages.MESSAGES:
        return messages.MESSAGES[value].NAME
    names = messages.NAMES.get(message.TYPE, {}).get(name)
    return names(value).name if names is not None and value in set(names) else value


def _value(value: Any) -> str:
    return "[" + " ".join(map(str, value)) + "]" if isinstance(value, list) else str(value)


def _short(data: bytes) -> str:
    shown = data[: 2 * _SHOWN].hex()
    return f"{shown}..({len(data)})" if len(data) > 2 * _SHOWN else shown or "-"
