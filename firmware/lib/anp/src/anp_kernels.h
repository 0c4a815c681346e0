/* The loops in which a training step spends its time: one declaration each, and one implementation for each target that has a
 * faster one than C. All of them give the same bits.
 *
 * A target takes over by defining ANP_KERNELS_<TARGET> here and the kernels in anp_kernels_<target>.c; for those that it has, it
 * defines ANP_HAS_..., and anp_kernels.c leaves them out. -DANP_PORTABLE takes the C ones everywhere. */
#ifndef ANP_KERNELS_H
#define ANP_KERNELS_H

#include "anp.h"

/* What one draw of the generator decides for a step (section 2). */
struct anp_draw {
    uint8_t position;             /* of the next noise value in the ring */
    uint8_t stride;
    uint16_t dither;
};

/* Dither words (section 7). */
struct anp_dither {
    uint16_t word;                /* for the next use */
    uint16_t increment;           /* 40503 with stochastic rounding, 0 with rounding to nearest */
};

/* a_i = sat16(z_i + n_i) with the next `count` noise values (sections 3, 4); z and a may be the same. With negate the values enter
 * negated, and their own saturations are not counted: pass 1 did. */
void anp_noise_draw(const struct anp_noise *noise, struct anp_draw *draw, bool negate, const int16_t *z, int16_t *a, uint16_t count,
                    uint32_t *saturations);

/* z_i of `units` rows of n weights and a bias each (section 4). */
void anp_products16(const int16_t *rows, uint16_t units, uint16_t n, const int16_t *x, int16_t *z, uint32_t *saturations);
void anp_products32(const int32_t *rows, uint16_t units, uint16_t n, const int16_t *x, int16_t *z, uint32_t *saturations);

/* xbar = R x (section 4). */
void anp_decorrelate(const int16_t *matrix, uint16_t n, const int16_t *x, int16_t *xbar, uint32_t *saturations);

/* floor(dividend / divisor) of section 6: the divisor's highest bit is set, the quotient has at most 16 bits. */
uint16_t anp_quotient(uint32_t dividend, uint16_t divisor);

/* h of section 7: the smallest n with 2^n >= 1 + ||x||^2. */
uint8_t anp_step_exponent(const int16_t *x, uint16_t n);

/* A row's coefficient c, |c| < 2^15; k <= 30 (section 7). */
int16_t anp_coefficient(int16_t mantissa, int16_t difference, uint16_t word, uint8_t k);

/* A row's update by c with s = 8, 16 or 24 fraction bits, the bias last (section 7). */
void anp_update_row16(int16_t *row, const int16_t *x, uint16_t n, int16_t c, uint8_t s, struct anp_dither *dither,
                      uint32_t *saturations);
void anp_update_row32(int32_t *row, const int16_t *x, uint16_t n, int16_t c, uint8_t s, struct anp_dither *dither,
                      uint32_t *saturations);

/* u = R^T xbar (section 8). */
void anp_project(const int16_t *matrix, uint16_t n, const int16_t *xbar, int32_t *u);

/* Row i of R with its coefficient c, |c| < 2^16, and xbar_i (section 8). */
void anp_update_matrix_row(int16_t *row, const int32_t *u, uint16_t n, int16_t xbar, int32_t c, struct anp_dither *dither,
                           uint32_t *saturations);

#endif
