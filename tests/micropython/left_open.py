"""What is in a file of a Folder on littlefs when one that was left open in the middle is collected as garbage: before it is read,
and after. Runs in MicroPython.
"""

import gc
import sys

import vfs
from cut_flash import BLOCK, BLOCKS
from storage import Folder


class Flash:
    """As in cut_flash.py, without an allocation: the garbage collector closes files."""

    def __init__(self):
        self._image = bytearray(b"\xff" * (BLOCK * BLOCKS))

    def readblocks(self, block, buffer, offset=0):
        for i in range(len(buffer)):
            buffer[i] = self._image[block * BLOCK + offset + i]

    def writeblocks(self, block, buffer, offset=0):
        for i in range(len(buffer)):
            self._image[block * BLOCK + offset + i] = buffer[i]

    def ioctl(self, operation, argument):
        if operation == 6:
            for i in range(BLOCK):
                self._image[argument * BLOCK + i] = 255
        return BLOCKS if operation == 4 else BLOCK if operation == 5 else 0


def leave(folder):
    """A device that begins again has written a part."""
    folder.open("slot0", "wb").write(b"a part" * 100)


def save(folder):
    """It writes the whole then."""
    with folder.open("slot0", "wb") as file:
        file.write(b"whole")


def read(folder):
    with folder.open("slot0", "rb") as file:
        return file.read(5).decode()


def main():
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    folder = Folder("/flash/kept")
    leave(folder)
    save(folder)
    before = read(folder)
    gc.collect()
    with open(sys.argv[2], "w") as answer:
        answer.write(before + " " + read(folder))


if __name__ == "__main__":
    main()
