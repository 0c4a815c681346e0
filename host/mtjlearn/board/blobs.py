"""Weights and decorrelation matrices as the bytes that travel."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from mtjlearn.network import Network, WeightFormat
from mtjlearn.wire.command import Command
from mtjlearn.wire.messages import Blob, BlobKind, GetBlob, SetBlob

Array = npt.NDArray[np.integer]


def shapes(network: Network, kind: BlobKind) -> list[tuple[int, int]]:
    """Shapes of a blob's arrays: (units, fan-in + 1) of each layer, or (fan-in, fan-in) of each decorrelated one."""
    layers = list(zip(network.sizes, network.sizes[1:], strict=False))
    if kind is BlobKind.WEIGHTS:
        return [(units, fan_in + 1) for fan_in, units in layers]
    return [(fan_in, fan_in) for (fan_in, _), flag in zip(layers, network.decorrelate, strict=True) if flag]


def dtype(network: Network, kind: BlobKind) -> np.dtype[np.integer]:
    """Type of a blob's values."""
    wide = kind is BlobKind.WEIGHTS and network.weight_format is WeightFormat.INT32
    return np.dtype("<i4") if wide else np.dtype("<i2")


def to_bytes(network: Network, kind: BlobKind, arrays: Sequence[Array]) -> bytes:
    """The blob.

    Raises:
        ValueError: naming the array whose shape, type or range does not fit.
    """
    expected = shapes(network, kind)
    if len(arrays) != len(expected):
        raise ValueError(f"{network.name} takes {len(expected)} arrays, not {len(arrays)}")
    target = dtype(network, kind)
    most = np.iinfo(target).max
    for index, (array, shape) in enumerate(zip(arrays, expected, strict=True)):
        if array.shape != shape or array.dtype.kind not in "iu":
            raise ValueError(f"array {index} is {array.dtype} {array.shape}; it must be integers of shape {shape}")
        if array.min() < -most or array.max() > most:
            raise ValueError(f"array {index} has values outside {-most} .. {most}")
    return b"".join(array.astype(target).tobytes() for array in arrays)


def from_bytes(network: Network, kind: BlobKind, data: bytes) -> list[Array]:
    """The arrays in a blob.

    Raises:
        ValueError: the length does not fit the network.
    """
    values = np.frombuffer(data, dtype(network, kind))
    parts = shapes(network, kind)
    if len(values) != sum(rows * columns for rows, columns in parts):
        raise ValueError(f"{len(data)} bytes do not fit {network.name}")
    arrays: list[Array] = []
    for rows, columns in parts:
        arrays.append(values[: rows * columns].reshape(rows, columns).astype(values.dtype.newbyteorder("=")))
        values = values[rows * columns :]
    return arrays


def set_commands(kind: BlobKind, data: bytes, max_payload: int) -> Iterator[Command]:
    """SET_BLOB commands that carry the blob."""
    room = max_payload - SetBlob.LAYOUT.size
    crc = zlib.crc32(data)
    for offset in range(0, len(data), room):
        yield Command.of(SetBlob(kind, offset, len(data), crc, data[offset : offset + room]))


def get_commands(kind: BlobKind, start: int, total: int, max_payload: int) -> Iterator[Command]:
    """GET_BLOB commands for a blob from a byte on."""
    room = max_payload - Blob.LAYOUT.size
    for offset in range(start, total, room):
        yield Command.of(GetBlob(kind, offset))
