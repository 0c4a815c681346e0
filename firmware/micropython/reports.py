"""Answers to GET_BLOB, GET_METRICS, GET_STATUS and GET_HEALTH: what the device reports about itself. commands.py calls them."""

if False:
    from kinds import Device

import struct

from blobs import blob_find
from messages import (
    BLOB_KIND_CHECKPOINT,
    BLOB_KIND_DATASET,
    ERROR_BAD_OFFSET,
    ERROR_NO_MEMORY,
    ERROR_NOT_CONFIGURED,
    ERROR_NOT_LOADED,
    FIELD_GET_BLOB_BLOB,
    LAYOUT_BLOB,
    LAYOUT_GET_BLOB,
    LAYOUT_HEALTH,
    LAYOUT_METRICS,
    LAYOUT_STATUS,
    SIZE_BLOB,
    SIZE_HEALTH,
    SIZE_METRICS,
    SIZE_STATUS,
    STATE_LOADING,
    STATE_READY,
    STATE_UNCONFIGURED,
    TYPE_BLOB,
    TYPE_HEALTH,
    TYPE_METRICS,
    TYPE_STATUS,
)
from session import DONE, LATER


def _blob_bytes(device: Device, kind: int) -> tuple[int, int]:
    """Bytes of a blob that can be read, and 0; or 0 and an error: there is none."""
    if kind >= BLOB_KIND_DATASET:
        return device.autonomous.blob_bytes(kind)
    if not device.configured:
        return 0, ERROR_NOT_CONFIGURED
    return len(blob_find(device.net, kind)), ERROR_NOT_LOADED if device.blobs.damaged else 0


def command_get_blob(device: Device, payload: memoryview) -> int:
    """GET_BLOB: as much from an offset on as a payload holds."""
    session = device.session
    kind, offset = struct.unpack_from(LAYOUT_GET_BLOB, payload)
    if kind > BLOB_KIND_CHECKPOINT:
        return device.out_of_range(FIELD_GET_BLOB_BLOB)
    total, error = _blob_bytes(device, kind)
    if error:
        return device.refuse(error, 0)
    if offset > total:
        return device.refuse(ERROR_BAD_OFFSET, total)
    count = min(total - offset, session.max_payload - SIZE_BLOB)
    length = SIZE_BLOB + count
    if not session.reserve(length):
        return LATER
    reply = session.reply
    struct.pack_into(LAYOUT_BLOB, reply, 0, kind, offset, total)
    if kind >= BLOB_KIND_DATASET:
        error = device.autonomous.blob_read(kind, offset, reply[SIZE_BLOB:length])
        if error:
            return device.refuse(ERROR_NO_MEMORY, error)
    else:
        reply[SIZE_BLOB:length] = blob_find(device.net, kind)[offset : offset + count]
        device.autonomous.weights_read(offset + count < total)
    session.send(TYPE_BLOB, length)
    return DONE


def _report(device: Device, kind: int, size: int, layout: str, values: tuple[int, ...]) -> int:
    """Sends an answer of fixed fields, for which there is room."""
    struct.pack_into(layout, device.session.reply, 0, *values)
    device.session.send(kind, size)
    return DONE


def command_get_metrics(device: Device, payload: memoryview) -> int:
    """GET_METRICS: the evaluation so far."""
    if not device.session.reserve(SIZE_METRICS):
        return LATER
    return _report(device, TYPE_METRICS, SIZE_METRICS, LAYOUT_METRICS, (device.samples, device.correct, device.loss_sum))


def _state(device: Device) -> int:
    if not device.configured:
        return STATE_UNCONFIGURED
    return STATE_LOADING if device.blobs.damaged else STATE_READY


def command_get_status(device: Device, payload: memoryview) -> int:
    """GET_STATUS: where the device stands."""
    session, net, intake = device.session, device.net, device.intake
    if not session.reserve(SIZE_STATUS):
        return LATER
    device.barred = False
    noise = intake.noise
    return _report(
        device,
        TYPE_STATUS,
        SIZE_STATUS,
        LAYOUT_STATUS,
        (
            _state(device),
            net.steps,
            net.skipped,
            net.saturations,
            net.loss_sum,
            net.last_loss,
            net.random_state,
            noise.deviation if noise.calibrated() else 0,
            noise.filled,
            noise.received,
            intake.lost(),
            device.telemetry.dropped,
            session.last_error,
            session.last_error_seq,
            session.last_error_detail,
            net.used,
        ),
    )


def command_get_health(device: Device, payload: memoryview) -> int:
    """GET_HEALTH: what the noise tests saw."""
    if not device.session.reserve(SIZE_HEALTH):
        return LATER
    health = device.intake.health
    limits = health.limits
    values = (
        health.fault,
        health.last_fault,
        health.faults,
        health.fault_code,
        health.seen_low,
        health.seen_high,
        health.level_low,
        health.level_high,
        health.run,
        health.last_ones,
        health.last_switches,
        health.windows,
        limits.repetitions,
        limits.window,
        limits.ones_min,
        limits.ones_max,
        limits.switches_min,
    )
    return _report(device, TYPE_HEALTH, SIZE_HEALTH, LAYOUT_HEALTH, values)
