"""What can go wrong between host and board. Every text is one line that says what to do next."""

from __future__ import annotations

from mtjlearn.errors import BoardError as BoardError


class BoardLost(BoardError):
    """The board vanished: cable out, process ended, device restarted, or a line too bad to get anything through."""


class BoardTimeout(BoardError):
    """The board is there but did not deliver in time."""


class VersionMismatch(BoardError):
    """Host and firmware speak different versions of the protocol; the text says which side to update."""


class ImplausibleAnswer(BoardError):
    """The board said what no board with this protocol can say; asking again does not help."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}, which cannot be; flash the firmware that came with this mtjlearn")


class PortError(BoardError):
    """A port that cannot be opened."""


class PortMissing(PortError):
    """There is no such port, or nobody listens there."""


class PortBusy(PortError):
    """Another program has the port."""


class PortForbidden(PortError):
    """The user may not open the port."""


class BoardRefused(BoardError):
    """The board refused a command; it changed nothing on the board unless the text says so.

    Args:
        command: name of the command.
        code: the protocol's error code (messages.Error).
        detail: number that goes with the code.
        text: one line that says what to do.
    """

    def __init__(self, command: str, code: int, detail: int, text: str) -> None:
        super().__init__(text)
        self.command = command
        self.code = code
        self.detail = detail
