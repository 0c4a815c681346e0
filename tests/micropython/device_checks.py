"""Checks of parts of the device that no board between two turns can show: room that grows within a turn, and a hole in the middle
of a burst. Runs in MicroPython; writes "good" into the file that its argument names, or ends with an exception.
"""

import struct
import sys
from array import array

import frame
import messages
from session import DONE, Session
from stream import Stream


class Line:
    """A line and a handler of commands."""

    def __init__(self):
        self.room = 4096
        self.sent = []

    def write_room(self):
        return self.room

    def write(self, buffer, count):
        self.sent.append(bytes(buffer[:count]))

    def receive_overruns(self):
        return 0

    def handle(self, kind, payload):
        return DONE

    def welcome(self, nonce, number):
        pass

    def opened(self):
        pass


def check_that_an_ack_keeps_its_place():
    line = Line()
    session = Session(line, line, 240, 500, 1)
    buffer = bytearray(frame.transmit_bytes(6))
    struct.pack_into(messages.LAYOUT_HELLO, buffer, frame.TRANSMIT_PAYLOAD, 7, messages.VERSION, messages.VERSION)
    frame.encode(buffer, messages.TYPE_HELLO, messages.SESSION_NONE, 0, messages.SIZE_HELLO, 0)
    session.receive(buffer, 1, 1 + messages.SIZE_HELLO + frame.ENCODED)
    assert session.open
    assert len(line.sent) == 1
    line.room = 0
    session.acknowledge()
    assert session.ack_due
    telemetry = messages.SIZE_TELEMETRY + frame.ENCODED
    ack = messages.SIZE_ACK + frame.ENCODED
    line.room = telemetry + ack - 1
    assert not session.reserve(messages.SIZE_TELEMETRY)
    line.room = telemetry + ack
    assert session.reserve(messages.SIZE_TELEMETRY)
    session.poll()
    assert not session.ack_due
    line.room = telemetry
    assert session.reserve(messages.SIZE_TELEMETRY)


class Parts:
    """What a stream needs: a device, its board, its intake with the noise buffer, and a session that takes every frame."""

    def __init__(self):
        self.board = self.intake = self.session = self.noise = self
        self.adc_bits = 10
        self.next = 0
        self.contiguous = 0
        self.max_payload = 240
        self.held = self.ack_due = False
        self.ring = array("H", range(200))
        self.reply = bytearray(240)
        self.frames = []

    def micros(self):
        return 0

    def reserve(self, length):
        return True

    def place(self, age):
        return (self.next - age) % 200

    def send(self, kind, length):
        first, _, _, count = struct.unpack_from(messages.LAYOUT_NOISE_CODES, self.reply)
        self.frames.append((first, count))


def check_that_a_hole_begins_a_new_burst():
    parts = Parts()
    stream = Stream(parts)
    stream.start(0, 150)
    parts.next = parts.contiguous = 110
    stream.send()
    assert parts.frames == [(0, 100)]
    # Codes 110 to 399 are lost; of the new burst of 150, 60 are there, which 100 are to be.
    parts.next, parts.contiguous = 460, 60
    stream.send()
    assert stream.waits
    parts.next, parts.contiguous = 500, 100
    stream.send()
    parts.next, parts.contiguous = 550, 150
    stream.send()
    assert parts.frames == [(0, 100), (400, 100), (500, 50)], parts.frames


if __name__ == "__main__":
    check_that_an_ack_keeps_its_place()
    check_that_a_hole_begins_a_new_burst()
    with open(sys.argv[1], "w") as answers:
        answers.write("good")
