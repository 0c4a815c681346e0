/* Between the learner's source files; not for its users. */
#ifndef ANP_INTERNAL_H
#define ANP_INTERNAL_H

#include "anp.h"
#include "anp_fixed.h"
#include "anp_flash.h"
#include "anp_kernels.h"

struct anp_draw anp_draw_split(uint32_t random);

/* norm16(v) and bits(v) (section 6). */
struct anp_mantissa anp_norm16(uint32_t v);

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

/* Section 5. */
uint32_t anp_loss_of(const struct anp_network *net, const int16_t *y, const int16_t *target, uint32_t *saturations);
bool anp_is_correct(const struct anp_network *net, const int16_t *y, const int16_t *target);

#endif
