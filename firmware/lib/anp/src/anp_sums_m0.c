/* What is made of the sums of squares on Cortex-M0 (shared/numerics.md, sections 5 and 6). */
#include "anp_internal_m0.h"

#ifdef ANP_KERNELS_M0_H

/* Of the errors; the highest bit is set when one is 2^14 or more, or the sum reached 2^31, and the rest then has no meaning. */
uint32_t anp_squared_errors(const int16_t *y, const int16_t *target, uint32_t outputs);

uint32_t anp_squared_loss(const int16_t *y, const int16_t *target, uint16_t outputs, uint32_t *saturations)
{
    uint32_t sum = anp_squared_errors(y, target, outputs);
    return sum >> 31 ? anp_squared_loss_in_c(y, target, outputs, saturations) : sum;
}

uint32_t anp_sum_of_squares(const int16_t *difference, uint16_t units, uint32_t *saturations)
{
    uint64_t sum = units ? anp_squares(difference, units) : 0;
    if (sum >> 32) {
        ++*saturations;
        return UINT32_MAX;
    }
    return (uint32_t)sum;
}
#endif
