/* The kernels in portable C; the global factor and the update of the weights are in anp_update.c. */
#define ANP_KERNELS_IN_C
#include "anp_internal.h"

#ifndef ANP_HAS_RANDOM
uint32_t anp_random(uint32_t *state)
{
    uint32_t s = *state;
    s ^= s << 13;
    s ^= s >> 17;
    s ^= s << 5;
    *state = s;
    return s;
}
#endif

#ifndef ANP_HAS_NOISE_DRAW
/* sat16 of v * 2^k, which can need 33 bits: v is compared before the multiplication. */
static int16_t scale_up(int32_t v, uint8_t k, uint32_t *saturations)
{
    int32_t limit = ANP_INT16_MAX >> k;
    if (v > limit || v < -limit) {
        ++*saturations;
        return v > 0 ? ANP_INT16_MAX : -ANP_INT16_MAX;
    }
    return (int16_t)(v * ((int32_t)1 << k));
}

void anp_noise_draw(const struct anp_noise *noise, struct anp_draw draw, int16_t *n, uint16_t count, uint32_t *saturations)
{
    for (uint16_t i = 0; i < count; i++) {
        int32_t v = (int32_t)(ANP_NOISE_BUFFER * (uint32_t)noise->ring[draw.position]) - (int32_t)noise->total;
        uint16_t next = (uint16_t)(draw.position + draw.stride);
        draw.position = (uint8_t)(next >= ANP_NOISE_BUFFER ? next - ANP_NOISE_BUFFER : next);
        int16_t scaled = noise->shift > 0 ? anp_sat16(v >> noise->shift, saturations)
                                          : scale_up(v, (uint8_t)-noise->shift, saturations);
        n[i] = (int16_t)anp_round32((int32_t)scaled * (int32_t)noise->gain, 16);
    }
}
#endif

#if !defined ANP_HAS_PASSES || !defined ANP_HAS_PRODUCTS || !defined ANP_HAS_DECORRELATE
static int64_t dot16(const int16_t *row, const int16_t *x, uint16_t n)
{
    int64_t sum = 0;
    for (uint16_t j = 0; j < n; j++)
        sum += (int32_t)row[j] * x[j];
    return sum;
}
#endif

#if !defined ANP_HAS_PASSES || !defined ANP_HAS_PRODUCTS
/* The weights >> 16. */
static int64_t dot32(const int32_t *row, const int16_t *x, uint16_t n)
{
    int64_t sum = 0;
    for (uint16_t j = 0; j < n; j++)
        sum += (row[j] >> 16) * x[j];
    return sum;
}

/* z of unit i. */
static int16_t product(const struct anp_network *net, const struct anp_layer *layer, uint16_t i, const int16_t *x, uint32_t *saturations)
{
    uint16_t n = layer->inputs;
    size_t from = i * (n + (size_t)1);
    int64_t sum;
    if (net->config.weight_format == ANP_INT16) {
        const int16_t *row = (const int16_t *)layer->rows + from;
        sum = dot16(row, x, n) + row[n] * (int32_t)ANP_ONE;
    } else {
        const int32_t *row = (const int32_t *)layer->rows + from;
        sum = dot32(row, x, n) + (row[n] >> 16) * (int32_t)ANP_ONE;
    }
    return anp_sat16_wide(anp_round64(sum, ANP_FRACTION_BITS), saturations);
}
#endif

#ifndef ANP_HAS_PASSES
void anp_passes(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden)
{
    uint16_t units = net->units;
    uint8_t slope = anp_slope_of(&net->config);
    int16_t *value = layer->difference;
    for (uint16_t i = 0; i < layer->units; i++, value++) {
        int16_t z1 = product(net, layer, i, x1, &net->saturations);
        int16_t z2 = x1 == x2 ? z1 : product(net, layer, i, x2, &net->saturations);
        int16_t a1 = anp_sat16(z1 + (int32_t)value[0], &net->saturations);
        int16_t a2 = anp_sat16(z2 + (int32_t)value[units], &net->saturations);
        value[0] = anp_sat16(a1 - (int32_t)a2, &net->saturations);
        value[units] = hidden ? anp_leaky_relu(a2, slope) : a2;
        value[2u * units] = hidden ? anp_leaky_relu(a1, slope) : a1;
    }
}
#endif

#ifndef ANP_HAS_PRODUCTS
void anp_products(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations)
{
    for (uint16_t i = 0; i < layer->units; i++)
        z[i] = product(net, layer, i, x, saturations);
}
#endif

#ifndef ANP_HAS_DECORRELATE
void anp_decorrelate(const struct anp_layer *layer, const int16_t *x, int16_t *xbar, uint32_t *saturations)
{
    uint16_t n = layer->inputs;
    const int16_t *row = layer->matrix;
    for (uint16_t i = 0; i < n; i++, row += n)
        xbar[i] = anp_sat16_wide(anp_round64(dot16(row, x, n), ANP_MATRIX_BITS), saturations);
}
#endif

#ifndef ANP_HAS_SQUARED_LOSS
uint32_t anp_squared_loss(const int16_t *y, const int16_t *target, uint16_t outputs, uint32_t *saturations)
{
    uint32_t sum = 0;
    bool limited = false;
    for (uint16_t k = 0; k < outputs; k++) {
        int32_t e = anp_sat16((int32_t)y[k] - target[k], saturations);
        sum += (uint32_t)(e * e);
        /* Nothing is subtracted, so that limiting on the way is limiting at the end; the next square then fits. */
        if (sum > ANP_LOSS_MAX) {
            sum = ANP_LOSS_MAX;
            limited = true;
        }
    }
    *saturations += limited;
    return sum;
}
#endif

#ifndef ANP_HAS_SUM_OF_SQUARES
uint32_t anp_sum_of_squares(const int16_t *difference, uint16_t units, uint32_t *saturations)
{
    uint32_t sum = 0;
    bool limited = false;
    for (uint16_t i = 0; i < units; i++) {
        uint32_t square = (uint32_t)((int32_t)difference[i] * difference[i]);
        sum += square;
        limited |= sum < square;
    }
    *saturations += limited;
    return limited ? UINT32_MAX : sum;
}
#endif

#ifndef ANP_HAS_UPDATE_MATRIX
void anp_project(const struct anp_layer *layer, int32_t *u)
{
    uint16_t n = layer->inputs;
    for (uint16_t j = 0; j < n; j++) {
        int64_t acc = 0;
        for (uint16_t i = 0; i < n; i++)
            acc += (int32_t)layer->matrix[(uint32_t)i * n + j] * layer->input[i];
        u[j] = (int32_t)anp_round64(acc, ANP_MATRIX_BITS);
    }
}

void anp_update_matrix_row(int16_t *row, const int32_t *u, uint16_t n, int16_t xbar, int32_t c, struct anp_dither *dither,
                           uint32_t *saturations)
{
    for (uint16_t j = 0; j < n; j++) {
        int32_t t = anp_sat16(u[j] - anp_round32((int32_t)xbar * row[j], ANP_MATRIX_BITS), saturations);
        row[j] = anp_sat16(row[j] + ((c * t + anp_dither_bits(anp_dither_next(dither), 16)) >> 16), saturations);
    }
}
#endif
