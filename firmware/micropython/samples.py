"""TRAIN, PREDICT and EVALUATE, sample by sample. commands.py calls them.

A frame's samples are 16-bit values back to back in the session's buffer, `session.values`.
"""

if False:
    from kinds import Device, Halves

import micropython
from long_samples import long_samples_complete, long_samples_completes, long_samples_place
from messages import (
    ERROR_BAD_LENGTH,
    ERROR_NOISE_FAULT,
    ERROR_NOT_LOADED,
    EVALUATE_RESTART_MAX,
    LOSS_CROSS_ENTROPY,
    SIZE_EVALUATE,
    TYPE_PREDICTION,
)
from session import DONE, LATER
from steps import FILLING, READY, step_prepare, step_refusal, step_train


@micropython.viper
def _first_invalid(values: ptr16, count: int, width: int, classes: int) -> int:
    """Number of the first of `count` values that a sample cannot have, from 1; 0: none.

    A sample has `width` values. Where `classes` is not 0, the last one is below it: a negative class reads as 32,768 or more.
    """
    number = 0
    left = width
    while number < count:
        value = int(values[number])
        number += 1
        left -= 1
        if value == 32768:
            return number
        if left == 0:
            left = width
            if classes != 0 and value >= classes:
                return number
    return 0


def _read_batch(device: Device, length: int, with_targets: bool) -> int:
    """Checks all samples in `length` bytes, or what completes one, before the first is used. Returns how many samples there are; -1
    when the command was refused.

    Only an EVALUATE may hold none.
    """
    session, net = device.session, device.net
    config = net.config
    inputs = config.sizes[0]
    targets = net.target_count() if with_targets else 0
    classes = config.sizes[config.layers] if with_targets and config.loss == LOSS_CROSS_ENTROPY else 0
    width = inputs + targets
    device.completes = completes = long_samples_completes(device, length, width)
    if device.blobs.damaged:
        device.refuse(ERROR_NOT_LOADED, 0)
        return -1
    frame_length = session.decoder.length()
    if not completes and (length % (2 * width) or frame_length == 0):
        device.refuse(ERROR_BAD_LENGTH, frame_length)
        return -1
    invalid = _first_invalid(session.values, length >> 1, length >> 1 if completes else width, classes)
    if invalid:
        device.out_of_range(invalid)
        return -1
    if not completes:
        return length // (2 * width)
    long_samples_complete(device, length >> 1)
    return 1


def _values(device: Device) -> Halves:
    """Where the samples are, from _first() on."""
    return device.arena if device.completes else device.session.values


def _first(device: Device) -> int:
    return long_samples_place(device) if device.completes else 0


def _refuse_training(device: Device, trained: int) -> int:
    code, detail = step_refusal(device)
    if code == ERROR_NOISE_FAULT:
        device.barred = True
        detail |= trained << 8
    return device.refuse(code, detail)


def command_train(device: Device, payload: memoryview) -> int:
    """TRAIN: one step for each sample."""
    count = _read_batch(device, len(payload), True)
    if count < 0:
        return DONE
    # Frames that were on their way when the fault was reported must not be trained before their predecessors are sent again.
    if device.barred:
        return device.refuse(ERROR_NOISE_FAULT, device.intake.health.last_fault)

    values, net = _values(device), device.net
    inputs = net.config.sizes[0]
    at, width = _first(device), inputs + net.target_count()
    for i in range(count):
        state = step_prepare(device)
        if state != READY:
            return LATER if state == FILLING else _refuse_training(device, i)
        step_train(device, values, at, at + inputs)
        at += width
    return DONE


def command_predict(device: Device, payload: memoryview) -> int:
    """PREDICT: as many whole samples as a payload holds."""
    session, net = device.session, device.net
    count = _read_batch(device, len(payload), False)
    if count < 0:
        return DONE
    config = net.config
    inputs, outputs = config.sizes[0], config.sizes[config.layers]
    count = min(count, session.max_payload // (2 * outputs))
    length = 2 * outputs * count
    if not session.reserve(length):
        return LATER
    values, first, reply = _values(device), _first(device), session.reply_values
    for i in range(count):
        net.predict(values, first + i * inputs, reply, i * outputs)
    session.send(TYPE_PREDICTION, length)
    return DONE


def command_evaluate(device: Device, payload: memoryview) -> int:
    """EVALUATE: without noise and without learning."""
    net = device.net
    restart = payload[0]
    if restart > EVALUATE_RESTART_MAX:
        return device.out_of_range(0)
    # The samples stand behind one byte: they move down to an even address. That loses the payload's first byte, so no path below
    # may return LATER.
    length = len(payload) - SIZE_EVALUATE
    payload[:length] = payload[SIZE_EVALUATE:]
    count = _read_batch(device, length, True)
    if count < 0:
        return DONE
    if restart:
        device.forget_metrics()
    values = _values(device)
    inputs = net.config.sizes[0]
    at, width = _first(device), inputs + net.target_count()
    for _ in range(count):
        device.correct += net.evaluate(values, at, at + inputs)
        device.loss_sum += net.evaluated_loss()
        device.samples += 1
        at += width
    return DONE
