/* Random numbers of the virtual board: SplitMix64 (Steele, Lea and Flood 2014), 64 bits of state, one stream per use. */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

struct generator {
    uint64_t state;
    double spare;                 /* the second of a pair of normal deviates */
    bool has_spare;
};

/* Different streams of one seed are unrelated. */
void generator_init(struct generator *generator, uint64_t seed, uint64_t stream);

uint64_t generator_bits(struct generator *generator);

/* In (0, 1). */
double generator_uniform(struct generator *generator);

/* Mean 1. */
double generator_exponential(struct generator *generator);

/* Mean 0, standard deviation 1. */
double generator_gaussian(struct generator *generator);

#endif
