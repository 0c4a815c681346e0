/* The decorrelation update, R <- R - eps (xbar xbar^T - diag(xbar^2)) R (shared/numerics.md, section 8). */
#include "anp_internal.h"

void anp_update_matrix(struct anp_network *net, uint8_t l, struct anp_dither *dither)
{
    const struct anp_layer *layer = &net->at.layer[l];
    const int16_t *x = layer->input;
    uint16_t n = layer->inputs;

    uint32_t rate = net->config.decorrelation_rate;
    uint8_t rate_bits = anp_bits32(rate);
    int32_t mantissa = (int32_t)(rate_bits <= 15 ? rate << (15 - rate_bits) : rate >> (rate_bits - 15));
    uint8_t k = (uint8_t)(37 - rate_bits);

    anp_project(layer->matrix, n, x, net->at.projection);
    int16_t *row = layer->matrix;
    for (uint16_t i = 0; i < n; i++, row += n) {
        int32_t c = -((x[i] * mantissa + anp_dither_bits(anp_dither_next(dither), k)) >> k);
        anp_update_matrix_row(row, net->at.projection, n, x[i], c, dither, &net->saturations);
    }
}
