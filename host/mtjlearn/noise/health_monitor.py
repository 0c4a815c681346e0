"""The tests of the noise source, as a model that is written from shared/numerics.md, section 12, code by code.

The board's tests are proved equal to it; it also judges recordings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from mtjlearn.network import NOISE_BUFFER
from mtjlearn.noise.health import LAGS, HealthLimits, most_different
from mtjlearn.wire.messages import NoiseFault

LOOK = 128
"""Codes whose values show the kind of a fault."""
_FEW = 32
_MOST_RUN = 65535


def find_levels(codes: Sequence[int]) -> tuple[int, int] | None:
    """The two levels that 200 codes show, or None if they show no two levels.

    Args:
        codes: of one calibration, in any order.
    """
    least = min(codes)
    spread = max(codes) - least
    if spread < 2:
        return None
    up = next(shift for shift in range(8) if spread << shift >= 128)
    down = next(shift for shift in range(16) if spread >> shift <= 255)
    values = [(code - least) << up >> down for code in codes]
    threshold = sum(values) // len(values)
    sides: list[list[int]] = []
    for _ in range(4):
        sides = [[v for v in values if v <= threshold], [v for v in values if v > threshold]]
        threshold = sum(sum(side) // len(side) for side in sides) >> 1
    parts = sum(sum(side) ** 2 // len(side) for side in sides)
    between = parts - sum(values) ** 2 // len(values)
    within = sum(v * v for v in values) - parts
    low, high = (least + ((sum(s) << down) + ((len(s) << up) >> 1)) // (len(s) << up) for s in sides)
    return (low, high) if high - low >= 2 and between >= 4 * within else None


class HealthMonitor:
    """The tests of one source. Attributes have the names and meanings of the protocol's HEALTH.

    Args:
        limits: of the tests.
        full_scale: the largest code.
    """

    def __init__(self, limits: HealthLimits, full_scale: int) -> None:
        self.limits = limits
        self.full_scale = full_scale
        self.codes: deque[int] = deque(maxlen=NOISE_BUFFER)
        self.received = 0
        self.levels: tuple[int, int] | None = None
        self.state = self.run = self.position = self.ones = self.switches = 0
        self.different = self.lag = 0
        self._states: deque[int] = deque(maxlen=LAGS)
        self.last_ones = self.last_switches = self.windows = 0
        self.fault = self.last_fault = NoiseFault.NONE
        self.faults = self.fault_code = self.seen_low = self.seen_high = 0

    def calibrate(self) -> bool:
        """Takes the levels from the last 200 codes; False, with a fault, if they do not show two.

        Raises:
            ValueError: if there were fewer codes.
        """
        if len(self.codes) < NOISE_BUFFER:
            raise ValueError(f"a calibration needs {NOISE_BUFFER} codes, not {len(self.codes)}")
        self.levels = None
        if self.limits.window == 0:
            return True
        self.levels = find_levels(self.codes)
        if self.levels is None:
            self._tell(self._look(LOOK) or NoiseFault.STUCK)
            return False
        self.state = int(self.codes[-1] > self._middle)
        self.run = self.windows = 0
        self.lag = 1
        self._states = deque([0] * LAGS, LAGS)
        self._begin()
        return True

    def silent(self) -> None:
        """The converter is silent."""
        self._tell(NoiseFault.SILENT)

    def take(self, codes: Iterable[int]) -> None:
        """The next codes, oldest first."""
        for code in codes:
            self.codes.append(code)
            self.received += 1
            if self.levels is not None:
                self._test(code)

    @property
    def _middle(self) -> int:
        assert self.levels is not None
        return self.levels[0] + ((self.levels[1] - self.levels[0]) >> 1)

    def _begin(self) -> None:
        self.position = self.ones = self.switches = self.different = 0

    def _test(self, code: int) -> None:
        assert self.levels is not None
        low, high = self.levels
        margin = (high - low + 1) >> 2
        state = 1 if code >= high - margin else 0 if code <= low + margin else self.state
        longest = self.run == _MOST_RUN
        self.run = 1 if state != self.state else min(self.run + 1, _MOST_RUN)
        self.switches += state != self.state
        self.ones += state
        self.different += state != self._states[-self.lag]
        self._states.append(state)
        self.position += 1
        self.state = state
        if self.run == self.limits.repetitions and not (longest and self.run == _MOST_RUN):
            self._tell(self._run_fault())
        if self.position == self.limits.window:
            self.last_ones, self.last_switches = self.ones, self.switches
            self.windows += 1
            fault = self._window_fault()
            if fault:
                self._tell(fault)
            else:
                self.fault = NoiseFault.NONE
                self.lag = self.lag % LAGS + 1
            self._begin()

    def _run_fault(self) -> NoiseFault:
        assert self.levels is not None
        count = min(self.limits.repetitions >> 1, LOOK)
        fault = self._look(count)
        if fault:
            return fault
        last = list(self.codes)[-count:]
        split = self.levels[1] - self.levels[0]
        if max(last) - min(last) >= split - (split >> 2):
            return NoiseFault.DRIFTING
        return NoiseFault.TOO_SLOW if self.fault in (NoiseFault.STUCK, NoiseFault.TOO_SLOW) else NoiseFault.STUCK

    def _window_fault(self) -> NoiseFault:
        limits = self.limits
        fault = self._look(LOOK)
        if fault:
            return fault
        if self.switches < limits.switches_min or self.run >= limits.repetitions:
            return NoiseFault.TOO_SLOW if self.switches else NoiseFault.STUCK
        if not limits.ones_min <= self.ones <= limits.ones_max:
            return NoiseFault.STUCK
        return NoiseFault.NONE if limits.switches_min <= self.different <= most_different(limits.window) else NoiseFault.PERIODIC

    def _look(self, count: int) -> NoiseFault:
        last = list(self.codes)[-count:]
        ends = sum(code in (0, self.full_scale) for code in last)
        if all(code == 0 for code in last):
            return NoiseFault.SHORTED
        if all(code == self.full_scale for code in last):
            return NoiseFault.OPEN
        if 8 * ends >= len(last):
            return NoiseFault.SATURATING
        if self.levels is None:
            return NoiseFault.NONE
        low, high = self.levels
        sides = [(low, [c for c in last if c <= self._middle]), (high, [c for c in last if c > self._middle])]
        for level, side in sides:
            # |mean - level| > split / 4 + 1 / 2
            if len(side) >= _FEW and 4 * abs(sum(side) - len(side) * level) > len(side) * (high - low + 2):
                return NoiseFault.DRIFTING
        return NoiseFault.NONE

    def _tell(self, fault: NoiseFault) -> None:
        self._begin()
        if fault is self.fault:
            return
        self.faults += self.fault is NoiseFault.NONE
        self.fault = self.last_fault = fault
        self.fault_code = self.received - 1
        last = list(self.codes)[-LOOK:]
        self.seen_low, self.seen_high = (min(last), max(last)) if last else (0, 0)
