/* The curve that a device keeps of its learning: few points, over ever longer intervals (shared/numerics.md, section 11). */
#ifndef CURVE_H
#define CURVE_H

#include <stdint.h>

#include "mean.h"
#include "messages.h"

/* A small chip has fewer places than the protocol allows. */
#ifndef DEVICE_CURVE_POINTS
#define DEVICE_CURVE_POINTS WIRE_CURVE_POINTS
#endif

struct curve {
    uint8_t filled;
    uint8_t doublings;            /* of the interval, which begins as the steps of an epoch */
    uint32_t left;                /* steps until the next point */
    struct mean sum;              /* of the losses of the next point */
    uint16_t points[DEVICE_CURVE_POINTS]; /* mantissa 11 bits, exponent 5 */
};

void curve_init(struct curve *curve, uint16_t epoch_steps);

/* Steps of a point. */
static inline uint32_t curve_interval(const struct curve *curve, uint16_t epoch_steps) { return (uint32_t)epoch_steps << curve->doublings; }

/* After each step. */
void curve_add(struct curve *curve, uint16_t epoch_steps, uint32_t loss);

#endif
