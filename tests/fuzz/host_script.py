"""An input of a fuzz target, taken apart from its beginning on."""

from __future__ import annotations


class Script:
    """Takes an input apart; past its end everything is 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        return self.bytes(1)[0]

    def bytes(self, count: int) -> bytes:
        """The next bytes, this many."""
        piece = self._data[self._at : self._at + count]
        self._at += count
        return piece.ljust(count, b"\0")

    def rest(self) -> bytes:
        """All that is left."""
        piece, self._at = self._data[self._at :], len(self._data)
        return piece
