/* Fixed-point primitives (shared/numerics.md, section 1). Saturating operations count what they cut in *saturations. */
#ifndef ANP_FIXED_H
#define ANP_FIXED_H

#include <stdint.h>

#define ANP_ONE 4096              /* 1 in Q3.12: the bias's input */
#define ANP_INT16_MAX 32767
#define ANP_INT32_MAX 2147483647

/* (v + 2^(s-1)) >> s, halves up. |v| + 2^(s-1) must fit. */
static inline int32_t anp_round32(int32_t v, uint8_t s)
{
    return (v + ((int32_t)1 << (s - 1))) >> s;
}

static inline int64_t anp_round64(int64_t v, uint8_t s)
{
    return (v + ((int64_t)1 << (s - 1))) >> s;
}

static inline int16_t anp_sat16(int32_t v, uint32_t *saturations)
{
    if (v > ANP_INT16_MAX) {
        ++*saturations;
        return ANP_INT16_MAX;
    }
    if (v < -ANP_INT16_MAX) {
        ++*saturations;
        return -ANP_INT16_MAX;
    }
    return (int16_t)v;
}

/* sat16 of a sum that may need more than 32 bits. */
static inline int16_t anp_sat16_wide(int64_t v, uint32_t *saturations)
{
    if (v > ANP_INT16_MAX) {
        ++*saturations;
        return ANP_INT16_MAX;
    }
    if (v < -ANP_INT16_MAX) {
        ++*saturations;
        return -ANP_INT16_MAX;
    }
    return (int16_t)v;
}

static inline int32_t anp_sat32(int64_t v, uint32_t *saturations)
{
    if (v > ANP_INT32_MAX) {
        ++*saturations;
        return ANP_INT32_MAX;
    }
    if (v < -ANP_INT32_MAX) {
        ++*saturations;
        return -ANP_INT32_MAX;
    }
    return (int32_t)v;
}

/* Bit length; 0 for 0. */
static inline uint8_t anp_bits32(uint32_t v)
{
    if (v == 0)
        return 0;
#if __SIZEOF_INT__ == 4
    return (uint8_t)(32 - __builtin_clz(v));
#else
    return (uint8_t)(32 - __builtin_clzl(v));
#endif
}

/* Largest integer whose square is at most v. */
static inline uint16_t anp_isqrt(uint32_t v)
{
    uint32_t root = 0;
    for (uint32_t bit = (uint32_t)1 << 30; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint16_t)root;
}

/* Leaky ReLU with the slope 2^-slope, symmetric in rounding: towards zero. */
static inline int16_t anp_leaky_relu(int16_t a, uint8_t slope)
{
    return (int16_t)(a >= 0 ? a : -((-a) >> slope));
}

#endif
