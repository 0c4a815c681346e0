"""Bounds of what a host asks for, as functions of numbers alone. blobs.py, long_samples.py, and what keeps datasets and
checkpoints, call them.
"""

import struct

from messages import SIZE_CHECKPOINT_RECORD


def part(inputs: int, offset: int, count: int) -> bool:
    """Whether a part of a sample lies in its inputs."""
    return count != 0 and offset + count <= inputs


def sample_place(used: int) -> int:
    """Where a sample stands in the arena behind `used` bytes of network."""
    return (used + 3) // 4 * 4


def with_sample(used: int, inputs: int, targets: int) -> int:
    """Bytes of arena that a network takes with a sample behind it."""
    return sample_place(used) + 2 * (inputs + targets)


def chunk(total: int, start: int, count: int) -> bool:
    """Whether a chunk lies in its blob. Only a blob of no bytes has an empty one."""
    return start <= total and count <= total - start and (count != 0 or total == 0)


def checkpoint(layers: int, blob_bytes: int) -> int:
    """Bytes of a checkpoint of a network with this many layers and bytes of weights and matrices."""
    return SIZE_CHECKPOINT_RECORD + (layers + 1) * struct.calcsize("<H") + blob_bytes


def slot(checkpoint_bytes: int, block: int) -> int:
    """Bytes of a slot for a checkpoint, in whole blocks."""
    return (checkpoint_bytes + block - 1) // block * block if block > 1 else checkpoint_bytes


def between(memory_bytes: int, slot_bytes: int) -> int:
    """Bytes between two such slots; negative: this many are missing for them."""
    return memory_bytes - 2 * slot_bytes


def dataset(samples: int, sample_bytes: int, class_bits: int) -> int:
    """Bytes of a dataset. Its packed classes come behind the values of all samples."""
    return samples * sample_bytes + (samples * class_bits + 7) // 8


def missing(samples: int, sample_bytes: int, class_bits: int, room: int) -> int:
    """Bytes that a dataset lacks in this room; 0: it fits."""
    return max(dataset(samples, sample_bytes, class_bits) - room, 0)
