/* The loops in which a training step spends its time: one declaration each, and one implementation for each target that has a
 * faster one than C. All of them give the same bits.
 *
 * A target has its own in a header of its own, anp_kernels_<target>.h, included here. For each kernel that it has, that header
 * declares it and defines ANP_HAS_<KERNEL>; anp_portable.c provides the others. -DANP_PORTABLE takes the C ones everywhere. */
#ifndef ANP_KERNELS_H
#define ANP_KERNELS_H

#include "anp.h"

/* What one draw of the generator decides for a step (section 2). */
struct anp_draw {
    uint8_t position;             /* of the first noise value in the ring */
    uint8_t stride;
    uint16_t dither;
};

/* Dither words (section 7). */
struct anp_dither {
    uint16_t word;                /* for the next use */
    uint16_t increment;           /* 40503 with stochastic rounding, 0 with rounding to nearest */
};

/* The factor G = eta N dL / S as -mantissa * 2^exponent (section 6). */
struct anp_factor {
    int16_t mantissa;
    int8_t exponent;
};

#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_kernels_avr.h"
#elif defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_kernels_arm.h"
#elif defined __ARM_ARCH_6M__ && !defined ANP_PORTABLE
#include "anp_kernels_m0.h"
#endif

/* xorshift32 (section 2); the state is never 0. */
#ifndef ANP_HAS_RANDOM
uint32_t anp_random(uint32_t *state);
#endif

/* The next `count` noise values (section 3). */
#ifndef ANP_HAS_NOISE_DRAW
void anp_noise_draw(const struct anp_noise *noise, struct anp_draw draw, int16_t *n, uint16_t count, uint32_t *saturations);
#endif

/* Both passes through one layer, from their inputs x1 and x2 (sections 4 and 6). x1 == x2: z is the same in both and is counted once.
 * Of a unit's three values, `units` of the network apart, the first two are its noise in pass 1 and 2, and then become da and
 * what the layer gives on in pass 2; the third becomes what it gives on in pass 1. A hidden layer gives on leaky ReLUs. */
#ifndef ANP_HAS_PASSES
void anp_passes(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden);
#endif

/* z of a layer's units (section 4), as clean passes need it. */
#ifndef ANP_HAS_PRODUCTS
void anp_products(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations);
#endif

/* xbar = R x (section 4). */
#ifndef ANP_HAS_DECORRELATE
void anp_decorrelate(const struct anp_layer *layer, const int16_t *x, int16_t *xbar, uint32_t *saturations);
#endif

/* The squared error (section 5). */
#ifndef ANP_HAS_SQUARED_LOSS
uint32_t anp_squared_loss(const int16_t *y, const int16_t *target, uint16_t outputs, uint32_t *saturations);
#endif

/* S of section 6. */
#ifndef ANP_HAS_SUM_OF_SQUARES
uint32_t anp_sum_of_squares(const int16_t *difference, uint16_t units, uint32_t *saturations);
#endif

/* Section 6. dL, S and eta N are not 0. */
#ifndef ANP_HAS_GLOBAL_FACTOR
struct anp_factor anp_global_factor(struct anp_mantissa eta, int32_t loss_difference, uint32_t norm);
#endif

/* A layer's update from its input in pass 1 (section 7). */
#ifndef ANP_HAS_UPDATE_LAYER
void anp_update_layer(struct anp_network *net, const struct anp_layer *layer, const int16_t *input, struct anp_factor factor,
                      struct anp_dither *dither);
#endif

/* The update of a layer's matrix (section 8), from its input in pass 1. */
#ifndef ANP_HAS_UPDATE_MATRIX
void anp_update_matrix(struct anp_network *net, const struct anp_layer *layer, struct anp_dither *dither);

/* u = R^T xbar. */
void anp_project(const struct anp_layer *layer, int32_t *u);

/* Row i of R with its coefficient c, |c| < 2^16, and xbar_i. */
void anp_update_matrix_row(int16_t *row, const int32_t *u, uint16_t n, int16_t xbar, int32_t c, struct anp_dither *dither,
                           uint32_t *saturations);
#endif

/* Of the rule feedback (section 13): the sum of (row_i x_i) >> 8 over `count` values of a row that are `stride` apart, at most 200. */
int32_t anp_sum_of_upper(const int16_t *row, uint16_t stride, const int16_t *x, uint8_t count);

/* The signals of a hidden layer, where its differences are, from its B. */
void anp_signals(struct anp_network *net, const struct anp_layer *layer, const int16_t *b, const int16_t *error, uint8_t outputs);

/* To each of `count` values of the row goes round(change * rest_k, shift), 1 <= shift < 32. */
void anp_add_outer(int16_t *row, int16_t change, const int16_t *rest, uint8_t count, uint8_t shift, uint32_t *saturations);

#endif
