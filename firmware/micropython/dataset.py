"""A dataset in the nonvolatile memory, read sample by sample (shared/numerics.md, section 11): DEFINE_DATASET, the check of an
upload, and the samples unpacked. The command table, uploads.py and tasks.py call it.
"""

if False:
    from kinds import Device, File, Halves

import binascii
import errno
import struct

import bounds
import learner
import micropython
from messages import (
    BLOB_KIND_DATASET,
    DEFINE_DATASET_SCALE_MAX,
    DEFINE_DATASET_VALUE_BYTES_MAX,
    DEFINE_DATASET_VALUE_BYTES_MIN,
    ERROR_NOT_LOADED,
    ERROR_TOO_LARGE,
    FIELD_DEFINE_DATASET_CLASS_BITS,
    FIELD_DEFINE_DATASET_SAMPLES,
    FIELD_DEFINE_DATASET_SCALE,
    FIELD_DEFINE_DATASET_TARGET_KIND,
    FIELD_DEFINE_DATASET_VALUE_BYTES,
    LAYOUT_DEFINE_DATASET,
    TARGET_KIND_CLASSES,
    TARGET_KIND_SIGNS,
    TARGET_KIND_VALUES,
)
from micropython import const
from session import DONE, LATER
from storage import DATASET, close, memory_checkpoint_bytes, memory_dataset_room

_ONE = const(4096)
_MINUS_ONE = const(61440)
"""As a half."""
_PIECE = const(256)
"""Bytes read at once in a check; whole bytes of classes."""


@micropython.viper
def unpack(stored: object, wide: int, scale: int, to: object, at: int, count: int) -> object:
    """`count` values of 8 or, if `wide`, 16 bits into the halves `to`, multiplied by 2^scale and saturated."""
    s = ptr8(stored)
    t = ptr16(to)
    for i in range(count):
        value = ((s[2 * i] | (s[2 * i + 1] << 8)) ^ 32768) - 32768 if wide else (s[i] ^ 128) - 128
        value <<= scale
        if value > 32767:
            value = 32767
        elif value < -32767:
            value = -32767
        t[at + i] = value & 65535


@micropython.viper
def largest_class(stored: object, bits: int, count: int) -> int:
    """The largest of the first `count` classes of this many bits."""
    s = ptr8(stored)
    mask = (1 << bits) - 1
    largest = 0
    for i in range(count):
        place = i * bits
        value = (s[place >> 3] >> (place & 7)) & mask
        if value > largest:
            largest = value
    return largest


class Dataset:
    """As DEFINE_DATASET. `samples` is 0 if none was defined; `complete` says that all bytes are there and right."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._file: File = None
        self.forget()

    def forget(self) -> None:
        """None is defined."""
        self.lose()
        self.samples = 0
        self.value_bytes = 0
        self.scale = 0
        self.target_kind = 0
        self.class_bits = 0
        self.crc = 0

    def lose(self) -> None:
        """Its bytes are not there, or not any more."""
        self.complete = False
        if self._file is not None:
            close(self._file)
            self._file = None

    def bytes(self) -> int:
        """Of its values and packed classes."""
        return bounds.dataset(self.samples, self._sample_bytes(), self.class_bits)

    def missing(self) -> int:
        """Bytes that are missing for it; 0: it fits."""
        device = self._device
        room = memory_dataset_room(device.board, memory_checkpoint_bytes(device.net.config))
        return bounds.missing(self.samples, self._sample_bytes(), self.class_bits, room)

    def unfit(self) -> int:
        """Number of the field that does not suit the network; 0: all do."""
        classes = self._device.net.config.loss == learner.CROSS_ENTROPY
        bits = self.class_bits
        if self.samples == 0:
            return FIELD_DEFINE_DATASET_SAMPLES
        if not DEFINE_DATASET_VALUE_BYTES_MIN <= self.value_bytes <= DEFINE_DATASET_VALUE_BYTES_MAX:
            return FIELD_DEFINE_DATASET_VALUE_BYTES
        if self.scale > DEFINE_DATASET_SCALE_MAX:
            return FIELD_DEFINE_DATASET_SCALE
        if self.target_kind == TARGET_KIND_VALUES:
            if classes:
                return FIELD_DEFINE_DATASET_TARGET_KIND
            return FIELD_DEFINE_DATASET_CLASS_BITS if bits else 0
        if self.target_kind != TARGET_KIND_CLASSES and (self.target_kind != TARGET_KIND_SIGNS or classes or self._outputs() != 1):
            return FIELD_DEFINE_DATASET_TARGET_KIND
        return 0 if bits in (1, 2, 4, 8) else FIELD_DEFINE_DATASET_CLASS_BITS

    def fits(self) -> bool:
        """Whether it goes with the network and has room next to the slots."""
        return self.unfit() == 0 and self.missing() == 0

    def check(self) -> bool:
        """All its bytes came: whether its checksum and its classes are right, and it is complete. What cannot be read is not."""
        self.lose()
        try:
            self._file = self._device.board.storage.open(DATASET, "rb")
            self.complete = self._is_right()
        except OSError:
            pass
        if not self.complete:
            self.lose()
            return False
        self._width = self._stored_values()
        self._values = bytearray(self._sample_bytes())
        self._packed = bytearray(1)
        self._classes_at = self.samples * self._sample_bytes()
        return True

    def sample(self, index: int, to: Halves, x: int, target: int) -> None:
        """Inputs and targets of a sample into the halves `to`, as Network.train() takes them: from `x` and from `target` on, which
        is behind the inputs. OSError if it cannot be read.
        """
        self._read(index * len(self._values), self._values)
        unpack(self._values, self.value_bytes == 2, self.scale, to, x, self._width)
        bits = self.class_bits
        if bits == 0:
            return
        bit = index * bits
        self._read(self._classes_at + (bit >> 3), self._packed)
        chosen = (self._packed[0] >> (bit & 7)) & ((1 << bits) - 1)
        if self._device.net.config.loss == learner.CROSS_ENTROPY:
            to[target] = chosen
        elif self.target_kind == TARGET_KIND_SIGNS:
            to[target] = _ONE if chosen else _MINUS_ONE
        else:
            for i in range(self._outputs()):
                to[target + i] = _ONE if i == chosen else 0

    def _outputs(self) -> int:
        config = self._device.net.config
        return config.sizes[config.layers]

    def _stored_values(self) -> int:
        """Values of a sample that stand in the memory as such."""
        inputs = self._device.net.config.sizes[0]
        return inputs + self._outputs() if self.target_kind == TARGET_KIND_VALUES else inputs

    def _sample_bytes(self) -> int:
        """Bytes of a sample's values; none without a network."""
        return self._stored_values() * self.value_bytes if self._device.configured else 0

    def _read(self, offset: int, to: bytearray) -> None:
        self._file.seek(offset)
        if self._file.readinto(to) != len(to):
            raise OSError(errno.EIO)

    def _is_right(self) -> bool:
        """One pass for the checksum, one for classes that the network has no output for."""
        crc, left, piece = 0, self.bytes(), memoryview(bytearray(_PIECE))
        while left:
            part = piece[: min(left, _PIECE)]
            if self._file.readinto(part) != len(part):
                return False
            crc = binascii.crc32(part, crc)
            left -= len(part)
        if crc != self.crc:
            return False
        bits = self.class_bits
        if bits == 0:
            return True
        most = 2 if self.target_kind == TARGET_KIND_SIGNS else self._outputs()
        self._file.seek(self.samples * self._sample_bytes())
        left = self.samples
        while left:
            count = min(left, _PIECE * 8 // bits)
            if self._file.readinto(piece) * 8 < count * bits or largest_class(piece, bits, count) >= most:
                return False
            left -= count
        return True


def command_define_dataset(device: Device, payload: memoryview) -> int:
    """DEFINE_DATASET: the one before is forgotten if this one suits network and memory."""
    autonomous = device.autonomous
    before, wanted = autonomous.dataset, Dataset(device)
    fields = struct.unpack_from(LAYOUT_DEFINE_DATASET, payload)
    wanted.samples, wanted.value_bytes, wanted.scale, wanted.target_kind, wanted.class_bits, wanted.crc = fields
    field = wanted.unfit()
    if field:
        return device.out_of_range(field)
    missing = wanted.missing()
    if missing:
        return device.refuse(ERROR_TOO_LARGE, missing)
    if autonomous.checkpoint.newest > memory_checkpoint_bytes(device.net.config):
        # Next to the checkpoints of a larger network there may be less room. One of this network must be there before.
        if device.blobs.damaged:
            return device.refuse(ERROR_NOT_LOADED, 0)
        autonomous.checkpoint.wanted = True
        return LATER
    autonomous.uploads.abandon(BLOB_KIND_DATASET)
    before.lose()
    autonomous.dataset = wanted
    return DONE
