"""Golden cases of every primitive of numerics.md, from exact rationals and integers.

Nothing here is shared with an implementation: shifts are written as floors of fractions, tables come from 50 decimal
digits.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

getcontext().prec = 50

Case = list[Any]
ONE = 4096
LIMIT16 = 32767
LIMIT32 = 2**31 - 1
STOCHASTIC = 1


def clip(value: int, low: int, high: int) -> int:
    """Section 1: limits."""
    return min(max(value, low), high)


def sat16(value: int) -> int:
    """Section 1."""
    return clip(value, -LIMIT16, LIMIT16)


def sat32(value: int) -> int:
    """Section 1."""
    return clip(value, -LIMIT32, LIMIT32)


def floor_div(value: int, shift: int) -> int:
    """Divides by 2^shift, rounding down; a negative shift multiplies."""
    return math.floor(Fraction(value) / Fraction(2) ** shift)


def nearest(value: Fraction) -> int:
    """The nearest integer, halves up."""
    return math.floor(value + Fraction(1, 2))


def rounded(value: int, shift: int) -> int:
    """Section 1: ``round``."""
    return nearest(Fraction(value, 2**shift))


def bits(value: int) -> int:
    """Smallest n with value < 2^n."""
    n = 0
    while value >= 2**n:
        n += 1
    return n


def mantissa(value: int, size: int) -> int:
    """The leading bits of a positive value as an integer of exactly ``size`` bits."""
    return floor_div(value, bits(value) - size)


def xorshift32(state: int) -> int:
    """Section 2."""
    state ^= state * 2**13 % 2**32
    state ^= state // 2**17
    state ^= state * 2**5 % 2**32
    return state


def draw(r: int) -> Case:
    """Section 2: start, stride and dither of a step."""
    start = r // 2**24 * 200 // 256
    coprime = [n for n in range(200) if math.gcd(n, 200) == 1]
    return [start, coprime[r // 2**16 % 256 * 5 // 16], r % 2**16]


def initial_limit(fan_in: int) -> int:
    """Section 2."""
    return math.isqrt(3 * 2**24 // fan_in)


def initial_weights(seed: int, sizes: list[int]) -> tuple[list[int], int]:
    """Section 2: int16 parameters in order, and the state after the last draw."""
    weights, state = [], seed
    for fan_in, units in pairwise(sizes):
        for _ in range(units):
            for _ in range(fan_in):
                state = xorshift32(state)
                upper = state // 2**16
                weights.append(rounded((upper - 2**16 if upper >= 2**15 else upper) * initial_limit(fan_in), 15))
            weights.append(0)
    return weights, state


def measured_deviation(ring: list[int]) -> int:
    """Section 3: ``d`` of a full ring."""
    total = sum(ring)
    return math.isqrt(sum((200 * code - total) ** 2 for code in ring) // 200)


def noise_gain(deviation: int, sigma: int) -> Case:
    """Section 3: gain and ``s``."""
    shift = bits(deviation) - 13
    scaled = floor_div(deviation, shift)
    return [min((sigma * 65536 + scaled // 2) // scaled, 65535), shift]


def noise_value(code: int, total: int, gain: int, shift: int) -> int:
    """Section 3."""
    return rounded(sat16(floor_div(200 * code - total, shift)) * gain, 16)


def dither(word: int, count: int) -> int:
    """Section 7: ``dith``."""
    return floor_div(word, 16 - count)


def pre_activation(weight_format: int, row: list[int], x: list[int]) -> int:
    """Section 4: ``z`` of one unit."""
    readable = [floor_div(w, 16) for w in row] if weight_format else row
    return sat16(rounded(sum(w * each for w, each in zip(readable, [*x, ONE], strict=True)), 12))


def leaky_relu(a: int) -> int:
    """Section 4."""
    return a if a >= 0 else -(-a // 128)


PLACES = [Decimal(i) / 64 for i in range(67)]
EXP2NEG = [int((2**20 * (1 - x / 2 - Decimal(2) ** -x)).to_integral_value()) for x in PLACES]
LOG2 = [int((2**19 * ((1 + x).ln() / Decimal(2).ln() - x)).to_integral_value()) for x in PLACES]


def interpolate(table: list[int], f: int) -> int:
    """Section 9."""
    i, t = divmod(f, 2**14)
    q = t * (2**14 - t) // 2**15
    first = table[i + 1] - table[i]
    second = table[i + 2] - 2 * table[i + 1] + table[i]
    return 16 * table[i] + rounded(first * t - second * q, 10)


def exp2neg(f: int) -> int:
    """Section 9."""
    return 2**24 - 8 * f - interpolate(EXP2NEG, f)


def log2table(f: int) -> int:
    """Section 9."""
    return 16 * f + 2 * interpolate(LOG2, f)


def squared_loss(y: list[int], t: list[int]) -> int:
    """Section 5."""
    return min(sum(sat16(a - b) ** 2 for a, b in zip(y, t, strict=True)), LIMIT32)


def cross_entropy_loss(y: list[int], target: int) -> int:
    """Section 5."""
    largest = max(y)
    total = 0
    for each in y:
        whole, part = divmod(rounded((largest - each) * 1549082005, 22), 2**20)
        total += rounded(exp2neg(part), whole) if whole <= 24 else 0
    n = bits(total) - 25
    log2 = n * 2**24 + log2table(rounded(total - 2 ** (24 + n), 4 + n))
    return rounded(log2 * 744261118, 30) + (largest - y[target]) * 4096


def is_correct(loss: int, y: list[int], t: list[int]) -> int:
    """Section 5."""
    if loss:
        return int(y.index(max(y)) == t[0])
    if len(y) == 1:
        return int((y[0] >= 0) == (t[0] >= 0))
    return int(y.index(max(y)) == t.index(max(t)))


def global_factor(loss_difference: int, energy: int, eta_units: int) -> Case:
    """Section 6: ``g`` and ``E``; asserts that they are eta N dL / S."""
    size = abs(loss_difference)
    q = mantissa(size, 16) * 2**15 // mantissa(energy, 16)
    p = q * mantissa(eta_units, 16)
    exponent = (bits(p) - 15) - 15 + (bits(size) - 16) - (bits(energy) - 16) + (bits(eta_units) - 16 - 28)
    g = mantissa(p, 15)
    exact = Fraction(eta_units * size, energy * 2**28)
    assert abs(g * Fraction(2) ** exponent / exact - 1) < Fraction(1, 2**12), (loss_difference, energy, eta_units)
    return [-g if loss_difference > 0 else g, exponent]


def step_exponent(x: list[int]) -> int:
    """Section 7: ``h``."""
    h = 0
    while 2 ** (24 + h) < 2**24 + sum(each * each for each in x):
        h += 1
    return h


def block_exponent(h: int, exponent: int, largest: int) -> Case:
    """Section 7: ``s``, ``k`` and whether a saturation is counted."""
    for s in (24, 16, 8):
        if 12 + h - exponent - s >= largest:
            return [s, 12 + h - exponent - s, 0]
    return [8, largest, 1]


def coefficient(g: int, da: int, word: int, k: int) -> int:
    """Section 7: ``c``."""
    return floor_div(g * da + dither(word, k), k)


def update_int16(w: int, c: int, x: int, word: int, s: int) -> int:
    """Section 7."""
    return sat16(w + floor_div(c * x + dither(word, s), s))


def update_int32(w: int, c: int, x: int, word: int, s: int) -> int:
    """Section 7."""
    return sat32(w + (floor_div(c * x + dither(word, 8), 8) if s == 24 else c * x * 2 ** (16 - s)))


def update_matrix(matrix: list[list[int]], xbar: list[int], rate: int, rounding: int, word: int) -> list[list[int]]:
    """Section 8: the new R."""
    n = len(xbar)
    k = 37 - bits(rate)
    advance = 40503 if rounding == STOCHASTIC else 0
    u = [rounded(sum(matrix[i][j] * xbar[i] for i in range(n)), 14) for j in range(n)]
    updated = [list(row) for row in matrix]
    for i in range(n):
        c = -floor_div(xbar[i] * mantissa(rate, 15) + dither(word, k), k)
        word = (word + advance) % 2**16
        for j in range(n):
            others = sat16(u[j] - rounded(xbar[i] * matrix[i][j], 14))
            updated[i][j] = sat16(matrix[i][j] + floor_div(c * others + word, 16))
            word = (word + advance) % 2**16
    return updated


def primitives() -> dict[str, dict[str, Any]]:
    """All cases by primitive: the section, what the numbers of a case are, and the cases."""
    rng = random.Random(1)
    entries: dict[str, dict[str, Any]] = {}

    def add(name: str, section: int, arguments: str, results: str, cases: Iterable[Case]) -> None:
        entries[name] = {
            "section": section,
            "arguments": arguments.split(),
            "results": results.split(),
            "cases": list(cases),
        }

    def signed(limit: int = LIMIT16) -> int:
        """Any size equally likely, either sign."""
        return clip(rng.choice((-1, 1)) * rng.getrandbits(rng.randint(1, limit.bit_length())), -limit, limit)

    def row(count: int, limit: int = LIMIT16) -> list[int]:
        return [signed(limit) for _ in range(count)]

    def word() -> int:
        return rng.choice((0, 1, 32767, 32768, 65535, rng.getrandbits(16), rng.getrandbits(16)))

    edges = [0, 1, -1, 2, -2, 32766, 32767, 32768, 65535, -32767, -32768, -32769, -65536, 2**31 - 1, 2**31, -(2**31)]
    lengths = sorted({max(2**n + d, 0) for n in (0, 1, 2, 7, 8, 14, 15, 16, 17, 23, 24, 31, 32, 39) for d in (-1, 0, 1)})

    add("sat16", 1, "v", "value", [[v, sat16(v)] for v in edges])
    add("sat32", 1, "v", "value", [[v, sat32(v)] for v in [*edges, 2**31 + 1, 1 - 2**31, -1 - 2**31, 2**45, -(2**45)]])
    add(
        "round",
        1,
        "v s",
        "value",
        [[v, s, rounded(v, s)] for s in (0, 1, 7, 12, 13, 16) for v in (*edges, 2**s // 2, 3 * 2**s // 2, -(2**s) // 2)],
    )
    add("bits", 1, "v", "n", [[v, bits(v)] for v in lengths])
    add(
        "norm16",
        6,
        "v",
        "mantissa",
        [[v, mantissa(v, 16)] for v in (*lengths[1:], *(rng.getrandbits(40) for _ in range(9)))],
    )
    roots = [0, 1, 2, 3, 4, 65535**2 - 1, 65535**2, 2**32 - 1, 3 * 2**24, (200 * 65535) ** 2, 2**46 - 1, 2**46]
    add("isqrt", 1, "v", "root", [[v, math.isqrt(v)] for v in roots])
    states = [1, 2, 2**31, 2**32 - 1, 123456789, *(rng.getrandbits(32) | 1 for _ in range(10))]
    add("xorshift32", 2, "state", "next", [[v, xorshift32(v)] for v in states])
    draws = [0, 2**32 - 1, *(v << 16 for v in range(0, 256, 15)), *(rng.getrandbits(32) for _ in range(12))]
    add("draw", 2, "r", "start stride dither", [[v, *draw(v)] for v in draws])
    add(
        "initial_limit",
        2,
        "fan_in",
        "limit",
        [[n, initial_limit(n)] for n in (1, 2, 3, 4, 8, 30, 32, 64, 100, 1023, 1024)],
    )
    add(
        "initial_weights",
        2,
        "seed sizes",
        "weights_int16 state",
        [[s, z, *initial_weights(s, z)] for s, z in ((1, [2, 2, 2, 1]), (2**32 - 1, [1, 1]), (77, [4, 8, 3]))],
    )

    rings = [
        [512 + (i % 2) for i in range(200)],
        [65535 * (i % 2) for i in range(200)],
        [1000 + (i == 17) for i in range(200)],
        [327 * i for i in range(200)],
        [700] * 200,
        [rng.randint(100, 180) for _ in range(200)],
    ]
    add("measured_deviation", 3, "ring", "d", [[ring, measured_deviation(ring)] for ring in rings])
    add("configured_deviation", 3, "noise_std", "d", [[v, v * 200 // 256] for v in (1, 63, 64, 65, 256, 4813, 65535)])
    gains = [(d, s) for d in (50, 63, 64, 100, 4095, 4096, 8191, 8192, 9999, 51199, 6553500) for s in (16, 128, 4095)]
    add("noise_gain", 3, "d sigma", "gain s", [[d, s, *noise_gain(d, s)] for d, s in gains])
    values: list[Case] = []
    for ring in rings[:4] + rings[5:]:
        total, deviation = sum(ring), measured_deviation(ring)
        for code in {min(ring), max(ring), ring[50], 0, 65535} if deviation >= 50 else ():
            gain, shift = noise_gain(deviation, rng.choice((16, 128, 2048, 4095)))
            values.append([code, total, gain, shift, noise_value(code, total, gain, shift)])
    add("noise_value", 3, "code total gain s", "n", values)

    formats: list[Case] = []
    for weight_format, limit in ((0, LIMIT16), (1, LIMIT32)):
        for sign in (1, -1):
            formats.append([weight_format, [limit] * 65, [sign * LIMIT16] * 64])
            formats.append([weight_format, [sign * limit] * 64 + [-sign * limit], [LIMIT16] * 64])
            formats.append([weight_format, [limit, -limit] * 32 + [sign * limit], [LIMIT16] * 64])
            formats.append([weight_format, [sign * limit] * 3, [LIMIT16] * 2])
        formats += [[weight_format, row(n + 1, limit // 4), row(n)] for n in (1, 1, 2, 2, 3, 4, 4, 8, 8, 64)]
        formats += [[weight_format, [half * (1 + 65535 * weight_format), 0], [1]] for half in (2047, 2048, -2048, -2049)]
    formats += [[1, [65535, 0], [ONE]], [1, [-1, -1], [ONE]], [1, [-65536, 65536], [ONE]]]
    add("pre_activation", 4, "weight_format row x", "z", [[*each, pre_activation(*each)] for each in formats])
    slopes = [0, 1, -1, -127, -128, -129, -255, -256, 32767, -32767, *row(6)]
    add("leaky_relu", 4, "a", "x", [[a, leaky_relu(a)] for a in slopes])
    rows = [([LIMIT16] * 64, [LIMIT16] * 64), ([LIMIT16] * 64, [-LIMIT16] * 64), ([16384, 0], [-77, 5])]
    rows += [([8192], [v]) for v in (1, -1, 3, -3)] + [(row(4, 16384), row(4)) for _ in range(8)]
    add(
        "decorrelated",
        4,
        "matrix_row x",
        "xbar",
        [[r, x, sat16(rounded(sum(a * b for a, b in zip(r, x, strict=True)), 14))] for r, x in rows],
    )

    add("exp2neg_table", 9, "i", "value", [[i, v % 2**16] for i, v in enumerate(EXP2NEG)])
    add("log2_table", 9, "i", "value", [[i, v % 2**16] for i, v in enumerate(LOG2)])
    points = [0, 1, 16383, 16384, 16385, 8192, 2**19, 2**20 - 1, *(rng.getrandbits(20) for _ in range(40))]
    add("exp2neg", 9, "f", "value", [[f, exp2neg(f)] for f in points])
    add("log2table", 9, "f", "value", [[f, log2table(f)] for f in [*points, 2**20]])

    pairs = [([LIMIT16] * 3, [-LIMIT16] * 3), ([LIMIT16] * 2, [0] * 2), ([LIMIT16] * 3, [0] * 3), ([5], [5])]
    pairs += [(row(n), row(n)) for n in (1, 1, 2, 3, 3, 10)]
    add("squared_loss", 5, "y t", "loss", [[y, t, squared_loss(y, t)] for y, t in pairs])
    logits: list[tuple[list[int], int]] = [
        ([0, 0], 0),
        ([LIMIT16, -LIMIT16], 0),
        ([LIMIT16, -LIMIT16], 1),
        ([7] * 100, 3),
    ]
    logits += [([-LIMIT16] * 9 + [LIMIT16], 0), ([4096, 0, -4096], 2), ([1, 0], 0), ([0, 1], 0)]
    for n in (2, 2, 3, 3, 3, 10, 10, 10, 26):
        spread = rng.choice((100, 4096, LIMIT16))
        logits.append(([rng.randint(-spread, spread) for _ in range(n)], rng.randrange(n)))
    add("cross_entropy_loss", 5, "y class", "loss", [[y, c, cross_entropy_loss(y, c)] for y, c in logits])
    answers = [(0, [0], [0]), (0, [-1], [0]), (0, [-1], [-9]), (0, [3, 3, 1], [5, 5, 5]), (0, [1, 3, 3], [0, 2, 2])]
    answers += [(0, [3, 3, 1], [0, 4, 4]), (1, [2, 2, 2], [0]), (1, [2, 2, 2], [1]), (1, [-5, -3, -3], [1])]
    add("correct", 5, "loss y t", "correct", [[*each, is_correct(*each)] for each in answers])

    factors = [(1, 1, 1), (-1, 1, 1), (1, 2**32 - 1, 1), (LIMIT32, 1, 2**39), (-LIMIT32, 2**32 - 1, 2**28)]
    factors += [(65535, 32768, 65535), (-32768, 65535, 32768), (65536, 65536, 65536)]
    for _ in range(30):
        factors.append((signed(LIMIT32) or 5, rng.getrandbits(rng.randint(1, 32)) or 3, rng.getrandbits(rng.randint(1, 39)) or 7))
    add("global_factor", 6, "dL S eta_N", "g E", [[*each, *global_factor(*each)] for each in factors])
    inputs = [[0], [1], [4096], [4095], [4097], [4096, 4096, 4096], [LIMIT16] * 64, row(4), row(8), row(2)]
    add("step_exponent", 7, "x", "h", [[x, step_exponent(x)] for x in inputs])
    blocks = [(h, e, d) for h, d in ((0, 0), (0, 9), (3, 15), (12, 7)) for e in range(12 + h - d - 27, 12 + h - d + 2, 2)]
    add("block_exponent", 7, "h E D", "s k shortened", [[*each, *block_exponent(*each)] for each in blocks])
    add(
        "dither_word",
        7,
        "first uses",
        "word",
        [[w, n, (w + 40503 * n) % 2**16] for w in (0, 65535, 7) for n in (0, 1, 2, 99)],
    )
    add(
        "dith",
        7,
        "word k",
        "value",
        [[w, k, dither(w, k)] for k in (0, 1, 8, 15, 16, 17, 24, 30) for w in (0, 32768, 65535)],
    )
    coefficients = [(g, da, w, k) for g, da, k in ((32767, 32767, 15), (-32767, 32767, 15), (16384, 1, 1)) for w in (0, 65535)]
    for _ in range(30):
        da, g = signed(), rng.choice((-1, 1)) * rng.randint(16384, 32767)
        coefficients.append((g, da, word(), rng.randint(bits(abs(da)), 30)))
    add("coefficient", 7, "g da word k", "c", [[*each, coefficient(*each)] for each in coefficients])
    for name, function, limit in (("update_int16", update_int16, LIMIT16), ("update_int32", update_int32, LIMIT32)):
        updates = [(sign * limit, sign * LIMIT16, LIMIT16, w, s) for sign in (1, -1) for s in (8, 16, 24) for w in (0, 65535)]
        updates += [(signed(limit), signed(), signed(), word(), s) for s in (8, 16, 24) for _ in range(14)]
        add(name, 7, "w c x word s", "w_new", [[*each, function(*each)] for each in updates])
    matrices = [
        ([[LIMIT16, -LIMIT16], [LIMIT16, LIMIT16]], [LIMIT16, -LIMIT16], 4194304, 1, 0),
        ([[16384, 0], [0, 16384]], [4096, -4096], 128, 0, 32768),
        ([[16384]], [4000], 65536, 1, 1234),
    ]
    for n, rate in ((2, 128), (2, 32767), (3, 32768), (3, 4194304), (4, 268435)):
        for rounding in (0, 1):
            square = [[signed(2000) + 16384 * (i == j) for j in range(n)] for i in range(n)]
            matrices.append((square, row(n, 9000), rate, rounding, word() if rounding else 32768))
    add(
        "update_matrix",
        8,
        "R xbar eps rounding first_word",
        "R_new",
        [[*each, update_matrix(*each)] for each in matrices],
    )
    return entries
