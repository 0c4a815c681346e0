/* Clean forward passes (shared/numerics.md, section 4). */
#include "anp_internal.h"

#ifndef ANP_HAS_PREDICT
void anp_predict(struct anp_network *net, const int16_t *x, int16_t *outputs)
{
    uint32_t uncounted = 0;
    uint8_t last = (uint8_t)(net->config.layers - 1);
    for (uint8_t l = 0;; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        if (layer->matrix) {
            anp_decorrelate(layer, x, net->at.decorrelated, &uncounted);
            x = net->at.decorrelated;
        }
        int16_t *out = l == last ? outputs : layer->difference + net->units;
        anp_products(net, layer, x, out, &uncounted);
        if (l == last)
            return;
        for (uint16_t i = 0; i < layer->units; i++)
            out[i] = anp_leaky_relu(out[i], anp_slope_of(&net->config));
        x = out;
    }
}
#endif

uint32_t anp_evaluate(struct anp_network *net, const int16_t *x, const int16_t *target, bool *correct)
{
    uint32_t uncounted = 0;
    int16_t *y = net->at.layer[net->config.layers - 1].difference + net->units;
    anp_predict(net, x, y);
    *correct = anp_is_correct(net, y, target);
    return anp_loss_of(net, y, target, &uncounted);
}
