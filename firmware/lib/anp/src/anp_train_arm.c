/* A training step on Cortex-M4 that anp_step_arm.S leaves to C (shared/numerics.md, sections 10 and 13; what is special about the chip:
 * anp_kernels_arm.h). */
#include "anp_internal_arm.h"

#ifdef ANP_KERNELS_ARM_H
#include <string.h>

#define HALF 16384                /* an error below it needs no look at its saturation */
#define INCREMENT 40503u          /* of the dither word */

/* Called from assembly. */
struct anp_sums {
    uint32_t second_loss, norm, unused, loss;
};

void anp_sums_checked(struct anp_network *net, const struct anp_layer *last, const int16_t *target, struct anp_sums *sums);
uint32_t anp_train_unusual(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target);

static void draw_antithetic_noise(struct anp_network *net, const struct anp_noise *noise, uint32_t random)
{
    uint16_t units = net->units;
    int16_t *n = net->at.values;
    anp_noise_draw(net, noise, random, units);
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
        anp_noise_draw(net, noise, random, negated ? hidden : 2u * hidden);
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

struct losses {
    uint32_t first, second;       /* of pass 1 and 2 */
};

/* The squared errors of both passes (section 5). y2 lies `units` values before y1. */
static inline struct losses squared_losses(const int16_t *y1, uint32_t units, const int16_t *target, uint32_t outputs,
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
    if ((uint32_t)((first | second) >> 32) | (uint32_t)(first | second) >> 31) {
        first = limit_loss(first, saturations);
        second = limit_loss(second, saturations);
    }
    return (struct losses){(uint32_t)first, (uint32_t)second};
}

static inline uint32_t end_step(struct anp_network *net, uint32_t loss)
{
    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}

void anp_sums_checked(struct anp_network *net, const struct anp_layer *last, const int16_t *target, struct anp_sums *sums)
{
    struct losses loss = squared_losses(last->difference + 2 * net->units, net->units, target, last->units, &net->saturations);
    sums->loss = loss.first;
    sums->second_loss = loss.second;
    sums->norm = sum_of_squares(net->at.values, net->units, &net->saturations);
}

static uint32_t update_layers(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t word,
                              uint32_t increment, const struct anp_layer *stop)
{
    if (net->config.weight_format == ANP_INT16)
        return anp_update_layers(net, layer, x, factor, word, increment, stop);
    return anp_update_wide(net, layer, x, factor, word, increment, stop);
}

__attribute__((noinline)) static void update_matrices(struct anp_network *net, const struct anp_layer *last, uint32_t word,
                                                      uint32_t increment)
{
    struct anp_dither dither = {(uint16_t)word, (uint16_t)increment};
    for (const struct anp_layer *layer = net->at.layer; layer <= last; layer++)
        if (layer->matrix)
            anp_update_matrix(net, layer, &dither);
}

/* A step by another rule than ANP. */
__attribute__((noinline)) static uint32_t train_by_rule(struct anp_network *net, const struct anp_noise *noise, const int16_t *x,
                                                        const int16_t *target)
{
    uint32_t random = anp_random(&net->random_state), units = net->units, increment = 0, word = 32768;
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
        struct losses both = squared_losses(y2 + units, units, target, last->units, &net->saturations);
        loss = both.first;
        second_loss = both.second;
        uint32_t uncounted = 0;
        for (uint32_t k = 0; k < last->units; k++)
            differences[k] = anp_sat16((int32_t)y2[units + k] - target[k], &uncounted);
    } else {
        loss = anp_loss_and_error(net, y2 + units, target, differences, &net->saturations);
        second_loss = anp_loss_of(net, y2, target, &net->saturations);
    }
    if (net->config.rounding == ANP_STOCHASTIC) {
        word = random & 65535u;
        increment = INCREMENT;
    }
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
            word = update_layers(net, first, input, anp_global_factor(net, loss_difference, norm), word, increment, last - 1);
        next = last;
        input = last->input ? last->input : x;
    }
    if (net->delta_mantissa) {
        uint32_t factor = anp_factor_word((uint32_t)net->delta_mantissa, 15, (uint32_t)(5 - net->delta_exponent));
        word = update_layers(net, next, input, factor, word, increment, last);
    }
    if (special)
        update_matrices(net, last, word, increment);
    return end_step(net, loss);
}

uint32_t anp_train_unusual(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    if (net->config.rule != ANP_RULE_ANP)
        return train_by_rule(net, noise, x, target);
    uint32_t random = anp_random(&net->random_state), units = net->units;
    if (net->config.antithetic)
        draw_antithetic_noise(net, noise, random);
    else
        anp_noise_draw(net, noise, random, 2 * units);

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
    const int16_t *y1 = last->difference + 2 * units;
    struct losses loss;
    if (net->config.loss == ANP_SQUARED) {
        loss = squared_losses(y1, units, target, last->units, &net->saturations);
    } else {
        loss.first = anp_loss_of(net, y1, target, &net->saturations);
        loss.second = anp_loss_of(net, y1 - units, target, &net->saturations);
    }
    int32_t loss_difference = (int32_t)(loss.first - loss.second);
    uint32_t norm = sum_of_squares(net->at.values, units, &net->saturations);

    uint32_t word = 32768, increment = 0;
    if (net->config.rounding == ANP_STOCHASTIC) {
        word = random & 65535u;
        increment = INCREMENT;
    }
    if (norm == 0 || loss_difference == 0)
        net->skipped++;
    else if (net->eta.bits)
        word = update_layers(net, first, input, anp_global_factor(net, loss_difference, norm), word, increment, last);
    if (special)
        update_matrices(net, last, word, increment);
    return end_step(net, loss.first);
}
#endif
