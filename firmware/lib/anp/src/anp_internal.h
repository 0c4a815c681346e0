/* Between the learner's source files; not for its users. */
#ifndef ANP_INTERNAL_H
#define ANP_INTERNAL_H

#include "anp.h"
#include "anp_fixed.h"
#include "anp_kernels.h"

struct anp_draw anp_draw_split(uint32_t random);

/* The dither word for this use, and one step on (section 7). */
static inline uint16_t anp_dither_next(struct anp_dither *dither)
{
    uint16_t word = dither->word;
    dither->word = (uint16_t)(word + dither->increment);
    return word;
}

/* k random bits, k <= 30, from a dither word. */
static inline int32_t anp_dither_bits(uint16_t word, uint8_t k)
{
    return k <= 16 ? (int32_t)((uint32_t)word >> (16 - k)) : (int32_t)((uint32_t)word << (k - 16));
}

/* z of all units of a layer (section 4). */
void anp_products(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations);

/* A layer's input in pass 1: the sample itself, or what the layer kept. */
static inline const int16_t *anp_input(const struct anp_network *net, uint8_t l, const int16_t *sample)
{
    const struct anp_layer *layer = &net->at.layer[l];
    return l == 0 && !layer->matrix ? sample : layer->input;
}

/* Section 5. */
uint32_t anp_loss_of(const struct anp_network *net, const int16_t *y, const int16_t *target, uint32_t *saturations);
bool anp_is_correct(const struct anp_network *net, const int16_t *y, const int16_t *target);

/* The factor G = eta N dL / S as -mantissa * 2^exponent (section 6). */
struct anp_factor {
    int16_t mantissa;
    int16_t exponent;
};

struct anp_factor anp_global_factor(uint64_t eta_units, int32_t loss_difference, uint32_t norm);

/* Sections 7 and 8. */
void anp_update_layer(struct anp_network *net, uint8_t l, const int16_t *input, struct anp_factor factor, struct anp_dither *dither);
void anp_update_matrix(struct anp_network *net, uint8_t l, struct anp_dither *dither);

#endif
