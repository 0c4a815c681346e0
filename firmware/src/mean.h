/* Sums of losses and their means. Two halves: a small chip pays for numbers of 64 bits in code. */
#ifndef MEAN_H
#define MEAN_H

#include <stdint.h>

struct mean {
    uint32_t low;
    uint32_t high;
};

void mean_add(struct mean *sum, uint32_t value);

/* The sum over `count`, rounded down, at most UINT32_MAX; 0 of nothing. */
uint32_t mean_of(const struct mean *sum, uint32_t count);

#endif
