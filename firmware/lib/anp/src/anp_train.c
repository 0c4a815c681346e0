/* One training step (shared/numerics.md, section 10). */
#include "anp_internal.h"

/* Pass 1: keeps each layer's input and activity. Returns the outputs. */
static const int16_t *first_pass(struct anp_network *net, const struct anp_noise *noise, const int16_t *sample, struct anp_draw *draw)
{
    uint8_t layers = net->config.layers;
    const int16_t *x = sample;
    for (uint8_t l = 0; l < layers; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        if (layer->matrix) {
            anp_decorrelate(layer->matrix, layer->inputs, x, layer->input, &net->saturations);
            x = layer->input;
        }
        int16_t *z = l == 0 ? net->at.first_product : layer->activity;
        anp_products(net, layer, x, z, &net->saturations);
        anp_noise_draw(noise, draw, false, z, layer->activity, layer->units, &net->saturations);
        if (l + 1 == layers)
            break;
        /* The next layer's raw input; it stays where it is unless it gets decorrelated. */
        int16_t *out = layer[1].matrix ? net->at.scratch[0] : layer[1].input;
        for (uint16_t i = 0; i < layer->units; i++)
            out[i] = anp_leaky_relu(layer->activity[i]);
        x = out;
    }
    return net->at.layer[layers - 1].activity;
}

/* Pass 2: turns each layer's activity into its difference between the passes; *norm becomes the sum of their squares. Returns the
 * outputs. */
static const int16_t *second_pass(struct anp_network *net, const struct anp_noise *noise, struct anp_draw *draw, uint32_t *norm)
{
    uint8_t layers = net->config.layers;
    const int16_t *x = NULL;
    uint32_t sum = 0;
    bool limited = false;
    for (uint8_t l = 0; l < layers; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        int16_t *out = net->at.scratch[l & 1];
        const int16_t *z = net->at.first_product;
        if (l > 0) {
            if (layer->matrix) {
                anp_decorrelate(layer->matrix, layer->inputs, x, net->at.decorrelated, &net->saturations);
                x = net->at.decorrelated;
            }
            anp_products(net, layer, x, out, &net->saturations);
            z = out;
        }
        anp_noise_draw(noise, draw, net->config.antithetic, z, out, layer->units, &net->saturations);
        for (uint16_t i = 0; i < layer->units; i++) {
            int32_t difference = anp_sat16((int32_t)layer->activity[i] - out[i], &net->saturations);
            uint32_t square = (uint32_t)(difference * difference);
            layer->activity[i] = (int16_t)difference;
            sum += square;
            limited |= sum < square;
            if (l + 1 < layers)
                out[i] = anp_leaky_relu(out[i]);
        }
        x = out;
    }
    *norm = limited ? UINT32_MAX : sum;
    net->saturations += limited;
    return x;
}

uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    struct anp_draw draw = anp_draw_split(anp_random(&net->random_state));
    bool stochastic = net->config.rounding == ANP_STOCHASTIC;
    struct anp_dither dither = {stochastic ? draw.dither : 32768u, stochastic ? 40503u : 0u};
    struct anp_draw second_draw = draw;

    uint32_t loss = anp_loss_of(net, first_pass(net, noise, x, &draw), target, &net->saturations);
    uint32_t norm;
    const int16_t *y = second_pass(net, noise, net->config.antithetic ? &second_draw : &draw, &norm);
    int32_t loss_difference = (int32_t)loss - (int32_t)anp_loss_of(net, y, target, &net->saturations);

    if (norm == 0 || loss_difference == 0) {
        net->skipped++;
    } else if (net->eta_units) {
        struct anp_factor factor = anp_global_factor(net->eta_units, loss_difference, norm);
        for (uint8_t l = 0; l < net->config.layers; l++)
            anp_update_layer(net, l, anp_input(net, l, x), factor, &dither);
    }
    for (uint8_t l = 0; l < net->config.layers; l++) {
        if (net->at.layer[l].matrix)
            anp_update_matrix(net, l, &dither);
    }

    net->steps++;
    net->last_loss = loss;
    net->loss_sum += loss;
    return loss;
}
