/* The weight update on Cortex-M0 (shared/numerics.md, section 7): what goes before the loops in assembly, and the rows that they
 * leave. */
#include "anp_internal_m0.h"

#ifdef ANP_KERNELS_M0_H
#include <stddef.h>

#define MAX_SHIFT 30              /* beyond it an update is below the resolution */

/* What anp_update_rows() is told; it changes `difference` and `dither`. */
struct anp_update {
    int16_t *weights;             /* of the first unit; this and the next point behind the last input's */
    const int16_t *x;
    int32_t inputs;               /* in bytes, negative */
    const int16_t *difference;    /* of the first unit */
    const int16_t *end;           /* of the differences */
    int32_t mantissa;
    uint32_t k;
    uint32_t dither;              /* this and the next in the upper half */
    uint32_t increment;
    uint32_t dither_shift;        /* 32 - k */
    uint32_t s;                   /* 16 or 24 */
};

#define ASSERT_OFFSET(field, value) _Static_assert(offsetof(struct anp_update, field) == value, #field)
ASSERT_OFFSET(weights, UPDATE_WEIGHTS);
ASSERT_OFFSET(x, UPDATE_X);
ASSERT_OFFSET(inputs, UPDATE_INPUTS);
ASSERT_OFFSET(difference, UPDATE_DIFFERENCE);
ASSERT_OFFSET(end, UPDATE_END);
ASSERT_OFFSET(mantissa, UPDATE_MANTISSA);
ASSERT_OFFSET(k, UPDATE_K);
ASSERT_OFFSET(dither, UPDATE_DITHER);
ASSERT_OFFSET(increment, UPDATE_INCREMENT);
ASSERT_OFFSET(dither_shift, UPDATE_DITHER_SHIFT);
ASSERT_OFFSET(s, UPDATE_S);

int16_t *anp_update_rows(struct anp_update *update);

/* h of section 7: nearly always a few bits. */
static uint32_t step_exponent(const int16_t *x, uint32_t n)
{
    uint32_t over = (uint32_t)((anp_squares(x, n) + 0xffffffu) >> (2 * ANP_FRACTION_BITS)), h = 0;
    for (; over; over >>= 1)
        h++;
    return h;
}

/* All bits that occur in |v|: the highest is that of the largest. */
static uint32_t bits_of(const int16_t *values, uint32_t count)
{
    uint32_t bits = 0;
    do {
        int32_t v = *values++, sign = v >> 31;
        bits |= (uint32_t)((v ^ sign) - sign);
    } while (--count);
    return bits;
}

/* A row to whose weights the steps have been added mod 2^16, from its dither word on, behind the coefficient's. */
static void saturate_row(int16_t *row, const struct anp_update *update, int32_t c, uint32_t dither, uint32_t *saturations)
{
    const int16_t *x = update->x;
    for (int32_t j = update->inputs / 2; j <= 0; j++) {
        int32_t product = c * (j ? x[j] : ANP_ONE);
        int32_t step = (product + (int32_t)(dither >> (32 - update->s))) >> update->s;
        row[j] = anp_sat16((int16_t)(row[j] - step) + step, saturations);
        dither += update->increment;
    }
}

void anp_update_layer(struct anp_network *net, const struct anp_layer *layer, const int16_t *input, struct anp_factor factor,
                      struct anp_dither *dither)
{
    if (anp_is_wide(&net->config)) {
        anp_update_layer_in_c(net, layer, input, factor, dither);
        return;
    }
    uint32_t n = layer->inputs;
    const int16_t *differences = layer->difference;
    struct anp_update update;
    int32_t k = 12 - factor.exponent - 24 + (int32_t)(net->config.normalised ? step_exponent(input, n) : 0);
    uint32_t bits = bits_of(differences, layer->units);
    update.s = 24;
    if (k < 0 || (k <= MAX_SHIFT && bits >> k)) {
        k += 8;
        update.s = 16;
    }
    if (k < 0 || k > MAX_SHIFT || bits >> k) {
        anp_update_layer_in_c(net, layer, input, factor, dither);
        return;
    }
    update.weights = (int16_t *)layer->rows + n;
    update.x = input + n;
    update.inputs = -(int32_t)(2 * n);
    update.difference = differences;
    update.end = differences + layer->units;
    update.mantissa = factor.mantissa;
    update.k = (uint32_t)k;
    update.dither_shift = (uint32_t)(32 - k);
    update.dither = (uint32_t)dither->word << 16;
    update.increment = (uint32_t)dither->increment << 16;
    int16_t *row;
    while ((row = anp_update_rows(&update))) {
        uint32_t word = update.dither;
        int32_t product = update.mantissa * update.difference[-1];
        int32_t c = (product + anp_dither_bits((uint16_t)(word >> 16), (uint8_t)k)) >> k;
        saturate_row(row, &update, c, word + update.increment, &net->saturations);
        update.dither = word + update.increment * (uint32_t)(n + 2);
        update.weights = row + (n + 1);
        if (update.difference == update.end)
            break;
    }
    dither->word = (uint16_t)(update.dither >> 16);
}
#endif
