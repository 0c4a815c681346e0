"""Runs in a MicroPython interpreter: computes primitives of numerics.md with the kernels of the learner, the heap locked.

Reads JSON, a list of [name, arguments]; writes the list of results. What a kernel has no function of its own for is asked through
the step that it is part of, on a network of one unit.
"""

import json
import sys

import micropython
from decorrelation import update_matrices
from forward import decorrelate, run_clean, run_passes
from halves import halves, number_at, put_number
from learner import OK, Config, Network, Noise
from loss import cross_entropy, interpolate, is_correct, squared_loss
from noise import bits_of, draw_noise, isqrt, random_next
from tables import EXP2NEG, LOG2
from update import bits_below, global_factor, update_weights

# Places in Network.plan and in Noise.state, and a layer's first.
UNITS, STOCHASTIC, ETA, ETA_BITS, VALUES, OUTPUTS, WORD, FACTOR, EXPONENT, LOSS, FIRST = 0, 4, 6, 7, 8, 13, 14, 16, 17, 18, 33
ROWS, MATRIX, INPUT = FIRST + 2, FIRST + 3, FIRST + 4
TOTAL, GAIN, DOWN, UP = 0, 3, 4, 5


def signed(half):
    return (half ^ 32768) - 32768


def put(values, at, numbers):
    for i, number in enumerate(numbers):
        values[at + i] = number & 65535


class Locked:
    """While it is entered, nothing can be allocated."""

    def __enter__(self):
        micropython.heap_lock()

    def __exit__(self, kind, value, trace):
        micropython.heap_unlock()


locked = Locked()


def network(sizes, wide=0, loss=0, decorrelate=0, rate=0, antithetic=True, seed=1):
    config = Config()
    config.weight_format, config.loss, config.decorrelate, config.decorrelation_rate = wide, loss, decorrelate, rate
    config.antithetic, config.sigma, config.seed, config.layers, config.sizes = antithetic, 128, seed, len(sizes) - 1, sizes
    net = Network()
    if net.configure(config, halves(20000), 40000) != OK:
        raise ValueError(sizes)
    return net


def bits(v):
    found = bits_of(v)
    if v < 1 << 30:
        with locked:
            other = bits_below(v)
        if other != found:
            raise ValueError("the two differ")
    return found


def norm16(v):
    net = network([1, 1])
    net.set_rates(v, 0)
    return net.plan[ETA]


def xorshift32(state):
    random = halves(2)
    put_number(random, 0, 2, state)
    with locked:
        random_next(random)
    return number_at(random, 0, 2)


def draw(before):
    net, noise = network([1, 2], antithetic=False), Noise()
    put(noise.ring, 0, range(200))
    noise.state[TOTAL], noise.state[GAIN] = 20000, 65520
    put_number(net.counters, 0, 2, before)
    net.plan[STOCHASTIC] = 1
    with locked:
        draw_noise(net.plan, net.arena, net.counters, noise.ring, noise.state)
    first, second = [(signed(net.arena[net.plan[VALUES] + i]) + 20100) // 200 for i in range(2)]
    return [first, (second - first) % 200, net.plan[WORD]]


def initial_weights(seed, sizes):
    net = network(sizes, seed=seed)
    count = len(net.weights) // 2
    return [[signed(half) for half in net.arena[net.plan[ROWS] : net.plan[ROWS] + count]], net.random_state]


def measured_deviation(ring):
    noise, codes = Noise(), halves(len(ring))
    put(codes, 0, ring)
    with locked:
        noise.put_all(codes, 0, len(ring))
    noise.calibrate(128, 0)
    return noise.deviation


def configured_deviation(noise_std):
    noise = Noise()
    noise.calibrate(128, noise_std)
    return noise.deviation


def noise_gain(d, sigma):
    noise = Noise()
    noise.restore(sigma, d, 0)
    return [noise.gain, noise.shift]


def noise_value(code, total, gain, s):
    net, noise = network([1, 1]), Noise()
    put(noise.ring, 0, [code] * 200)
    noise.state[TOTAL], noise.state[GAIN], noise.state[DOWN], noise.state[UP] = total, gain, max(s, 0), max(-s, 0)
    with locked:
        draw_noise(net.plan, net.arena, net.counters, noise.ring, noise.state)
    return signed(net.arena[net.plan[VALUES]])


def pre_activation(weight_format, row, x):
    net = network([max(len(x), 1), 1], weight_format)
    net.plan[FIRST] = len(x)
    at = net.plan[ROWS]
    for number in row:
        for _ in range(1 + weight_format):
            net.arena[at] = number & 65535
            number >>= 16
            at += 1
    inputs, output, value = halves(len(x) + 1), halves(1), net.plan[VALUES]
    put(inputs, 0, x)
    with locked:
        run_clean(net.plan, net.arena, net.arena, net.plan[ROWS], inputs, 0, output, 0)
    put(net.arena, value, (0, 0))
    with locked:
        run_passes(net.plan, net.arena, inputs, 0)
    if net.arena[value] or net.arena[value + 1] != output[0] or net.arena[value + 2] != output[0]:
        raise ValueError("the passes differ from a clean pass")
    return signed(output[0])


def leaky_relu(a):
    net, values, output = network([1, 1, 1]), halves(1), halves(1)
    put(net.arena, net.plan[ROWS], (4096, 0, 4096, 0))
    put(values, 0, (a,))
    with locked:
        net.predict(values, 0, output, 0)
    return signed(output[0])


def decorrelated(row, x):
    n = len(x)
    net, values = network([n, 1], decorrelate=1, rate=128), halves(n)
    put(net.arena, net.plan[MATRIX], list(row) * n)
    put(values, 0, x)
    with locked:
        decorrelate(net.plan, net.arena, FIRST, values, 0, net.plan[INPUT])
    return signed(net.arena[net.plan[INPUT] + n - 1])


def exp2neg(f):
    with locked:
        return 16777216 - 8 * f - interpolate(EXP2NEG, f)


def log2table(f):
    with locked:
        return 16 * f + 2 * interpolate(LOG2, f)


def outputs_of(kind, y):
    net = network([1, len(y)], loss=kind)
    at = net.plan[VALUES] + net.plan[UNITS]
    put(net.arena, at, y)
    return net, at


def squared(y, t):
    net, at = outputs_of(0, y)
    target = halves(len(t))
    put(target, 0, t)
    with locked:
        squared_loss(net.plan, net.arena, at, target, 0, 1)
    return net.evaluated_loss()


def softmax(y, target):
    net, at = outputs_of(1, y)
    wanted = halves(1)
    wanted[0] = target
    with locked:
        cross_entropy(net.plan, net.arena, at, wanted, 0, 1)
    return net.evaluated_loss()


def correct(kind, y, t):
    net, at = outputs_of(kind, y)
    target = halves(len(t))
    put(target, 0, t)
    with locked:
        return is_correct(net.plan, net.arena, at, target, 0)


def factor(dl, differences, eta):
    net = network([1, len(differences)])
    put(net.arena, net.plan[VALUES], differences)
    # At learning rates of 32 bits N is 1; for longer products what the plan holds is set.
    net.plan[ETA_BITS] = bits_of(eta)
    net.plan[ETA] = eta << 16 >> bits_of(eta)
    first, second = max(dl, 0), max(-dl, 0)
    for i, number in enumerate((first & 65535, first >> 16, second & 65535, second >> 16)):
        net.plan[LOSS + i] = number
    with locked:
        status = global_factor(net.plan, net.arena)
    if status != 1:
        raise ValueError("skipped")
    return [signed(net.plan[FACTOR]), signed(net.plan[EXPONENT])]


def updated(wide, w, x, g, da, word, exponent):
    """A unit's only weight after an update; rounding to nearest keeps any dither word."""
    net, values = network([1, 1], wide), halves(1)
    net.plan[FACTOR], net.plan[EXPONENT], net.plan[WORD] = g & 65535, exponent & 65535, word
    put(net.arena, net.plan[ROWS], (w & 65535, w >> 16 if wide else 0))
    put(net.arena, net.plan[VALUES], (da,))
    put(values, 0, (x,))
    with locked:
        update_weights(net.plan, net.arena, values, 0)
    low = net.arena[net.plan[ROWS]]
    return signed(net.arena[net.plan[ROWS] + 1]) * 65536 + low if wide else signed(low)


def matrix_after(matrix, xbar, rate, rounding, word):
    n = len(xbar)
    net = network([n, 1], decorrelate=1, rate=rate)
    at = net.plan[MATRIX]
    put(net.arena, at, [number for row in matrix for number in row])
    put(net.arena, net.plan[INPUT], xbar)
    net.plan[STOCHASTIC], net.plan[WORD] = rounding, word if rounding else 32768
    with locked:
        update_matrices(net.plan, net.arena)
    return [[signed(half) for half in net.arena[at + n * i : at + n * (i + 1)]] for i in range(n)]


PRIMITIVES = {
    "bits": bits,
    "norm16": norm16,
    "isqrt": isqrt,
    "xorshift32": xorshift32,
    "draw": draw,
    "initial_weights": initial_weights,
    "measured_deviation": measured_deviation,
    "configured_deviation": configured_deviation,
    "noise_gain": noise_gain,
    "noise_value": noise_value,
    "pre_activation": pre_activation,
    "leaky_relu": leaky_relu,
    "decorrelated": decorrelated,
    "exp2neg_table": lambda i: EXP2NEG[i],
    "log2_table": lambda i: LOG2[i],
    "exp2neg": exp2neg,
    "log2table": log2table,
    "squared_loss": squared,
    "cross_entropy_loss": softmax,
    "correct": correct,
    "global_factor": factor,
    "updated": updated,
    "update_matrix": matrix_after,
}


def main():
    with open(sys.argv[1]) as questions, open(sys.argv[2], "w") as answers:
        json.dump([PRIMITIVES[name](*arguments) for name, arguments in json.load(questions)], answers)


if __name__ == "__main__":
    main()
