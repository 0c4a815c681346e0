"""The tests of the noise source (shared/numerics.md, section 12): on every code of the ADC, from the calibration on. A fault
stops training until the source has been healthy for a whole window. The intake calls them with every batch of codes.

The C firmware's counterpart is firmware/src/health.c.
"""

if False:
    from kinds import Limits, Noise

from array import array

import messages
import micropython
from micropython import const
from noise_limits import limits_at
from noise_look import Look

LOOK = const(128)
"""Newest codes that show the kind of a fault; a batch of up to 72 more may lie in the buffer."""
_FEW = const(32)
"""Codes of one level whose mean says nothing yet."""
_LEAST_SLACK = const(80)
"""As of a window of 512 codes: shorter ones of independent codes scatter more."""
_BUFFER = const(200)
"""messages.NOISE_BUFFER."""
_MOST_RUN = const(65535)

@micropython.viper
def _follow(codes: ptr16, first: int, count: int, junction: ptr16) -> int:
    # Of `junction`: state, history, lag, and the codes where it becomes 0 and 1. Returns four counts of 7 bits: ones, switches,
    # codes in another state than `lag` before, codes from the last switch on (as many as there are if there was none).
    state = int(junction[0])
    history = int(junction[1])
    lag = int(junction[2])
    low = int(junction[3])
    high = int(junction[4])
    begun = count
    ones = 0
    switches = 0
    different = 0
    left = count
    while left:
        code = int(codes[first])
        first += 1
        if state:
            if code <= low:
                state = 0
                switches += 1
                begun = left
        elif code >= high:
            state = 1
            switches += 1
            begun = left
        ones += state
        if state:
            if history & lag == 0:
                different += 1
        elif history & lag:
            different += 1
        history = (history << 1 | state) & 0xFFFF
        left -= 1
    junction[0] = state
    junction[1] = history
    return ones | switches << 7 | different << 14 | begun << 21


class Health:
    """The tests of one source.

    Attributes:
        fault: NOISE_FAULT_... now.
        last_fault: since the start.
        level_low, level_high: codes; high 0: not calibrated, no tests.
        run: codes since the last switch, at most 65,535.
        position: codes of this window.
        ones: of them in state 1.
        switches: among them.
        different: of them in another state than the code `lag` before.
        limits: Limits.
        full_scale: the largest code.
        last_ones, last_switches: of the last whole window.
        seen_low, seen_high: of the LOOK codes up to fault_code.
        faults: since the start, mod 2^16: how often a healthy source failed.
        windows: whole ones since the calibration.
        fault_code: number of the code at which the fault last began or changed its kind, mod 2^32.
    """

    def __init__(self, adc_rate: int, full_scale: int) -> None:
        """Not calibrated, with the limits of the paper's junction at this rate. `full_scale` is the largest code."""
        self.fault = self.last_fault = messages.NOISE_FAULT_NONE
        self.level_low = self.level_high = 0
        self.run = self.last_ones = self.last_switches = 0
        self.seen_low = self.seen_high = 0
        self.faults = self.windows = self.fault_code = 0
        self.full_scale = full_scale
        self._junction = array("H", bytes(10))
        self._look = Look()
        self._begin()
        self.limits = limits_at(adc_rate)

    def _begin(self) -> None:
        self.position = self.ones = self.switches = self.different = 0

    @property
    def state(self) -> int:
        """Of the junction, as the last code shows."""
        return self._junction[0]

    @property
    def lag(self) -> int:
        """Of this window: 1, 2, ... 16 codes as bit 0, 1, ... 15 of the states before."""
        return self._junction[2]

    def set_limits(self, limits: Limits) -> None:
        """Changes the limits: all counting begins again, a fault lasts on. Window 0 switches the tests off and ends a fault."""
        self.limits = limits
        if limits.repetitions < 2:
            limits.repetitions = 2
        self.run = 0
        self._begin()
        if limits.window == 0:
            self.forget()

    def forget(self) -> None:
        """Forgets levels and fault: no tests until calibrate(). Limits and what was counted since the start stay."""
        self.level_high = 0
        self.fault = messages.NOISE_FAULT_NONE

    def set_levels(self, low: int, high: int) -> None:
        """Begins the tests with levels from an earlier calibration, as a checkpoint has them; high 0: not calibrated."""
        self.level_low = low
        self.level_high = high if self.limits.window else 0
        margin = high - low + 1 >> 2
        junction = self._junction
        junction[0] = junction[1] = 0
        junction[2] = 1
        if high:
            junction[3] = low + margin
            junction[4] = high - margin
        self.run = 0
        self.windows = 0
        self._begin()

    def _has_moved(self, side: int) -> bool:
        """Whether the mean of one side is further from its level than a quarter of the split and half a code."""
        count = self._look.count(side)
        if count < _FEW:
            return False
        distance = abs(self._look.sum(side) - count * (self.level_high if side else self.level_low))
        return 4 * distance > count * (self.level_high - self.level_low + 2)

    def _kind_of(self, noise: Noise, age: int, most: int, held: bool) -> int:
        """The kind of fault that the codes show by themselves. `held`: all are from one run."""
        look = self._look
        low = self.level_low
        split = self.level_high - low
        count = look.at(noise, age, most, low + (split >> 1) & 0xFFFF, self.full_scale)
        if look.high == 0:
            return messages.NOISE_FAULT_SHORTED
        if look.low == self.full_scale:
            return messages.NOISE_FAULT_OPEN
        if look.ends >= count + 7 >> 3:
            return messages.NOISE_FAULT_SATURATING
        if self.level_high == 0:
            return messages.NOISE_FAULT_NONE
        if self._has_moved(0) or self._has_moved(1):
            return messages.NOISE_FAULT_DRIFTING
        if held and look.high - look.low >= split - (split >> 2):
            return messages.NOISE_FAULT_DRIFTING
        return messages.NOISE_FAULT_NONE

    def _tell(self, noise: Noise, kind: int, age: int, number: int) -> None:
        self._begin()
        if kind == self.fault:
            return
        if self.fault == messages.NOISE_FAULT_NONE:
            self.faults = self.faults + 1 & 0xFFFF
        self.fault = self.last_fault = kind
        self.fault_code = number & 0xFFFFFFFF
        look = self._look
        look.at(noise, age, LOOK, 0, 0)
        self.seen_low = look.low
        self.seen_high = look.high

    def silent(self, noise: Noise, number: int) -> None:
        """The converter is silent; `number` is that of its last code."""
        self._tell(noise, messages.NOISE_FAULT_SILENT, 0, number)

    def _find_levels(self, noise: Noise) -> bool:
        """Two-means clustering, and whether it explains four fifths of the variance."""
        look = self._look
        look.at(noise, 0, _BUFFER, 0, 0)
        least = look.low
        span = look.high - least
        if span < 2:
            return False
        up = down = 0
        while span << up < 128:
            up += 1
        while span >> down > 255:
            down += 1

        values = bytearray(_BUFFER)
        total = squares = 0
        for i in range(_BUFFER):
            value = noise.ring[i] - least << up >> down
            values[i] = value
            total += value
            squares += value * value
        threshold = total // _BUFFER
        for _ in range(4):
            sum_above = above = 0
            for value in values:
                if value > threshold:
                    sum_above += value
                    above += 1
            # Neither side is empty: the least value is 0, and the threshold is below the mean of those above it.
            below = _BUFFER - above
            sum_below = total - sum_above
            threshold = sum_below // below + sum_above // above >> 1

        parts = _square_over(sum_below, below) + _square_over(sum_above, above)
        between = parts - _square_over(total, _BUFFER)
        low = least + _mean_over(sum_below << down, below << up)
        high = least + _mean_over(sum_above << down, above << up)
        if high - low < 2 or between < 4 * (squares - parts):
            return False
        self.set_levels(low, high)
        return True

    def calibrate(self, noise: Noise, number: int) -> bool:
        """Takes the levels from the full noise buffer; `number` is that of its newest code. False, with a fault: it does not show
        two levels. Call again with 200 fresh codes then. With window 0 true and nothing done.
        """
        self.level_high = 0
        if self.limits.window == 0:
            return True
        if self._find_levels(noise):
            newest = noise.ring[(noise.position or _BUFFER) - 1]
            self._junction[0] = int(newest > self.level_low + (self.level_high - self.level_low >> 1))
            return True
        kind = self._kind_of(noise, 0, LOOK, False)
        self._tell(noise, kind or messages.NOISE_FAULT_STUCK, 0, number)
        return False

    def _count(self, codes: array[int], first: int, count: int) -> None:
        """Counts codes: this is all that most batches cost."""
        found = _follow(codes, first, count, self._junction)
        switches = found >> 7 & 127
        if switches:
            self.run = found >> 21
        else:
            run = self.run + count
            self.run = run if run < _MOST_RUN else _MOST_RUN
        self.switches += switches
        self.ones += found & 127
        self.different += found >> 14 & 127
        self.position += count

    def _kind_of_run(self, noise: Noise, age: int) -> int:
        # The last half: a run may have begun before the fault.
        half = self.limits.repetitions >> 1
        kind = self._kind_of(noise, age, half if half < LOOK else LOOK, True)
        if kind:
            return kind
        again = self.fault == messages.NOISE_FAULT_STUCK or self.fault == messages.NOISE_FAULT_TOO_SLOW
        return messages.NOISE_FAULT_TOO_SLOW if again else messages.NOISE_FAULT_STUCK

    def _is_periodic(self) -> bool:
        """Whether the states repeat or alternate with the window's lag."""
        window = self.limits.window
        slack = (window >> 3) + (window >> 5)
        if slack < _LEAST_SLACK:
            slack = _LEAST_SLACK
        return self.different < self.limits.switches_min or self.different > (window >> 1) + slack

    def _kind_of_window(self, noise: Noise, age: int) -> int:
        limits = self.limits
        self.last_ones = self.ones
        self.last_switches = self.switches
        self.windows += 1
        kind = self._kind_of(noise, age, LOOK, False)
        if kind:
            return kind
        if self.switches < limits.switches_min or self.run >= limits.repetitions:
            return messages.NOISE_FAULT_TOO_SLOW if self.switches else messages.NOISE_FAULT_STUCK
        if self.ones < limits.ones_min or self.ones > limits.ones_max:
            return messages.NOISE_FAULT_STUCK
        return messages.NOISE_FAULT_PERIODIC if self._is_periodic() else messages.NOISE_FAULT_NONE

    def _end_window(self, noise: Noise, age: int, number: int) -> None:
        kind = self._kind_of_window(noise, age)
        if kind:
            self._tell(noise, kind, age, number)
        else:
            self.fault = messages.NOISE_FAULT_NONE
            lag = self._junction[2] << 1 & 0xFFFF
            self._junction[2] = lag or 1
        self._begin()

    def _codes_left(self) -> int:
        """Codes until a test may end."""
        left = self.limits.window - self.position
        run = self.run
        repetitions = self.limits.repetitions
        if left > repetitions:
            left = repetitions
        if run < repetitions and left > repetitions - run:
            left = repetitions - run
        return left

    def take(self, noise: Noise, codes: array[int], count: int, number: int) -> None:
        """Tests up to 72 codes that are already in the noise buffer, the newest last. `number` is that of the first of them."""
        if self.level_high == 0:
            return
        if count < self._codes_left():
            self._count(codes, 0, count)
            return
        first = 0
        while first < count:
            left = self._codes_left()
            before = self.run
            piece = count - first if count - first < left else left
            self._count(codes, first, piece)
            first += piece
            age = count - first
            if self.run == self.limits.repetitions and not before == self.run == _MOST_RUN:
                self._tell(noise, self._kind_of_run(noise, age), age, number + first - 1)
            if self.position == self.limits.window:
                self._end_window(noise, age, number + first - 1)


def _square_over(total: int, count: int) -> int:
    # total * total // count, from factors that keep every product below 2^30.
    mean, rest = divmod(total, count)
    return mean * mean * count + 2 * mean * rest + rest * rest // count


def _mean_over(total: int, count: int) -> int:
    return (total + (count >> 1)) // count
