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

/* enum anp_rule of a network. */
static inline uint8_t anp_rule_of(const struct anp_config *config)
{
#ifdef ANP_ONE_RULE
    (void)config;
    return ANP_RULE_ANP;
#else
    return config->rule;
#endif
}

/* The slope of a configured network. */
static inline uint8_t anp_slope_of(const struct anp_config *config)
{
#ifdef ANP_ONE_RULE
    (void)config;
    return ANP_SLOPE;
#else
    return config->slope;
#endif
}

/* Units with noise. */
static inline uint16_t anp_noisy_of(const struct anp_network *net)
{
#ifdef ANP_ONE_RULE
    return net->units;
#else
    return net->noisy;
#endif
}

/* The factor of the delta rule (section 13); of mantissa 0 where eta is, and with ANP. */
static inline struct anp_factor anp_delta_of(const struct anp_network *net)
{
#ifdef ANP_ONE_RULE
    (void)net;
    return (struct anp_factor){0, 0};
#else
    return (struct anp_factor){net->delta_mantissa, net->delta_exponent};
#endif
}

/* Section 5. */
uint32_t anp_loss_of(const struct anp_network *net, const int16_t *y, const int16_t *target, uint32_t *saturations);
#define ANP_PROBE_EVERY 4         /* steps, of the rule feedback */

/* The loss, and the outputs' error (section 13). */
uint32_t anp_loss_and_error(const struct anp_network *net, const int16_t *y, const int16_t *target, int16_t *error, uint32_t *saturations);

/* A clean pass of a step: what each unit gives on is its third value. */
void anp_pass_clean(struct anp_network *net, const int16_t *x);

/* After a probe's passes the update of the feedback; then the signals of all layers, where their differences are. The error of the outputs
 * is in their second values. */
void anp_feed_back(struct anp_network *net, bool probes);

bool anp_is_correct(const struct anp_network *net, const int16_t *y, const int16_t *target);

#endif
