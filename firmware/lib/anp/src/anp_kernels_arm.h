/* Cortex-M4, M7 and M33, whose DSP extension multiplies and adds two pairs of int16 in one instruction.
 *
 * A step is in anp_step_arm.S, and for unusual networks in anp_train_arm.c, with loops in assembly that go through all layers in one
 * call. These do what happens in nearly every step: int16 weights, no decorrelation, no saturation, at least two inputs. One test
 * stands for several saturations at once; it may also catch values that only come near one. What it catches goes to the functions
 * in C, which look at each saturation by itself, count it, and give the same bits in either case. They get other names here. */
#ifndef ANP_KERNELS_ARM_H
#define ANP_KERNELS_ARM_H

/* Offsets that the assembly uses; the assertions in anp_checked_arm.c keep them true. */
#define NET_ETA_BITS 10
#define NET_UNITS 12
#define NET_LOSS 16
#define NET_WEIGHT_FORMAT 17
#define NET_ROUNDING 18
#define NET_NORMALISED 19
#define NET_SLOPE 23
#define NET_LAYERS 40
#define NET_LAYER 60
#define NET_VALUES 64
#define NET_STEPS 100
#define NET_SKIPPED 104
#define NET_LAST_LOSS 108
#define NET_LOSS_SUM 112
#define LAYER_INPUTS 0
#define LAYER_UNITS 2
#define LAYER_ROWS 4
#define LAYER_INPUT 12
#define LAYER_DIFFERENCE 16
#define LAYER_BYTES 20
#define NOISE_TOTAL 400
#define NOISE_GAIN 412
#define NOISE_SHIFT 414
#define FACTOR_BITS 16
#define FACTOR_EXPONENT 24
#define UPDATE_K 0
#define UPDATE_S 4
#define UPDATE_K32 8
#define UPDATE_END 12
#define UPDATE_LAYER 16
#define UPDATE_NET 24
#define UPDATE_NORMALISED 28
#define UPDATE_SAVED 32
#define UPDATE_WORD 72
#define UPDATE_STOP 80

#ifndef __ASSEMBLER__
#include <stdint.h>

#define ANP_HAS_RANDOM
static inline uint32_t anp_random(uint32_t *state)
{
    uint32_t s = *state;
    s ^= s << 13;
    s ^= s >> 17;
    s ^= s << 5;
    return *state = s;
}

#define anp_train anp_train_in_c
#define anp_noise_draw anp_noise_draw_in_c
#define anp_passes anp_passes_in_c
#define anp_global_factor anp_global_factor_in_c
#define anp_update_layer anp_update_layer_in_c
#ifdef ANP_KERNELS_IN_C
#define anp_products anp_products_in_c
#endif

#endif
#endif
