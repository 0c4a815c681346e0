/* The global factor and the weight update (shared/numerics.md, sections 6 and 7). */
#include "anp_internal.h"

#define MAX_SHIFT 30              /* beyond it an update is below the resolution */

struct anp_factor anp_global_factor(uint64_t eta_units, int32_t loss_difference, uint32_t norm)
{
    uint32_t magnitude = (uint32_t)(loss_difference < 0 ? -loss_difference : loss_difference);
    uint8_t loss_bits = anp_bits32(magnitude), norm_bits = anp_bits32(norm), eta_bits = anp_bits64(eta_units);
    uint16_t quotient = anp_quotient((uint32_t)anp_norm16(magnitude, loss_bits) << 15, anp_norm16(norm, norm_bits));
    uint32_t product = (uint32_t)quotient * anp_norm16(eta_units, eta_bits);
    uint8_t product_bits = anp_bits32(product);
    int16_t mantissa = (int16_t)(product >> (product_bits - 15));
    struct anp_factor factor;
    factor.mantissa = (int16_t)(loss_difference > 0 ? -mantissa : mantissa);
    factor.exponent = (int16_t)(product_bits + loss_bits - norm_bits + eta_bits - 74);
    return factor;
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
    const struct anp_layer *layer = &net->at.layer[l];
    uint16_t n = layer->inputs;
    uint8_t norm_bits = net->config.normalised ? anp_step_exponent(input, n) : 0;
    uint8_t width = anp_bits32(largest_magnitude(layer->activity, layer->units));
    struct block block = choose_block(norm_bits, factor.exponent, width, &net->saturations);
    if (block.k > MAX_SHIFT) {
        uint32_t words = layer->units * (n + (uint32_t)2);
        dither->word = (uint16_t)(dither->word + words * dither->increment);
        return;
    }

    bool narrow = net->config.weight_format == ANP_INT16;
    int16_t *row16 = layer->rows;
    int32_t *row32 = layer->rows;
    for (uint16_t i = 0; i < layer->units; i++, row16 += n + 1u, row32 += n + 1u) {
        int16_t c = anp_coefficient(factor.mantissa, layer->activity[i], anp_dither_next(dither), (uint8_t)block.k);
        if (narrow)
            anp_update_row16(row16, input, n, c, block.s, dither, &net->saturations);
        else
            anp_update_row32(row32, input, n, c, block.s, dither, &net->saturations);
    }
}
