"""A checkpoint as the device keeps it (shared/protocol.toml, CHECKPOINT_RECORD), and the file that keeps one on the host.

A file is, all little endian: the eight bytes ``MTJLCKPT``, the format of the file u16, the bytes that follow u32; when it was saved
f64 (seconds since 1970), the build of the board's firmware u32, the board's name char[12] padded with zeros, the checkpoint as it
travels, and the CRC-32 of all before.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mtjlearn.board import blobs
from mtjlearn.network import DEFAULT_SLOPES, DEVICE_RULES, RATE_BITS, Loss, Network, NetworkError, Rounding, WeightFormat
from mtjlearn.runs.storage import describe, write_atomic
from mtjlearn.wire.errors import BoardError
from mtjlearn.wire.messages import (
    CHECKPOINT_COMMIT,
    CHECKPOINT_FORMAT,
    Activity,
    BlobKind,
    CheckpointRecord,
    MessageError,
    NoiseSource,
    Task,
)

Integers = npt.NDArray[np.integer]

MAGIC = b"MTJLCKPT"
FILE_FORMAT = 1
_HEAD = struct.Struct("<8sHI")
_ORIGIN = struct.Struct("<dI12s")
_CRC = struct.Struct("<I")
_RECORD = CheckpointRecord.LAYOUT
_BEFORE_CRC = struct.calcsize("<HI")
_LARGEST = 1 << 17
"""Bytes of a checkpoint, at most: memories and networks of boards are smaller."""

YEAR = 365.25 * 86400.0
EEPROM_CYCLES = 100_000
SLOTS = 2


class CheckpointError(BoardError):
    """Bytes that are not a checkpoint that this host can use; the text says why and what to do."""


@dataclass(frozen=True)
class CheckpointContent:
    """What a checkpoint holds.

    Args:
        data: its bytes, as they travel.
        record: everything but sizes, weights and matrices.
        network: as CONFIGURE would describe it; the learning rate is the one at the time.
        weights: of each layer, shape (units, fan-in + 1), int16 or int32.
        matrices: of the decorrelated layers, shape (fan-in, fan-in), int16.
        feedback: of the hidden layers with the rule feedback, shape (units, outputs), int16.
    """

    data: bytes
    record: CheckpointRecord
    network: Network
    weights: list[Integers]
    matrices: list[Integers]
    feedback: list[Integers]

    def __repr__(self) -> str:
        return f"<CheckpointContent: {self.network.name} after {self.record.steps:,} steps, {len(self.data):,} bytes>"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Reads and checks the bytes of a checkpoint.

        Raises:
            CheckpointError: it is damaged, no checkpoint, or of another format.
        """
        if len(data) < _RECORD.size:
            raise CheckpointError(f"{len(data)} bytes are too few for a checkpoint of {_RECORD.size} and more; save it again")
        try:
            record = CheckpointRecord.unpack(data[: _RECORD.size])
        except MessageError as error:
            raise CheckpointError(str(error)) from None
        if record.commit & 0xFF00 != CHECKPOINT_COMMIT:
            raise CheckpointError("this is not a complete checkpoint: its commit word is missing; save it again")
        if not 1 <= record.commit & 0xFF <= CHECKPOINT_FORMAT:
            raise CheckpointError(
                f"the checkpoint has format {record.commit & 0xFF}, this host reads formats up to {CHECKPOINT_FORMAT}; "
                "use the mtjlearn and the firmware that saved it"
            )
        if zlib.crc32(data[_BEFORE_CRC:]) != record.crc:
            raise CheckpointError("the checkpoint is damaged: its CRC-32 is wrong; save it again")
        try:
            return cls._parse_rest(data, record)
        except (NetworkError, ValueError) as error:
            raise CheckpointError(f"the checkpoint's contents are inconsistent ({error}); save it again") from None

    @classmethod
    def _parse_rest(cls, data: bytes, record: CheckpointRecord) -> Self:
        for name, (low, high) in CheckpointRecord.BOUNDS.items():
            if not low <= getattr(record, name) <= high:
                raise ValueError(f"{name} is {getattr(record, name)}")
        if record.normalised & 0xE:
            raise ValueError(f"normalised is {record.normalised}")
        start = _RECORD.size + 2 * (record.layers + 1)
        if len(data) < start:
            raise ValueError("it ends within the sizes")
        sizes = tuple(int(size) for size in np.frombuffer(data, "<u2", record.layers + 1, _RECORD.size))
        network = _network(record, sizes)
        arrays: list[list[Integers]] = []
        for kind in (BlobKind.WEIGHTS, BlobKind.DECORRELATION):
            width = blobs.dtype(network, kind).itemsize
            end = start + width * sum(rows * columns for rows, columns in blobs.shapes(network, kind))
            arrays.append(blobs.from_bytes(network, kind, data[start:end]))
            start = end
        feedback: list[Integers] = []
        for units in sizes[1:-1] if network.rule == "feedback" else ():
            end = start + 2 * units * sizes[-1]
            feedback.append(np.frombuffer(data[start:end], "<i2").reshape(units, sizes[-1]))
            start = end
        if start != len(data):
            raise ValueError(f"it has {len(data) - start} bytes too many")
        return cls(data, record, network, arrays[0], arrays[1], feedback)

    @property
    def injected(self) -> bool:
        """Whether its network takes noise from INJECT alone."""
        return self.record.noise_source == NoiseSource.INJECTED

    def summary(self) -> dict[str, Any]:
        """What it says, as ``--json`` prints it."""
        record, network = self.record, self.network
        return {
            "format": record.commit & 0xFF,
            "generation": record.generation,
            "bytes": len(self.data),
            "net": network.name,
            "rule": network.rule,
            "slope": network.shift,
            "loss": network.loss.name.lower(),
            "weights": network.weight_format.name.lower(),
            "decorrelated": [layer for layer, flag in enumerate(network.decorrelate, 1) if flag],
            "learning_rate": network.learning_rate,
            "sigma": network.sigma,
            "seed": network.seed,
            "steps": record.steps,
            "skipped": record.skipped,
            "saturations": record.saturations,
            "activity": Activity(record.activity).name.lower(),
            "task": Task(record.task).name.lower(),
            "epoch": record.epoch,
            "position": record.position,
            "epoch_steps": record.epoch_steps,
        }


def _network(record: CheckpointRecord, sizes: tuple[int, ...]) -> Network:
    return Network(
        sizes,
        loss=Loss(record.loss),
        weight_format=WeightFormat(record.weight_format),
        rounding=Rounding(record.rounding),
        normalised=bool(record.normalised & 0xF),
        antithetic=bool(record.antithetic & 1),
        rule=DEVICE_RULES[record.antithetic >> 1],
        slope=record.normalised >> 4 ^ DEFAULT_SLOPES["anp"],
        decorrelate=tuple(bool(record.decorrelate >> layer & 1) for layer in range(record.layers)),
        learning_rate=record.learning_rate / (1 << RATE_BITS),
        decorrelation_rate=record.decorrelation_rate / (1 << RATE_BITS),
        sigma=record.sigma / (1 << 12),
        noise_std=record.noise_std / 256,
        seed=record.seed,
    ).for_device()


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint on the host.

    Args:
        content: the checkpoint.
        board: name of the board that it was read from.
        build: build id of its firmware, eight hexadecimal digits.
        saved: when it was read, seconds since 1970.
    """

    content: CheckpointContent
    board: str
    build: str
    saved: float

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, all of it or none.

        Raises:
            CheckpointError: it cannot be written.
        """
        try:
            write_atomic(Path(path), self.pack())
        except OSError as error:
            raise CheckpointError(describe(Path(path), error)) from None

    def pack(self) -> bytes:
        """The content of the file."""
        body = _ORIGIN.pack(self.saved, int(self.build, 16), self.board.encode("ascii")) + self.content.data
        whole = _HEAD.pack(MAGIC, FILE_FORMAT, len(body) + _CRC.size) + body
        return whole + _CRC.pack(zlib.crc32(whole))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a file that write() made.

        Raises:
            CheckpointError: it cannot be read, is something else, damaged, or of another version.
        """
        try:
            with open(path, "rb") as file:
                data = file.read(_LARGEST)
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
        return cls.unpack(data, str(path))

    @classmethod
    def unpack(cls, data: bytes, path: str) -> Self:
        """Reads what pack() made.

        Args:
            data: of the file.
            path: what messages call it.

        Raises:
            CheckpointError: it is something else, damaged, or of another version.
        """
        if len(data) < _HEAD.size or not data.startswith(MAGIC):
            raise CheckpointError(f"{path} is not a checkpoint file; make one with: mtjlearn checkpoint save")
        _, version, length = _HEAD.unpack_from(data)
        if version != FILE_FORMAT:
            raise CheckpointError(f"{path} has format {version}, this host reads {FILE_FORMAT}; use the mtjlearn that saved it")
        if length != len(data) - _HEAD.size or length < _ORIGIN.size + _CRC.size:
            raise CheckpointError(f"{path} is cut off or too long; save it again")
        if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
            raise CheckpointError(f"{path} is damaged: its CRC-32 is wrong; save it again")
        saved, build, board = _ORIGIN.unpack_from(data, _HEAD.size)
        try:
            content = CheckpointContent.parse(data[_HEAD.size + _ORIGIN.size : -_CRC.size])
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from None
        return cls(content, board.rstrip(b"\0").decode("ascii", "replace"), f"{build:08x}", saved)


def years_of_wear(interval: float, cycles: int = EEPROM_CYCLES, slots: int = SLOTS) -> float:
    """Years until saves every this many seconds have used up the cycles of a memory cell; slots take turns."""
    return cycles * slots * interval / YEAR
