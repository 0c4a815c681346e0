"""What an image uses of a chip's memory, read from its ELF file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.firmware.compilers import FirmwareError

_MAGIC = b"\x7fELF\x01\x01"  # 32 bits, little endian: all chips here
_HEADER = struct.Struct("<32xI10xHHH")  # section headers: offset, size of one, number, index of the names
_SECTION = struct.Struct("<6I16x")  # name, type, flags, address, offset, size
_NO_BITS = 8
_WRITE, _ALLOC = 1, 2
_AVR_RAM = 0x800000
_AVR_EEPROM = 0x810000
_CORTEX_RAM = 0x20000000
_NOT_STATIC = (".heap", ".stack")


@dataclass(frozen=True)
class ImageSize:
    """Sizes of an image.

    Args:
        flash: bytes of code, constants and initial values.
        ram: bytes of static data: initialised, zeroed and kept over a reset.
    """

    flash: int
    ram: int

    @classmethod
    def read(cls, path: Path) -> ImageSize:
        """From an ELF file of an AVR or a Cortex-M. What a linker script sets aside for stack and heap is not static data.

        Raises:
            FirmwareError: if it is none.
        """
        data = path.read_bytes()
        if not data.startswith(_MAGIC):
            raise FirmwareError(f"{path} is not an ELF file of a chip; build the firmware again")
        offset, size, count, names_index = _HEADER.unpack_from(data)
        sections = [_SECTION.unpack_from(data, offset + index * size) for index in range(count)]
        names = sections[names_index][4]
        flash = ram = 0
        for name, kind, flags, address, _, length in sections:
            start = names + name
            text = data[start : data.index(b"\0", start)].decode("ascii", "replace")
            if not flags & _ALLOC or _AVR_EEPROM <= address < _CORTEX_RAM or text.startswith(_NOT_STATIC):
                continue
            flash += 0 if kind == _NO_BITS else length
            in_ram = bool(flags & _WRITE) and (_AVR_RAM <= address < _AVR_EEPROM or address >= _CORTEX_RAM)
            ram += length if in_ram else 0
        return cls(flash, ram)
