"""Samples longer than a frame: SAMPLE_PART writes inputs behind the network in the arena, and the next TRAIN, PREDICT or EVALUATE
completes the sample and uses it. The command table calls it, and samples.py.
"""

if False:
    from kinds import Device

import struct

import bounds
from dataset import unpack
from messages import (
    ERROR_BAD_LENGTH,
    ERROR_BAD_OFFSET,
    ERROR_NOISE_FAULT,
    ERROR_TOO_LARGE,
    FIELD_SAMPLE_PART_SCALE,
    FIELD_SAMPLE_PART_VALUE_BYTES,
    LAYOUT_SAMPLE_PART,
    SAMPLE_PART_SCALE_MAX,
    SAMPLE_PART_VALUE_BYTES_MAX,
    SAMPLE_PART_VALUE_BYTES_MIN,
    SIZE_SAMPLE_PART,
    TYPE_EVALUATE,
    TYPE_PREDICT,
    TYPE_TRAIN,
)
from session import DONE


def long_samples_place(device: Device) -> int:
    """Where the sample begins in the arena, in halves."""
    return bounds.sample_place(device.net.used) // 2


def long_samples_completes(device: Device, length: int, width: int) -> bool:
    """Whether `length` bytes are just what parts have left missing of a sample of `width` values."""
    filled = device.filled
    return filled != 0 and length == 2 * (width - filled)


def long_samples_complete(device: Device, count: int) -> None:
    """Writes the missing values of the frame behind the others. Harmless when repeated."""
    arena, values, at = device.arena, device.session.values, long_samples_place(device) + device.filled
    for i in range(count):
        arena[at + i] = values[i]


def long_samples_used(device: Device, kind: int, result: int) -> int:
    """After a command, whose result it returns: one that used samples, or refused them, forgets the parts."""
    if result == DONE and kind in (TYPE_TRAIN, TYPE_PREDICT, TYPE_EVALUATE):
        device.filled = 0
    return result


def command_sample_part(device: Device, payload: memoryview) -> int:
    """SAMPLE_PART: inputs, in order."""
    filled, net = device.filled, device.net
    inputs = net.config.sizes[0]
    offset, value_bytes, scale = struct.unpack_from(LAYOUT_SAMPLE_PART, payload)
    device.filled = 0
    # As with TRAIN: what was on its way when a fault was reported does not begin a sample.
    if device.barred:
        return device.refuse(ERROR_NOISE_FAULT, device.intake.health.last_fault)
    if not SAMPLE_PART_VALUE_BYTES_MIN <= value_bytes <= SAMPLE_PART_VALUE_BYTES_MAX:
        return device.out_of_range(FIELD_SAMPLE_PART_VALUE_BYTES)
    if scale > SAMPLE_PART_SCALE_MAX:
        return device.out_of_range(FIELD_SAMPLE_PART_SCALE)
    if offset not in (0, filled):
        return device.refuse(ERROR_BAD_OFFSET, filled)
    count, rest = divmod(len(payload) - SIZE_SAMPLE_PART, value_bytes)
    if rest or not bounds.part(inputs, offset, count):
        return device.refuse(ERROR_BAD_LENGTH, len(payload))
    needed = bounds.with_sample(net.used, inputs, net.target_count())
    if needed > device.board.arena_bytes:
        return device.refuse(ERROR_TOO_LARGE, needed - device.board.arena_bytes)
    at = long_samples_place(device) + offset
    unpack(payload[SIZE_SAMPLE_PART:], value_bytes - 1, scale, device.arena, at, count)
    device.filled = offset + count
    return DONE
