"""Replays traces of the C device (trace.c) with the device in MicroPython, turn by turn: what it sends, whether it is busy, which error it keeps,
and which bytes, codes, random numbers and time it has taken must be those of the C device. Runs in MicroPython; its one argument is the trace.

Prints how many inputs and turns it compared, or what differs, and then ends with an exception.
"""

import struct
import sys

import messages
import turn
from boards.board import Board, Start

CODES = 64


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

    def __init__(self, arena, max_payload, features, adc_bits, codes_per_step):
        self.arena_bytes = arena
        self.max_payload = max_payload
        self.features = features & ~messages.FEATURES_ANALOG
        self.adc_bits = adc_bits
        self.has_analog = features & messages.FEATURES_ANALOG != 0
        self.codes_per_step = codes_per_step
        self.restart = False

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

    def state(self):
        return self.time, self.random, self.high, self.lost, len(self.received), len(self.codes)

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


class Trace:
    def __init__(self, name):
        self.file = open(name, "rb")

    def kind(self):
        return self.file.read(1)

    def values(self, layout):
        return struct.unpack("<" + layout, self.file.read(struct.calcsize("<" + layout)))

    def bytes(self):
        return self.file.read(self.values("H")[0])


STATE = "IIBIHB"


def replay(name):
    trace = Trace(name)
    inputs = turns = 0
    board = device = start = None
    while True:
        kind = trace.kind()
        if not kind:
            return inputs, turns
        if kind == b"B":
            inputs += 1
            arguments = trace.values("IBHBB")
        elif kind == b"S":
            start = Start(*trace.values("HBB"))
            board = FuzzBoard(*arguments)
            device = None
        else:
            before = trace.values("HHHHH" + STATE)
            codes = list(trace.values(f"{before[-1]}H"))
            board.load(*before[:9], codes, trace.bytes())
            board.restart = False
            if device is None:
                device = turn.device_init(board, start)
            busy = turn.device_poll(device)
            turns += 1
            expected_busy, restart, error = trace.values("BBB")
            sent = trace.bytes()
            state = trace.values(STATE)
            seen = (bool(busy), board.restart, start.error, bytes(board.sent), board.state())
            wanted = (bool(expected_busy), bool(restart), error, sent, (state[0], state[1], bool(state[2])) + state[3:])
            seen = seen[:4] + ((seen[4][0], seen[4][1], bool(seen[4][2])) + seen[4][3:],)
            if seen != wanted:
                print("input %d, turn %d:\n  C           %r\n  MicroPython %r" % (inputs, turns, wanted, seen))
                raise AssertionError("the devices differ")


if __name__ == "__main__":
    print("%d inputs, %d turns" % replay(sys.argv[1]))
