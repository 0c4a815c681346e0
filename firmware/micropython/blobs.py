"""Weights and matrices in chunks, from the host into the network; datasets and checkpoints into the nonvolatile memory
(autonomous.py). A blob is written where it will be used, since a chip has no room for a second copy; until all of it is there and
right, it must not be used.
"""

if False:
    from kinds import Device, Network

import binascii
import struct

import bounds
from messages import (
    BLOB_KIND_CHECKPOINT,
    BLOB_KIND_DATASET,
    BLOB_KIND_DECORRELATION,
    BLOB_KIND_WEIGHTS,
    ERROR_BAD_CHECKSUM,
    ERROR_BAD_LENGTH,
    ERROR_BAD_OFFSET,
    ERROR_NO_MEMORY,
    ERROR_NOT_CONFIGURED,
    ERROR_OUT_OF_RANGE,
    FIELD_SET_BLOB_BLOB,
    FIELD_SET_BLOB_TOTAL,
    LAYOUT_SET_BLOB,
    SIZE_SET_BLOB,
    WEIGHT_FORMAT_INT32,
)
from session import DONE


class Blobs:
    """What the device keeps of the blob that a host uploads."""

    def __init__(self) -> None:
        self.damaged = 0
        """One bit per BLOB_KIND_...: begun and not yet complete and right."""
        self.kind = 0
        """The one being written."""
        self.written = 0
        """Bytes of a chunk that stand in the nonvolatile memory."""
        self.offset = 0
        """Where its next chunk starts; 0: none is being written."""
        self.total = 0
        """Its bytes, fixed by its first chunk."""
        self.crc = 0
        """Of the chunks so far."""

    def init(self) -> None:
        """A new configuration: nothing is damaged."""
        self.damaged = 0
        self.abandon()

    def abandon(self) -> None:
        """The host that was writing is gone: the rest of its blob will not come."""
        self.offset = 0
        self.written = 0

    def abandon_kind(self, kind: int) -> None:
        """The size or place of such a blob changed: what was written of it is not a part of the new one."""
        if self.kind == kind:
            self.abandon()


def blob_find(net: Network, kind: int) -> memoryview:
    """One of the network's two blobs, in the byte order of the wire."""
    return net.matrices if kind == BLOB_KIND_DECORRELATION else net.weights


def first_invalid(blob: bytearray | memoryview, start: int, end: int, value_bytes: int) -> int:
    """Number of the first invalid value, from 1, among those that are complete at `end` and were not at `start`; 0: none.

    A chunk may end inside a value. Numbers saturate symmetrically, so the most negative one never occurs (shared/numerics.md,
    section 1).
    """
    at = start - start % value_bytes + value_bytes
    while at <= end:
        if blob[at - 1] == 0x80 and not any(blob[at - value_bytes : at - 1]):
            return at // value_bytes
        at += value_bytes
    return 0


def command_set_blob(device: Device, payload: memoryview) -> int:
    """SET_BLOB: checks a chunk and writes it into the network, or passes it on to autonomous.py."""
    blobs, net = device.blobs, device.net
    kind, start, header_total, crc = struct.unpack_from(LAYOUT_SET_BLOB, payload)
    count = len(payload) - SIZE_SET_BLOB
    if kind > BLOB_KIND_CHECKPOINT:
        return device.out_of_range(FIELD_SET_BLOB_BLOB)
    if kind != BLOB_KIND_CHECKPOINT and not device.configured:
        return device.refuse(ERROR_NOT_CONFIGURED, 0)
    expected = blobs.offset if blobs.kind == kind else 0
    if start not in (0, expected):
        return device.refuse(ERROR_BAD_OFFSET, expected)
    if kind >= BLOB_KIND_DATASET:
        total = device.autonomous.blob_expected(kind, start, header_total)
        if total == 0:
            return device.refuse(ERROR_NO_MEMORY, 0)
    else:
        total = len(blob_find(net, kind))
    if header_total != total:
        return device.out_of_range(FIELD_SET_BLOB_TOTAL)
    if not bounds.chunk(total, start, count):
        return device.refuse(ERROR_BAD_LENGTH, len(payload))

    data = payload[SIZE_SET_BLOB:]
    if kind >= BLOB_KIND_DATASET:
        return device.autonomous.blob_write(kind, start, total, crc, data)

    bit = 1 << kind
    blobs.damaged |= bit
    blobs.kind = kind
    blobs.offset = 0
    blob = blob_find(net, kind)
    end = start + count
    blob[start:end] = data
    wide = kind == BLOB_KIND_WEIGHTS and net.config.weight_format == WEIGHT_FORMAT_INT32
    invalid = first_invalid(blob, start, end, 4 if wide else 2)
    if invalid:
        return device.refuse(ERROR_OUT_OF_RANGE, invalid)
    blobs.crc = binascii.crc32(data, blobs.crc if start else 0)
    if end < total:
        blobs.offset = end
        return DONE
    if blobs.crc != crc:
        return device.refuse(ERROR_BAD_CHECKSUM, 0)
    blobs.damaged &= ~bit
    return DONE
