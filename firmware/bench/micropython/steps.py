"""Training steps of the learner in MicroPython, by the interpreter's clock: `mtjlearn bench --board micropython` runs this.

Arguments: the folder of the firmware's modules, and a file of JSON with the configuration, codes, samples, seconds and repeats.
Prints JSON: microseconds of a step in each repeat, and bytes of the heap.
"""

import gc
import json
import sys
import time


def bytes_in_use():
    """Of the heap, without garbage."""
    gc.collect()
    return gc.mem_alloc()


def main():
    """As above."""
    sys.path.insert(0, sys.argv[1])
    with open(sys.argv[2]) as source:
        job = json.load(source)
    before = bytes_in_use()
    import learner
    from halves import halves

    loaded = bytes_in_use()
    config = learner.Config()
    for name, value in job["configuration"].items():
        setattr(config, name, value)
    limit = learner.arena_bytes(config)
    net = learner.Network()
    noise = learner.Noise()
    if net.configure(config, halves(limit // 2), limit) != learner.OK:
        raise ValueError("the learner refuses the network")
    made = bytes_in_use()

    codes = halves(len(job["codes"]))
    for i, code in enumerate(job["codes"]):
        codes[i] = code
    noise.put_all(codes, 0, len(codes))
    if not noise.calibrate(config.sigma, config.noise_std):
        raise ValueError("no noise")
    samples = halves(len(job["samples"]))
    for i, value in enumerate(job["samples"]):
        samples[i] = value & 65535
    inputs = config.sizes[0]
    width = inputs + net.target_count()
    places = range(0, len(samples), width)

    def run(steps):
        begun = time.ticks_us()
        while steps > 0:
            for x in places:
                net.train(noise, samples, x, x + inputs)
            steps -= len(places)
        return time.ticks_diff(time.ticks_us(), begun)

    first = max(run(len(places)), 1)
    rounds = max(int(job["seconds"] * 1000000) // first, 1)
    steps = rounds * len(places)
    times = [run(steps) / steps for _ in range(job["repeats"])]
    print(json.dumps({"us": times, "module_bytes": loaded - before, "learner_bytes": made - loaded, "arena_bytes": limit}))


main()
