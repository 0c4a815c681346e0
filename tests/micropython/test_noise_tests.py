"""The tests of the noise source in MicroPython equal those in C, field for field after every batch, and their model through them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from health_support import COUNTS, FAULTS, LIMITS, Watch
from places import PROJECT
from unix_port_support import run_program

from mtjlearn.firmware import ToolMissing
from mtjlearn.noise.health import HealthLimits
from mtjlearn.wire.messages import NoiseFault

BITS = 10
FULL = 2**BITS - 1
FIELDS = (
    *("level_low", "level_high", "run", "position", "ones", "switches", "different", "lag", "last_ones", "last_switches"),
    *("seen_low", "seen_high", "faults", "windows", "fault_code", "state", "fault", "last_fault"),
)
RECORD = struct.Struct("<24I")


class Both:
    """The tests in C, and the events that a program of MicroPython is to repeat."""

    def __init__(self, adc_rate: int = 9615, bits: int = BITS) -> None:
        self.watch = Watch(adc_rate, adc_bits=bits)
        self.events = bytearray(struct.pack("<cIH", b"N", adc_rate, 2**bits - 1))
        self.expected: list[tuple[int, ...]] = []
        self._note()

    def _note(self, answer: bool = False) -> None:
        state = self.watch.state
        values = [int(getattr(state, name)) for name in (*FIELDS, *LIMITS)]
        self.expected.append((int(answer), *values))

    def limits(self, limits: HealthLimits) -> None:
        self.watch.set_limits(limits)
        self.events += struct.pack("<c5H", b"L", *(getattr(limits, name) for name in LIMITS))
        self._note()

    def take(self, codes: np.ndarray, batch: int) -> None:
        for at in range(0, codes.size, batch):
            part = codes[at : at + batch]
            self.watch.feed(part)
            self.events += b"B" + bytes([part.size]) + part.astype("<u2").tobytes()
            self._note()

    def calibrate(self) -> bool:
        answer = self.watch.calibrate()
        self.events += b"C"
        self._note(answer)
        return answer

    def silence(self) -> None:
        self.watch.silence()
        self.events += b"S"
        self._note()


Compare = Callable[..., None]


@pytest.fixture(scope="module", params=["viper", "bytecode"])
def compare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tool_missing: Any) -> Compare:
    """``compare(histories)``: the program sees each state that C saw."""

    def check(histories: list[Both]) -> None:
        folder = tmp_path_factory.mktemp("noise_tests")
        events, states = folder / "events", folder / "states"
        events.write_bytes(b"".join(bytes(history.events) for history in histories))
        try:
            run = run_program("noise_tests_replay.py", events, states, viper=request.param == "viper")
        except ToolMissing as missing:
            tool_missing(str(missing))
        assert run.returncode == 0, run.stdout + run.stderr
        seen = list(RECORD.iter_unpack(states.read_bytes()))
        expected = [state for history in histories for state in history.expected]
        assert len(seen) == len(expected)
        names = ("answer", *FIELDS, *LIMITS)
        for number, (got, wanted) in enumerate(zip(seen, expected, strict=True)):
            different = {name: (g, w) for name, g, w in zip(names, got, wanted, strict=True) if g != w}
            assert not different, f"after event {number}, MicroPython and C: {different}"

    return check


def source(rng: np.random.Generator, count: int, switching: float, low: float, split: float, noise: float) -> np.ndarray:
    """Codes of a telegraph source."""
    state = np.cumsum(rng.random(count) < switching) % 2
    return np.clip(np.floor(low + split * state + noise * rng.standard_normal(count)), 0, FULL).astype(np.uint16)


def fault_bank(rng: np.random.Generator) -> dict[NoiseFault, np.ndarray]:
    """Codes that show each kind of fault that codes can show."""
    one = np.ones(400, dtype=np.uint16)
    return {
        NoiseFault.SHORTED: 0 * one,
        NoiseFault.OPEN: FULL * one,
        NoiseFault.STUCK: source(rng, 400, 0, 44, 0, 0.9),
        NoiseFault.TOO_SLOW: source(rng, 2000, 0.012, 33, 11, 0.9),
        NoiseFault.SATURATING: source(rng, 400, 0.26, 1010, 14, 0.9),
        NoiseFault.DRIFTING: source(rng, 400, 0.26, 37, 11, 0.9),
        NoiseFault.PERIODIC: (33 + 11 * (np.arange(1000) // 4 % 2)).astype(np.uint16),
    }


def wild_history(rng: np.random.Generator) -> Both:
    """A source that changes its ways several times, under limits that need not fit it, in batches of 1 to 72."""
    window = int(rng.choice([200, 256, 300, 1024]))
    switching = float(rng.choice([0.02, 0.08, 0.26, 0.5]))
    limits = HealthLimits.of_source(switching, switching, window)
    if rng.random() < 0.5:
        limits = HealthLimits(int(rng.integers(2, 400)), window, limits.ones_min, limits.ones_max, limits.switches_min)
    if rng.random() < 0.25:
        limits = HealthLimits(limits.repetitions, window, 0, window, int(rng.integers(0, 4)))
    both = Both()
    both.limits(limits)
    batch = int(rng.integers(1, 73))
    low, split, noise = rng.integers(0, 900), float(rng.choice([2, 3, 5, 11, 80])), float(rng.choice([0, 0.1, 1]))
    both.take(source(rng, 250, max(switching, 0.2), low, split, noise), batch)
    both.calibrate()
    for _ in range(rng.integers(1, 6)):
        kind, count = rng.integers(0, 8), int(rng.integers(1, 900))
        if kind < 5:
            level = [0, FULL, low, low + split // 2, low + split][kind]
            part = np.clip(level + np.round(noise * rng.standard_normal(count)), 0, FULL).astype(np.uint16)
        elif kind == 5:
            part = source(rng, count, switching / 30, low, split, noise)
        else:
            part = source(rng, count, switching, low + (split * rng.uniform(-1, 1) if kind == 6 else 0), split, noise)
        both.take(part, batch)
        if rng.random() < 0.3:
            both.silence()
        if rng.random() < 0.2:
            both.calibrate()
    return both


def test_every_fault_is_the_same_and_ends_alike(compare: Compare) -> None:
    rng = np.random.default_rng(1)
    limits = HealthLimits.of_source(0.26, 0.26, 256)
    healthy = source(rng, 1200, 0.26, 33, 11, 0.9)
    histories = []
    for number, (fault, codes) in enumerate(fault_bank(rng).items()):
        both = Both()
        both.limits(limits)
        both.take(healthy[:208], 16)
        assert both.calibrate()
        both.take(healthy, 16)
        both.take(codes, [1, 7, 16, 72][number % 4])
        assert both.watch.fault is fault
        both.take(healthy, 16)
        assert both.watch.fault is NoiseFault.NONE
        histories.append(both)
    compare(histories)


def test_wild_histories(compare: Compare) -> None:
    compare([wild_history(np.random.default_rng(seed)) for seed in range(60)])


@pytest.mark.slow
def test_more_wild_histories(compare: Compare) -> None:
    compare([wild_history(np.random.default_rng(seed)) for seed in range(1000, 4000)])


def test_calibrations_at_every_scale(compare: Compare) -> None:
    histories = []
    accepted = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        split, noise = rng.choice([0.3, 1, 2, 30, 900, 3000]), rng.choice([0, 0.05, 0.2, 0.3, 2])
        state = np.cumsum(rng.random(200) < rng.choice([0, 0.01, 0.1, 0.5])) % 2
        codes = np.clip(5000 + split * (state + noise * rng.standard_normal(200)), 0, 16383).astype(np.uint16)
        both = Both(bits=14)
        both.take(codes, 50)
        accepted += both.calibrate()
        histories.append(both)
    assert 50 < accepted < 250
    compare(histories)


def test_a_calibration_of_the_largest_numbers(compare: Compare) -> None:
    """Levels at both ends of 16 bits: the sums of the clustering are the largest."""
    histories = []
    for ones in (1, 99, 100, 199):
        both = Both(bits=16)
        both.take(np.where(np.arange(200) < ones, 65535, 0).astype(np.uint16), 40)
        both.calibrate()
        histories.append(both)
    compare(histories)


def test_runs_longer_than_their_counter_and_no_tests(compare: Compare) -> None:
    rng = np.random.default_rng(0)
    long, none = Both(), Both()
    long.limits(HealthLimits(repetitions=65535, window=32768, ones_min=0, ones_max=32768, switches_min=0))
    for both in (long, none):
        both.take(source(rng, 300, 0.3, 33, 11, 0.5), 60)
        both.calibrate()
    long.take(source(rng, 70_000, 0, 44, 0, 0.5), 72)
    long.take(source(rng, 99, 0.3, 33, 11, 0), 16)
    none.take(np.zeros(200, dtype=np.uint16), 16)
    assert none.watch.fault is NoiseFault.SHORTED
    none.limits(HealthLimits(repetitions=2, window=0, ones_min=0, ones_max=0, switches_min=0))
    none.take(np.zeros(200, dtype=np.uint16), 16)
    assert none.calibrate()
    compare([long, none])


def test_limits_by_rate_are_those_of_the_c_firmware(compare: Compare) -> None:
    header = (PROJECT / "firmware/src/health_limits.h").read_text(encoding="utf-8")
    rates = [int(rate) for rate in re.findall(r"^    \{(\d+),", header, re.MULTILINE)]
    assert len(rates) == 8
    compare([Both(rate + more) for rate in rates for more in (-1, 0, 1)])


def test_the_program_reports_what_c_has() -> None:
    """Both lists of fields are complete: what the model compares is among them."""
    program = Path(__file__).with_name("noise_tests_replay.py").read_text(encoding="utf-8")
    listed = re.findall(r'^    "(\w+)",$', program, re.MULTILINE)
    assert listed == list(FIELDS)
    assert {*COUNTS, *FAULTS} <= {*FIELDS}
