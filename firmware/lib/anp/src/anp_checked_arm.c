/* What the assembly for Cortex-M4 leaves to C: values, units, rows and layers with something that may saturate. */
#include "anp_internal_arm.h"

#ifdef ANP_KERNELS_ARM_H
#include <stddef.h>

#define HALF 16384                /* a weight below it was not saturated */
#define SHORT_ROW 4               /* inputs that stay in registers */

#define ASSERT_OFFSET(type, field, value) _Static_assert(offsetof(struct type, field) == value, #field)
ASSERT_OFFSET(anp_network, units, NET_UNITS);
ASSERT_OFFSET(anp_network, config.weight_format, NET_WEIGHT_FORMAT);
ASSERT_OFFSET(anp_network, config.normalised, NET_NORMALISED);
ASSERT_OFFSET(anp_network, config.slope, NET_SLOPE);
ASSERT_OFFSET(anp_network, config.layers, NET_LAYERS);
ASSERT_OFFSET(anp_network, at.layer, NET_LAYER);
ASSERT_OFFSET(anp_network, at.values, NET_VALUES);
ASSERT_OFFSET(anp_network, config.rounding, NET_ROUNDING);
ASSERT_OFFSET(anp_network, config.loss, NET_LOSS);
ASSERT_OFFSET(anp_network, config.antithetic, NET_LOSS + 4);
ASSERT_OFFSET(anp_network, config.rule, NET_LOSS + 6);
ASSERT_OFFSET(anp_network, random_state, 0);
ASSERT_OFFSET(anp_network, eta.bits, NET_ETA_BITS);
ASSERT_OFFSET(anp_network, steps, NET_STEPS);
ASSERT_OFFSET(anp_network, skipped, NET_SKIPPED);
ASSERT_OFFSET(anp_network, last_loss, NET_LAST_LOSS);
ASSERT_OFFSET(anp_network, loss_sum, NET_LOSS_SUM);
ASSERT_OFFSET(anp_layer, inputs, LAYER_INPUTS);
ASSERT_OFFSET(anp_layer, units, LAYER_UNITS);
ASSERT_OFFSET(anp_layer, rows, LAYER_ROWS);
ASSERT_OFFSET(anp_layer, input, LAYER_INPUT);
ASSERT_OFFSET(anp_layer, difference, LAYER_DIFFERENCE);
ASSERT_OFFSET(anp_noise, ring, 0);
ASSERT_OFFSET(anp_noise, total, NOISE_TOTAL);
ASSERT_OFFSET(anp_noise, gain, NOISE_GAIN);
ASSERT_OFFSET(anp_noise, shift, NOISE_SHIFT);

/* The stack of anp_update_layers(). */
struct anp_update {
    uint32_t k;                   /* not always */
    uint32_t s32, k32;            /* 32 - s, 32 - k */
    const int16_t *end;           /* of the differences */
    const struct anp_layer *layer;
    const int16_t *x;
    struct anp_network *net;
    uint32_t normalised;
    uint32_t saved[10];           /* registers */
    uint32_t word;                /* arguments: the first dither word, */
    uint32_t increment;
    const struct anp_layer *stop;
};

ASSERT_OFFSET(anp_update, k, UPDATE_K);
ASSERT_OFFSET(anp_update, s32, UPDATE_S);
ASSERT_OFFSET(anp_update, k32, UPDATE_K32);
ASSERT_OFFSET(anp_update, end, UPDATE_END);
ASSERT_OFFSET(anp_update, layer, UPDATE_LAYER);
ASSERT_OFFSET(anp_update, net, UPDATE_NET);
ASSERT_OFFSET(anp_update, normalised, UPDATE_NORMALISED);
ASSERT_OFFSET(anp_update, saved, UPDATE_SAVED);
ASSERT_OFFSET(anp_update, word, UPDATE_WORD);
ASSERT_OFFSET(anp_update, stop, UPDATE_STOP);
_Static_assert(sizeof(struct anp_layer) == LAYER_BYTES, "an array of layers");
_Static_assert(ANP_NOISE_BUFFER == 200 && ANP_FRACTION_BITS == 12 && ANP_INT16 == 0, "the assembly has these numbers in it");

void anp_noise_draw_checked(struct anp_network *net, const struct anp_noise *noise, uint32_t random, uint32_t count);
void anp_pass_unit_checked(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden,
                           int16_t *value);
uint32_t anp_update_layer_words(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor,
                                uint32_t word, uint32_t increment);
void anp_update_rows_again(const struct anp_update *update, const int16_t *difference, uint32_t word, uint32_t factor);

void anp_noise_draw_checked(struct anp_network *net, const struct anp_noise *noise, uint32_t random, uint32_t count)
{
    anp_noise_draw_in_c(noise, anp_draw_split(random), net->at.values, (uint16_t)count, &net->saturations);
}

/* One unit. */
void anp_pass_unit_checked(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden,
                           int16_t *value)
{
    struct anp_layer unit = *layer;
    unit.rows = (int16_t *)layer->rows + (value - layer->difference) * (layer->inputs + 1);
    unit.difference = value;
    unit.units = 1;
    anp_passes_in_c(net, &unit, x1, x2, hidden);
}

/* One layer, with arguments and result as for anp_update_layers(). */
uint32_t anp_update_layer_words(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor,
                                uint32_t word, uint32_t increment)
{
    struct anp_factor parts = {(int16_t)factor, (int8_t)(5 - ((int32_t)factor >> FACTOR_EXPONENT))};
    struct anp_dither dither = {(uint16_t)word, (uint16_t)increment};
    anp_update_layer_in_c(net, layer, x, parts, &dither);
    return dither.word;
}

/* The update of layers with int32 weights. */
uint32_t anp_update_wide(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t word,
                         uint32_t increment, const struct anp_layer *stop)
{
    for (;; x = layer->input) {
        word = anp_update_layer_words(net, layer, x, factor, word, increment);
        if (layer++ == stop)
            return word;
    }
}

/* A row whose weights were added to mod 2^16, or with few inputs all rows of the layer; `difference` and `word` are those behind
 * it. Only what was large, and then is large, may have had to be saturated. */
void anp_update_rows_again(const struct anp_update *update, const int16_t *difference, uint32_t word, uint32_t factor)
{
    const struct anp_layer *layer = update->layer;
    uint32_t n = layer->inputs, rows = n <= SHORT_ROW ? layer->units : 1;
    uint8_t k = (uint8_t)(32 - update->k32), s = (uint8_t)(32 - update->s32);
    const int16_t *x = update->x;
    difference -= rows;
    int16_t *weight = (int16_t *)layer->rows + (uint32_t)(difference - layer->difference) * (n + 1);
    word -= update->increment * rows * (n + 2);
    for (; rows; rows--) {
        int32_t c = ((int16_t)factor * *difference++ + anp_dither_bits((uint16_t)word, k)) >> k;
        word += update->increment;
        for (uint32_t j = 0; j <= n; j++, weight++, word += update->increment) {
            if ((uint32_t)(*weight + HALF) < 2 * HALF)
                continue;
            int32_t step = (c * (j < n ? x[j] : ANP_ONE) + anp_dither_bits((uint16_t)word, s)) >> s;
            *weight = anp_sat16((int16_t)(*weight - step) + step, &update->net->saturations);
        }
    }
}
#endif
