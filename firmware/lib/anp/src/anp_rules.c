/* What the rule feedback adds to a step (shared/numerics.md, section 13). */
#include "anp_internal.h"

#if !defined ANP_ONE_RULE && !defined ANP_NO_FEEDBACK
#include <string.h>

#define MARGIN 8                  /* bits that a product loses, so that 32 bits hold the sum of 200 */

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
    uint16_t units = layer->units, outputs = net->config.sizes[net->config.layers];
    int16_t *change = layer->difference;
    const int16_t *second = change + net->units, *first = second + net->units;
    uint32_t energy = 0;
    for (uint16_t i = 0; i < units; i++) {
        change[i] = anp_sat16((int32_t)first[i] - second[i], &net->saturations);
        uint32_t square = (uint32_t)((int32_t)change[i] * change[i]);
        energy = energy + square < square ? UINT32_MAX : energy + square;
    }
    for (uint16_t k = 0; k < outputs; k++) {
        int32_t expected = 0;
        const int16_t *entry = b + k;
        for (uint16_t i = 0; i < units; i++, entry += outputs)
            expected += (int32_t)*entry * change[i] >> MARGIN;
        rest[k] = anp_sat16(output_change[k] - anp_round32(expected, ANP_FRACTION_BITS - MARGIN), &net->saturations);
    }
    uint8_t bits = energy > 1 ? anp_bits32(energy - 1) : 0, shift = bits > 12 ? (uint8_t)(bits - 11) : 1;
    for (uint16_t i = 0; i < units; i++) {
        for (uint16_t k = 0; k < outputs; k++, b++)
            *b = anp_sat16(*b + anp_round32((int32_t)change[i] * rest[k], shift), &net->saturations);
    }
}

void anp_feed_back(struct anp_network *net, bool probes)
{
    const struct anp_layer *layer = net->at.layer, *last = layer + (net->config.layers - 1);
    int16_t *b = net->at.feedback, *error = last->difference + net->units;
    uint16_t outputs = last->units;
    for (; layer != last; layer++) {
        if (probes)
            probe(net, layer, b, last->difference, error + net->units);
        int16_t *signal = layer->difference;
        const int16_t *given = signal + 2u * net->units;
        for (uint16_t i = 0; i < layer->units; i++) {
            int32_t sum = 0;
            for (uint16_t k = 0; k < outputs; k++)
                sum += (int32_t)*b++ * error[k] >> MARGIN;
            int16_t v = anp_sat16(anp_round32(sum, ANP_FRACTION_BITS - MARGIN), &net->saturations);
            if (given[i] < 0)
                v = v >= 0 ? (int16_t)(v >> net->config.slope) : anp_leaky_relu(v, net->config.slope);
            signal[i] = v;
        }
    }
    memcpy(last->difference, error, outputs * sizeof *error);
}
#endif
