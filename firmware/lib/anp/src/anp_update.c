/* The global factor and the weight update (shared/numerics.md, sections 6 and 7) in portable C. */
#define ANP_KERNELS_IN_C
#include "anp_internal.h"

#define MAX_SHIFT 30              /* beyond it an update is below the resolution */

#ifndef ANP_HAS_GLOBAL_FACTOR
struct anp_factor anp_global_factor(struct anp_mantissa eta, int32_t loss_difference, uint32_t norm)
{
    struct anp_mantissa dl = anp_norm16((uint32_t)(loss_difference < 0 ? -loss_difference : loss_difference));
    struct anp_mantissa s = anp_norm16(norm);
    uint32_t quotient = ((uint32_t)dl.mantissa << 15) / s.mantissa;
    uint32_t product = quotient * eta.mantissa;
    uint8_t bits = anp_bits32(product);
    int16_t mantissa = (int16_t)(product >> (bits - 15));
    struct anp_factor factor;
    factor.mantissa = (int16_t)(loss_difference > 0 ? -mantissa : mantissa);
    factor.exponent = (int8_t)(bits + dl.bits - s.bits + eta.bits - 74);
    return factor;
}
#endif

#ifndef ANP_HAS_UPDATE_LAYER
/* h: the smallest n with 2^n >= 1 + ||x||^2. */
static uint8_t step_exponent(const int16_t *x, uint16_t n)
{
    /* The sum can need 41 bits. */
    uint32_t low = ((uint32_t)1 << (2 * ANP_FRACTION_BITS)) - 1;
    uint16_t high = 0;
    for (uint16_t j = 0; j < n; j++) {
        uint32_t square = (uint32_t)((int32_t)x[j] * x[j]);
        low += square;
        high = (uint16_t)(high + (low < square));
    }
    return (uint8_t)((high ? 32 + anp_bits32(high) : anp_bits32(low)) - 2 * ANP_FRACTION_BITS);
}

static uint16_t largest_magnitude(const int16_t *values, uint16_t count)
{
    int16_t largest = 0;
    for (uint16_t i = 0; i < count; i++) {
        int16_t magnitude = (int16_t)(values[i] < 0 ? -values[i] : values[i]);
        if (magnitude > largest)
            largest = magnitude;
    }
    return (uint16_t)largest;
}

/* The block exponent of a layer's coefficients: s fraction bits after a shift by k. */
struct block {
    uint8_t s;
    int8_t k;
};

static struct block choose_block(uint8_t h, int8_t exponent, uint8_t width, uint32_t *saturations)
{
    struct block block = {24, (int8_t)(12 + h - exponent - 24)};
    while (block.k < width && block.s > 8) {
        block.s = (uint8_t)(block.s - 8);
        block.k = (int8_t)(block.k + 8);
    }
    if (block.k < width) {
        block.k = (int8_t)width;
        ++*saturations;
    }
    return block;
}

/* A row's coefficient c, |c| < 2^15. */
static int16_t coefficient(int16_t mantissa, int16_t difference, uint16_t word, uint8_t k)
{
    return (int16_t)(((int32_t)mantissa * difference + anp_dither_bits(word, k)) >> k);
}

static void update_row16(int16_t *row, const int16_t *x, uint16_t n, int16_t c, uint8_t s, struct anp_dither *dither,
                         uint32_t *saturations)
{
    for (uint16_t j = 0; j <= n; j++) {
        int32_t product = (int32_t)c * (j < n ? x[j] : ANP_ONE);
        row[j] = anp_sat16(row[j] + ((product + anp_dither_bits(anp_dither_next(dither), s)) >> s), saturations);
    }
}

static void update_row32(int32_t *row, const int16_t *x, uint16_t n, int16_t c, uint8_t s, struct anp_dither *dither,
                         uint32_t *saturations)
{
    /* With 28 fraction bits only s = 24 has anything to round. */
    for (uint16_t j = 0; j <= n; j++) {
        int32_t product = (int32_t)c * (j < n ? x[j] : ANP_ONE);
        uint16_t word = anp_dither_next(dither);
        int64_t step = s == 24 ? (product + anp_dither_bits(word, 8)) >> 8 : (int64_t)product * (1 << (16 - s));
        row[j] = anp_sat32(row[j] + step, saturations);
    }
}

void anp_update_layer(struct anp_network *net, const struct anp_layer *layer, const int16_t *input, struct anp_factor factor,
                      struct anp_dither *dither)
{
    uint16_t n = layer->inputs;
    uint8_t h = net->config.normalised ? step_exponent(input, n) : 0;
    uint8_t width = anp_bits32(largest_magnitude(layer->difference, layer->units));
    struct block block = choose_block(h, factor.exponent, width, &net->saturations);
    if (block.k > MAX_SHIFT) {
        uint32_t words = layer->units * (n + (uint32_t)2);
        dither->word = (uint16_t)(dither->word + words * dither->increment);
        return;
    }

    bool narrow = net->config.weight_format == ANP_INT16;
    int16_t *row16 = layer->rows;
    int32_t *row32 = layer->rows;
    for (uint16_t i = 0; i < layer->units; i++, row16 += n + 1u, row32 += n + 1u) {
        int16_t c = coefficient(factor.mantissa, layer->difference[i], anp_dither_next(dither), (uint8_t)block.k);
        if (narrow)
            update_row16(row16, input, n, c, block.s, dither, &net->saturations);
        else
            update_row32(row32, input, n, c, block.s, dither, &net->saturations);
    }
}
#endif
