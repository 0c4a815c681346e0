/* The global factor on Cortex-M0 (shared/numerics.md, section 6), which has no division and does not count zeros. */
#include "anp_internal_m0.h"

#ifdef ANP_KERNELS_M0_H

/* v > 0: its upper 16 bits when the highest of its bits is moved to the top, and by how many places that is. */
struct normal {
    uint32_t mantissa, places;
};

static inline struct normal normalise(uint32_t v)
{
    uint32_t places = 0;
#pragma GCC unroll 5
    for (uint32_t step = 16; step; step >>= 1)
        if (!(v >> (32 - step))) {
            v <<= step;
            places += step;
        }
    return (struct normal){v >> 16, places};
}

/* dividend * 2^15 / divisor, both with 16 bits, of which the highest is set. */
static inline uint32_t quotient(uint32_t dividend, uint32_t divisor)
{
    uint32_t q = 0;
    __asm__(".syntax unified\n"
            "    cmp %1, %2\n"
            "    bcc 1f\n"
            "    subs %1, %1, %2\n"
            "1:  adcs %0, %0, %0\n"
            "    .rept 15\n"
            "    adds %1, %1, %1\n"
            "    cmp %1, %2\n"
            "    bcc 1f\n"
            "    subs %1, %1, %2\n"
            "1:  adcs %0, %0, %0\n"
            "    .endr\n"
            : "+l"(q), "+l"(dividend)
            : "l"(divisor)
            : "cc");
    return q;
}

struct anp_factor anp_global_factor(struct anp_mantissa eta, int32_t loss_difference, uint32_t norm)
{
    struct normal dl = normalise((uint32_t)(loss_difference < 0 ? -loss_difference : loss_difference)), s = normalise(norm);
    uint32_t product = quotient(dl.mantissa, s.mantissa) * eta.mantissa;
    int32_t exponent = eta.bits - 74 + 32 + (int32_t)(s.places - dl.places); /* a bit length is 32 less the places */
    for (; !(product >> 31); product <<= 1)
        exponent--;
    int32_t mantissa = (int32_t)(product >> 17);
    return (struct anp_factor){(int16_t)(loss_difference > 0 ? -mantissa : mantissa), (int8_t)exponent};
}
#endif
