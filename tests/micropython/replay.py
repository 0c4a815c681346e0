"""Replays traces of the C device (trace.c) with the device in MicroPython, turn by turn. Runs in MicroPython.

    replay.py TRACE ANSWERS           what it sends, whether it is busy, which error it keeps, and which bytes, codes, random
                                      numbers and time it has taken must be those of the C device
    replay.py TRACE ANSWERS FOLDER    boards with a memory, which is in the folder and fails now and then: no exception may leave
                                      a turn

Writes how many inputs and turns there were into the file ANSWERS; or prints what differs, and ends with an exception.
"""

import errno
import struct
import sys

import learner
import messages
import turn
from boards.board import Board, Start
from storage import DATASET, SLOTS, Folder, remove

CODES = 64
POINTERS = 20
"""Bytes that the record of a layer has more in C on a computer of 64 bits than on a chip, whose bytes the learner counts."""

_arena_bytes = learner.arena_bytes
learner.arena_bytes = lambda config: _arena_bytes(config) + POINTERS * config.layers


def draw(board):
    board.random = (board.random * 1664525 + 1013904223) & 0xFFFFFFFF
    return board.random >> 8


class FuzzBoard(Board):
    """The counterpart of tests/fuzz/fuzz_board.c."""

    name = "fuzz"
    receive_window = 500
    adc_rate = 9615
    adc_reference = 1100
    line_rate = 25000
    build = 0

    def __init__(self, arena, max_payload, features, adc_bits, codes_per_step, memory_bytes):
        self.arena_bytes = arena
        self.max_payload = max_payload
        self.features = features & ~messages.FEATURES_ANALOG
        self.adc_bits = adc_bits
        self.has_analog = features & messages.FEATURES_ANALOG != 0
        self.codes_per_step = codes_per_step
        self.memory_bytes = memory_bytes

    def load(self, room, sent_count, overruns, level_low, level_high, micros, random, high, lost, codes, received):
        self.room = room - sent_count
        self.overruns = overruns
        self.level_low = level_low
        self.level_high = level_high
        self.time = micros
        self.random = random
        self.high = high
        self.lost = lost
        self.codes = codes
        self.received = received
        self.sent = bytearray()

    def read(self, buffer):
        count = min(len(buffer), len(self.received))
        buffer[:count] = self.received[:count]
        self.received = self.received[count:]
        return count

    def write_room(self):
        return max(self.room - len(self.sent), 0)

    def write(self, buffer, count):
        assert count <= self.write_room()
        self.sent.extend(buffer[:count])

    def receive_overruns(self):
        return self.overruns

    def adc_read(self, codes):
        count = min(len(codes), len(self.codes))
        for i in range(count):
            codes[i] = self.codes[i]
        del self.codes[:count]
        return count

    def adc_lost(self):
        return self.lost

    def put_code(self, code):
        if len(self.codes) == CODES:
            del self.codes[:1]
            self.lost += 1
        self.codes.append(code & ((1 << self.adc_bits) - 1))

    def advance(self):
        for _ in range(self.codes_per_step):
            if draw(self) % 3 == 0:
                self.high = not self.high
            level = self.level_high if self.high else self.level_low
            self.put_code(level + (draw(self) & 1))
        self.time = (self.time + 104 * self.codes_per_step) & 0xFFFFFFFF

    def micros(self):
        return self.time

    def analog(self, pin):
        assert 1 <= pin <= 7
        return draw(self) & ((1 << self.adc_bits) - 1)

    def led(self, on):
        assert on in (0, 1)

    def reset(self):
        self.restart = True


class FailingFile:
    """A file of a FailingFolder."""

    def __init__(self, folder, file):
        self._fail = folder.fail
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def read(self, count):
        self._fail()
        return self._file.read(count)

    def readinto(self, buffer):
        self._fail()
        return self._file.readinto(buffer)

    def seek(self, place):
        self._fail()
        return self._file.seek(place)

    def write(self, data):
        self._fail()
        return self._file.write(data)

    def flush(self):
        self._fail()
        self._file.flush()

    def close(self):
        self._file.close()
        self._fail()


class FailingFolder(Folder):
    """A folder whose every 37th call fails."""

    calls = 0

    def fail(self):
        FailingFolder.calls += 1
        if FailingFolder.calls % 37 == 0:
            raise OSError(errno.EIO)

    def open(self, name, mode):
        self.fail()
        return FailingFile(self, super().open(name, mode))

    def remove(self, name):
        self.fail()
        super().remove(name)


class Trace:
    def __init__(self, name):
        self.file = open(name, "rb")  # noqa: SIM115

    def kind(self):
        return self.file.read(1)

    def values(self, layout):
        return struct.unpack("<" + layout, self.file.read(struct.calcsize("<" + layout)))

    def bytes(self):
        return self.file.read(self.values("H")[0])


STATE = "IIBIHB"


def compare(inputs, turns, busy, board, start, trace):
    """Whether a turn was that of the C device."""
    wanted_busy, restart, error = trace.values("BBB")
    sent = trace.bytes()
    micros, random, high, lost, received, codes = trace.values(STATE)
    wanted = (bool(wanted_busy), bool(restart), error, sent, micros, random, bool(high), lost, received, codes)
    state = board.time, board.random, bool(board.high), board.lost, len(board.received), len(board.codes)
    seen = (bool(busy), board.restart, start.error, bytes(board.sent)) + state
    if seen != wanted:
        print("input %d, turn %d:\n  C           %r\n  MicroPython %r" % (inputs, turns, wanted, seen))
        raise AssertionError("the devices differ")


def empty(storage):
    """A storage as new."""
    for name in SLOTS + (DATASET,):
        remove(storage, name)
    return storage


def replay(name, folder=None):
    trace = Trace(name)
    inputs = turns = 0
    while True:
        kind = trace.kind()
        if not kind:
            return inputs, turns
        if kind == b"B":
            inputs += 1
            arguments = trace.values("IBHBBH")
            storage = folder and arguments[-1] and empty(Folder(folder)) and FailingFolder(folder)
        elif kind == b"S":
            start = Start(*trace.values("HBB"))
            board = FuzzBoard(*arguments)
            board.storage = storage
            device = None
        else:
            before = trace.values("HHHHH" + STATE)
            codes = list(trace.values("%dH" % before[-1]))
            board.load(*before[:9], codes, trace.bytes())
            if device is None:
                device = turn.device_init(board, start)
            busy = turn.device_poll(device)
            turns += 1
            if folder is None:
                compare(inputs, turns, busy, board, start, trace)
            else:
                trace.values("BBB")
                trace.bytes()
                trace.values(STATE)


def main():
    with open(sys.argv[2], "w") as answers:
        answers.write("%d inputs, %d turns" % replay(sys.argv[1], *sys.argv[3:]))


if __name__ == "__main__":
    main()
