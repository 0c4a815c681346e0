/* The curve that a device keeps of its learning: few points, over ever longer intervals (shared/numerics.md, section 11). */
#ifndef CURVE_H
#define CURVE_H

#include <stdint.h>

#include "mean.h"
#include "messages.h"

struct curve {
    uint32_t interval;            /* steps of a point */
    uint32_t count;               /* steps in `sum` */
    struct mean sum;              /* of the losses of the next point */
    uint8_t filled;
    uint16_t points[WIRE_CURVE_POINTS]; /* mantissa 11 bits, exponent 5 */
};

void curve_init(struct curve *curve, uint16_t interval);

/* After each step. */
void curve_add(struct curve *curve, uint32_t loss);

#endif
