"""Random numbers of the virtual board: the published generator, and the distributions that are drawn from it."""

from __future__ import annotations

import math

import numpy as np

from mtjlearn.inprocess.loader import Library

library = Library(
    """
struct generator {
    uint64_t state;
    double spare;
    bool has_spare;
};
void generator_init(struct generator *generator, uint64_t seed, uint64_t stream);
uint64_t generator_bits(struct generator *generator);
double generator_uniform(struct generator *generator);
double generator_exponential(struct generator *generator);
double generator_gaussian(struct generator *generator);
"""
)
# The values that are published for the seed 1234567.
PUBLISHED = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]


def test_bits_are_those_of_splitmix64() -> None:
    ffi, lib = library.load()
    generator = ffi.new("struct generator *", {"state": 1234567})
    assert [lib.generator_bits(generator) for _ in PUBLISHED] == PUBLISHED
    generator.state = 1234567
    assert [lib.generator_uniform(generator) for _ in PUBLISHED] == [((bits >> 12) + 0.5) / 2**52 for bits in PUBLISHED]


def test_neighbouring_seeds_and_streams_are_far_apart() -> None:
    ffi, lib = library.load()
    states = set()
    for seed in range(30):
        for stream in range(4):
            generator = ffi.new("struct generator *")
            lib.generator_init(generator, seed, stream)
            assert not generator.has_spare
            states.add(generator.state)
    assert len(states) == 120
    assert np.diff(sorted(states)).min() > 2**40


def test_distributions() -> None:
    ffi, lib = library.load()
    generator = ffi.new("struct generator *")
    lib.generator_init(generator, 1, 0)
    count = 20_000
    for draw, mean, deviation in (
        (lib.generator_uniform, 0.5, math.sqrt(1 / 12)),
        (lib.generator_exponential, 1.0, 1.0),
        (lib.generator_gaussian, 0.0, 1.0),
    ):
        values = np.array([draw(generator) for _ in range(count)])
        assert abs(values.mean() - mean) < 5 * deviation / math.sqrt(count)
        assert abs(values.std() - deviation) < 0.03 * deviation
    # Both values of a pair are used, and they are independent.
    pairs = np.array([lib.generator_gaussian(generator) for _ in range(count)]).reshape(-1, 2)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 5 / math.sqrt(count / 2)
