/* The products of a clean pass on Cortex-M4 (shared/numerics.md, section 4): two in one instruction. */
#include "anp_internal_arm.h"

#ifdef ANP_KERNELS_ARM_H
#include <string.h>

static inline int64_t add_products(int64_t sum, const int16_t *row, const int16_t *x)
{
    uint32_t w, v;
    memcpy(&w, row, sizeof w);
    memcpy(&v, x, sizeof v);
    __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(w), "r"(v));
    return sum;
}

static int16_t product16(const int16_t *row, const int16_t *x, uint32_t n, uint32_t *saturations)
{
    int64_t sum = 0;
    for (const int16_t *end = x + (n & ~1u); x != end; row += 2, x += 2)
        sum = add_products(sum, row, x);
    if (n & 1u)
        sum += (int32_t)*row++ * *x;
    return anp_sat16_wide(anp_round64(sum + *row * (int32_t)ANP_ONE, ANP_FRACTION_BITS), saturations);
}

void anp_products(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations)
{
    if (anp_is_wide(&net->config)) {
        anp_products_in_c(net, layer, x, z, saturations);
        return;
    }
    uint32_t n = layer->inputs;
    const int16_t *row = layer->rows;
    for (uint32_t units = layer->units; units; units--, row += n + 1)
        *z++ = product16(row, x, n, saturations);
}
#endif
