"""Loss functions (shared/numerics.md, sections 5 and 9).

The C firmware's counterpart is firmware/lib/anp/src/anp_loss.c.
"""

import micropython
from micropython import const
from tables import EXP2NEG, LOG2

# Places in the plan of a network (learner.py).
_UNITS = const(0)
_OUTPUTS = const(13)
_SATURATIONS = const(15)
_LOSS = const(18)
_CROSS_ENTROPY = const(23)


@micropython.viper
def squared_loss(plan: object, arena: object, y: int, values: object, target: int, passes: int) -> object:
    """Losses of `passes` passes, the outputs of the first at `y` of the arena and each next one's N before, into the plan."""
    p = ptr32(plan)
    a = ptr16(arena)
    t = ptr16(values)
    outputs = p[_OUTPUTS]
    cut = 0
    for to in range(_LOSS, _LOSS + 2 * passes, 2):
        high = 0
        low = 0
        for k in range(outputs):
            e = (a[y + k] ^ 32768) - (t[target + k] ^ 32768)
            if e > 32767:
                e = 32767
                cut += 1
            elif e < -32767:
                e = -32767
                cut += 1
            e *= e
            high += e >> 16
            low += e & 65535
        high += low >> 16
        low &= 65535
        if high > 32767:
            high = 32767
            low = 65535
            cut += 1
        p[to] = low
        p[to + 1] = high
        y -= p[_UNITS]
    p[_SATURATIONS] += cut


@micropython.viper
def interpolate(table: object, f: int) -> int:
    """Second-order interpolation (section 9) at f in Q.20."""
    entry = ptr16(table)
    i = f >> 14
    t = f & 16383
    q = (t * (16384 - t)) >> 15
    t0 = entry[i]
    first = entry[i + 1] - t0
    second = entry[i + 2] - entry[i + 1] - first
    first = ((first & 65535) ^ 32768) - 32768
    second = ((second & 65535) ^ 32768) - 32768
    return 16 * t0 + ((first * t - second * q + 512) >> 10)


@micropython.viper
def cross_entropy(plan: object, arena: object, y: int, values: object, target: int, passes: int) -> object:
    """As squared_loss(), the target a class alone."""
    p = ptr32(plan)
    a = ptr16(arena)
    t = ptr16(values)
    outputs = p[_OUTPUTS]
    for to in range(_LOSS, _LOSS + 2 * passes, 2):
        highest = 0
        for k in range(y, y + outputs):
            v = a[k] ^ 32768
            if v > highest:
                highest = v
        # e_k, and their sum in halves
        high = 0
        low = 0
        for k in range(y, y + outputs):
            d = highest - (a[k] ^ 32768)
            # d times log2(e): 23637 * 2^16 + 7573 in Q.30
            u = (d * 11818 + ((d + (d * 7573 >> 16) + 32) >> 1)) >> 5
            f = u & 1048575
            e = 16777216 - 8 * f - int(interpolate(EXP2NEG, f))
            u >>= 20
            if u:
                e = (e + (1 << (u - 1))) >> u
            high += e >> 16
            low += e & 65535
        high += low >> 16
        low &= 65535
        n = 0
        while high >> (n + 9):
            n += 1
        high -= 256 << n
        f = (high << (12 - n)) + ((low + (8 << n)) >> (4 + n))
        v = (n << 24) + 16 * f + 2 * int(interpolate(LOG2, f))
        # v times ln(2): 11356 * 2^16 + 4 * 8575 + 2 in Q.30
        high = v >> 16
        low = v & 65535
        v = high * 34302 + low * 11356 + ((low * 8575 + (low >> 1)) >> 14)
        v = 4 * (high * 11356) + ((v + 8192) >> 14) + (highest - (a[y + t[target]] ^ 32768)) * 4096
        p[to] = v & 65535
        p[to + 1] = v >> 16
        y -= p[_UNITS]


@micropython.viper
def largest(values: object, at: int, count: int) -> int:
    """Which of `count` int16 values from place `at` on is the first largest."""
    v = ptr16(values)
    best = 0
    for k in range(1, count):
        if (v[at + k] ^ 32768) > (v[at + best] ^ 32768):
            best = k
    return best


@micropython.viper
def is_correct(plan: object, arena: object, y: int, values: object, target: int) -> int:
    """Whether the outputs at `y` of the arena classify the sample rightly (section 5)."""
    p = ptr32(plan)
    a = ptr16(arena)
    t = ptr16(values)
    outputs = p[_OUTPUTS]
    best = int(largest(arena, y, outputs))
    if p[_CROSS_ENTROPY]:
        wanted = t[target]
    elif outputs > 1:
        wanted = int(largest(values, target, outputs))
    else:
        best = a[y] >> 15
        wanted = t[target] >> 15
    return 1 if best == wanted else 0
