/* Noise values on Cortex-M0 (shared/numerics.md, sections 2 and 3): what goes before the loop in assembly. */
#include "anp_internal_m0.h"

#ifdef ANP_KERNELS_M0_H
#include <stddef.h>

/* What anp_draw_values() is told. Places in bytes. */
struct anp_values {
    const uint16_t *ring;
    uint32_t place;
    int16_t *values;
    const int16_t *end;
    uint32_t stride;
    uint32_t total;
    uint32_t gain;                /* times 2^-shift: v * 2^-shift * gain = v * (gain * 2^-shift) */
};

#define ASSERT_OFFSET(field, value) _Static_assert(offsetof(struct anp_values, field) == value, #field)
ASSERT_OFFSET(ring, DRAW_RING);
ASSERT_OFFSET(place, DRAW_PLACE);
ASSERT_OFFSET(values, DRAW_VALUES);
ASSERT_OFFSET(end, DRAW_END);
ASSERT_OFFSET(stride, DRAW_STRIDE);
ASSERT_OFFSET(total, DRAW_TOTAL);
ASSERT_OFFSET(gain, DRAW_GAIN);
_Static_assert(ANP_NOISE_BUFFER == 200, "the assembly has this number in it");

/* Returns all bits that occur in |v| or |v| - 1. */
uint32_t anp_draw_values(const struct anp_values *values);

void anp_noise_draw(const struct anp_noise *noise, struct anp_draw draw, int16_t *n, uint16_t count, uint32_t *saturations)
{
    if (count && noise->shift <= 0) {
        uint32_t up = (uint32_t)-noise->shift;
        const struct anp_values values = {
            .ring = noise->ring,
            .place = 2u * draw.position,
            .values = n,
            .end = n + count,
            .stride = 2u * draw.stride,
            .total = noise->total,
            .gain = (uint32_t)noise->gain << up,
        };
        /* With the limit's own bits a negative v may be one beyond it. */
        if (anp_draw_values(&values) < (uint32_t)ANP_INT16_MAX >> up)
            return;
    }
    anp_noise_draw_in_c(noise, draw, n, count, saturations);
}
#endif
