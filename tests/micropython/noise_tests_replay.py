"""Runs the tests of the noise source over histories of codes, and writes what they hold after each event. test_noise_tests.py
compares.

Usage: noise_tests_replay.py EVENTS STATES. Events begin with a letter: N, a new source (rate, full scale); L, limits; B, a batch
of codes; C, a calibration; S, silence.
"""

import struct
import sys
from array import array

from noise import Noise
from noise_limits import Limits
from noise_tests import Health

FIELDS = (
    "level_low",
    "level_high",
    "run",
    "position",
    "ones",
    "switches",
    "different",
    "lag",
    "last_ones",
    "last_switches",
    "seen_low",
    "seen_high",
    "faults",
    "windows",
    "fault_code",
    "state",
    "fault",
    "last_fault",
)
BITS_OF_LAGS = [1 << lag - 1 if lag else 0 for lag in range(17)]
LIMITS = ("repetitions", "window", "ones_min", "ones_max", "switches_min")


def replay(events, states):
    health = noise = None
    received = 0
    codes = array("H", bytes(144))
    while True:
        kind = events.read(1)
        if not kind:
            return
        answer = 0
        if kind == b"N":
            health = Health(*struct.unpack("<IH", events.read(6)))
            noise = Noise()
            received = 0
        elif kind == b"L":
            health.set_limits(Limits(*struct.unpack("<5H", events.read(10))))
        elif kind == b"B":
            count = events.read(1)[0]
            batch = array("H", events.read(2 * count))
            for i, code in enumerate(batch):
                codes[i] = code
            noise.put_all(codes, 0, count)
            health.take(noise, codes, count, received)
            received = received + count & 0xFFFFFFFF
        elif kind == b"C":
            answer = health.calibrate(noise, received - 1)
        else:
            health.silent(noise, received - 1)
        values = [getattr(health, name) for name in FIELDS] + [getattr(health.limits, name) for name in LIMITS]
        values[FIELDS.index("lag")] = BITS_OF_LAGS.index(health.lag)
        states.write(struct.pack("<24I", answer, *values))


with open(sys.argv[1], "rb") as events, open(sys.argv[2], "wb") as states:
    replay(events, states)
