"""Runs in a MicroPython interpreter: carries out jobs of learner_jobs_support.py and prints an answer for each line that asks.

The first letter of a line says what to do, and the numbers after it are integers or, of samples and codes, hexadecimal bytes.
While a step is trained, the heap is locked: a step that allocates ends the job.
"""

import binascii
import sys

import micropython
from halves import bytes_of, halves
from learner import OK, TOO_LARGE, Config, Network, Noise, arena_bytes, blob_bytes, check


def configuration(numbers):
    config = Config()
    (config.loss, config.weight_format, config.rounding, config.normalised, config.antithetic, config.decorrelate) = numbers[:6]
    config.rule, config.slope = numbers[6:8]
    (config.sigma, config.noise_std, config.learning_rate, config.decorrelation_rate, config.seed, config.layers) = numbers[8:14]
    config.sizes = numbers[14:]
    return config


def configured(config, limit):
    arena = halves(limit // 2)
    net, noise = Network(), Noise()
    status = net.configure(config, arena, limit)
    if status != OK:
        raise ValueError(f"status {status}")
    return net, noise


def checked(net, config):
    """The status, arena and blob bytes of a configuration, and whether it is accepted with this many bytes and refused with one
    less.
    """
    status = check(config)
    if status != OK:
        return f"{status} 0 0"
    needed = arena_bytes(config)
    if needed < 20000:
        arena, before = halves(needed // 2), (net.config, net.used, net.steps)
        if net.configure(config, arena, needed - 1) != TOO_LARGE or net.configure(config, arena[:-1], needed) != TOO_LARGE:
            raise ValueError("one byte less is enough")
        if (net.config, net.used, net.steps) != before:
            raise ValueError("a refused configuration changes the network")
        if net.configure(config, arena, needed) != OK or net.used != needed:
            raise ValueError("the bytes asked for do not suffice")
    return f"{status} {needed} {blob_bytes(config)}"


def hexadecimal(data):
    return binascii.hexlify(data).decode()


def from_hex(text):
    data = binascii.unhexlify(text)
    values = halves(len(data) // 2)
    bytes_of(values)[:] = data
    return values


def trained(net, noise, samples):
    inputs = net.config.sizes[0]
    width = inputs + net.target_count()
    losses = []
    train, lock, unlock = net.train, micropython.heap_lock, micropython.heap_unlock
    for x in range(0, len(samples), width):
        lock()
        try:
            train(noise, samples, x, x + inputs)
        finally:
            unlock()
        losses.append(str(net.last_loss))
    return " ".join(losses)


def run(lines, answer):
    net = noise = None
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "configure":
            numbers = [int(number) for number in rest.split()]
            net, noise = configured(configuration(numbers[1:]), numbers[0])
        elif word == "check":
            answer(checked(Network(), configuration([int(number) for number in rest.split()])))
        elif word == "weights":
            net.weights[:] = binascii.unhexlify(rest)
        elif word == "codes":
            codes = from_hex(rest)
            noise.put_all(codes, 0, len(codes))
        elif word == "rates":
            eta, eps = rest.split()
            if net.set_rates(int(eta), int(eps)) != OK:
                raise ValueError(line)
        elif word == "train":
            if not noise.calibrated() and not (noise.ready() and noise.calibrate(net.config.sigma, net.config.noise_std)):
                raise ValueError(f"noise: {noise.filled}, {noise.deviation}")
            answer(trained(net, noise, from_hex(rest)))
        elif word == "state":
            numbers = net.steps, net.skipped, net.saturations, net.random_state, net.loss_sum, noise.deviation
            counters = " ".join([str(number) for number in numbers])
            answer(f"{counters}|{hexadecimal(net.weights)}|{hexadecimal(net.matrices)}")
        elif word == "predict":
            outputs = halves(net.config.sizes[net.config.layers])
            net.predict(from_hex(rest), 0, outputs, 0)
            answer(hexadecimal(bytes_of(outputs)))
        elif word == "evaluate":
            samples = from_hex(rest)
            correct = net.evaluate(samples, 0, net.config.sizes[0])
            answer(f"{net.evaluated_loss()} {int(correct)}")


def main():
    with open(sys.argv[1]) as lines, open(sys.argv[2], "w") as answers:
        run(lines, lambda text: answers.write(text + "\n"))


if __name__ == "__main__":
    main()
