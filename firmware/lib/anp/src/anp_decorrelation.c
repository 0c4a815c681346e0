/* The decorrelation update, R <- R - eps (xbar xbar^T - diag(xbar^2)) R (shared/numerics.md, section 8). */
#include "anp_internal.h"

#ifndef ANP_HAS_UPDATE_MATRIX
void anp_update_matrix(struct anp_network *net, const struct anp_layer *layer, struct anp_dither *dither)
{
    const int16_t *x = layer->input;
    uint16_t n = layer->inputs;

    struct anp_mantissa rate = anp_norm16(net->config.decorrelation_rate);
    int16_t mantissa = (int16_t)(rate.mantissa >> 1);
    uint8_t k = (uint8_t)(37 - rate.bits);

    anp_project(layer, net->at.projection);
    int16_t *row = layer->matrix;
    for (uint16_t i = 0; i < n; i++, row += n) {
        int32_t c = -(((int32_t)x[i] * mantissa + anp_dither_bits(anp_dither_next(dither), k)) >> k);
        anp_update_matrix_row(row, net->at.projection, n, x[i], c, dither, &net->saturations);
    }
}
#endif
