/* Between the learner's source files for Cortex-M4: its own functions under the names of those in C. */
#ifndef ANP_INTERNAL_ARM_H
#define ANP_INTERNAL_ARM_H

#include "anp_internal.h"

#ifdef ANP_KERNELS_ARM_H
#undef anp_train
#undef anp_noise_draw
#undef anp_passes
#undef anp_global_factor
#undef anp_update_layer

void anp_products_in_c(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations);

/* The first `count` noise values of a step, from the generator's draw (sections 2, 3). */
void anp_noise_draw(struct anp_network *net, const struct anp_noise *noise, uint32_t random, uint32_t count);

/* Both passes through all layers, with int16 weights and without decorrelation; values as for anp_passes_in_c(). Returns the
 * last layer. */
const struct anp_layer *anp_pass_layers(struct anp_network *net, const int16_t *x);

/* The update of the layers from `layer` to `stop`; x is the input of `layer` in pass 1. Returns the dither word for the next use. */
uint32_t anp_update_layers(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t word,
                           uint32_t increment, const struct anp_layer *stop);

/* The same of layers with int32 weights. */
uint32_t anp_update_wide(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t word,
                         uint32_t increment, const struct anp_layer *stop);

/* The mantissa of section 6 in the lower half, from bit FACTOR_BITS on how many bits the layers' differences have at most, in the
 * upper byte `shift`, 5 - E. */
static inline uint32_t anp_factor_word(uint32_t mantissa, uint32_t bits, uint32_t shift)
{
    uint32_t word, upper = bits | shift << (FACTOR_EXPONENT - FACTOR_BITS);
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(word) : "r"(mantissa), "r"(upper));
    return word;
}

uint32_t anp_global_factor(const struct anp_network *net, int32_t loss_difference, uint32_t norm);

#endif
#endif
