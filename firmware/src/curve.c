#include "curve.h"

#include <string.h>

#define MANTISSA_BITS 11

static uint16_t encode(uint32_t loss)
{
    uint8_t exponent = 0;
    for (; loss >> MANTISSA_BITS; loss >>= 1)
        exponent++;
    return (uint16_t)((uint16_t)exponent << MANTISSA_BITS | (uint16_t)loss);
}

static uint32_t decode(uint16_t point)
{
    return (uint32_t)(point & ((1u << MANTISSA_BITS) - 1)) << (point >> MANTISSA_BITS);
}

void curve_init(struct curve *curve, uint16_t interval)
{
    memset(curve, 0, sizeof *curve);
    curve->interval = interval;
}

static void merge(struct curve *curve)
{
    for (uint8_t i = 0; i < WIRE_CURVE_POINTS / 2; i++) {
        /* A loss has 31 bits. */
        uint32_t sum = decode(curve->points[2 * i]) + decode(curve->points[2 * i + 1]);
        curve->points[i] = encode(sum / 2);
    }
    curve->filled = WIRE_CURVE_POINTS / 2;
    curve->interval *= 2;
}

void curve_add(struct curve *curve, uint32_t loss)
{
    mean_add(&curve->sum, loss);
    if (++curve->count < curve->interval)
        return;
    uint32_t mean = mean_of(&curve->sum, curve->count);
    curve->sum = (struct mean){0};
    curve->count = 0;
    curve->points[curve->filled++] = encode(mean);
    if (curve->filled == WIRE_CURVE_POINTS)
        merge(curve);
}
