/* What an AVR has in assembly: the whole training step. Only what clean passes share with it is called from C. */
#ifndef ANP_KERNELS_AVR_H
#define ANP_KERNELS_AVR_H

/* Offsets that the assembly uses; the assertions below keep them true. */
#define NET_RANDOM_STATE 0
#define NET_SATURATIONS 4
#define NET_ETA 8
#define NET_UNITS 11
#define NET_LOSS 13
#define NET_WEIGHT_FORMAT 14
#define NET_ROUNDING 15
#define NET_NORMALISED 16
#define NET_ANTITHETIC 17
#define NET_DECORRELATE 18
#ifdef ANP_ONE_RULE
#define NET_SIGMA 19
#else
#define NET_RULE 19
#define NET_SLOPE 20
#define NET_SIGMA 21
#endif
#define NET_DECORRELATION_RATE (NET_SIGMA + 8)
#define NET_LAYERS (NET_SIGMA + 16)
#define NET_LAYER (NET_SIGMA + 35)
#define NET_VALUES (NET_SIGMA + 37)
#define NET_DECORRELATED (NET_SIGMA + 39)
#define NET_PROJECTION (NET_SIGMA + 41)
#ifdef ANP_ONE_RULE
#define NET_STEPS (NET_SIGMA + 53)
#else
#define NET_STEPS (NET_SIGMA + 55)
#define NET_NOISY (NET_STEPS + 20)
#define NET_DELTA_EXPONENT (NET_STEPS + 21)
#define NET_DELTA_MANTISSA (NET_STEPS + 22)
#endif
#define NET_SKIPPED (NET_STEPS + 4)
#define NET_LAST_LOSS (NET_STEPS + 8)
#define NET_LOSS_SUM (NET_STEPS + 12)
#define LAYER_INPUTS 0
#define LAYER_UNITS 2
#define LAYER_ROWS 4
#define LAYER_MATRIX 6
#define LAYER_INPUT 8
#define LAYER_DIFFERENCE 10
#define LAYER_SIZE 12
#define NOISE_TOTAL 400
#define NOISE_RECEIVED 404
#define NOISE_GAIN 412
#define NOISE_SHIFT 414
#define NOISE_POSITION 415
#define NOISE_FILLED 416

/* Clean passes with one slope alone. */
#ifdef ANP_ONE_RULE
#define ANP_HAS_PREDICT
#define NET_WEIGHTS (NET_PROJECTION + 2)
#endif

#ifndef __ASSEMBLER__

#define ANP_HAS_TRAIN
#define ANP_HAS_RANDOM
#define ANP_HAS_NOISE_PUT_ALL
#define ANP_HAS_NOISE_DRAW
#define ANP_HAS_PASSES
#define ANP_HAS_SUM_OF_SQUARES
#define ANP_HAS_GLOBAL_FACTOR
#define ANP_HAS_UPDATE_LAYER
#define ANP_HAS_UPDATE_MATRIX
#define ANP_HAS_PRODUCTS
#define ANP_HAS_DECORRELATE
#define ANP_HAS_SQUARED_LOSS
#define ANP_HAS_FEEDBACK_PRODUCTS

#define ANP_OFFSET(type, field, value) _Static_assert(offsetof(struct type, field) == value, #field)
ANP_OFFSET(anp_network, random_state, NET_RANDOM_STATE);
ANP_OFFSET(anp_network, saturations, NET_SATURATIONS);
ANP_OFFSET(anp_network, eta, NET_ETA);
ANP_OFFSET(anp_network, units, NET_UNITS);
ANP_OFFSET(anp_network, steps, NET_STEPS);
ANP_OFFSET(anp_network, skipped, NET_SKIPPED);
ANP_OFFSET(anp_network, last_loss, NET_LAST_LOSS);
ANP_OFFSET(anp_network, loss_sum, NET_LOSS_SUM);
ANP_OFFSET(anp_network, skipped, NET_SKIPPED);
ANP_OFFSET(anp_network, at.layer, NET_LAYER);
ANP_OFFSET(anp_network, at.values, NET_VALUES);
ANP_OFFSET(anp_network, at.decorrelated, NET_DECORRELATED);
ANP_OFFSET(anp_network, at.projection, NET_PROJECTION);
#ifdef ANP_HAS_PREDICT
ANP_OFFSET(anp_network, at.weights, NET_WEIGHTS);
#endif
ANP_OFFSET(anp_network, config.loss, NET_LOSS);
ANP_OFFSET(anp_network, config.weight_format, NET_WEIGHT_FORMAT);
ANP_OFFSET(anp_network, config.rounding, NET_ROUNDING);
ANP_OFFSET(anp_network, config.normalised, NET_NORMALISED);
ANP_OFFSET(anp_network, config.antithetic, NET_ANTITHETIC);
ANP_OFFSET(anp_network, config.decorrelate, NET_DECORRELATE);
#ifndef ANP_ONE_RULE
ANP_OFFSET(anp_network, config.rule, NET_RULE);
ANP_OFFSET(anp_network, config.slope, NET_SLOPE);
ANP_OFFSET(anp_network, noisy, NET_NOISY);
ANP_OFFSET(anp_network, delta_exponent, NET_DELTA_EXPONENT);
ANP_OFFSET(anp_network, delta_mantissa, NET_DELTA_MANTISSA);
_Static_assert(ANP_RULE_FEEDBACK == 2, "its bit 1 is none of the others'");
#endif
ANP_OFFSET(anp_network, config.sigma, NET_SIGMA);
ANP_OFFSET(anp_network, config.decorrelation_rate, NET_DECORRELATION_RATE);
ANP_OFFSET(anp_network, config.layers, NET_LAYERS);
ANP_OFFSET(anp_layer, inputs, LAYER_INPUTS);
ANP_OFFSET(anp_layer, units, LAYER_UNITS);
ANP_OFFSET(anp_layer, rows, LAYER_ROWS);
ANP_OFFSET(anp_layer, matrix, LAYER_MATRIX);
ANP_OFFSET(anp_layer, input, LAYER_INPUT);
ANP_OFFSET(anp_layer, difference, LAYER_DIFFERENCE);
_Static_assert(sizeof(struct anp_layer) == LAYER_SIZE, "size");
ANP_OFFSET(anp_noise, total, NOISE_TOTAL);
ANP_OFFSET(anp_noise, received, NOISE_RECEIVED);
ANP_OFFSET(anp_noise, gain, NOISE_GAIN);
ANP_OFFSET(anp_noise, shift, NOISE_SHIFT);
ANP_OFFSET(anp_noise, position, NOISE_POSITION);
ANP_OFFSET(anp_noise, filled, NOISE_FILLED);
#undef ANP_OFFSET

uint32_t anp_random(uint32_t *state);

uint32_t anp_squared_loss(const int16_t *y, const int16_t *target, uint16_t outputs, uint32_t *saturations);

/* What is to be done with rows of n values. */
struct anp_multiplication {
    const void *rows;
    const int16_t *x;
    int16_t *z;
    uint16_t count;               /* of rows */
    uint16_t n;
    uint8_t bits;                 /* of the fraction: 12, and a bias at the end of each row, or 14, and none */
    bool wide;                    /* int32 */
};

void anp_multiply(const struct anp_multiplication *multiplication, uint32_t *saturations);

static inline void anp_products(const struct anp_network *net, const struct anp_layer *layer, const int16_t *x, int16_t *z,
                                uint32_t *saturations)
{
    struct anp_multiplication products = {layer->rows,   x, z, layer->units, layer->inputs, ANP_FRACTION_BITS,
                                          anp_is_wide(&net->config)};
    anp_multiply(&products, saturations);
}

static inline void anp_decorrelate(const struct anp_layer *layer, const int16_t *x, int16_t *xbar, uint32_t *saturations)
{
    struct anp_multiplication products = {layer->matrix, x, xbar, layer->inputs, layer->inputs, ANP_MATRIX_BITS, false};
    anp_multiply(&products, saturations);
}

#endif
#endif
