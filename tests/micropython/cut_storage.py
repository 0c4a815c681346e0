"""Files whose power can be cut at any write: a stand-in for storage.Folder in tests. What was written since the last flush() may be
kept in any part and any order, as by a file system that has a cache; of the write that is cut a part may be kept. Runs in
MicroPython.
"""

import errno


class PowerIsOff(BaseException):
    """The device stops in the middle of a write. No part of the firmware catches it."""


class _Reader:
    def __init__(self, content):
        self._content = bytes(content)
        self._at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, count):
        piece = self._content[self._at : self._at + count]
        self._at += len(piece)
        return piece

    def readinto(self, buffer):
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, place):
        self._at = place

    def close(self):
        pass


class _Writer:
    def __init__(self, storage, name):
        self._storage = storage
        self._name = name
        self._at = 0
        storage.do(name, 0, None)

    def write(self, data):
        self._storage.do(self._name, self._at, bytes(data))
        self._at += len(data)
        return len(data)

    def seek(self, place):
        self._at = place

    def flush(self):
        self._storage.flush(self._name)

    def close(self):
        pass


def _apply(files, name, at, data):
    """A write, an emptied file if there are no data, or a removed one if there is no place."""
    if at is None:
        files.pop(name, None)
    elif data is None:
        files[name] = bytearray()
    else:
        content = files.setdefault(name, bytearray())
        if len(content) < at + len(data):
            content.extend(bytes(at + len(data) - len(content)))
        content[at : at + len(data)] = data


class CutStorage:
    """As storage.Folder.

    Attributes:
        files: what is there, by name.
        writes: how many there were; emptying, removing and flushing count.
        refuses: the error with which the file system refuses what would need room; 0: none.
        refused: how often it did.
    """

    def __init__(self):
        self.files = {}
        self.writes = 0
        self.refuses = self.refused = 0
        self._kept = {}
        self._pending = []
        self._cut_at = 0
        self._random = 1

    def open(self, name, mode):
        if mode == "wb":
            return _Writer(self, name)
        if name not in self.files:
            raise OSError(errno.ENOENT)
        return _Reader(self.files[name])

    def remove(self, name):
        if name not in self.files:
            raise OSError(errno.ENOENT)
        self.do(name, None, None)
        self.flush(name)

    def image(self):
        """What set() takes."""
        return {name: bytes(content) for name, content in self.files.items()}

    def set(self, files):
        """These are there and kept."""
        self.files = {name: bytearray(content) for name, content in files.items()}
        self._kept = {name: bytearray(content) for name, content in files.items()}
        self._pending = []

    def cut(self, writes, seed):
        """The n-th write from now is the last; 0: none is. The seed chooses what is kept of it and of those before that were not
        flushed.
        """
        self._cut_at = self.writes + writes if writes else 0
        self._random = seed * 2654435761 + 1 & 0xFFFFFFFF

    def power_on(self):
        """What was kept is there."""
        self.set(self._kept)
        self._cut_at = 0

    def do(self, name, at, data):
        if self.refuses and at is not None:
            self.refused += 1
            raise OSError(self.refuses)
        self._pending.append((name, at, data))
        self._count()
        _apply(self.files, name, at, data)

    def flush(self, name):
        if self.refuses and name in [pending[0] for pending in self._pending]:
            raise OSError(self.refuses)
        self._count()
        for operation in self._pending:
            if operation[0] == name:
                _apply(self._kept, *operation)
        self._pending = [operation for operation in self._pending if operation[0] != name]

    def _draw(self, count):
        self._random = self._random * 1664525 + 1013904223 & 0xFFFFFFFF
        return (self._random >> 16) % count

    def _count(self):
        self.writes += 1
        if self.writes != self._cut_at:
            return
        operations = self._pending
        if self._draw(2):
            # In order, up to one of them.
            operations = operations[: self._draw(len(operations) + 1)]
        for name, at, data in operations:
            kept = self._draw(4)
            if kept == 0:
                continue
            if kept == 1 and data:
                data = data[: len(data) // 2]
            _apply(self._kept, name, at, data)
        raise PowerIsOff
