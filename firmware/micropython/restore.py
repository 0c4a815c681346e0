"""Checkpoints back into the device: at the start, and after an upload. autonomous.py and uploads.py call it."""

if False:
    from kinds import Device, Slot

from configure import configure_arena_bytes
from messages import (
    CHECKPOINT_FORMAT,
    ERROR_BAD_CHECKPOINT,
    ERROR_TOO_LARGE,
    RESTORED_DAMAGED,
    RESTORED_NEWEST,
    RESTORED_NO_DATASET,
    RESTORED_NOTHING,
    RESTORED_OLDER,
    RESTORED_UNFIT,
)
from slots import COMPLETE, FOREIGN, TORN, slot_examine, slot_find, slot_fits, slot_load
from storage import memory_checkpoint_bytes, memory_dataset_room


def _newest(first: Slot, second: Slot) -> Slot:
    """Of both slots the one to continue from: of two complete ones the later generation, counted mod 2^32."""
    if first.state != COMPLETE:
        return second
    return second if second.state == COMPLETE and 0 < (second.generation() - first.generation()) & 0xFFFFFFFF < 1 << 31 else first


def checkpoint_restore(device: Device) -> None:
    """At the start: loads the newest complete checkpoint, if there is one, into the device."""
    checkpoint = device.autonomous.checkpoint
    if device.board.memory_bytes == 0:
        return
    slots = (slot_find(device, 0), slot_find(device, 1))
    states = [slot.state for slot in slots]
    newest = _newest(*slots)
    if newest.state != COMPLETE:
        checkpoint.restored = RESTORED_UNFIT if FOREIGN in states else RESTORED_DAMAGED if TORN in states else RESTORED_NOTHING
        return
    checkpoint.generation, checkpoint.newest = newest.generation(), newest.bytes
    checkpoint.restored = RESTORED_UNFIT
    try:
        if not slot_fits(device, newest):
            return
        slot_load(device, newest)
        found = device.autonomous.training.resume()
    except (OSError, MemoryError):
        device.configured = False
        checkpoint.restored = RESTORED_DAMAGED
        return
    checkpoint.restored = RESTORED_NO_DATASET if not found else RESTORED_OLDER if TORN in states else RESTORED_NEWEST


def checkpoint_import(device: Device) -> int:
    """All bytes of an uploaded checkpoint stand in the next slot: loads it and saves it as the device's own. May raise OSError."""
    board, checkpoint = device.board, device.autonomous.checkpoint
    generation = checkpoint.generation
    slot = slot_examine(device, checkpoint.next_slot())
    if slot.state != COMPLETE:
        return device.refuse(ERROR_BAD_CHECKPOINT, CHECKPOINT_FORMAT)
    room = memory_dataset_room(board, memory_checkpoint_bytes(slot.config))
    if room < 0:
        return device.refuse(ERROR_TOO_LARGE, -room)
    arena = configure_arena_bytes(slot.config, device.session.max_payload)
    if arena > board.arena_bytes:
        return device.refuse(ERROR_TOO_LARGE, arena - board.arena_bytes)
    if not slot_fits(device, slot):
        return device.refuse(ERROR_BAD_CHECKPOINT, CHECKPOINT_FORMAT)
    slot_load(device, slot)
    checkpoint.generation = generation
    device.autonomous.training.resume()
    return checkpoint.wait()
