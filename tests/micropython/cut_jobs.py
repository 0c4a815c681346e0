"""Cuts the power at each write of checkpoints, datasets and changes of network, each torn in another way, and starts the device
again: it comes up with the newest complete checkpoint. Runs in MicroPython; its question
is `files` (cut_storage.py) or `flash` (cut_flash.py), how many cuts at least, and a first seed; its answer figures in JSON.
"""

import binascii
import json
import struct
import sys

import learner
import messages
from boards.board import Board, Start
from commands import command_execute
from cut_storage import CutStorage, PowerIsOff
from halves import halves
from session import LATER
from steps import READY, step_prepare, step_train
from storage import SLOTS
from turn import device_init

_MANY = 10000
_GOOD = (messages.RESTORED_NEWEST, messages.RESTORED_OLDER)


class Shelf(Board):
    """A board without a line and a converter; its clock stands still."""

    arena_bytes = 4096
    receive_window = 500
    adc_bits = 10
    adc_rate = 9615
    adc_reference = 1100
    features = messages.FEATURES_ADC_LIVE | messages.FEATURES_VIRTUAL_CLOCK

    files = CutStorage

    def __init__(self, memory_bytes):
        self.memory_bytes = memory_bytes
        self.storage = self.files()
        self.draws = 1

    def read(self, buffer):
        return 0

    def write_room(self):
        return 0

    def adc_read(self, codes):
        return 0

    def adc_lost(self):
        return 0

    def micros(self):
        return 0

    def draw(self, count):
        self.draws = self.draws * 1664525 + 1013904223 & 0xFFFFFFFF
        return (self.draws >> 16) % count


def configure(sizes, loss=0, wide=0, decorrelate=0):
    """The payload of a CONFIGURE with injected noise."""
    fields = struct.pack(
        messages.LAYOUT_CONFIGURE, loss, wide, 1, 1, decorrelate, 1, 0, 7, 128, 0, 1 << 23, 1 << 18 if decorrelate else 0, 5
    )
    return fields + struct.pack("<%dH" % len(sizes), *sizes)


NETWORKS = (configure((2, 3, 1)), configure((4, 8, 3), loss=1), configure((3, 4, 2), wide=1, decorrelate=3), configure((20, 30, 4)))
SMALL, IRIS = configure((2, 2, 1)), NETWORKS[1]


def boot(board):
    """The device starts; it finds what was kept."""
    board.storage.power_on()
    return device_init(board, Start(1, 0))


def execute(device, kind, payload):
    """Executes a command to its end, as the session would; a refusal fails."""
    errors = device.session.errors
    payload = memoryview(payload)
    while command_execute(device, kind, payload) == LATER:
        device.autonomous.poll()
    assert device.session.errors == errors, (kind, device.session.last_error, device.session.last_error_detail)


def save(device):
    execute(device, messages.TYPE_CHECKPOINT, bytes([messages.CHECKPOINT_ACTION_SAVE]))


def fill(device):
    """200 codes, the same each time."""
    codes = halves(200)
    for i in range(200):
        codes[i] = 30 + (i * 2654435761 >> 7) % 30
    device.intake.noise.put_all(codes, 0, 200)


def train(device, steps, seed):
    """Random samples."""
    net, board = device.net, device.board
    board.draws = seed + 1
    inputs, targets = net.config.sizes[0], net.target_count()
    sample = halves(inputs + targets)
    for _ in range(steps):
        for i in range(inputs + targets):
            sample[i] = board.draw(8192) - 4096 & 65535
        if net.config.loss == learner.CROSS_ENTROPY:
            sample[inputs] = board.draw(net.config.sizes[net.config.layers])
        assert step_prepare(device) == READY
        step_train(device, sample, 0, inputs)


def kept_of(device):
    """All that a checkpoint keeps of a network."""
    net = device.net
    return net.steps, net.skipped, net.saturations, net.random_state, net.config.sizes, bytes(net.weights), bytes(net.matrices)


def upload(device, kind, data):
    """In chunks."""
    for start in range(0, len(data), 60):
        header = struct.pack(messages.LAYOUT_SET_BLOB, kind, start, len(data), binascii.crc32(data))
        execute(device, messages.TYPE_SET_BLOB, header + data[start : start + 60])


def begin_dataset(device):
    """A dataset for SMALL, and AUTONOMOUS with it."""
    data = bytes([(17 * i) & 127 for i in range(2 * 40)]) + bytes([0x5A] * 5)
    execute(device, messages.TYPE_DEFINE_DATASET, struct.pack(messages.LAYOUT_DEFINE_DATASET, 40, 1, 5, 2, 1, binascii.crc32(data)))
    upload(device, messages.BLOB_KIND_DATASET, data)
    request = struct.pack(messages.LAYOUT_AUTONOMOUS, messages.TASK_DATASET, 0, 0, 0, 0, 0, 0, 1800, 0, 9)
    execute(device, messages.TYPE_AUTONOMOUS, request)


def cut_save(network, first_save, seed, found):
    """Cuts a save at each of its writes."""
    board = Shelf(16384)
    device = boot(board)
    execute(device, messages.TYPE_CONFIGURE, network)
    fill(device)
    for i in range(1 if first_save else 3):
        train(device, 5, i)
        save(device)
    before, image, generation = kept_of(device), board.storage.image(), device.autonomous.checkpoint.generation
    write = 0
    while True:
        write += 1
        board.storage.set(image)
        device = boot(board)
        assert kept_of(device) == before
        fill(device)
        train(device, 6, 9)
        after = kept_of(device)
        board.storage.cut(write, seed + write)
        try:
            save(device)
            break
        except PowerIsOff:
            found["cuts"] += 1
        device = boot(board)
        checkpoint, kept = device.autonomous.checkpoint, kept_of(device)
        if checkpoint.generation == generation:
            found["before"] += 1
            assert kept == before, (seed, write)
            assert checkpoint.restored in _GOOD, (seed, write)
        else:
            found["after"] += 1
            assert checkpoint.generation == generation + 1, (seed, write)
            assert (kept, checkpoint.restored) == (after, messages.RESTORED_NEWEST), (seed, write)
        # And it continues from there: the next save is whole.
        fill(device)
        train(device, 2, 1)
        kept = kept_of(device)
        save(device)
        assert kept_of(boot(board)) == kept, (seed, write)
    assert kept_of(boot(board)) == after


def learn_small(device):
    """A smaller network, and a dataset where the larger slots ended."""
    execute(device, messages.TYPE_CONFIGURE, SMALL)
    begin_dataset(device)


def save_larger(device):
    """A larger network without a dataset."""
    execute(device, messages.TYPE_CONFIGURE, IRIS)
    save(device)
    save(device)


def load_larger(device):
    """The same, uploaded."""
    upload(device, messages.BLOB_KIND_CHECKPOINT, larger())


def erase(device):
    """Both slots."""
    execute(device, messages.TYPE_CHECKPOINT, bytes([messages.CHECKPOINT_ACTION_ERASE]))


def larger():
    """A checkpoint of IRIS from another board."""
    device = boot(Shelf(16384))
    execute(device, messages.TYPE_CONFIGURE, IRIS)
    save(device)
    with device.board.storage.open(SLOTS[1], "rb") as file:
        return file.read(4096)


def old_large(board):
    """Two checkpoints of IRIS."""
    device = boot(board)
    execute(device, messages.TYPE_CONFIGURE, IRIS)
    save(device)
    save(device)
    return device


def old_small(board):
    """Halted while it learned from a dataset."""
    device = boot(board)
    execute(device, messages.TYPE_CONFIGURE, SMALL)
    begin_dataset(device)
    execute(device, messages.TYPE_HALT, b"")
    return device


CHANGES = ((old_large, learn_small), (old_small, save_larger), (old_small, load_larger), (old_large, erase))


def cut_change(start, change, more_saves, seed, found):
    """Cuts a change of network at each write."""
    board = Shelf(1000)
    device = start(board)
    for _ in range(more_saves):
        save(device)
    before, samples = kept_of(device), device.autonomous.dataset.samples
    image = board.storage.image()
    write = 0
    while True:
        write += 1
        board.storage.set(image)
        device = boot(board)
        assert device.autonomous.checkpoint.restored == messages.RESTORED_NEWEST
        board.storage.cut(write, seed + write)
        try:
            change(device)
            break
        except PowerIsOff:
            found["cuts"] += 1
        device = boot(board)
        autonomous = device.autonomous
        restored = autonomous.checkpoint.restored
        if change is erase:
            # What is left is the newest, or nothing.
            assert not device.configured or kept_of(device) == before, (seed, write)
        else:
            assert device.configured
            assert restored in _GOOD + (messages.RESTORED_NO_DATASET,), (seed, write, restored)
        if change is load_larger and device.net.config.sizes == (2, 2, 1):
            # An upload does not touch the dataset in use.
            assert autonomous.dataset.samples == samples, (seed, write)
            assert restored in _GOOD, (seed, write)
        found["changes"] += 1
    device = boot(board)
    assert device.configured == (change is not erase)
    assert device.autonomous.learns() == (change is learn_small)


def main():
    with open(sys.argv[1]) as question:
        kind, *numbers = question.read().split()
    least, seed = [int(number) for number in numbers]
    if kind == "flash":
        from cut_flash import FlashStorage

        Shelf.files = FlashStorage
    found = {"cuts": 0, "before": 0, "after": 0, "changes": 0, "rounds": 0}
    while found["cuts"] < least:
        for network in NETWORKS:
            cut_save(network, found["rounds"] % 2, seed, found)
            seed += _MANY
        for start, change in CHANGES:
            cut_change(start, change, found["rounds"] % 2, seed, found)
            seed += _MANY
        found["rounds"] += 1
    with open(sys.argv[2], "w") as answer:
        json.dump(found, answer)


if __name__ == "__main__":
    main()
