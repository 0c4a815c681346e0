"""The global factor and the update of the weights (shared/numerics.md, sections 6 and 7), and the end of a step (section 10).

The C firmware's counterpart is firmware/lib/anp/src/anp_update.c.
"""

import micropython
from micropython import const

# Places in the plan of a network (learner.py).
_WIDE = const(2)
_STOCHASTIC = const(4)
_NORMALISED = const(5)
_ETA = const(6)
_ETA_BITS = const(7)
_VALUES = const(8)
_WORD = const(14)
_SATURATIONS = const(15)
_FACTOR = const(16)
_EXPONENT = const(17)
_LOSS = const(18)
_FIRST = const(33)
_LAYER = const(6)
_INPUTS = const(0)
_LAYER_UNITS = const(1)
_ROWS = const(2)
_INPUT = const(4)
_DIFFERENCE = const(5)
_NOISY = const(26)
_BEGIN = const(27)
_END = const(28)

_INCREMENT = const(40503)
_MAX_SHIFT = const(30)


@micropython.viper
def bits_below(v: int) -> int:
    """Bit length of 0 <= v < 2^30."""
    bits = 0
    if v > 65535:
        bits = 16
        v >>= 16
    if v > 255:
        bits += 8
        v >>= 8
    while v:
        bits += 1
        v >>= 1
    return bits


@micropython.viper
def global_factor(plan: object, arena: object) -> int:
    """G = eta N dL / S as -g 2^E (section 6). 0: the step is skipped; 1: g and E are in the plan; 2: eta N is 0."""
    p = ptr32(plan)
    a = ptr16(arena)
    high = 0
    low = 0
    for i in range(p[_VALUES], p[_VALUES] + p[_NOISY]):
        v = (a[i] ^ 32768) - 32768
        v *= v
        high += v >> 16
        low += v & 65535
    high += low >> 16
    low &= 65535
    if high > 65535:
        high = 65535
        low = 65535
        p[_SATURATIONS] += 1
    dl_low = p[_LOSS] - p[_LOSS + 2]
    dl_high = p[_LOSS + 1] - p[_LOSS + 3] + (dl_low >> 16)
    dl_low &= 65535
    descends = 1
    if dl_high < 0:
        descends = 0
        dl_low = -dl_low
        dl_high = -dl_high + (dl_low >> 16)
        dl_low &= 65535
    if not (high | low) or not (dl_high | dl_low):
        return 0
    if not p[_ETA_BITS]:
        return 2
    # norm16 of S, then of dL, each with its bits
    if high:
        s_bits = int(bits_below(high))
        s = (high << (16 - s_bits)) | (low >> s_bits)
        s_bits += 16
    else:
        s_bits = int(bits_below(low))
        s = low << (16 - s_bits)
    if dl_high:
        bits = int(bits_below(dl_high))
        v = (dl_high << (16 - bits)) | (dl_low >> bits)
        bits += 16
    else:
        bits = int(bits_below(dl_low))
        v = dl_low << (16 - bits)
    v <<= 14
    q = v // s
    v = 2 * (v - q * s)
    q += q
    if v >= s:
        q += 1
    eta = p[_ETA]
    # p >> 8 of section 6, which has 22 to 24 bits
    v = q * (eta >> 8) + ((q * (eta & 255)) >> 8)
    excess = 7
    while v >> (excess + 15):
        excess += 1
    v >>= excess
    p[_FACTOR] = (-v if descends else v) & 65535
    p[_EXPONENT] = (excess + 23 + bits - s_bits + p[_ETA_BITS] - 74) & 65535
    return 1


@micropython.viper
def update_weights(plan: object, arena: object, values: object, x: int) -> object:
    """Updates of the layers that the plan names (section 7), that of the first from the sample at `x` of `values`."""
    p = ptr32(plan)
    a = ptr16(arena)
    g = (p[_FACTOR] ^ 32768) - 32768
    exponent = (p[_EXPONENT] ^ 32768) - 32768
    increment = _INCREMENT if p[_STOCHASTIC] else 0
    word = p[_WORD]
    wide = p[_WIDE]
    cut = 0
    for layer in range(_FIRST + _LAYER * p[_BEGIN], _FIRST + _LAYER * p[_END], _LAYER):
        n = p[layer + _INPUTS]
        units = p[layer + _LAYER_UNITS]
        difference = p[layer + _DIFFERENCE]
        at = p[layer + _INPUT]
        s = ptr16(arena)
        if not at:
            at = x
            s = ptr16(values)
        k = -12 - exponent
        if p[_NORMALISED]:
            high = 255
            low = 65535
            for j in range(at, at + n):
                v = (s[j] ^ 32768) - 32768
                v *= v
                high += v >> 16
                low += v & 65535
            high += low >> 16
            high >>= 8
            while high:
                k += 1
                high >>= 1
        largest = 0
        for i in range(difference, difference + units):
            v = (a[i] ^ 32768) - 32768
            if v < 0:
                v = -v
            largest |= v
        width = 0
        while largest:
            width += 1
            largest >>= 1
        fraction = 24
        while k < width and fraction > 8:
            fraction -= 8
            k += 8
        if k < width:
            k = width
            p[_SATURATIONS] += 1
        if k > _MAX_SHIFT:
            v = (units * (n + 2)) & 65535
            word = (word + (v & 255) * increment + ((((v >> 8) * increment) & 255) << 8)) & 65535
        else:
            r = p[layer + _ROWS]
            end = at + n
            if wide:
                # With 28 fraction bits only 24 of a coefficient's leave anything to round.
                down = 8 if fraction == 24 else 0
                dither = 8 if fraction == 24 else 16
                mask = 255 if fraction == 8 else 65535
                up = 8 if fraction == 8 else 0
            else:
                down = 8 if fraction == 24 else 0
                dither = 8 if fraction == 8 else 0
                mask = 255 if fraction == 8 else 65535
                up = 8 if fraction == 8 else 16
            for i in range(difference, difference + units):
                c = g * ((a[i] ^ 32768) - 32768)
                if k < 16:
                    c = (c + (word >> (16 - k))) >> k
                else:
                    c >>= k - 16
                    c = (c >> 16) + (((c & 65535) + word) >> 16)
                word = (word + increment) & 65535
                for j in range(at, end + 1):
                    v = c << 12
                    if j != end:
                        v = c * ((s[j] ^ 32768) - 32768)
                    if wide:
                        v = (v + (word >> dither)) >> down
                        low = a[r] + ((v & mask) << up)
                        v = ((a[r + 1] ^ 32768) - 32768) + (v >> (16 - up)) + (low >> 16)
                        low &= 65535
                        if v > 32767:
                            v = 32767
                            low = 65535
                            cut += 1
                        elif v < -32768 or (v == -32768 and not low):
                            v = -32768
                            low = 1
                            cut += 1
                        a[r] = low
                        r += 1
                    else:
                        # A product and a dither word together can be 2^30: only the product's lowest bits are added to.
                        v >>= down
                        v = ((a[r] ^ 32768) - 32768) + (v >> up) + (((v & mask) + (word >> dither)) >> up)
                        if v > 32767:
                            v = 32767
                            cut += 1
                        elif v < -32767:
                            v = -32767
                            cut += 1
                    a[r] = v & 65535
                    r += 1
                    word = (word + increment) & 65535
    p[_WORD] = word
    p[_SATURATIONS] += cut


@micropython.viper
def count_step(plan: object, counters: object, skipped: int) -> object:
    """The end of a step, whose loss is that of pass 1 (section 10). The counters are halves, as Network.counters has them."""
    p = ptr32(plan)
    c = ptr16(counters)
    low = c[2] + p[_SATURATIONS]
    c[2] = low & 65535
    c[3] = (c[3] + (low >> 16)) & 65535
    low = c[4] + 1
    c[4] = low & 65535
    c[5] = (c[5] + (low >> 16)) & 65535
    low = c[6] + skipped
    c[6] = low & 65535
    c[7] = (c[7] + (low >> 16)) & 65535
    low = p[_LOSS]
    c[8] = low
    high = p[_LOSS + 1]
    c[9] = high
    low += c[10]
    c[10] = low & 65535
    high += c[11] + (low >> 16)
    c[11] = high & 65535
    high = c[12] + (high >> 16)
    c[12] = high & 65535
    c[13] = (c[13] + (high >> 16)) & 65535
