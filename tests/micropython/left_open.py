"""What is in a file of a Folder on littlefs when one that was left open in the middle is collected as garbage: before it is read,
and after. Runs in MicroPython.
"""

import gc
import sys

import vfs
from cut_flash import FlashStorage
from storage import Folder


def leave(folder):
    """A device that begins again has written a part."""
    folder.open("slot0", "wb").write(b"a part" * 100)


def read(folder):
    with folder.open("slot0", "rb") as file:
        return file.read(100).decode()


def main():
    vfs.mount(FlashStorage()._vfs, "/flash")
    folder = Folder("/flash/kept")
    leave(folder)
    [bytes(100) for _ in range(100)]
    file = folder.open("slot0", "wb")
    file.write(b"whole")
    file.close()
    before = read(folder)
    del file
    gc.collect()
    with open(sys.argv[2], "w") as answer:
        answer.write(before + " " + read(folder))


if __name__ == "__main__":
    main()
