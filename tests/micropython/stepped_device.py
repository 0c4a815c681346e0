"""Devices that a test drives by lines on standard input, one answer for each: the counterpart of the C firmware's in-process device
(firmware/boards/inprocess), bytes, noise codes and time come from the test. Runs in MicroPython.

A line is a word, the number of a device, and what the word needs; bytes are hexadecimal.
"""

import binascii
import sys
from array import array

import messages
from boards.board import Board, Start
from cut_storage import CutStorage, PowerIsOff
from turn import device_init, device_poll
from virtual import sensors
from virtual.converter import FIFO, Converter
from virtual.smtj import KINDS, PRESETS, Junction

_TRANSMIT = 8192
_SENSOR = 0xFFFF
_PRESETS = ("recording", "bench")


class Stepped(Board):
    """A board whose line, converter, clock and memory are arrays."""

    name = "inprocess"
    has_analog = True

    def __init__(self, options):
        self.arena_bytes = options["arena"]
        self.receive_window = options["receive_window"]
        self.max_payload = options["max_payload"]
        self.features = messages.FEATURES_ADC_LIVE | (0 if options["real_time"] else messages.FEATURES_VIRTUAL_CLOCK)
        self.adc_bits = options["adc_bits"]
        self.adc_rate = options["adc_rate"]
        self.adc_reference = options["adc_reference"]
        self.storage = CutStorage()
        self.memory_bytes = options["memory_bytes"]
        self.memory_block = options["memory_block"]
        self.codes_per_step = options["codes_per_step"]
        assert _PRESETS[options["preset"]] in PRESETS
        self.junction = Junction(KINDS[options["noise"]], _PRESETS[options["preset"]], options["seed"])
        self.converter = Converter(self.junction, self.adc_bits, self.adc_rate, self.adc_reference)
        self.codes = array("H", [])
        self.lost = 0
        self.queue = None
        self.queued = 0
        self.pins = [_SENSOR] * 8
        self.now = 0
        self.room = _TRANSMIT
        self.error = self.boots = 0
        self.dead = False
        self.start(messages.RESET_CAUSE_POWER_ON)

    def start(self, cause):
        self.restart = False
        self.received = bytearray()
        self.sent = bytearray()
        self.overruns = 0
        self.boots += 1
        self.begun = Start(self.boots, cause, self.error)
        self.device = device_init(self, self.begun)

    def switch_on(self, cause):
        self.error = 0 if cause == messages.RESET_CAUSE_POWER_ON else self.begun.error
        self.storage.power_on()
        self.dead = False
        self.codes = array("H", [])
        self.lost = 0
        self.start(cause)

    def poll(self, turns):
        turn = 0
        while turn < turns and not self.dead:
            turn += 1
            try:
                busy = device_poll(self.device)
            except PowerIsOff:
                self.dead = True
                self.sent = bytearray()
                break
            if self.restart:
                waiting = self.received, self.sent
                self.error = self.begun.error
                self.start(messages.RESET_CAUSE_SOFTWARE)
                self.received, self.sent = waiting
            if not busy:
                break
        return turn

    def read(self, buffer):
        count = min(len(buffer), len(self.received))
        buffer[:count] = self.received[:count]
        self.received = self.received[count:]
        return count

    def write_room(self):
        return max(0, self.room - len(self.sent))

    def write(self, buffer, count):
        self.sent.extend(buffer[:count])

    def receive_overruns(self):
        return self.overruns

    def adc_read(self, codes):
        count = min(len(codes), len(self.codes))
        for i in range(count):
            codes[i] = self.codes[i]
        self.codes = self.codes[count:]
        return count

    def adc_lost(self):
        return self.lost

    def put(self, codes):
        self.codes.extend(codes)
        beyond = len(self.codes) - FIFO
        if beyond > 0:
            self.codes = self.codes[beyond:]
            self.lost = self.lost + beyond & 0xFFFFFFFF

    def advance(self):
        if self.queue is None:
            self.converter.run(self.codes_per_step)
            codes = array("H", [0] * self.codes_per_step)
            self.converter.take(codes)
            self.put(codes)
        else:
            self.put(self.queue[self.queued : self.queued + self.codes_per_step])
            self.queued = min(self.queued + self.codes_per_step, len(self.queue))
        self.now = self.now + 1000000 * self.codes_per_step // self.adc_rate & 0xFFFFFFFF

    def micros(self):
        return self.now

    def analog(self, pin):
        code = self.pins[pin]
        return sensors.code(pin, self.now * 1e-6, self.adc_bits) if code == _SENSOR else code


def codes_of(text):
    return array("H", binascii.unhexlify(text))


def hexadecimal(data):
    return binascii.hexlify(data).decode()


def answer(boards, word, number, rest):
    if word == "new":
        pairs = [pair.split("=") for pair in rest]
        boards[number] = Stepped({name: int(value) for name, value in pairs})
        return ""
    if word == "drop":
        del boards[number]
        return ""
    board = boards[number]
    if word == "push":
        data = binascii.unhexlify(rest[0])
        room = board.receive_window - len(board.received)
        board.received.extend(data[:room])
        board.overruns = board.overruns + max(0, len(data) - room) & 0xFFFF
    elif word == "poll":
        return board.poll(int(rest[0]))
    elif word == "take":
        most = int(rest[0])
        data, board.sent = board.sent[:most], board.sent[most:]
        return hexadecimal(data)
    elif word == "room":
        board.room = min(int(rest[0]), _TRANSMIT)
    elif word == "micros":
        board.now = int(rest[0])
    elif word == "feed":
        board.put(codes_of(rest[0]))
    elif word == "queue":
        waiting = array("H", []) if board.queue is None else board.queue[board.queued :]
        waiting.extend(codes_of(rest[0]))
        board.queue, board.queued = waiting, 0
    elif word == "queued":
        return len(board.queue) - board.queued
    elif word == "noise":
        board.junction.become(KINDS[int(rest[0])])
    elif word == "analog":
        board.pins[int(rest[0])] = int(rest[1])
    elif word == "files":
        return " ".join(["{}={}".format(name, hexadecimal(content)) for name, content in sorted(board.storage.files.items())])
    elif word == "keep":
        board.storage.set({name: binascii.unhexlify(content) for name, content in [pair.split("=") for pair in rest]})
    elif word == "refuse":
        board.storage.refuses = int(rest[0])
    elif word == "refused":
        return board.storage.refused
    elif word == "writes":
        return board.storage.writes
    elif word == "cut":
        board.storage.cut(int(rest[0]), int(rest[1]))
    elif word == "dead":
        return int(board.dead)
    elif word == "restart":
        board.switch_on(int(rest[0]))
    elif word == "boots":
        return board.boots
    else:
        raise ValueError(word)
    return ""


def main():
    boards = {}
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        word, number, *rest = line.split()
        try:
            print("=", answer(boards, word, int(number), rest))
        except Exception as error:
            sys.print_exception(error, sys.stderr)
            print("!", repr(error))


if __name__ == "__main__":
    main()
