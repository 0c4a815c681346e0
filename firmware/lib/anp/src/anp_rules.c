/* What the rule feedback adds to a step (shared/numerics.md, section 13). */
#include "anp_internal.h"

#if !defined ANP_ONE_RULE && !defined ANP_NO_FEEDBACK
#include <string.h>

#define MARGIN 8                  /* bits that a product loses, so that 32 bits hold the sum of 200 */

#ifndef ANP_HAS_FEEDBACK_PRODUCTS
int32_t anp_sum_of_upper(const int16_t *row, uint16_t stride, const int16_t *x, uint8_t count)
{
    int32_t sum = 0;
    for (; count; count--, row += stride)
        sum += (int32_t)*row * *x++ >> MARGIN;
    return sum;
}

void anp_add_outer(int16_t *row, int16_t change, const int16_t *rest, uint8_t count, uint8_t shift, uint32_t *saturations)
{
    for (; count; count--, row++)
        *row = anp_sat16(*row + anp_round32((int32_t)change * *rest++, shift), saturations);
}

void anp_signals(struct anp_network *net, const struct anp_layer *layer, const int16_t *b, const int16_t *error, uint8_t outputs)
{
    int16_t *signal = layer->difference;
    const int16_t *given = signal + 2u * net->units;
    for (uint8_t i = 0; i < layer->units; i++, b += outputs) {
        int32_t sum = anp_sum_of_upper(b, 1, error, outputs);
        int16_t v = anp_sat16(anp_round32(sum, ANP_FRACTION_BITS - MARGIN), &net->saturations);
        if (given[i] < 0)
            v = (int16_t)(v >= 0 ? v >> net->config.slope : anp_leaky_relu(v, net->config.slope));
        signal[i] = v;
    }
}
#endif

void anp_pass_clean(struct anp_network *net, const int16_t *x)
{
    uint8_t last = (uint8_t)(net->config.layers - 1);
    for (uint8_t l = 0; l <= last; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        if (layer->matrix) {
            anp_decorrelate(layer, x, layer->input, &net->saturations);
            x = layer->input;
        }
        int16_t *given = layer->difference + 2u * net->units;
        anp_products(net, layer, x, given, &net->saturations);
        for (uint16_t i = 0; l < last && i < layer->units; i++)
            given[i] = anp_leaky_relu(given[i], net->config.slope);
        x = given;
    }
}

/* B and its layer, whose changes dx are where its differences are; `rest` has room for r. */
static void probe(struct anp_network *net, const struct anp_layer *layer, int16_t *b, const int16_t *output_change, int16_t *rest)
{
    uint8_t units = (uint8_t)layer->units, outputs = (uint8_t)net->config.sizes[net->config.layers];
    int16_t *change = layer->difference;
    const int16_t *second = change + net->units, *first = second + net->units;
    uint32_t energy = 0;
    for (uint8_t i = 0; i < units; i++) {
        change[i] = anp_sat16((int32_t)first[i] - second[i], &net->saturations);
        uint32_t square = (uint32_t)((int32_t)change[i] * change[i]);
        energy = energy + square < square ? UINT32_MAX : energy + square;
    }
    for (uint8_t k = 0; k < outputs; k++) {
        int32_t expected = anp_sum_of_upper(b + k, outputs, change, units);
        rest[k] = anp_sat16(output_change[k] - anp_round32(expected, ANP_FRACTION_BITS - MARGIN), &net->saturations);
    }
    uint8_t bits = energy > 1 ? anp_bits32(energy - 1) : 0, shift = bits > 12 ? (uint8_t)(bits - 11) : 1;
    for (uint8_t i = 0; i < units; i++, b += outputs)
        anp_add_outer(b, change[i], rest, outputs, shift, &net->saturations);
}

void anp_feed_back(struct anp_network *net, bool probes)
{
    const struct anp_layer *layer = net->at.layer, *last = layer + (net->config.layers - 1);
    int16_t *b = net->at.feedback, *error = last->difference + net->units;
    uint8_t outputs = (uint8_t)last->units;
    for (; layer != last; layer++) {
        if (probes)
            probe(net, layer, b, last->difference, error + net->units);
        anp_signals(net, layer, b, error, outputs);
        b += layer->units * outputs;
    }
    memcpy(last->difference, error, outputs * sizeof *error);
}
#endif
