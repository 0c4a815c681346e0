/* A rule as a program that a chip is asked for row by row, by firmware/bench/inference.c (AVR) or qemu.c (Cortex-M). A row is a word that
 * says what to do, then a sample. Rows that do nothing show what everything else costs. host/mtjlearn/bench/chip/cost.py writes what
 * comes before: the weights to begin with, RATE and SEED. */
#ifndef ROW_H
#define ROW_H

#include "rule.h"

#ifndef RATE                      /* read alone */
#define RATE 0u
#define SEED 1u
static const value start[WEIGHTS];
#endif

#define SAMPLE_BYTES ((FAN_IN + TARGETS) * sizeof(value))
#define INPUTS (1 + (SAMPLE_BYTES + 3) / 4)
#define ANSWER_BYTES 4

enum row { NOTHING, BEGIN, STEP, SUM };

/* FNV-1a over the weights. */
static uint32_t sum_of_weights(void)
{
    const uint8_t *byte = (const uint8_t *)rule_weights();
    uint32_t sum = 2166136261u;
    for (uint16_t i = 0; i < WEIGHTS * sizeof(value); i++)
        sum = (sum ^ byte[i]) * 16777619u;
    return sum;
}

__attribute__((unused)) static void infer(const float *row, void *answer)
{
    const value *sample = (const value *)(const void *)(row + 1);
    uint8_t what = *(const uint8_t *)(const void *)row;
    if (what == STEP)
        rule_step(sample, sample + FAN_IN);
    else if (what == BEGIN)
        rule_begin(start, RATE, SEED);
    else if (what == SUM)
        *(uint32_t *)answer = sum_of_weights();
}

#endif
