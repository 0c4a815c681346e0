/* One training step (shared/numerics.md, section 10). */
#include "anp_internal.h"

#ifndef ANP_HAS_TRAIN
static void draw_noise(struct anp_network *net, const struct anp_noise *noise, struct anp_draw draw)
{
    uint16_t units = net->units;
    int16_t *n = net->at.values;
    if (!net->config.antithetic) {
        anp_noise_draw(noise, draw, n, (uint16_t)(2 * units), &net->saturations);
        return;
    }
    anp_noise_draw(noise, draw, n, units, &net->saturations);
    for (uint16_t i = 0; i < units; i++)
        n[units + i] = (int16_t)-n[i];
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

uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    struct anp_draw draw = anp_draw_split(anp_random(&net->random_state));
    bool stochastic = net->config.rounding == ANP_STOCHASTIC;
    struct anp_dither dither = {stochastic ? draw.dither : 32768u, stochastic ? 40503u : 0u};

    draw_noise(net, noise, draw);
    run_passes(net, x);
    const int16_t *y2 = net->at.layer[net->config.layers - 1].difference + net->units;
    uint32_t loss = anp_loss_of(net, y2 + net->units, target, &net->saturations);
    int32_t loss_difference = (int32_t)loss - (int32_t)anp_loss_of(net, y2, target, &net->saturations);
    uint32_t norm = anp_sum_of_squares(net->at.values, net->units, &net->saturations);

    if (norm == 0 || loss_difference == 0) {
        net->skipped++;
    } else if (net->eta.bits) {
        struct anp_factor factor = anp_global_factor(net->eta, loss_difference, norm);
        for (uint8_t l = 0; l < net->config.layers; l++) {
            const struct anp_layer *layer = &net->at.layer[l];
            anp_update_layer(net, layer, layer->input ? layer->input : x, factor, &dither);
        }
    }
    for (uint8_t l = 0; l < net->config.layers; l++) {
        if (net->at.layer[l].matrix)
            anp_update_matrix(net, &net->at.layer[l], &dither);
    }

    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}
#endif
