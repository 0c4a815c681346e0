/* Points of 16 bits, merged in pairs when all places are full. training.c calls it after every epoch. */
#include "curve.h"

#include <string.h>

#define MANTISSA_BITS 11

__attribute__((noinline)) static uint16_t encode(uint32_t loss)
{
    uint8_t exponent = 0;
    for (; loss >> MANTISSA_BITS; loss >>= 1)
        exponent++;
    return (uint16_t)((uint16_t)exponent << MANTISSA_BITS | (uint16_t)loss);
}

__attribute__((noinline)) static uint32_t decode(uint16_t point)
{
    return (uint32_t)(point & ((1u << MANTISSA_BITS) - 1)) << (point >> MANTISSA_BITS);
}

void curve_init(struct curve *curve)
{
    memset(curve, 0, sizeof *curve);
    curve->epochs = curve->left = 1;
}

static void merge(struct curve *curve)
{
    for (uint8_t i = 0; i < DEVICE_CURVE_POINTS / 2; i++) {
        /* A loss has 31 bits. */
        uint32_t sum = decode(curve->points[2 * i]) + decode(curve->points[2 * i + 1]);
        curve->points[i] = encode(sum / 2);
    }
    curve->filled = DEVICE_CURVE_POINTS / 2;
    curve->epochs *= 2;
    curve->left = curve->epochs;
}

void curve_add(struct curve *curve, uint16_t epoch_steps, const struct mean *epoch)
{
    mean_add(&curve->sum, epoch->low);
    curve->sum.high += epoch->high;
    if (--curve->left)
        return;
    curve->left = curve->epochs;
    curve->points[curve->filled++] = encode(mean_of(&curve->sum, curve_interval(curve, epoch_steps)));
    curve->sum = (struct mean){0};
    if (curve->filled == DEVICE_CURVE_POINTS)
        merge(curve);
}
