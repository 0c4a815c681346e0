"""A littlefs as on a Pico, in flash whose power can be cut at any write: the blocks are bytes, and each program and each erasure of
one counts. Of the one that is cut a part is done. A stand-in for storage.Folder in tests; runs in MicroPython's Unix port.
"""

import vfs
from cut_storage import PowerIsOff

BLOCK = 4096
BLOCKS = 24


class _Flash:
    def __init__(self, image):
        self.image = bytearray(image)
        self.writes = 0
        self.cut_at = 0
        self.seed = 0
        self.dead = False
        """Nothing more is done: files that were left open are closed by the garbage collector, where no exception may be raised."""

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            return
        place = block * BLOCK + offset
        buffer[:] = self.image[place : place + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        if self.dead:
            return
        place = block * BLOCK + offset
        self._write(place, bytes(buffer))

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK
        if operation == 6 and not self.dead:
            self._write(argument * BLOCK, b"\xff" * BLOCK)
        return 0

    def _write(self, place, data):
        self.writes += 1
        cut = self.writes == self.cut_at
        if cut:
            data = data[: len(data) * (self.seed % 5) // 4]
        self.image[place : place + len(data)] = data
        if cut:
            self.dead = True
            raise PowerIsOff


def _formatted():
    flash = _Flash(b"\xff" * (BLOCK * BLOCKS))
    vfs.VfsLfs2.mkfs(flash)
    return bytes(flash.image)


class FlashStorage:
    """As CutStorage."""

    _EMPTY = _formatted()

    def __init__(self):
        self._flash = None
        self.set(self._EMPTY)

    def image(self):
        return bytes(self._flash.image)

    def set(self, image):
        if self._flash is not None:
            self._flash.dead = True
        self._flash = _Flash(image)
        self._vfs = vfs.VfsLfs2(self._flash)

    def power_on(self):
        self.set(self.image())

    def cut(self, writes, seed):
        self._flash.cut_at = self._flash.writes + writes
        self._flash.seed = seed

    def open(self, name, mode):
        return self._vfs.open(name, mode)

    def remove(self, name):
        self._vfs.remove(name)
