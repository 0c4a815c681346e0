"""Counts the device's starts in a file, so that a host that comes back sees a restart. Boards with a file system call it."""

import struct


def count_start(path: str) -> int:
    """Counts this start. Returns its number, mod 2^16; 1 where nothing can be kept."""
    count = 1
    try:
        with open(path, "rb") as file:
            before, complement = struct.unpack("<HH", file.read(4))
        if before ^ complement == 0xFFFF:
            count = before + 1 & 0xFFFF
    except (OSError, ValueError):
        pass
    try:
        with open(path, "wb") as file:
            file.write(struct.pack("<HH", count, count ^ 0xFFFF))
    except OSError:
        pass
    return count
