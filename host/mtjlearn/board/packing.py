"""A dataset as the bytes that the device keeps in its memory.

They are specified in shared/protocol.toml (DEFINE_DATASET) and shared/numerics.md, section 11.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mtjlearn.board import samples
from mtjlearn.network import FRACTION_BITS, Loss, Network
from mtjlearn.wire.errors import BoardError
from mtjlearn.wire.messages import MAX_SAMPLES_VALUE, DefineDataset, TargetKind

Integers = npt.NDArray[np.integer]
Fixed = npt.NDArray[np.int16]

MAX_SAMPLES = 65535
_ONE = 1 << FRACTION_BITS
_BYTE = 127


@dataclass(frozen=True)
class PackedDataset:
    """Samples as they travel, and what the device makes of them.

    Args:
        samples: how many.
        value_bytes: 1: values are int8, 2: int16.
        scale: values times 2^scale are Q3.12.
        target_kind: whether a sample carries its targets, or they follow from its class.
        class_bits: bits of a class; 0 with VALUES.
        data: inputs (and targets) sample by sample, then the classes, lowest bits first.
    """

    samples: int
    value_bytes: int
    scale: int
    target_kind: TargetKind
    class_bits: int
    data: bytes

    @property
    def message(self) -> DefineDataset:
        """The message that announces it."""
        crc = zlib.crc32(self.data)
        return DefineDataset(self.samples, self.value_bytes, self.scale, self.target_kind, self.class_bits, crc)


def pack(network: Network, x: Integers, target: Integers, value_bytes: int) -> PackedDataset:
    """Packs samples. Targets that say a class, as one-hot vectors or signs, become classes.

    Args:
        network: that will learn them.
        x: inputs Q3.12, shape (n, inputs).
        target: as for :meth:`mtjlearn.board.Board.train`.
        value_bytes: 1 rounds values to int8, with the finest scale that holds all of them; 2 keeps them as they are.

    Raises:
        ValueError: naming the value that does not fit.
    """
    rows = samples.checked_samples(network, x, target)
    if not 1 <= len(rows) <= MAX_SAMPLES:
        raise ValueError(f"a dataset on a board has 1 to {MAX_SAMPLES} samples, not {len(rows)}")
    kind, classes = _classes(network, rows[:, network.sizes[0] :])
    values = rows if kind is TargetKind.VALUES else rows[:, : network.sizes[0]]
    bits = 0 if classes is None else class_bits(network, kind)
    stored, scale = _stored(values, value_bytes)
    packed = b"" if classes is None else pack_classes(classes, bits)
    return PackedDataset(len(rows), value_bytes, scale, kind, bits, stored.tobytes() + packed)


def unpack(network: Network, packed: PackedDataset) -> tuple[Fixed, Fixed]:
    """Inputs, shape (n, inputs), and targets as for train(), shape (n, targets), that the device learns from these bytes."""
    inputs, outputs = network.sizes[0], network.sizes[-1]
    columns = inputs + (outputs if packed.target_kind is TargetKind.VALUES else 0)
    count = packed.samples * columns
    dtype = np.dtype("i1" if packed.value_bytes == 1 else "<i2")
    scaled = np.frombuffer(packed.data, dtype, count).astype(np.int32) << packed.scale
    values = np.clip(scaled, -MAX_SAMPLES_VALUE, MAX_SAMPLES_VALUE).astype(np.int16).reshape(packed.samples, columns)
    if packed.target_kind is TargetKind.VALUES:
        return values[:, :inputs], values[:, inputs:]
    bits = np.unpackbits(np.frombuffer(packed.data, np.uint8, offset=count * packed.value_bytes), bitorder="little")
    digits = bits[: packed.samples * packed.class_bits].reshape(packed.samples, packed.class_bits)
    classes = (digits.astype(np.int16) << np.arange(packed.class_bits, dtype=np.int16)).sum(axis=1, dtype=np.int16)
    if network.loss is Loss.CROSS_ENTROPY:
        return values, classes[:, np.newaxis]
    if packed.target_kind is TargetKind.SIGNS:
        return values, np.where(classes[:, np.newaxis] == 1, _ONE, -_ONE).astype(np.int16)
    return values, (np.eye(outputs, dtype=np.int16) * np.int16(_ONE))[classes]


def fitting(network: Network, x: Integers, target: Integers, room: int, value_bytes: int | None = None) -> PackedDataset:
    """Packs samples as exactly as they fit: as int16, else as int8.

    Args:
        network: that will learn them.
        x: inputs Q3.12, shape (n, inputs).
        target: as for train().
        room: bytes for the dataset.
        value_bytes: 1 or 2 if that is not to be chosen.

    Raises:
        ValueError: naming the value that does not fit.
        BoardError: not even the smallest fits; it says how many bytes are missing and how many samples fit.
    """
    packed = pack(network, x, target, value_bytes or 2)
    if len(packed.data) > room and value_bytes is None:
        packed = pack(network, x, target, 1)
    if len(packed.data) > room:
        held = capacity(network, packed.target_kind, packed.value_bytes, room)
        kind = "int8" if packed.value_bytes == 1 else "int16"
        raise BoardError(
            f"{packed.samples} samples as {kind} take {len(packed.data)} bytes and the board has room for {room}: "
            f"{len(packed.data) - room} bytes are missing; {held} samples fit"
        )
    return packed


def capacity(network: Network, kind: TargetKind, value_bytes: int, room: int) -> int:
    """How many samples fit into this many bytes."""
    columns = network.sizes[0] + (network.sizes[-1] if kind is TargetKind.VALUES else 0)
    return min(8 * room // (8 * columns * value_bytes + class_bits(network, kind)), MAX_SAMPLES)


def class_bits(network: Network, kind: TargetKind) -> int:
    """Bits of a class: 1, 2, 4 or 8, for the outputs of a network; 0 with VALUES."""
    if kind is TargetKind.VALUES:
        return 0
    classes = 2 if kind is TargetKind.SIGNS else network.sizes[-1]
    return next(bits for bits in (1, 2, 4, 8) if classes <= 1 << bits)


def pack_classes(classes: Integers, bits: int) -> bytes:
    """Classes back to back, lowest bits first."""
    digits = (classes[:, np.newaxis] >> np.arange(bits)) & 1
    return np.packbits(digits.astype(np.uint8), bitorder="little").tobytes()


def _classes(network: Network, targets: Fixed) -> tuple[TargetKind, Integers | None]:
    """The classes that the targets say, and how."""
    if network.loss is Loss.CROSS_ENTROPY:
        return TargetKind.CLASSES, targets[:, 0]
    if targets.shape[1] == 1:
        signs = bool(np.all(np.abs(targets) == _ONE))
        return (TargetKind.SIGNS, (targets[:, 0] > 0).astype(np.int16)) if signs else (TargetKind.VALUES, None)
    one_hot = bool(np.all((targets == 0) | (targets == _ONE)) and np.all((targets != 0).sum(axis=1) == 1))
    return (TargetKind.CLASSES, targets.argmax(axis=1)) if one_hot else (TargetKind.VALUES, None)


def _stored(values: Fixed, value_bytes: int) -> tuple[npt.NDArray[np.integer], int]:
    if value_bytes == 2:
        return values.astype("<i2"), 0
    largest = int(np.abs(values.astype(np.int32)).max(initial=0))
    scale = next((s for s in range(samples.MAX_SCALE) if round(largest / (1 << s)) <= _BYTE), samples.MAX_SCALE)
    rounded = np.rint(values / (1 << scale))
    return np.clip(rounded, -_BYTE, _BYTE).astype(np.int8), scale
