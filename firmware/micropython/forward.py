"""Forward passes (shared/numerics.md, section 4): both noisy ones of a training step side by side, and the clean one.

The C firmware's counterparts are firmware/lib/anp/src/anp_forward.c and the passes of anp_portable.c.
"""

import micropython
from micropython import const
from noise import random_next

# Places in the plan of a network (learner.py).
_UNITS = const(0)
_LAYERS = const(1)
_WIDE = const(2)
_DECORRELATED = const(9)
_SATURATIONS = const(15)
_FIRST = const(33)
_LAYER = const(6)
_INPUTS = const(0)
_LAYER_UNITS = const(1)
_ROWS = const(2)
_MATRIX = const(3)
_INPUT = const(4)
_DIFFERENCE = const(5)
_SLOPE = const(25)


@micropython.viper
def decorrelate(plan: object, arena: object, layer: int, values: object, x: int, to: int) -> object:
    """The product xbar = R x of a layer, whose places in the plan begin at `layer`, into the arena at `to`."""
    p = ptr32(plan)
    a = ptr16(arena)
    source = ptr16(values)
    n = p[layer + _INPUTS]
    r = p[layer + _MATRIX]
    cut = 0
    for i in range(to, to + n):
        high = 0
        low = 8192
        for j in range(x, x + n):
            v = ((a[r] ^ 32768) - 32768) * ((source[j] ^ 32768) - 32768)
            r += 1
            high += v >> 14
            low += v & 16383
        v = high + (low >> 14)
        if v > 32767:
            v = 32767
            cut += 1
        elif v < -32767:
            v = -32767
            cut += 1
        a[i] = v & 65535
    p[_SATURATIONS] += cut


@micropython.viper
def run_passes(plan: object, arena: object, values: object, x: int) -> object:
    """Both passes through all layers, from the sample at `x` of `values`. Of a unit's three values, N apart, the first two are
    its noise in pass 1 and 2, and then become da and what the layer gives on in pass 2; the third becomes what it gives on in
    pass 1.
    """
    p = ptr32(plan)
    a = ptr16(arena)
    units = p[_UNITS]
    wide = p[_WIDE]
    stride = 1 + wide
    slope = p[_SLOPE]
    source = values
    x1 = x
    x2 = x
    first = _FIRST
    last = _FIRST + _LAYER * (p[_LAYERS] - 1)
    cut = 0
    for layer in range(_FIRST, last + 1, _LAYER):
        inputs = p[layer + _INPUTS]
        if p[layer + _MATRIX]:
            if layer != first:
                decorrelate(plan, arena, layer, source, x2, p[_DECORRELATED])
            decorrelate(plan, arena, layer, source, x1, p[layer + _INPUT])
            source = arena
            x1 = p[layer + _INPUT]
            x2 = p[_DECORRELATED]
        s = ptr16(source)
        r = p[layer + _ROWS] + wide
        difference = p[layer + _DIFFERENCE]
        for value in range(difference, difference + p[layer + _LAYER_UNITS]):
            high1 = 0
            low1 = 2048
            high2 = 0
            low2 = 2048
            if layer == first:
                for j in range(x1, x1 + inputs):
                    v = ((a[r] ^ 32768) - 32768) * ((s[j] ^ 32768) - 32768)
                    r += stride
                    high1 += v >> 12
                    low1 += v & 4095
            else:
                j2 = x2
                for j in range(x1, x1 + inputs):
                    w = (a[r] ^ 32768) - 32768
                    r += stride
                    v = w * ((s[j] ^ 32768) - 32768)
                    high1 += v >> 12
                    low1 += v & 4095
                    v = w * ((s[j2] ^ 32768) - 32768)
                    j2 += 1
                    high2 += v >> 12
                    low2 += v & 4095
            bias = (a[r] ^ 32768) - 32768
            r += stride
            a1 = high1 + bias + (low1 >> 12)
            if a1 > 32767:
                a1 = 32767
                cut += 1
            elif a1 < -32767:
                a1 = -32767
                cut += 1
            if layer == first:
                a2 = a1
            else:
                a2 = high2 + bias + (low2 >> 12)
                if a2 > 32767:
                    a2 = 32767
                    cut += 1
                elif a2 < -32767:
                    a2 = -32767
                    cut += 1
            a1 += (a[value] ^ 32768) - 32768
            if a1 > 32767:
                a1 = 32767
                cut += 1
            elif a1 < -32767:
                a1 = -32767
                cut += 1
            a2 += (a[value + units] ^ 32768) - 32768
            if a2 > 32767:
                a2 = 32767
                cut += 1
            elif a2 < -32767:
                a2 = -32767
                cut += 1
            v = a1 - a2
            if v > 32767:
                v = 32767
                cut += 1
            elif v < -32767:
                v = -32767
                cut += 1
            a[value] = v & 65535
            if layer != last:
                if a1 < 0:
                    a1 = -(-a1 >> slope)
                if a2 < 0:
                    a2 = -(-a2 >> slope)
            a[value + units] = a2 & 65535
            a[value + 2 * units] = a1 & 65535
        source = arena
        x2 = difference + units
        x1 = x2 + units
    p[_SATURATIONS] += cut


@micropython.viper
def run_clean(plan: object, arena: object, rows: object, row: int, values: object, x: int, outputs: object, y: int) -> object:
    """A pass without noise, with the weights at `row` of `rows`, from the sample at `x` of `values` to the outputs at `y` of
    `outputs`.
    """
    p = ptr32(plan)
    w = ptr16(rows)
    units = p[_UNITS]
    stride = 1 + p[_WIDE]
    slope = p[_SLOPE]
    source = values
    last = _FIRST + _LAYER * (p[_LAYERS] - 1)
    r = row + p[_WIDE]
    for layer in range(_FIRST, last + 1, _LAYER):
        inputs = p[layer + _INPUTS]
        if p[layer + _MATRIX]:
            decorrelate(plan, arena, layer, source, x, p[_DECORRELATED])
            source = arena
            x = p[_DECORRELATED]
        s = ptr16(source)
        to = p[layer + _DIFFERENCE] + units
        out = ptr16(arena)
        if layer == last:
            to = y
            out = ptr16(outputs)
        for i in range(to, to + p[layer + _LAYER_UNITS]):
            high = 0
            low = 2048
            for j in range(x, x + inputs):
                v = ((w[r] ^ 32768) - 32768) * ((s[j] ^ 32768) - 32768)
                r += stride
                high += v >> 12
                low += v & 4095
            v = high + ((w[r] ^ 32768) - 32768) + (low >> 12)
            r += stride
            if v > 32767:
                v = 32767
            elif v < -32767:
                v = -32767
            if v < 0 and layer != last:
                v = -(-v >> slope)
            out[i] = v & 65535
        source = arena
        x = to


@micropython.viper
def draw_rows(plan: object, rows: object, row: int, limits: object, random: object) -> object:
    """Initial weights (section 2) into `rows` from place `row` on, and biases 0; `limits` has a number for each layer."""
    p = ptr32(plan)
    w = ptr16(rows)
    limit = ptr16(limits)
    draw = ptr16(random)
    wide = p[_WIDE]
    for number in range(p[_LAYERS]):
        layer = _FIRST + _LAYER * number
        inputs = p[layer + _INPUTS]
        for _ in range(p[layer + _LAYER_UNITS]):
            for j in range(inputs + 1):
                v = 0
                if j != inputs:
                    random_next(random)
                    v = (((draw[1] ^ 32768) - 32768) * limit[number] + 16384) >> 15
                if wide:
                    w[row] = 0
                    row += 1
                w[row] = v & 65535
                row += 1
