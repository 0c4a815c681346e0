/* Forward passes (shared/numerics.md, section 4). */
#include "anp_internal.h"

int16_t anp_product(const struct anp_network *net, const struct anp_layer *layer, uint16_t unit, const int16_t *x,
                    uint32_t *saturations)
{
    uint16_t n = layer->inputs;
    int64_t acc;
    if (net->config.weight_format == ANP_INT16) {
        const int16_t *row = (const int16_t *)layer->rows + (uint32_t)unit * (n + 1u);
        acc = (int32_t)row[n] * ANP_ONE;
        for (uint16_t j = 0; j < n; j++)
            acc += (int32_t)row[j] * x[j];
    } else {
        const int32_t *row = (const int32_t *)layer->rows + (uint32_t)unit * (n + 1u);
        acc = (row[n] >> 16) * (int32_t)ANP_ONE;
        for (uint16_t j = 0; j < n; j++)
            acc += (row[j] >> 16) * x[j];
    }
    return anp_sat16_wide(anp_round64(acc, ANP_FRACTION_BITS), saturations);
}

void anp_decorrelate(const struct anp_layer *layer, const int16_t *x, int16_t *out, uint32_t *saturations)
{
    uint16_t n = layer->inputs;
    const int16_t *row = layer->matrix;
    for (uint16_t i = 0; i < n; i++, row += n) {
        int64_t acc = 0;
        for (uint16_t j = 0; j < n; j++)
            acc += (int32_t)row[j] * x[j];
        out[i] = anp_sat16_wide(anp_round64(acc, ANP_MATRIX_BITS), saturations);
    }
}

void anp_predict(struct anp_network *net, const int16_t *x, int16_t *outputs)
{
    uint32_t uncounted = 0;
    uint8_t last = (uint8_t)(net->config.layers - 1);
    for (uint8_t l = 0; l <= last; l++) {
        const struct anp_layer *layer = &net->layer[l];
        if (layer->matrix) {
            anp_decorrelate(layer, x, net->decorrelated, &uncounted);
            x = net->decorrelated;
        }
        int16_t *out = l == last ? outputs : net->scratch[l & 1];
        for (uint16_t i = 0; i < layer->units; i++) {
            int16_t a = anp_product(net, layer, i, x, &uncounted);
            out[i] = l == last ? a : anp_leaky_relu(a);
        }
        x = out;
    }
}

uint32_t anp_evaluate(struct anp_network *net, const int16_t *x, const int16_t *target, bool *correct)
{
    uint32_t uncounted = 0;
    int16_t *y = net->scratch[(net->config.layers - 1) & 1];
    anp_predict(net, x, y);
    *correct = anp_is_correct(net, y, target);
    return anp_loss_of(net, y, target, &uncounted);
}
