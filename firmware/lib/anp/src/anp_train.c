/* One training step (shared/numerics.md, section 10). */
#include "anp_internal.h"

/* Pass 1: keeps each layer's input and activity. Returns the outputs. */
static const int16_t *first_pass(struct anp_network *net, const struct anp_noise *noise, const int16_t *sample, struct anp_draw *draw)
{
    uint8_t layers = net->config.layers;
    const int16_t *x = sample;
    for (uint8_t l = 0; l < layers; l++) {
        struct anp_layer *layer = &net->layer[l];
        if (layer->matrix) {
            anp_decorrelate(layer, x, layer->input, &net->saturations);
            x = layer->input;
        }
        /* The next layer's raw input; it stays where it is unless it gets decorrelated. */
        const struct anp_layer *next = l + 1 < layers ? layer + 1 : NULL;
        int16_t *out = next ? (next->matrix ? net->scratch[0] : next->input) : NULL;
        for (uint16_t i = 0; i < layer->units; i++) {
            int16_t z = anp_product(net, layer, i, x, &net->saturations);
            if (l == 0)
                net->first_product[i] = z;
            int16_t a = anp_sat16(z + anp_noise_next(noise, draw, &net->saturations), &net->saturations);
            layer->activity[i] = a;
            if (out)
                out[i] = anp_leaky_relu(a);
        }
        x = out;
    }
    return net->layer[layers - 1].activity;
}

/* Pass 2: turns each layer's activity into its difference between the passes, adding up the squares. Returns the outputs. */
static const int16_t *second_pass(struct anp_network *net, const struct anp_noise *noise, struct anp_draw *draw, uint64_t *norm)
{
    uint8_t layers = net->config.layers;
    bool negate = net->config.antithetic;
    uint32_t counted_in_first_pass = 0;
    uint32_t *noise_saturations = negate ? &counted_in_first_pass : &net->saturations;
    const int16_t *x = NULL;
    for (uint8_t l = 0; l < layers; l++) {
        struct anp_layer *layer = &net->layer[l];
        if (l > 0 && layer->matrix) {
            anp_decorrelate(layer, x, net->decorrelated, &net->saturations);
            x = net->decorrelated;
        }
        int16_t *out = net->scratch[l & 1];
        for (uint16_t i = 0; i < layer->units; i++) {
            int16_t z = l == 0 ? net->first_product[i] : anp_product(net, layer, i, x, &net->saturations);
            int16_t n = anp_noise_next(noise, draw, noise_saturations);
            int16_t a = anp_sat16(negate ? z - n : z + n, &net->saturations);
            int32_t difference = anp_sat16(layer->activity[i] - a, &net->saturations);
            layer->activity[i] = (int16_t)difference;
            *norm += (uint32_t)(difference * difference);
            out[i] = l + 1 < layers ? anp_leaky_relu(a) : a;
        }
        x = out;
    }
    return x;
}

uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    struct anp_draw draw = anp_draw_split(anp_random(&net->random_state));
    bool stochastic = net->config.rounding == ANP_STOCHASTIC;
    struct anp_dither dither = {stochastic ? draw.dither : 32768u, stochastic ? 40503u : 0u};
    struct anp_draw second_draw = draw;

    uint32_t loss = anp_loss_of(net, first_pass(net, noise, x, &draw), target, &net->saturations);
    uint64_t sum = 0;
    const int16_t *y = second_pass(net, noise, net->config.antithetic ? &second_draw : &draw, &sum);
    int32_t loss_difference = (int32_t)loss - (int32_t)anp_loss_of(net, y, target, &net->saturations);
    uint32_t norm = (uint32_t)sum;
    if (sum > UINT32_MAX) {
        norm = UINT32_MAX;
        net->saturations++;
    }

    if (norm == 0 || loss_difference == 0) {
        net->skipped++;
    } else if (net->eta_units) {
        struct anp_factor factor = anp_global_factor(net->eta_units, loss_difference, norm);
        for (uint8_t l = 0; l < net->config.layers; l++)
            anp_update_layer(net, l, anp_input(net, l, x), factor, &dither);
    }
    for (uint8_t l = 0; l < net->config.layers; l++) {
        if (net->layer[l].matrix)
            anp_update_matrix(net, l, &dither);
    }

    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}
