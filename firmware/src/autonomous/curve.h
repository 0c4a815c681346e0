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
    uint32_t epochs;              /* of a point: 1, and twice as many whenever all places are full */
    uint32_t left;                /* epochs until the next point */
    struct mean sum;              /* of the losses of the next point */
    uint16_t points[DEVICE_CURVE_POINTS]; /* mantissa 11 bits, exponent 5 */
};

void curve_init(struct curve *curve);

/* Steps of a point. */
static inline uint32_t curve_interval(const struct curve *curve, uint16_t epoch_steps) { return epoch_steps * curve->epochs; }

/* After each epoch, with the sum of its losses. */
void curve_add(struct curve *curve, uint16_t epoch_steps, const struct mean *epoch);

#endif
