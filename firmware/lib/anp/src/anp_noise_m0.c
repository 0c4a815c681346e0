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
    uint32_t centre;              /* l - total */
    uint32_t gain;                /* g */
    uint32_t half;                /* of the rounding, less l g */
};

#define ASSERT_OFFSET(field, value) _Static_assert(offsetof(struct anp_values, field) == value, #field)
ASSERT_OFFSET(ring, DRAW_RING);
ASSERT_OFFSET(place, DRAW_PLACE);
ASSERT_OFFSET(values, DRAW_VALUES);
ASSERT_OFFSET(end, DRAW_END);
ASSERT_OFFSET(stride, DRAW_STRIDE);
ASSERT_OFFSET(centre, DRAW_CENTRE);
ASSERT_OFFSET(gain, DRAW_GAIN);
ASSERT_OFFSET(half, DRAW_HALF);
_Static_assert(ANP_NOISE_BUFFER == 200, "the assembly has this number in it");

/* Returns all bits that occur in u. */
uint32_t anp_draw_values(const struct anp_values *values);

#define INVERSE 3264175145u       /* of 25, mod 2^32 */

/* Without a division, which the chip has not. */
static bool is_multiple_of_200(uint32_t v)
{
    return v % 8 == 0 && v * INVERSE <= UINT32_MAX / 25;
}

/* With u = v + l and l = 2^(15+shift), one more than the limit of |v|, nothing saturates if u has no bits from 2 l on, unless u is 0.
 * It is 0 for a code of (total - l) / 200, which is a whole number in few steps. With shift <= 0, v * 2^-shift * gain = u * g - l * g,
 * where g is gain * 2^-shift. */
void anp_noise_draw(const struct anp_noise *noise, struct anp_draw draw, int16_t *n, uint16_t count, uint32_t *saturations)
{
    if (count && noise->shift <= 0) {
        uint32_t up = (uint32_t)-noise->shift;
        uint32_t limit = 32768u >> up;
        const struct anp_values values = {
            .ring = noise->ring,
            .place = 2u * draw.position,
            .values = n,
            .end = n + count,
            .stride = 2u * draw.stride,
            .centre = limit - noise->total,
            .gain = (uint32_t)noise->gain << up,
            .half = 32768u - ((uint32_t)noise->gain << 15),
        };
        if (!is_multiple_of_200(noise->total - limit) && anp_draw_values(&values) < 2 * limit)
            return;
    }
    anp_noise_draw_in_c(noise, draw, n, count, saturations);
}
#endif
