/* One 64-bit state and the distributions drawn from it. The virtual sMTJ and the simulated chip call it. */
#include "generator.h"

#include <math.h>

#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void generator_init(struct generator *generator, uint64_t seed, uint64_t stream)
{
    /* Mixed twice, so that neighbouring seeds and streams start at places of the one long cycle that are far apart. */
    generator->state = mix(mix(seed + GOLDEN_GAMMA) + stream * GOLDEN_GAMMA);
    generator->spare = 0.0;
    generator->has_spare = false;
}

uint64_t generator_bits(struct generator *generator)
{
    generator->state += GOLDEN_GAMMA;
    return mix(generator->state);
}

double generator_uniform(struct generator *generator)
{
    return ((double)(generator_bits(generator) >> 12) + 0.5) * 0x1p-52;
}

double generator_exponential(struct generator *generator)
{
    return -log(generator_uniform(generator));
}

double generator_gaussian(struct generator *generator)
{
    if (generator->has_spare) {
        generator->has_spare = false;
        return generator->spare;
    }
    /* Marsaglia's polar method: a uniform point in the unit disc gives two normal deviates. */
    double u, v, square;
    do {
        u = 2.0 * generator_uniform(generator) - 1.0;
        v = 2.0 * generator_uniform(generator) - 1.0;
        square = u * u + v * v;
    } while (square >= 1.0);
    double factor = sqrt(-2.0 * log(square) / square);
    generator->spare = v * factor;
    generator->has_spare = true;
    return u * factor;
}
