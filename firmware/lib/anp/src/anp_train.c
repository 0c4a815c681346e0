/* One training step (shared/numerics.md, section 10). */
#include "anp_internal.h"

#ifndef ANP_HAS_TRAIN
static bool is_feedback(const struct anp_network *net)
{
    return ANP_LAST_RULE == ANP_RULE_FEEDBACK && anp_rule_of(&net->config) == ANP_RULE_FEEDBACK;
}

/* Only the first units may have noise. */
static void draw_noise(struct anp_network *net, const struct anp_noise *noise, struct anp_draw draw)
{
    uint16_t units = net->units, noisy = anp_noisy_of(net);
    int16_t *first = net->at.values, *second = first + units;
    bool negated = net->config.antithetic || is_feedback(net);
    anp_noise_draw(noise, draw, first, negated ? noisy : (uint16_t)(2 * noisy), &net->saturations);
    if (!negated && noisy == units)
        return;
    for (uint16_t i = noisy; i--;)
        second[i] = negated ? (int16_t)-first[i] : first[noisy + i];
    for (uint16_t i = noisy; i < units; i++)
        first[i] = second[i] = 0;
}

/* Both passes side by side, so that a weight is read once for both. */
static void run_passes(struct anp_network *net, const int16_t *sample)
{
    const int16_t *x1 = sample, *x2 = sample;
    uint8_t last = (uint8_t)(net->config.layers - 1);
    for (uint8_t l = 0; l <= last; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        if (layer->matrix) {
            if (l > 0)
                anp_decorrelate(layer, x2, net->at.decorrelated, &net->saturations);
            anp_decorrelate(layer, x1, layer->input, &net->saturations);
            x1 = layer->input;
            x2 = l > 0 ? net->at.decorrelated : layer->input;
        }
        anp_passes(net, layer, x1, x2, l < last);
        x2 = layer->difference + net->units;
        x1 = x2 + net->units;
    }
}

static void update_layers(struct anp_network *net, uint8_t l, uint8_t end, const int16_t *x, struct anp_factor factor,
                          struct anp_dither *dither)
{
    for (; l < end; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        anp_update_layer(net, layer, layer->input ? layer->input : x, factor, dither);
    }
}

/* ANP: the loss of pass 1. With the rule anp-exact the output layer's differences become its error. */
static uint32_t learn_by_noise(struct anp_network *net, const int16_t *x, const int16_t *target, struct anp_dither *dither)
{
    uint8_t layers = net->config.layers;
    int16_t *differences = net->at.layer[layers - 1].difference;
    const int16_t *y2 = differences + net->units;
    bool exact = anp_rule_of(&net->config) == ANP_RULE_EXACT;
    uint32_t loss = exact ? anp_loss_and_error(net, y2 + net->units, target, differences, &net->saturations)
                          : anp_loss_of(net, y2 + net->units, target, &net->saturations);
    int32_t loss_difference = (int32_t)loss - (int32_t)anp_loss_of(net, y2, target, &net->saturations);
    uint32_t norm = anp_sum_of_squares(net->at.values, anp_noisy_of(net), &net->saturations);
    layers = (uint8_t)(layers - exact);
    if (norm == 0 || loss_difference == 0)
        net->skipped += layers != 0;
    else if (net->eta.bits)
        update_layers(net, 0, layers, x, anp_global_factor(net->eta, loss_difference, norm), dither);
    return loss;
}

/* The signals of feedback are where the differences were. */
static uint32_t learn_by_feedback(struct anp_network *net, bool probes, const int16_t *target)
{
    int16_t *error = net->at.layer[net->config.layers - 1].difference + net->units;
    uint32_t loss = anp_loss_and_error(net, error + net->units, target, error, &net->saturations);
    anp_feed_back(net, probes);
    return loss;
}

uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    struct anp_draw draw = anp_draw_split(anp_random(&net->random_state));
    bool stochastic = net->config.rounding == ANP_STOCHASTIC;
    struct anp_dither dither = {stochastic ? draw.dither : 32768u, stochastic ? 40503u : 0u};
    uint8_t layers = net->config.layers;
    bool feedback = is_feedback(net), probes = net->steps % ANP_PROBE_EVERY == 0;

    if (feedback && !probes) {
        anp_pass_clean(net, x);
    } else {
        draw_noise(net, noise, draw);
        run_passes(net, x);
    }
    uint32_t loss = feedback ? learn_by_feedback(net, probes, target) : learn_by_noise(net, x, target, &dither);
    struct anp_factor delta = anp_delta_of(net);
    if (delta.mantissa)
        update_layers(net, feedback ? 0 : (uint8_t)(layers - 1), layers, x, delta, &dither);
    for (uint8_t l = 0; l < layers; l++) {
        if (net->at.layer[l].matrix)
            anp_update_matrix(net, &net->at.layer[l], &dither);
    }

    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}
#endif
