/* The decorrelation update, R <- R - eps (xbar xbar^T - diag(xbar^2)) R (shared/numerics.md, section 8). */
#include "anp_internal.h"

void anp_update_matrix(struct anp_network *net, uint8_t l, struct anp_dither *dither)
{
    struct anp_layer *layer = &net->layer[l];
    const int16_t *x = layer->input;
    int16_t *matrix = layer->matrix;
    int32_t *u = net->projection;
    uint16_t n = layer->inputs;
    uint32_t *saturations = &net->saturations;

    uint32_t rate = net->config.decorrelation_rate;
    uint8_t rate_bits = anp_bits32(rate);
    int32_t mantissa = (int32_t)(rate_bits <= 15 ? rate << (15 - rate_bits) : rate >> (rate_bits - 15));
    uint8_t k = (uint8_t)(37 - rate_bits);

    for (uint16_t j = 0; j < n; j++) {
        int64_t acc = 0;
        for (uint16_t i = 0; i < n; i++)
            acc += (int32_t)matrix[(uint32_t)i * n + j] * x[i];
        u[j] = (int32_t)anp_round64(acc, ANP_MATRIX_BITS);
    }
    for (uint16_t i = 0; i < n; i++) {
        int16_t *row = matrix + (uint32_t)i * n;
        int32_t c = -((x[i] * mantissa + anp_dither_bits(anp_dither_next(dither), k)) >> k);
        for (uint16_t j = 0; j < n; j++) {
            int32_t t = anp_sat16(u[j] - anp_round32((int32_t)x[i] * row[j], ANP_MATRIX_BITS), saturations);
            row[j] = anp_sat16(row[j] + ((c * t + anp_dither_bits(anp_dither_next(dither), 16)) >> 16), saturations);
        }
    }
}
