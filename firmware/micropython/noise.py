"""The noise buffer (shared/numerics.md, sections 2 and 3): 200 ADC codes, their calibration, and the noise values of a step.

The C firmware's counterpart is firmware/lib/anp/src/anp_noise.c.
"""

if False:
    from kinds import Halves

import array

import micropython
from halves import halves
from micropython import const

NOISE_BUFFER = const(200)
_MIN_DEVIATION = const(50)
_SCALED_BITS = const(13)

# Places in Noise.state.
_TOTAL = const(0)
_POSITION = const(1)
_FILLED = const(2)
_GAIN = const(3)
_DOWN = const(4)
_UP = const(5)
_RECEIVED = const(6)

# Places in the plan of a network (learner.py).
_UNITS = const(0)
_ANTITHETIC = const(3)
_STOCHASTIC = const(4)
_VALUES = const(8)
_WORD = const(14)
_SATURATIONS = const(15)
_NOISY = const(26)


@micropython.viper
def put_codes(ring: object, state: object, codes: object, at: int, count: int) -> object:
    """`count` codes from place `at` on become the newest of the ring."""
    r = ptr16(ring)
    s = ptr32(state)
    c = ptr16(codes)
    total = s[_TOTAL]
    position = s[_POSITION]
    for i in range(at, at + count):
        code = c[i]
        total += code - r[position]
        r[position] = code
        position += 1
        if position == NOISE_BUFFER:
            position = 0
    s[_TOTAL] = total
    s[_POSITION] = position
    filled = s[_FILLED] + count
    if filled > NOISE_BUFFER:
        filled = NOISE_BUFFER
    s[_FILLED] = filled
    low = s[_RECEIVED] + count
    s[_RECEIVED] = low & 65535
    s[_RECEIVED + 1] = (s[_RECEIVED + 1] + (low >> 16)) & 65535


@micropython.viper
def random_next(state: object) -> object:
    """xorshift32 (section 2) on two halves of a state that is not 0."""
    s = ptr16(state)
    low = s[0]
    high = s[1]
    high ^= ((high << 13) | (low >> 3)) & 65535
    low ^= (low << 13) & 65535
    low ^= high >> 1
    high ^= ((high << 5) | (low >> 11)) & 65535
    s[0] = low ^ ((low << 5) & 65535)
    s[1] = high


@micropython.viper
def random_skip(state: object, count: int) -> object:
    """The same `count` times, in one loop: there may be millions, and a watchdog waits."""
    s = ptr16(state)
    low = s[0]
    high = s[1]
    while count:
        count -= 1
        high ^= ((high << 13) | (low >> 3)) & 65535
        low ^= (low << 13) & 65535
        low ^= high >> 1
        high ^= ((high << 5) | (low >> 11)) & 65535
        low ^= (low << 5) & 65535
    s[0] = low
    s[1] = high


@micropython.viper
def draw_noise(plan: object, arena: object, random: object, ring: object, state: object) -> object:
    """The draw of a step: its noise values, N for each pass, and its first dither word. Only the first units may have noise."""
    p = ptr32(plan)
    a = ptr16(arena)
    draw = ptr16(random)
    r = ptr16(ring)
    s = ptr32(state)
    random_next(random)
    position = ((draw[1] >> 8) * NOISE_BUFFER) >> 8
    k = ((draw[1] & 255) * 5) >> 4
    stride = 10 * (k >> 2) + 1 + 2 * (k & 3)
    if k & 2:
        stride += 2
    p[_WORD] = draw[0] if p[_STOCHASTIC] else 32768
    total = s[_TOTAL]
    up = s[_UP]
    down = s[_DOWN]
    limit = 32767 >> up
    half = s[_GAIN] >> 1
    odd = s[_GAIN] & 1
    units = p[_UNITS]
    antithetic = p[_ANTITHETIC]
    noisy = p[_NOISY]
    first = p[_VALUES]
    end = first + units
    if not antithetic:
        end += units
    cut = 0
    to = first
    while to < end:
        for i in range(to, to + noisy):
            v = (NOISE_BUFFER * r[position] - total) >> down
            position += stride
            if position >= NOISE_BUFFER:
                position -= NOISE_BUFFER
            if v > limit:
                v = 32767
                cut += 1
            elif v < -limit:
                v = -32767
                cut += 1
            else:
                v <<= up
            v = (v * half + ((v * odd + 32768) >> 1)) >> 15
            a[i] = v & 65535
            if antithetic:
                a[i + units] = -v & 65535
        to += units
    for i in range(first + noisy, first + units):
        a[i] = 0
        a[i + units] = 0
    p[_SATURATIONS] = cut


class Noise:
    """The newest 200 codes, and how they become noise values."""

    def __init__(self) -> None:
        self.ring = halves(NOISE_BUFFER)
        self.state = array.array("i", bytes(4 * 8))
        self.init()

    def init(self) -> None:
        """Empty, and not calibrated."""
        for i in range(NOISE_BUFFER):
            self.ring[i] = 0
        for i in range(len(self.state)):
            self.state[i] = 0
        self.deviation = 0

    def put_all(self, codes: Halves, at: int, count: int) -> None:
        """Puts `count` codes of an array of uint16, from place `at` on, the oldest first. Only between training steps: that is
        when new codes may become visible.
        """
        put_codes(self.ring, self.state, codes, at, count)

    def ready(self) -> bool:
        """Whether the ring is full."""
        return self.state[_FILLED] == NOISE_BUFFER

    def calibrate(self, sigma: int, noise_std: int) -> bool:
        """Fixes gain and shift for sigma (Q4.12). `noise_std` in Q8.8 codes, or 0 to measure the ring, which must then be full.
        False when there is no noise (deviation under 50, a quarter of a code); `deviation` shows what was seen.
        """
        return self._calibrate_by(sigma, (noise_std * NOISE_BUFFER) >> 8 if noise_std else self._measured())

    def calibrated(self) -> bool:
        """Whether there are gain and shift."""
        return self.state[_GAIN] != 0

    def restore(self, sigma: int, deviation: int, position: int) -> None:
        """A calibration of before, by its deviation (below 50: none), and an empty ring whose first code goes to `position`: the
        state after a restored checkpoint (section 11).
        """
        self.init()
        self.state[_POSITION] = position
        self._calibrate_by(sigma, deviation)

    def forget(self) -> None:
        """Forgets the calibration, as a new configuration must."""
        self.state[_GAIN] = 0
        self.deviation = 0

    def _measured(self) -> int:
        # sum of (200 c - total)^2 // 200 = 200 sum of (c - mean)^2 - rest^2, exactly, with total = 200 mean + rest. Numbers of any
        # size come only here, outside of the training steps.
        total = self.state[_TOTAL]
        mean = total // NOISE_BUFFER
        rest = total - NOISE_BUFFER * mean
        squares = 0
        for code in self.ring:
            squares += (code - mean) ** 2
        return isqrt(NOISE_BUFFER * squares - rest * rest)

    def _calibrate_by(self, sigma: int, d: int) -> bool:
        state = self.state
        self.deviation = d
        state[_GAIN] = 0
        if d < _MIN_DEVIATION:
            return False
        shift = bits_of(d) - _SCALED_BITS
        state[_DOWN] = max(shift, 0)
        state[_UP] = max(-shift, 0)
        scaled = (d >> state[_DOWN]) << state[_UP]
        state[_GAIN] = ((sigma << 16) + (scaled >> 1)) // scaled
        return True

    @property
    def total(self) -> int:
        """Sum of the ring."""
        return self.state[_TOTAL]

    @property
    def received(self) -> int:
        """Codes put so far, mod 2^32."""
        return self.state[_RECEIVED + 1] << 16 | self.state[_RECEIVED]

    @received.setter
    def received(self, count: int) -> None:
        self.state[_RECEIVED] = count & 65535
        self.state[_RECEIVED + 1] = count >> 16

    @property
    def gain(self) -> int:
        """0: not calibrated."""
        return self.state[_GAIN]

    @property
    def shift(self) -> int:
        """The s of section 3."""
        return self.state[_DOWN] - self.state[_UP]

    @property
    def position(self) -> int:
        """Of the oldest code: the next one goes here."""
        return self.state[_POSITION]

    @property
    def filled(self) -> int:
        """Codes in the ring. Set to 0 it begins to fill again."""
        return self.state[_FILLED]

    @filled.setter
    def filled(self, count: int) -> None:
        self.state[_FILLED] = count


def isqrt(value: int) -> int:
    """Largest integer whose square is at most `value`."""
    root = 0
    bit = 1 << (bits_of(value) & ~1)
    while bit:
        if value >= root + bit:
            value -= root + bit
            root = (root >> 1) + bit
        else:
            root >>= 1
        bit >>= 2
    return root


def bits_of(value: int) -> int:
    """Bit length of `value` >= 0."""
    bits = 0
    while value >> bits:
        bits += 1
    return bits
