"""The commands that ask how autonomous training goes and what is kept of it: GET_PROGRESS, GET_CURVE, GET_CHECKPOINT."""

if False:
    from kinds import Device

import struct

from messages import (
    LAYOUT_CHECKPOINTS,
    LAYOUT_CURVE,
    LAYOUT_PROGRESS,
    SIZE_CHECKPOINTS,
    SIZE_CURVE,
    SIZE_PROGRESS,
    TYPE_CHECKPOINTS,
    TYPE_CURVE,
    TYPE_PROGRESS,
)
from session import DONE, LATER
from storage import memory_checkpoint_bytes, memory_dataset_room


def command_get_curve(device: Device, payload: memoryview) -> int:
    """GET_CURVE: mean losses since AUTONOMOUS."""
    session, curve = device.session, device.autonomous.training.curve
    points = curve.points()
    length = SIZE_CURVE + len(points)
    if not session.reserve(length):
        return LATER
    struct.pack_into(LAYOUT_CURVE, session.reply, 0, curve.interval & 0xFFFFFFFF)
    session.reply[SIZE_CURVE:length] = points
    session.send(TYPE_CURVE, length)
    return DONE


def command_get_progress(device: Device, payload: memoryview) -> int:
    """GET_PROGRESS: where autonomous learning stands."""
    session, config = device.session, device.net.config
    own, dataset = device.autonomous.training, device.autonomous.dataset
    if not session.reserve(SIZE_PROGRESS):
        return LATER
    samples = room = sample_bytes = 0
    if device.configured:
        samples = dataset.samples if dataset.complete else 0
        room = max(0, memory_dataset_room(device.board, memory_checkpoint_bytes(config)))
        sample_bytes = config.sizes[0] + config.sizes[config.layers]
    struct.pack_into(
        LAYOUT_PROGRESS,
        session.reply,
        0,
        own.activity,
        own.task,
        own.stop_reason,
        own.epoch,
        own.position,
        own.epoch_steps,
        own.steps(),
        config.learning_rate,
        own.epoch_loss,
        own.evaluated,
        own.evaluation_loss,
        own.correct,
        own.stop_steps,
        own.stop_epochs,
        own.loss_target,
        own.halve_every,
        own.evaluate_every,
        own.checkpoint_interval,
        samples,
        room,
        sample_bytes,
    )
    session.send(TYPE_PROGRESS, SIZE_PROGRESS)
    return DONE


def command_get_checkpoint(device: Device, payload: memoryview) -> int:
    """GET_CHECKPOINT: the checkpoints in the memory."""
    session, board, checkpoint = device.session, device.board, device.autonomous.checkpoint
    if not session.reserve(SIZE_CHECKPOINTS):
        return LATER
    generation, slot_bytes, missing = checkpoint.generation, 0, 0
    if checkpoint.writes() and generation:
        generation -= 1
    if device.configured:
        slot_bytes = min(memory_checkpoint_bytes(device.net.config), 0xFFFF)
        missing = min(checkpoint.missing(), 0xFFFF)
    struct.pack_into(
        LAYOUT_CHECKPOINTS,
        session.reply,
        0,
        generation,
        slot_bytes,
        missing,
        board.memory_bytes,
        board.memory_block,
        checkpoint.busy(),
        checkpoint.restored,
        checkpoint.age,
        device.autonomous.training.checkpoint_interval,
    )
    session.send(TYPE_CHECKPOINTS, SIZE_CHECKPOINTS)
    return DONE
