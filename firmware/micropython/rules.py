"""The rules anp-exact and feedback (shared/numerics.md, section 13): the error at the outputs teaches the output layer.

The C firmware's counterparts are firmware/lib/anp/src/anp_rules.c and the last part of anp_loss.c.
"""

if False:
    from kinds import Halves, Network, Noise

import micropython
from forward import decorrelate, run_passes
from loss import interpolate
from micropython import const
from noise import draw_noise
from tables import EXP2NEG
from update import bits_below, global_factor, update_weights

RULE_ANP = const(0)
RULE_ANP_EXACT = const(1)
RULE_FEEDBACK = const(2)
_PROBE_MASK = const(3)
"""A probe is every fourth step."""

# Places in the plan of a network (learner.py).
_UNITS = const(0)
_LAYERS = const(1)
_WIDE = const(2)
_OUTPUTS = const(13)
_SATURATIONS = const(15)
_FACTOR = const(16)
_EXPONENT = const(17)
_CROSS_ENTROPY = const(23)
_OUT = const(24)
_FIRST = const(33)
_LAYER = const(6)
_INPUTS = const(0)
_LAYER_UNITS = const(1)
_ROWS = const(2)
_MATRIX = const(3)
_INPUT = const(4)
_DIFFERENCE = const(5)
_SLOPE = const(25)
_NOISY = const(26)
_BEGIN = const(27)
_END = const(28)
_RULE = const(29)
_DELTA = const(30)
_DELTA_EXPONENT = const(31)
_FEEDBACK = const(32)

_COUNTED_STEPS = const(4)


@micropython.viper
def run_once(plan: object, arena: object, values: object, x: int) -> object:
    """A clean pass that trains, from the sample at `x` of `values`: what a layer gives on comes to where run_passes() has it of
    pass 1, and saturations are counted.
    """
    p = ptr32(plan)
    a = ptr16(arena)
    units = p[_UNITS]
    wide = p[_WIDE]
    stride = 1 + wide
    slope = p[_SLOPE]
    source = values
    last = _FIRST + _LAYER * (p[_LAYERS] - 1)
    cut = 0
    for layer in range(_FIRST, last + 1, _LAYER):
        inputs = p[layer + _INPUTS]
        if p[layer + _MATRIX]:
            decorrelate(plan, arena, layer, source, x, p[layer + _INPUT])
            source = arena
            x = p[layer + _INPUT]
        s = ptr16(source)
        r = p[layer + _ROWS] + wide
        to = p[layer + _DIFFERENCE] + 2 * units
        for i in range(to, to + p[layer + _LAYER_UNITS]):
            high = 0
            low = 2048
            for j in range(x, x + inputs):
                v = ((a[r] ^ 32768) - 32768) * ((s[j] ^ 32768) - 32768)
                r += stride
                high += v >> 12
                low += v & 4095
            v = high + ((a[r] ^ 32768) - 32768) + (low >> 12)
            r += stride
            if v > 32767:
                v = 32767
                cut += 1
            elif v < -32767:
                v = -32767
                cut += 1
            if v < 0 and layer != last:
                v = -(-v >> slope)
            a[i] = v & 65535
        source = arena
        x = to
    p[_SATURATIONS] += cut


@micropython.viper
def squared_error(plan: object, arena: object, values: object, target: int, to: int) -> object:
    """The error of the outputs of pass 1, for the targets at `target` of `values`, to place `to` of the arena."""
    p = ptr32(plan)
    a = ptr16(arena)
    t = ptr16(values)
    y = p[_OUT]
    for k in range(p[_OUTPUTS]):
        v = (a[y + k] ^ 32768) - (t[target + k] ^ 32768)
        if v > 32767:
            v = 32767
        elif v < -32767:
            v = -32767
        a[to + k] = v & 65535


@micropython.viper
def softmax_error(plan: object, arena: object, values: object, target: int, to: int) -> object:
    """As squared_error(), the target a class alone."""
    p = ptr32(plan)
    a = ptr16(arena)
    t = ptr16(values)
    y = p[_OUT]
    outputs = p[_OUTPUTS]
    highest = 0
    for k in range(y, y + outputs):
        v = a[k] ^ 32768
        if v > highest:
            highest = v
    high = 0
    low = 0
    for k in range(outputs):
        d = highest - (a[y + k] ^ 32768)
        u = (d * 11818 + ((d + (d * 7573 >> 16) + 32) >> 1)) >> 5
        f = u & 1048575
        e = 16777216 - 8 * f - int(interpolate(EXP2NEG, f))
        u >>= 20
        if u:
            e = (e + (1 << (u - 1))) >> u
        high += e >> 16
        low += e & 65535
        a[to + k] = e >> 9
    high += low >> 16
    low &= 65535
    # norm16 of the sum, which has 25 to 32 bits, and (2^31 - 1) // norm16 in two parts
    bits = int(bits_below(high))
    v = (high << (16 - bits)) | (low >> bits)
    r = 536870911 // v
    r = 4 * r + (4 * (536870911 - r * v) + 3) // v
    shift = bits + 2
    for k in range(to, to + outputs):
        v = a[k] * (r >> 8) + (a[k] * (r & 255) >> 8)
        a[k] = (v + (1 << (shift - 1))) >> shift
    k = to + t[target]
    a[k] = (a[k] - 4096) & 65535


@micropython.viper
def update_feedback(plan: object, arena: object, layer: int, b: int, rest: int) -> object:
    """A probe's part of the layer whose places in the plan begin at `layer` and whose matrix B at `b` of the arena; there is room
    at `rest` for as many values as outputs. The layer's differences become dx.
    """
    p = ptr32(plan)
    a = ptr16(arena)
    units = p[_UNITS]
    outputs = p[_OUTPUTS]
    to = p[layer + _DIFFERENCE]
    end = to + p[layer + _LAYER_UNITS]
    dy = p[_OUT] - 2 * units
    cut = 0
    high = 0
    low = 0
    for i in range(to, end):
        v = (a[i + 2 * units] ^ 32768) - (a[i + units] ^ 32768)
        if v > 32767:
            v = 32767
            cut += 1
        elif v < -32767:
            v = -32767
            cut += 1
        a[i] = v & 65535
        v *= v
        high += v >> 16
        low += v & 65535
    high += low >> 16
    low &= 65535
    if high > 65535:
        high = 65535
        low = 65535
    # bits(S - 1)
    s = 0
    if high | low:
        low -= 1
        if low < 0:
            low = 65535
            high -= 1
        s = 16 + int(bits_below(high)) if high else int(bits_below(low))
    s = s - 11 if s > 12 else 1
    for k in range(outputs):
        v = 8
        r = b + k
        for i in range(to, end):
            v += ((a[r] ^ 32768) - 32768) * ((a[i] ^ 32768) - 32768) >> 8
            r += outputs
        v = ((a[dy + k] ^ 32768) - 32768) - (v >> 4)
        if v > 32767:
            v = 32767
            cut += 1
        elif v < -32767:
            v = -32767
            cut += 1
        a[rest + k] = v & 65535
    for i in range(to, end):
        change = (a[i] ^ 32768) - 32768
        for k in range(rest, rest + outputs):
            v = ((change * ((a[k] ^ 32768) - 32768) >> (s - 1)) + 1) >> 1
            v += (a[b] ^ 32768) - 32768
            if v > 32767:
                v = 32767
                cut += 1
            elif v < -32767:
                v = -32767
                cut += 1
            a[b] = v & 65535
            b += 1
    p[_SATURATIONS] += cut


@micropython.viper
def send_back(plan: object, arena: object, layer: int, b: int, error: int) -> object:
    """The signal of a hidden layer from the error at place `error`, to where its differences are."""
    p = ptr32(plan)
    a = ptr16(arena)
    units = p[_UNITS]
    outputs = p[_OUTPUTS]
    slope = p[_SLOPE]
    to = p[layer + _DIFFERENCE]
    cut = 0
    for i in range(to, to + p[layer + _LAYER_UNITS]):
        v = 8
        for k in range(error, error + outputs):
            v += ((a[b] ^ 32768) - 32768) * ((a[k] ^ 32768) - 32768) >> 8
            b += 1
        v >>= 4
        if v > 32767:
            v = 32767
            cut += 1
        elif v < -32767:
            v = -32767
            cut += 1
        if a[i + 2 * units] & 32768:
            v = v >> slope if v >= 0 else -(-v >> slope)
        a[i] = v & 65535
    p[_SATURATIONS] += cut


def feed_back(plan: Halves, arena: Halves, error: int, probes: bool) -> None:
    """Signals of all layers where their differences are; in a probe B learns before it is used."""
    b = plan[_FEEDBACK]
    outputs = plan[_OUTPUTS]
    out = plan[_OUT] - 2 * plan[_UNITS]
    for number in range(plan[_LAYERS] - 1):
        layer = _FIRST + _LAYER * number
        if probes:
            update_feedback(plan, arena, layer, b, plan[_OUT])
        send_back(plan, arena, layer, b, error)
        b += plan[layer + _LAYER_UNITS] * outputs
    for k in range(outputs):
        arena[out + k] = arena[error + k]


def train_by_error(net: Network, noise: Noise, samples: Halves, x: int, target: int) -> bool:
    """A step up to the weights, of a network with one of these rules. Whether the hidden layers were skipped."""
    plan = net.plan
    arena = net.arena
    feedback = plan[_RULE] == RULE_FEEDBACK
    layers = plan[_LAYERS]
    probes = feedback and net.counters[_COUNTED_STEPS] & _PROBE_MASK == 0
    plan[_NOISY] = net.noisy if probes or not feedback else 0
    draw_noise(plan, arena, net.counters, noise.ring, noise.state)
    if feedback and not probes:
        run_once(plan, arena, samples, x)
    else:
        run_passes(plan, arena, samples, x)
    net.loss_of(plan, arena, plan[_OUT], samples, target, 1 if feedback else 2)
    # Behind the differences of the outputs, which a probe needs, is what the layer gives on in pass 2.
    error = plan[_OUT] - (plan[_UNITS] if feedback else 2 * plan[_UNITS])
    learns = 1
    if not feedback:
        learns = global_factor(plan, arena)
        if learns == 1:
            plan[_BEGIN] = 0
            plan[_END] = layers - 1
            update_weights(plan, arena, samples, x)
    (softmax_error if plan[_CROSS_ENTROPY] else squared_error)(plan, arena, samples, target, error)
    if feedback:
        feed_back(plan, arena, error, probes)
    if plan[_DELTA]:
        plan[_FACTOR] = plan[_DELTA]
        plan[_EXPONENT] = plan[_DELTA_EXPONENT]
        plan[_BEGIN] = 0 if feedback else layers - 1
        plan[_END] = layers
        update_weights(plan, arena, samples, x)
    return not learns and layers > 1
