/* Between the learner's source files for Cortex-M0: what its own functions leave to those in C, and share. */
#ifndef ANP_INTERNAL_M0_H
#define ANP_INTERNAL_M0_H

#include "anp_internal.h"

#ifdef ANP_KERNELS_M0_H
void anp_noise_draw_in_c(const struct anp_noise *noise, struct anp_draw draw, int16_t *n, uint16_t count, uint32_t *saturations);
uint32_t anp_squared_loss_in_c(const int16_t *y, const int16_t *target, uint16_t outputs, uint32_t *saturations);
void anp_passes_in_c(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden);
void anp_products_in_c(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations);
void anp_update_layer_in_c(struct anp_network *net, const struct anp_layer *layer, const int16_t *input, struct anp_factor factor,
                           struct anp_dither *dither);

/* The sum of the squares of `count` values, at least one. */
uint64_t anp_squares(const int16_t *values, uint32_t count);

#endif
#endif
