"""The decorrelation update, R <- R - eps (xbar xbar^T - diag(xbar^2)) R (shared/numerics.md, section 8).

The C firmware's counterpart is firmware/lib/anp/src/anp_decorrelation.c.
"""

import micropython
from micropython import const

# Places in the plan of a network (learner.py).
_LAYERS = const(1)
_STOCHASTIC = const(4)
_PROJECTION = const(10)
_RATE = const(11)
_RATE_SHIFT = const(12)
_WORD = const(14)
_SATURATIONS = const(15)
_FIRST = const(33)
_LAYER = const(6)
_INPUTS = const(0)
_MATRIX = const(3)
_INPUT = const(4)

_INCREMENT = const(40503)


@micropython.viper
def update_matrices(plan: object, arena: object) -> object:
    """The matrices of all layers that have one."""
    p = ptr32(plan)
    a = ptr16(arena)
    rate = p[_RATE]
    k = p[_RATE_SHIFT]
    increment = _INCREMENT if p[_STOCHASTIC] else 0
    word = p[_WORD]
    projection = p[_PROJECTION]
    cut = 0
    for layer in range(_FIRST, _FIRST + _LAYER * p[_LAYERS], _LAYER):
        matrix = p[layer + _MATRIX]
        if matrix:
            n = p[layer + _INPUTS]
            x = p[layer + _INPUT]
            # u = R^T xbar, in two halves each
            for j in range(n):
                high = 0
                low = 8192
                r = matrix + j
                for i in range(x, x + n):
                    v = ((a[r] ^ 32768) - 32768) * ((a[i] ^ 32768) - 32768)
                    r += n
                    high += v >> 14
                    low += v & 16383
                high += low >> 14
                a[projection + 2 * j] = high & 65535
                a[projection + 2 * j + 1] = (high >> 16) & 65535
            r = matrix
            for i in range(x, x + n):
                xbar = (a[i] ^ 32768) - 32768
                c = xbar * rate
                if k < 16:
                    c = (c + (word >> (16 - k))) >> k
                else:
                    c >>= k - 16
                    c = (c >> 16) + (((c & 65535) + word) >> 16)
                word = (word + increment) & 65535
                for u in range(projection, projection + 2 * n, 2):
                    w = (a[r] ^ 32768) - 32768
                    v = a[u] + (((a[u + 1] ^ 32768) - 32768) << 16) - ((xbar * w + 8192) >> 14)
                    if v > 32767:
                        v = 32767
                        cut += 1
                    elif v < -32767:
                        v = -32767
                        cut += 1
                    # R - c T: the coefficient of section 8 is -c
                    v *= -c
                    v = w + (v >> 16) + (((v & 65535) + word) >> 16)
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
