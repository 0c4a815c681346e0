/* Cortex-M0 and M0+ (ARMv6-M), which multiply 32 bits by 32 into the lower 32, and have eight registers that most instructions reach.
 *
 * The loops over weights and the noise values are in assembly. They do what happens in nearly every step: int16 weights, and no
 * saturation. What may saturate goes to the functions in C, which look at each saturation by itself, count it, and give the same
 * bits in either case. They get other names in the files that define them, which say so with ANP_KERNELS_IN_C. */
#ifndef ANP_KERNELS_M0_H
#define ANP_KERNELS_M0_H

/* Offsets that the assembly uses; the assertions in anp_passes_m0.c, anp_update_m0.c and anp_noise_m0.c keep them true. */
#define ROWS_WEIGHTS 0
#define ROWS_X1 4
#define ROWS_X2 8
#define ROWS_INPUTS 12
#define ROWS_FIRST_END 16
#define ROWS_BLOCK 20
#define ROWS_VALUE 24
#define ROWS_VALUES_END 28
#define ROWS_UNITS 32
#define ROWS_SLOPE 36
#define ROWS_NEXT 40
#define ROWS_BYTES 44

#define UPDATE_WEIGHTS 0
#define UPDATE_X 4
#define UPDATE_INPUTS 8
#define UPDATE_DIFFERENCE 12
#define UPDATE_END 16
#define UPDATE_MANTISSA 20
#define UPDATE_K 24
#define UPDATE_DITHER 28
#define UPDATE_INCREMENT 32
#define UPDATE_DITHER_SHIFT 36
#define UPDATE_S 40
#define UPDATE_BYTES 44

#define DRAW_RING 0
#define DRAW_PLACE 4
#define DRAW_VALUES 8
#define DRAW_END 12
#define DRAW_STRIDE 16
#define DRAW_CENTRE 20
#define DRAW_GAIN 24
#define DRAW_HALF 28

#ifndef __ASSEMBLER__

#define ANP_HAS_RANDOM
static inline uint32_t anp_random(uint32_t *state)
{
    uint32_t s = *state;
    s ^= s << 13;
    s ^= s >> 17;
    s ^= s << 5;
    return *state = s;
}

#define ANP_HAS_SUM_OF_SQUARES
uint32_t anp_sum_of_squares(const int16_t *difference, uint16_t units, uint32_t *saturations);

#define ANP_HAS_GLOBAL_FACTOR
struct anp_factor anp_global_factor(struct anp_mantissa eta, int32_t loss_difference, uint32_t norm);

#ifdef ANP_KERNELS_IN_C
#define anp_squared_loss anp_squared_loss_in_c
#define anp_noise_draw anp_noise_draw_in_c
#define anp_passes anp_passes_in_c
#define anp_products anp_products_in_c
#define anp_update_layer anp_update_layer_in_c
#endif

#endif
#endif
