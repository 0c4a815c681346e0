/* One training step on Cortex-M4 (shared/numerics.md, section 10; what is special about it: anp_kernels_arm.h). */
#include "anp_internal_arm.h"

#ifdef ANP_KERNELS_ARM_H
#include <stddef.h>
#include <string.h>

#define HALF 16384                /* an error below it needs no look at its saturation */

#define ASSERT_OFFSET(type, field, value) _Static_assert(offsetof(struct type, field) == value, #field)
ASSERT_OFFSET(anp_network, units, NET_UNITS);
ASSERT_OFFSET(anp_network, config.weight_format, NET_WEIGHT_FORMAT);
ASSERT_OFFSET(anp_network, config.normalised, NET_NORMALISED);
ASSERT_OFFSET(anp_network, config.slope, NET_SLOPE);
ASSERT_OFFSET(anp_network, config.layers, NET_LAYERS);
ASSERT_OFFSET(anp_network, at.layer, NET_LAYER);
ASSERT_OFFSET(anp_layer, inputs, LAYER_INPUTS);
ASSERT_OFFSET(anp_layer, units, LAYER_UNITS);
ASSERT_OFFSET(anp_layer, rows, LAYER_ROWS);
ASSERT_OFFSET(anp_layer, input, LAYER_INPUT);
ASSERT_OFFSET(anp_layer, difference, LAYER_DIFFERENCE);
ASSERT_OFFSET(anp_noise, ring, 0);
ASSERT_OFFSET(anp_noise, total, NOISE_TOTAL);
ASSERT_OFFSET(anp_noise, gain, NOISE_GAIN);
ASSERT_OFFSET(anp_noise, shift, NOISE_SHIFT);
_Static_assert(sizeof(struct anp_layer) == LAYER_BYTES, "an array of layers");
_Static_assert(ANP_NOISE_BUFFER == 200 && ANP_FRACTION_BITS == 12 && ANP_INT16 == 0, "the assembly has these numbers in it");

/* --- called from assembly --- */

void anp_noise_draw_checked(const struct anp_noise *noise, uint32_t random, int16_t *n, uint16_t count, uint32_t *saturations);
void anp_pass_unit_checked(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden,
                           int16_t *value);
uint32_t anp_update_layer_words(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor,
                                uint32_t words, uint32_t increment);
uint32_t anp_update_wide(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t words,
                         uint32_t increment, const struct anp_layer *stop);
uint32_t anp_update_pair_checked(struct anp_network *net, uint32_t pair, int32_t p, int32_t q);

void anp_noise_draw_checked(const struct anp_noise *noise, uint32_t random, int16_t *n, uint16_t count, uint32_t *saturations)
{
    anp_noise_draw_in_c(noise, anp_draw_split(random), n, count, saturations);
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
                                uint32_t words, uint32_t increment)
{
    struct anp_factor parts = {(int16_t)factor, (int8_t)(5 - ((int32_t)factor >> 16))};
    struct anp_dither dither = {(uint16_t)words, (uint16_t)increment};
    anp_update_layer_in_c(net, layer, x, parts, &dither);
    return dither.word | (uint32_t)(dither.word + increment) << 16;
}

/* Layers with int32 weights. */
uint32_t anp_update_wide(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t words,
                         uint32_t increment, const struct anp_layer *stop)
{
    for (;; x = layer->input) {
        words = anp_update_layer_words(net, layer, x, factor, words, increment);
        if (layer++ == stop)
            return words;
    }
}

/* Two weights to which p >> 16 and q >> 16 are added. */
uint32_t anp_update_pair_checked(struct anp_network *net, uint32_t pair, int32_t p, int32_t q)
{
    int16_t first = anp_sat16((int16_t)pair + (p >> 16), &net->saturations);
    int16_t second = anp_sat16((int16_t)(pair >> 16) + (q >> 16), &net->saturations);
    return (uint32_t)(uint16_t)first | (uint32_t)(uint16_t)second << 16;
}

/* --- the step --- */

static void draw_noise(struct anp_network *net, const struct anp_noise *noise, uint32_t random)
{
    uint16_t units = net->units;
    int16_t *n = net->at.values;
    if (!net->config.antithetic) {
        anp_noise_draw(noise, random, n, (uint16_t)(2u * units), &net->saturations);
        return;
    }
    anp_noise_draw(noise, random, n, units, &net->saturations);
    for (uint16_t i = 0; i < units; i++)
        n[units + i] = (int16_t)-n[i];
}

/* Only hidden units have noise. */
static void draw_hidden_noise(struct anp_network *net, const struct anp_noise *noise, uint32_t random)
{
    uint16_t units = net->units, hidden = net->noisy;
    int16_t *first = net->at.values, *second = first + units;
    bool negated = net->config.antithetic || net->config.rule == ANP_RULE_FEEDBACK;
    if (hidden)
        anp_noise_draw(noise, random, first, negated ? hidden : (uint16_t)(2u * hidden), &net->saturations);
    for (uint16_t i = hidden; i--;)
        second[i] = negated ? (int16_t)-first[i] : first[hidden + i];
    for (uint16_t i = hidden; i < units; i++)
        first[i] = second[i] = 0;
}

/* With int32 weights or decorrelation. */
__attribute__((noinline)) static void pass_special_layers(struct anp_network *net, const int16_t *sample, const struct anp_layer *last)
{
    const int16_t *x1 = sample, *x2 = sample;
    for (const struct anp_layer *layer = net->at.layer;; layer++) {
        if (layer->matrix) {
            bool first = layer == net->at.layer;
            if (!first)
                anp_decorrelate(layer, x2, net->at.decorrelated, &net->saturations);
            anp_decorrelate(layer, x1, layer->input, &net->saturations);
            x1 = layer->input;
            x2 = first ? layer->input : net->at.decorrelated;
        }
        anp_passes_in_c(net, layer, x1, x2, layer != last);
        if (layer == last)
            return;
        x2 = layer->difference + net->units;
        x1 = x2 + net->units;
    }
}

/* |v| < 2^15. */
static inline int64_t add_square(int64_t sum, int32_t v)
{
    __asm__("smlalbb %Q0, %R0, %1, %1" : "+r"(sum) : "r"(v));
    return sum;
}

/* Two int16 in one word. */
static inline int64_t add_squares(int64_t sum, uint32_t pair)
{
    __asm__("smlald %Q0, %R0, %1, %1" : "+r"(sum) : "r"(pair));
    return sum;
}

/* S of section 6; 64 bits hold the sum of all squares. */
static inline uint32_t sum_of_squares(const int16_t *difference, uint32_t units, uint32_t *saturations)
{
    int64_t sum = 0;
    if (units & 1u)
        sum = add_square(sum, *difference++);
    for (uint32_t pairs = units / 2u; pairs; pairs--, difference += 2) {
        uint32_t pair;
        memcpy(&pair, difference, sizeof pair);
        sum = add_squares(sum, pair);
    }
    if (sum >> 32) {
        ++*saturations;
        return UINT32_MAX;
    }
    return (uint32_t)sum;
}

static inline uint32_t limit_loss(int64_t sum, uint32_t *saturations)
{
    if (sum <= ANP_LOSS_MAX)
        return (uint32_t)sum;
    ++*saturations;
    return ANP_LOSS_MAX;
}

/* The squared errors of both passes (section 5): that of pass 1 in the lower half. y2 lies `units` values before y1. */
__attribute__((noinline)) static uint64_t squared_losses(const int16_t *y1, uint32_t units, const int16_t *target, uint32_t outputs,
                                                         uint32_t *saturations)
{
    const int16_t *y2 = y1 - units;
    int64_t first = 0, second = 0;
    do {
        int32_t t = *target++, e1 = *y1++ - t, e2 = *y2++ - t;
        if ((uint32_t)((e1 + HALF) | (e2 + HALF)) >= 2 * HALF) {
            e1 = anp_sat16(e1, saturations);
            e2 = anp_sat16(e2, saturations);
        }
        first = add_square(first, e1);
        second = add_square(second, e2);
    } while (--outputs);
    if ((first | second) > ANP_LOSS_MAX) {
        first = limit_loss(first, saturations);
        second = limit_loss(second, saturations);
    }
    return (uint32_t)first | (uint64_t)second << 32;
}

__attribute__((noinline)) static void update_matrices(struct anp_network *net, const struct anp_layer *last, uint32_t words,
                                                      uint32_t increment)
{
    struct anp_dither dither = {(uint16_t)words, (uint16_t)increment};
    for (const struct anp_layer *layer = net->at.layer; layer <= last; layer++)
        if (layer->matrix)
            anp_update_matrix(net, layer, &dither);
}

/* A step by another rule than ANP. */
__attribute__((noinline)) static uint32_t train_by_rule(struct anp_network *net, const struct anp_noise *noise, const int16_t *x,
                                                        const int16_t *target)
{
    uint32_t random = anp_random(&net->random_state), units = net->units, increment = 0, dither = 32768;
    const struct anp_layer *first = net->at.layer, *last = first + (net->config.layers - 1u);
    bool special = net->config.weight_format != ANP_INT16 || net->config.decorrelate;
    bool feedback = net->config.rule == ANP_RULE_FEEDBACK, probes = net->steps % ANP_PROBE_EVERY == 0;
    if (feedback && !probes) {
        anp_pass_clean(net, x);
    } else {
        draw_hidden_noise(net, noise, random);
        if (special)
            pass_special_layers(net, x, last);
        else
            anp_pass_layers(net, x);
    }

    int16_t *differences = last->difference;
    const int16_t *y2 = differences + units;
    uint32_t loss, second_loss = 0;
    if (feedback) {
        loss = anp_loss_and_error(net, y2 + units, target, differences + units, &net->saturations);
    } else if (net->config.loss == ANP_SQUARED) {
        uint64_t both = squared_losses(y2 + units, units, target, last->units, &net->saturations);
        loss = (uint32_t)both;
        second_loss = (uint32_t)(both >> 32);
        uint32_t uncounted = 0;
        for (uint32_t k = 0; k < last->units; k++)
            differences[k] = anp_sat16((int32_t)y2[units + k] - target[k], &uncounted);
    } else {
        loss = anp_loss_and_error(net, y2 + units, target, differences, &net->saturations);
        second_loss = anp_loss_of(net, y2, target, &net->saturations);
    }
    if (net->config.rounding == ANP_STOCHASTIC) {
        dither = random & 65535u;
        increment = 40503u * 65537u;
    }
    uint32_t words = dither | (dither + increment) << 16;
    const int16_t *input = first->input ? first->input : x;
    const struct anp_layer *next = first;
    if (feedback) {
        anp_feed_back(net, probes);
    } else {
        int32_t loss_difference = (int32_t)(loss - second_loss);
        uint32_t norm = sum_of_squares(net->at.values, net->noisy, &net->saturations);
        if (norm == 0 || loss_difference == 0)
            net->skipped += first != last;
        else if (net->eta.bits)
            words = anp_update_layers(net, first, input, anp_global_factor(net, loss_difference, norm), words, increment, last - 1);
        next = last;
        input = last->input ? last->input : x;
    }
    if (net->delta_mantissa) {
        uint32_t factor = (uint16_t)net->delta_mantissa | (uint32_t)(5 - net->delta_exponent) << 16;
        words = anp_update_layers(net, next, input, factor, words, increment, last);
    }
    if (special)
        update_matrices(net, last, words, increment);
    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}

uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    if (net->config.rule != ANP_RULE_ANP)
        return train_by_rule(net, noise, x, target);
    uint32_t random = anp_random(&net->random_state);
    draw_noise(net, noise, random);

    const struct anp_layer *first = net->at.layer, *last;
    const int16_t *input = x;
    bool special = net->config.weight_format != ANP_INT16 || net->config.decorrelate;
    if (!special) {
        last = anp_pass_layers(net, x);
    } else {
        last = first + (net->config.layers - 1u);
        pass_special_layers(net, x, last);
        if (first->input)
            input = first->input;
    }
    uint32_t units = net->units;
    const int16_t *y1 = last->difference + 2 * units;
    uint32_t loss, second_loss;
    if (net->config.loss == ANP_SQUARED) {
        uint64_t both = squared_losses(y1, units, target, last->units, &net->saturations);
        loss = (uint32_t)both;
        second_loss = (uint32_t)(both >> 32);
    } else {
        loss = anp_loss_of(net, y1, target, &net->saturations);
        second_loss = anp_loss_of(net, y1 - units, target, &net->saturations);
    }
    int32_t loss_difference = (int32_t)(loss - second_loss);
    uint32_t norm = sum_of_squares(net->at.values, units, &net->saturations);

    uint32_t dither = 32768, increment = 0, words;
    if (net->config.rounding == ANP_STOCHASTIC) {
        dither = random;
        increment = 40503u * 65537u;
        __asm__("" : "+r"(increment)); /* one constant serves both uses */
    }
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(words) : "r"(dither), "r"(dither + increment));
    if (norm == 0 || loss_difference == 0)
        net->skipped++;
    else if (net->eta.bits)
        words = anp_update_layers(net, first, input, anp_global_factor(net, loss_difference, norm), words, increment, last);
    if (special)
        update_matrices(net, last, words, increment);

    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}
#endif
