"""Replays a link log: the recorded bytes go through the host's link again, to see session by session what the host knew.

The link sends nothing itself. It is told what was sent, so its time-outs and window play no part and a replay repeats exactly; what
it makes of acknowledgements, refusals, lost answers and damage is what the host made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mtjlearn.wire.command import Command
from mtjlearn.wire.decoding import Entry, decode
from mtjlearn.wire.frame import BadFrame, Frame
from mtjlearn.wire.linklog import LogKind, LogRecord
from mtjlearn.wire.messages import MESSAGES, SESSION_NONE, Error, Hello, Status, Train
from mtjlearn.wire.session import Link


class Replay(Link):
    """What the host saw of one session.

    Args:
        now: when its first HELLO was sent, seconds since 1970.
        hello: that HELLO.
    """

    def __init__(self, now: float, hello: Hello) -> None:
        super().__init__(now, hello.nonce)
        self._version = hello.version_max
        self.opened = self.last = now
        """When its first and its last bytes passed."""
        self.commands: list[Command] = []
        """In the order in which they were sent first; a question that was asked again is here once."""
        self.repeated = 0
        """Frames that were sent again."""
        self.damaged = 0
        """Damaged frames in either direction."""
        self.ended = "the log ends here"
        """Why it ended."""

    def sent(self, frame: Frame, now: float) -> None:
        """The host sent this frame."""
        if frame.session == SESSION_NONE or frame.session != self._session:
            return
        if frame.seq != self._sender.next_seq:
            self.repeated += 1
            return
        asked = next((pair for pair in self._asked if (pair[1].type, pair[1].payload) == (frame.type, frame.payload)), None)
        if self._probe is not None and self._probe in self._sender.queue and frame.type == self._probe.type:
            command = self._probe
            self._sender.queue.remove(command)
        elif asked is not None:
            self._asked.remove(asked)
            command = asked[1]
            command.ask_again()
        else:
            command = Command(frame.type, frame.payload)
            self.commands.append(command)
        self._sender.note_sent(command, now)

    def summary(self) -> dict[str, Any]:
        """What the host knew at the end, as ``--json`` prints it."""
        names = Counter(_name(command.type) for command in self.commands)
        refused = Counter(
            f"{_name(command.type)} {_error(command.refusal.code)}" for command in self.commands if command.refusal is not None
        )
        answers = [command.answer for command in self.commands if isinstance(command.answer, Status)]
        counters = self.counters
        return {
            "opened": self.opened,
            "seconds": self.last - self.opened,
            "board": self.welcome.board if self.welcome is not None else None,
            "session": self.welcome.session if self.welcome is not None else None,
            "boot_count": self.welcome.boot_count if self.welcome is not None else None,
            "commands": dict(names),
            "done": sum(command.done for command in self.commands),
            "unknown": sum(not command.done for command in self.commands),
            "train_acknowledged": sum(c.done and c.refusal is None for c in self.commands if c.type == Train.TYPE),
            "refused": dict(refused),
            "repeated": self.repeated,
            "damaged": self.damaged,
            "bad_frames": counters.bad_frames,
            "rx_overruns": counters.rx_overruns,
            "telemetry": len(self.telemetry),
            "noise_frames": len(self.noise),
            "last_known_steps": answers[-1].steps if answers else None,
            "ended": (self.failure and str(self.failure)) or self.ended,
        }


def replay(records: Iterable[LogRecord]) -> Iterator[Replay]:
    """The sessions of a log, in order, each as it stood at its end. HELLOs that nobody answered make one, too."""
    current: Replay | None = None
    for entry in decode(records):
        hello = entry.message if isinstance(entry.message, Hello) and entry.kind is LogKind.TO_BOARD else None
        if hello is not None and (current is None or hello.nonce != current.nonce):
            if current is not None:
                current.ended = "another session was opened"
                yield current
            current = Replay(entry.time, hello)
        elif current is not None:
            _step(current, entry)
            if entry.kind is LogKind.CLOSED:
                current.ended = f"closed: {entry.text}" if entry.text else "closed"
                yield current
                current = None
    if current is not None:
        yield current


def _step(current: Replay, entry: Entry) -> None:
    current.last = entry.time
    current.damaged += entry.bad and entry.frame is None
    if entry.kind is LogKind.TO_BOARD and entry.frame is not None:
        current.sent(entry.frame, entry.time)
    elif entry.kind is LogKind.FROM_BOARD:
        current.take(entry.frame or BadFrame(entry.text, entry.damaged), entry.time)
        current.receive(b"", entry.time)


def _name(kind: int) -> str:
    return MESSAGES[kind].NAME if kind in MESSAGES else f"0x{kind:02x}"


def _error(code: int) -> str:
    return Error(code).name if code in set(Error) else str(code)
