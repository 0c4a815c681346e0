"""What stands in a slot of the nonvolatile memory, and what of the device it is: one table says what is saved and restored."""

if False:
    from kinds import Config, Device, File, Iterator

import binascii
import errno
import struct

import learner
import noise_limits
from blobs import first_invalid
from configure import configure_arena_bytes, configure_fits
from messages import (
    ACTIVITY_HALTED,
    CHECKPOINT_COMMIT,
    CHECKPOINT_FORMAT,
    LAYOUT_CHECKPOINT_RECORD,
    NOISE_BUFFER,
    NOISE_SOURCE_ADC,
    NOISE_SOURCE_INJECTED,
    SIZE_CHECKPOINT_RECORD,
    TASK_LIVE,
)
from micropython import const
from storage import SLOTS, memory_checkpoint_bytes

COMMITTED = CHECKPOINT_COMMIT | CHECKPOINT_FORMAT
"""The commit word, which comes first and is written last."""
COMMIT_BYTES = const(2)
_SLOPE_SHIFT = const(4)
_OPTION_MASK = const(15)
_RULE_SHIFT = const(1)
_FIRST_COMMITTED = CHECKPOINT_COMMIT | 1
"""That of format 1, which is read too."""
ERASED = const(0xFFFF)
"""In its place until then."""

EMPTY = const(0)
TORN = const(1)
FOREIGN = const(2)
"""Of another format."""
COMPLETE = const(3)

_CRC = const(2)
_BODY = const(6)
"""Where the CRC stands, and what it is of begins."""
_PIECE = const(256)
"""Bytes that are read at once."""

# Who has the fields of the record, group by group in their order.
_SLOT = const(0)
_CHECKPOINT = const(1)
_CONFIG = const(2)
_INTAKE = const(3)
_NET = const(4)
_NOISE = const(5)
_LIMITS = const(6)
_HEALTH = const(7)
_TRAINING = const(8)
_DATASET = const(9)

_GROUPS = (
    (_SLOT, ("commit", "crc")),
    (_CHECKPOINT, ("generation",)),
    (_CONFIG, ("loss", "weight_format", "rounding", "normalised", "antithetic", "decorrelate", "layers")),
    (_INTAKE, ("noise_source",)),
    (_CONFIG, ("sigma", "noise_std", "learning_rate", "decorrelation_rate", "seed")),
    (_NET, ("random_state", "steps", "skipped", "saturations")),
    (_NOISE, ("noise_deviation",)),
    (_CHECKPOINT, ("noise_position",)),
    (_LIMITS, ("repetitions", "window", "ones_min", "ones_max", "switches_min")),
    (_HEALTH, ("level_low", "level_high")),
    (
        _TRAINING,
        ("activity", "task", "stop_steps", "stop_epochs", "loss_target", "halve_every", "evaluate_every", "checkpoint_interval"),
    ),
    (_TRAINING, ("live_period", "order_state", "source", "epoch_steps")),
    (_DATASET, ("value_bytes", "scale", "target_kind", "class_bits")),
    (_TRAINING, ("epoch", "position")),
)
_ATTRIBUTES = {"noise_source": "source", "noise_deviation": "deviation"}
"""Where they are not named as the fields."""


def is_committed(commit: int) -> bool:
    """Whether a commit word is that of a format which is read."""
    return _FIRST_COMMITTED <= commit <= COMMITTED


class Slot:
    """What stands in a slot.

    Attributes:
        number: 0 or 1.
        state: EMPTY .. COMPLETE; the others are valid if it is COMPLETE.
        bytes: of the checkpoint.
        config: of its network.
        record: all other fields by their names.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = TORN
        self.bytes = 0
        self.config = learner.Config()
        self.record = {"commit": 0, "generation": 0}

    def _take_record(self, record: bytes) -> None:
        at, values = 0, struct.unpack(LAYOUT_CHECKPOINT_RECORD, record)
        for owner, names in _GROUPS:
            for name in names:
                if owner == _CONFIG:
                    setattr(self.config, name, values[at])
                else:
                    self.record[name] = values[at]
                at += 1

    def _is_whole(self, file: File, memory_bytes: int) -> bool:
        record = file.read(SIZE_CHECKPOINT_RECORD)
        if len(record) < SIZE_CHECKPOINT_RECORD:
            return False
        self._take_record(record)
        config = self.config
        # Rule and slope are in the bytes of two options. Format 1 has 0 there: ANP and 1/128.
        normalised, antithetic = int(config.normalised), int(config.antithetic)
        config.slope = normalised >> _SLOPE_SHIFT ^ learner.SLOPE
        config.rule = antithetic >> _RULE_SHIFT
        if not 1 <= config.layers <= learner.MAX_LAYERS or normalised & _OPTION_MASK > 1:
            return False
        config.normalised = normalised & 1 == 1
        config.antithetic = antithetic & 1 == 1
        sizes = file.read(2 * (config.layers + 1))
        if len(sizes) < 2 * (config.layers + 1):
            return False
        config.sizes = struct.unpack(f"<{config.layers + 1}H", sizes)
        if learner.check(config) != learner.OK:
            return False
        self.bytes = memory_checkpoint_bytes(config)
        if self.bytes > memory_bytes:
            return False
        crc = binascii.crc32(sizes, binascii.crc32(record[_BODY:]))
        for piece in _pieces(file, self.bytes - len(record) - len(sizes)):
            crc = binascii.crc32(piece, crc)
        return crc == self.record["crc"]

    def generation(self) -> int:
        """Each save counts one."""
        return self.record["generation"]

    def examine(self, device: Device) -> None:
        """Reads what stands there, commit word apart."""
        try:
            with device.board.storage.open(SLOTS[self.number], "rb") as file:
                if self._is_whole(file, device.board.memory_bytes):
                    self.state = COMPLETE
        except OSError as error:
            if error.errno == errno.ENOENT:
                self.state = EMPTY


def _owner(device: Device, which: int) -> object:
    """The part of the device that has the fields of a group; None of the slot's own."""
    autonomous, intake = device.autonomous, device.intake
    return (
        None,
        autonomous.checkpoint,
        device.net.config,
        intake,
        device.net,
        intake.noise,
        intake.health.limits,
        intake.health,
        autonomous.training,
        autonomous.dataset,
    )[which]


def _pieces(file: File, left: int) -> Iterator[memoryview]:
    """The next bytes of a file, piece by piece in one buffer; OSError if it ends before. Only the last piece may end inside a
    value.
    """
    buffer = memoryview(bytearray(_PIECE))
    while left:
        piece = buffer[: min(left, _PIECE)]
        if file.readinto(piece) != len(piece):
            raise OSError(errno.EIO)
        left -= len(piece)
        yield piece


def slot_examine(device: Device, number: int) -> Slot:
    """What stands in a slot, commit word apart."""
    slot = Slot(number)
    slot.examine(device)
    return slot


def slot_find(device: Device, number: int) -> Slot:
    """The same of a slot that must have been committed."""
    slot = slot_examine(device, number)
    if slot.state == EMPTY:
        return slot
    commit = slot.record["commit"]
    if not is_committed(commit):
        slot.state = FOREIGN if commit & 0xFF00 == CHECKPOINT_COMMIT else TORN
    elif slot.generation() & 1 != number:
        slot.state = TORN
    return slot


def _is_noise(record: dict[str, int], largest: int) -> bool:
    """Whether codes could have given these levels and this deviation."""
    low, high = record["level_low"], record["level_high"]
    if high and (high < 2 or low > high - 2 or high > largest):
        return False
    if record["noise_source"] != NOISE_SOURCE_ADC:
        largest = 0xFFFF
    return record["noise_deviation"] <= largest * (NOISE_BUFFER // 2)


def _is_sane(device: Device, record: dict[str, int]) -> bool:
    """What a checksum says nothing of: an uploaded checkpoint may hold anything."""
    limits = noise_limits.Limits(
        record["repetitions"], record["window"], record["ones_min"], record["ones_max"], record["switches_min"]
    )
    return (
        record["random_state"] != 0
        and record["noise_source"] <= NOISE_SOURCE_INJECTED
        and record["noise_position"] < NOISE_BUFFER
        and _is_noise(record, device.intake.health.full_scale)
        and noise_limits.unfit(limits) == 0
        and record["activity"] <= ACTIVITY_HALTED
        and record["task"] <= TASK_LIVE
    )


def _weights_are_valid(file: File, config: Config, left: int) -> bool:
    wide = config.weight_format == learner.INT32
    matrices = 2 * sum([config.sizes[i] ** 2 for i in range(config.layers) if config.decorrelate >> i & 1])
    matrices += learner.feedback_bytes(config)
    for count, value_bytes in ((left - matrices, 4 if wide else 2), (matrices, 2)):
        for piece in _pieces(file, count):
            if first_invalid(piece, 0, len(piece), value_bytes):
                return False
    return True


def slot_fits(device: Device, slot: Slot) -> bool:
    """Whether a complete slot holds what the device can load. Changes nothing; may raise OSError."""
    config = slot.config
    max_payload = device.session.max_payload
    if configure_arena_bytes(config, max_payload) > device.board.arena_bytes or not configure_fits(config, max_payload):
        return False
    if not _is_sane(device, slot.record):
        return False
    head = SIZE_CHECKPOINT_RECORD + 2 * len(config.sizes)
    with device.board.storage.open(SLOTS[slot.number], "rb") as file:
        file.seek(head)
        return _weights_are_valid(file, config, slot.bytes - head)


def slot_load(device: Device, slot: Slot) -> None:
    """Loads one that fits. After an OSError the device has no network."""
    net, intake, autonomous, config = device.net, device.intake, device.autonomous, slot.config
    device.configured = False
    autonomous.dataset.forget()
    autonomous.training.forget()
    net.configure(config, device.arena, device.board.arena_bytes)
    with device.board.storage.open(SLOTS[slot.number], "rb") as file:
        file.seek(SIZE_CHECKPOINT_RECORD + 2 * len(config.sizes))
        for blob in (net.weights, net.matrices, net.feedback):
            if file.readinto(blob) != len(blob):
                raise OSError(errno.EIO)
    intake.health.forget()
    for which, names in _GROUPS:
        if which not in (_SLOT, _CONFIG, _NOISE):
            owner = _owner(device, which)
            for name in names:
                setattr(owner, _ATTRIBUTES.get(name, name), slot.record[name])
    received = intake.noise.received
    intake.noise.restore(config.sigma, slot.record["noise_deviation"], slot.record["noise_position"])
    intake.noise.received = received
    intake.health.set_levels(slot.record["level_low"], slot.record["level_high"])
    intake.contiguous = 0
    device.blobs.init()
    device.filled = 0
    device.configured = True


def _written(device: Device, owner: object, name: str) -> int:
    value = int(getattr(owner, _ATTRIBUTES.get(name, name)))
    if name == "normalised":
        value |= (device.net.config.slope ^ learner.SLOPE) << _SLOPE_SHIFT
    elif name == "antithetic":
        value |= device.net.config.rule << _RULE_SHIFT
    return value


def slot_record(device: Device) -> bytearray:
    """The record and the sizes as they are now, without the commit word."""
    net, sizes = device.net, device.net.config.sizes
    values = [ERASED, 0]
    for which, names in _GROUPS:
        owner = _owner(device, which)
        if owner is not None:
            values += [_written(device, owner, name) for name in names]
    record = bytearray(struct.pack(LAYOUT_CHECKPOINT_RECORD, *values) + struct.pack(f"<{len(sizes)}H", *sizes))
    crc = binascii.crc32(memoryview(record)[_BODY:])
    for blob in (net.weights, net.matrices, net.feedback):
        crc = binascii.crc32(blob, crc)
    struct.pack_into("<I", record, _CRC, crc)
    return record
