"""Commands on their way to the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mtjlearn.wire.messages import ANSWERS, Message


class Refusal(NamedTuple):
    """Why the device refused a command: the ERR's code and detail."""

    code: int
    detail: int


@dataclass(eq=False, slots=True)
class Command:
    """One command, and what became of it.

    Args:
        type: message type.
        payload: its packed fields.
    """

    type: int
    payload: bytes
    samples: int = 0
    """Training samples that it completes."""
    parts: tuple[Command, ...] = ()
    """SAMPLE_PARTs of the sample that it completes. They travel right before it, also when it is asked again."""
    number: int = -1
    """Place in the session's sequence; the seq on the wire is its low byte."""
    frame: bytes = b""
    sent_at: float = 0.0
    resent: bool = False
    asked_before: int = 0
    answer: Message | None = None
    refusal: Refusal | None = None
    done: bool = False
    """Executed or refused, and the device's answer, if the command has one, is in."""

    @classmethod
    def of(cls, message: Message) -> Command:
        """The command that carries this message."""
        return cls(message.TYPE, message.pack())

    @property
    def question(self) -> bool:
        """Whether the device answers with more than an ACK."""
        return self.type in ANSWERS

    def ask_again(self) -> None:
        """Makes the question ready to be sent as a new command, because its answer got lost."""
        for command in (*self.parts, self):
            command.frame = b""
            command.resent = False
            command.done = False
            command.asked_before += 1
