/* Passes through one layer on Cortex-M0 (shared/numerics.md, sections 4 and 6): what goes before the loops in assembly, and the units
 * that they leave. */
#include "anp_internal_m0.h"

#ifdef ANP_KERNELS_M0_H
#include <stddef.h>

/* What anp_pass_rows() is told. */
struct anp_rows {
    const int16_t *weights;       /* of the first unit; this and the next two point behind the last input's */
    const int16_t *x1;
    const int16_t *x2;
    int32_t inputs;               /* this and the next three in bytes; the first two negative, from the end on */
    int32_t first_end;            /* of the first block of inputs */
    uint32_t block;
    int16_t *value;               /* of the first unit */
    int16_t *values_end;
    uint32_t units;               /* bytes from a unit's value to its next */
    uint32_t slope;               /* shift of negative activities: 0 in the last layer */
    uint32_t next_row;            /* bytes */
};

#define ASSERT_OFFSET(field, value) _Static_assert(offsetof(struct anp_rows, field) == value, #field)
ASSERT_OFFSET(weights, ROWS_WEIGHTS);
ASSERT_OFFSET(x1, ROWS_X1);
ASSERT_OFFSET(x2, ROWS_X2);
ASSERT_OFFSET(inputs, ROWS_INPUTS);
ASSERT_OFFSET(first_end, ROWS_FIRST_END);
ASSERT_OFFSET(block, ROWS_BLOCK);
ASSERT_OFFSET(value, ROWS_VALUE);
ASSERT_OFFSET(values_end, ROWS_VALUES_END);
ASSERT_OFFSET(units, ROWS_UNITS);
ASSERT_OFFSET(slope, ROWS_SLOPE);
ASSERT_OFFSET(next_row, ROWS_NEXT);

int16_t *anp_pass_rows(const struct anp_rows *rows);
int16_t *anp_product_rows(const struct anp_rows *rows);

/* |v| or one less. */
static inline uint32_t magnitude(int32_t v)
{
    return (uint32_t)(v ^ v >> 31);
}

/* At least the sum of all |x|, the larger of both passes. */
static uint32_t reach_of(const int16_t *x1, const int16_t *x2, uint32_t n)
{
    uint32_t reach = n;
    const int16_t *end = x1 + n;
    if (x1 == x2) {
        do
            reach += magnitude(*x1++);
        while (x1 != end);
        return reach;
    }
    do
        reach += magnitude(*x1++) | magnitude(*x2++);
    while (x1 != end);
    return reach;
}

/* At least every |x|. */
static uint32_t largest_of(const int16_t *x, uint32_t n)
{
    uint32_t largest = 0;
    do {
        uint32_t one = magnitude(*x++);
        if (one > largest)
            largest = one;
    } while (--n);
    return largest + 1;
}

/* Divides the inputs into blocks, of four or a power of two times as many, within which no sum of products reaches 2^30; one block where
 * 32 bits hold the whole sum. False when four may be too many. */
static bool choose_blocks(struct anp_rows *rows, const int16_t *x1, const int16_t *x2, uint32_t n)
{
    rows->first_end = 0;
    rows->block = 0;
    if (reach_of(x1, x2, n) <= 65535)
        return true;
    uint32_t largest = largest_of(x1, n);
    if (x1 != x2) {
        uint32_t other = largest_of(x2, n);
        if (other > largest)
            largest = other;
    }
    if (largest > 8192)
        return false;
    uint32_t block = 4;
    while (2 * block * largest <= 32768 && block < n)
        block *= 2;
    uint32_t rest = n & (block - 1), first = rest ? rest : block;
    rows->first_end = (int32_t)(2 * first) - (int32_t)(2 * n);
    rows->block = 2 * block;
    return true;
}

/* What follows from the layer and its inputs; false when the loops must not be used. */
static bool describe(struct anp_rows *rows, const struct anp_network *net, const struct anp_layer *layer, const int16_t *x1,
                     const int16_t *x2)
{
    uint32_t n = layer->inputs;
    if (anp_is_wide(&net->config) || !choose_blocks(rows, x1, x2, n))
        return false;
    rows->x1 = x1 + n;
    rows->x2 = x2 + n;
    rows->inputs = -(int32_t)(2 * n);
    rows->next_row = 2 * (n + 1);
    return true;
}

static const int16_t *row_of(const struct anp_layer *layer, uint32_t unit)
{
    return (const int16_t *)layer->rows + unit * (layer->inputs + 1u);
}

/* A layer of that unit alone. */
static struct anp_layer one_unit(const struct anp_layer *layer, uint32_t unit)
{
    struct anp_layer one = *layer;
    one.rows = (int16_t *)layer->rows + unit * (layer->inputs + 1u);
    one.difference = layer->difference + unit;
    one.units = 1;
    return one;
}

void anp_passes(struct anp_network *net, const struct anp_layer *layer, const int16_t *x1, const int16_t *x2, bool hidden)
{
    struct anp_rows rows;
    if (!describe(&rows, net, layer, x1, x2)) {
        anp_passes_in_c(net, layer, x1, x2, hidden);
        return;
    }
    rows.values_end = layer->difference + layer->units;
    rows.units = 2u * net->units;
    rows.slope = hidden ? anp_slope_of(&net->config) : 0;
    uint32_t unit = 0;
    do {
        rows.weights = row_of(layer, unit) + layer->inputs;
        rows.value = layer->difference + unit;
        unit = (uint32_t)(anp_pass_rows(&rows) - layer->difference);
        if (unit == layer->units)
            return;
        struct anp_layer one = one_unit(layer, unit);
        anp_passes_in_c(net, &one, x1, x2, hidden);
    } while (++unit != layer->units);
}

void anp_products(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z, uint32_t *saturations)
{
    struct anp_rows rows;
    if (!describe(&rows, net, layer, x, x)) {
        anp_products_in_c(net, layer, x, z, saturations);
        return;
    }
    rows.values_end = z + layer->units;
    uint32_t unit = 0;
    do {
        rows.weights = row_of(layer, unit) + layer->inputs;
        rows.value = z + unit;
        unit = (uint32_t)(anp_product_rows(&rows) - z);
        if (unit == layer->units)
            return;
        struct anp_layer one = one_unit(layer, unit);
        anp_products_in_c(net, &one, x, z + unit, saturations);
    } while (++unit != layer->units);
}
#endif
