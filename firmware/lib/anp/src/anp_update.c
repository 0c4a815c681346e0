/* The global factor and the weight update (shared/numerics.md, sections 6 and 7). */
#include "anp_internal.h"

#define MAX_SHIFT 30              /* beyond it an update is below the resolution */

struct anp_factor anp_global_factor(uint64_t eta_units, int32_t loss_difference, uint32_t norm)
{
    uint32_t magnitude = (uint32_t)(loss_difference < 0 ? -loss_difference : loss_difference);
    uint8_t loss_bits = anp_bits32(magnitude), norm_bits = anp_bits32(norm), eta_bits = anp_bits64(eta_units);
    uint32_t quotient = ((uint32_t)anp_norm16(magnitude, loss_bits) << 15) / anp_norm16(norm, norm_bits);
    uint32_t product = quotient * anp_norm16(eta_units, eta_bits);
    uint8_t product_bits = anp_bits32(product);
    int16_t mantissa = (int16_t)(product >> (product_bits - 15));
    struct anp_factor factor;
    factor.mantissa = (int16_t)(loss_difference > 0 ? -mantissa : mantissa);
    factor.exponent = (int16_t)(product_bits + loss_bits - norm_bits + eta_bits - 74);
    return factor;
}

/* The smallest n with 2^n >= 1 + ||x||^2. */
static uint8_t input_norm_bits(const int16_t *x, uint16_t n)
{
    uint64_t sum = ((uint32_t)1 << (2 * ANP_FRACTION_BITS)) - 1;
    for (uint16_t j = 0; j < n; j++)
        sum += (uint32_t)((int32_t)x[j] * x[j]);
    return (uint8_t)(anp_bits64(sum) - 2 * ANP_FRACTION_BITS);
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

/* One row of int16 weights: w += (c x + dither) >> s, the bias last. */
static void update_row16(int16_t *row, const int16_t *x, uint16_t n, int32_t c, uint8_t s, struct anp_dither *dither,
                         uint32_t *saturations)
{
    for (uint16_t j = 0; j <= n; j++) {
        int32_t step = (c * (j < n ? x[j] : ANP_ONE) + anp_dither_bits(anp_dither_next(dither), s)) >> s;
        row[j] = anp_sat16(row[j] + step, saturations);
    }
}

/* One row of int32 weights: with 28 fraction bits only s = 24 has anything to round. */
static void update_row32(int32_t *row, const int16_t *x, uint16_t n, int32_t c, uint8_t s, struct anp_dither *dither,
                         uint32_t *saturations)
{
    for (uint16_t j = 0; j <= n; j++) {
        int32_t product = c * (j < n ? x[j] : ANP_ONE);
        uint16_t word = anp_dither_next(dither);
        int64_t step = s == 24 ? (product + anp_dither_bits(word, 8)) >> 8 : (int64_t)product * (1 << (16 - s));
        row[j] = anp_sat32(row[j] + step, saturations);
    }
}

/* The block exponent of a layer's coefficients: s fraction bits after a shift by k. */
struct block {
    uint8_t s;
    int16_t k;
};

static struct block choose_block(uint8_t norm_bits, int16_t exponent, uint8_t width, uint32_t *saturations)
{
    struct block block = {24, (int16_t)(12 + norm_bits - exponent - 24)};
    while (block.k < width && block.s > 8) {
        block.s = (uint8_t)(block.s - 8);
        block.k = (int16_t)(block.k + 8);
    }
    if (block.k < width) {
        block.k = width;
        ++*saturations;
    }
    return block;
}

void anp_update_layer(struct anp_network *net, uint8_t l, const int16_t *input, struct anp_factor factor, struct anp_dither *dither)
{
    struct anp_layer *layer = &net->layer[l];
    uint16_t n = layer->inputs;
    uint8_t norm_bits = net->config.normalised ? input_norm_bits(input, n) : 0;
    uint8_t width = anp_bits32(largest_magnitude(layer->activity, layer->units));
    struct block block = choose_block(norm_bits, factor.exponent, width, &net->saturations);
    if (block.k > MAX_SHIFT) {
        uint32_t words = layer->units * (n + 2u);
        dither->word = (uint16_t)(dither->word + words * dither->increment);
        return;
    }

    for (uint16_t i = 0; i < layer->units; i++) {
        int32_t dithered = (int32_t)factor.mantissa * layer->activity[i] + anp_dither_bits(anp_dither_next(dither), (uint8_t)block.k);
        int32_t c = dithered >> block.k;
        uint32_t first = (uint32_t)i * (n + 1u);
        if (net->config.weight_format == ANP_INT16)
            update_row16((int16_t *)layer->rows + first, input, n, c, block.s, dither, &net->saturations);
        else
            update_row32((int32_t *)layer->rows + first, input, n, c, block.s, dither, &net->saturations);
    }
}
