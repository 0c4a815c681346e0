"""Files that reach deep into the fuzz targets of recordings, datasets and images: each layout once."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet


def recording_seeds(folder: Path) -> Iterator[bytes]:
    """A recording in each format."""
    path = folder / "seed.npz"
    np.savez_compressed(path, values=np.array([1.0, 2.0, 3.0]), starts=np.array([0, 2]), rate=np.float64(9615))
    yield b"\0" + path.read_bytes()
    values, starts, rate = struct.pack("<4d", 1, 2, 3, 4), struct.pack("<2q", 0, 2), struct.pack("<d", 9.5)
    yield b"\x01\0" + bytes((8, 4)) + values + bytes((9, 2)) + starts + b"\0" + rate
    yield b"\x01\x01" + bytes((0x28, 3, 40)) + bytes(24) + b"\x07\x07\x07"
    buffer = io.BytesIO()
    np.save(buffer, np.array([1, 2, 3], dtype=np.int16))
    yield b"\x02" + buffer.getvalue()
    yield b"\x03number,codes\n1,34\n2,44\n4,45\n"
    yield b"\x04# volts\n0.5\n0.25\n1e-3\n"
    yield b"\x03Record Length,3,,-0.1,0.04,\nSample Interval,0.1,,0,0.05,\nVertical Units,V,,0.1,0.04,\n"
    yield b"\x03Model,MDO\nWaveform Type,ANALOG\nSample Interval,1e-4\nVertical Units,mV\n,\nTIME,CH1\n0,36\n1e-4,48\n2e-4,36\n"
    yield b"\x03X,CH1,Start,Increment,\nSequence,Volt,0,1e-4\n0,.036,\n1,.048,\n"
    yield b"\x03Record Length,Analog:2\nSample Rate,1e4\nSource,CH1\nSecond,Volt\n0,.036\n1e-4,.048\n"
    yield b"\x04Time;Channel A\n(ms);(mV)\n\n0,1;36,5\n0,2;48,5\n0,3;\xe2\x88\x9e\n"
    yield b"\x03#Digilent WaveForms Oscilloscope Acquisition\n#Sample rate: 1kHz\nTime (s),Channel 1 (V)\n0,.1\n.001,.2\n"
    yield b"\x03Time [s],Channel 0\n0.0,0.1\n0.5,0.2\n0.4,0.2\n"
    pyarrow.parquet.write_table(pyarrow.table({"V": [0.036, 0.048]}), path.with_suffix(".pqt"), compression="none")
    yield b"\x05" + path.with_suffix(".pqt").read_bytes()


def dataset_seeds() -> Iterator[bytes]:
    """A dataset in each format."""
    table = b'a;b;y\n1;2;red\n3;4,5;"blue"\n5;6;red\n'
    for target in range(4):
        yield bytes((0, target)) + table.replace(b";", b",").replace(b"4,5", b"4.5")
        yield bytes((1, target)) + table.replace(b";", b"\t").replace(b"4,5", b"4.5")
    yield b"\0\x03sep=;\n# made\n;a;y;\n;V;-;\n0;0,5;01;\n1;-999;1;\n2;0,25;1,0;\n"
    yield b"\0\2# a,b,y\n1,1e9,9007199254740993\n2,3,9007199254740992\n3,4,1\n# end\n"
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(6.0).reshape(3, 2), y=np.array(["a", "b", "a"]))
    yield b"\x02\0" + buffer.getvalue()
    yield b"\x03\0\0" + bytes((0x10, 2, 2)) + struct.pack("<4d", 1, 2, 3, 4) + bytes((9, 2)) + struct.pack("<2q", 0, 1)


def image_seeds() -> Iterator[bytes]:
    """Files of both formats, plain and packed."""
    pictures = bytes((0, 0, 8, 3)) + struct.pack(">3I", 2, 3, 4) + bytes(range(24))
    for which in (0, 1):
        yield bytes((which,)) + pictures
        yield bytes((which,)) + bytes((0, 0, 8, 1)) + struct.pack(">I", 5) + bytes(5)
    yield b"\x01" + gzip.compress(pictures)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("cifar-100-binary/train.bin")
        member.size = 2 * 3074
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    yield b"\x02" + buffer.getvalue()
    yield b"\x03" + bytes(3073)
