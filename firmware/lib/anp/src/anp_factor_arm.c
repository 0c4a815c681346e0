/* The global factor on Cortex-M4 (shared/numerics.md, section 6). */
#include "anp_internal_arm.h"

#ifdef ANP_KERNELS_ARM_H

/* v > 0: its upper 16 bits when the highest of its bits is moved to the top, and by how many places that is. */
struct normal {
    uint32_t mantissa;
    int32_t places;
};

static inline struct normal normalise(uint32_t v)
{
    int32_t places = __builtin_clz(v);
    return (struct normal){v << places >> 16, places};
}

uint32_t anp_global_factor(const struct anp_network *net, int32_t loss_difference, uint32_t norm)
{
    struct normal dl = normalise((uint32_t)(loss_difference < 0 ? -loss_difference : loss_difference)), s = normalise(norm);
    uint32_t product = (dl.mantissa << 15) / s.mantissa * net->eta.mantissa;
    int32_t places = __builtin_clz(product);
    uint32_t mantissa = product << places >> 17;
    /* A bit length is 32 less the places. Of a sum of squares no square is larger, and its root has half as many bits. */
    uint32_t shift = (uint32_t)(5 + 74 - 32 + places + dl.places - s.places - net->eta.bits);
    return anp_factor_word(loss_difference > 0 ? 0 - mantissa : mantissa, (33 - (uint32_t)s.places) / 2, shift);
}
#endif
