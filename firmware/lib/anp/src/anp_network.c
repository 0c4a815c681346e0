/* Configuration, memory layout and initial weights. */
#include <string.h>

#include "anp_internal.h"

#define SIGMA_MIN 16
#define SIGMA_MAX 4095
#define DECORRELATION_RATE_MIN 128
#define DECORRELATION_RATE_MAX 4194304

static uint16_t count_units(const struct anp_config *config)
{
    ANP_NEAR(config);
    uint16_t units = 0;
    for (uint8_t l = 1; l <= config->layers; l++)
        units = (uint16_t)(units + config->sizes[l]);
    return units;
}

/* Units with noise. */
static uint16_t count_noisy(const struct anp_config *config)
{
    uint16_t units = count_units(config);
    return anp_rule_of(config) == ANP_RULE_ANP ? units : (uint16_t)(units - config->sizes[config->layers]);
}

static bool decorrelation_rate_ok(const struct anp_config *config, uint32_t rate)
{
    return !config->decorrelate || (rate >= DECORRELATION_RATE_MIN && rate <= DECORRELATION_RATE_MAX);
}

enum anp_status anp_check(const struct anp_config *config)
{
    if (config->loss > ANP_CROSS_ENTROPY)
        return ANP_BAD_LOSS;
    if (config->weight_format > ANP_LAST_FORMAT)
        return ANP_BAD_WEIGHT_FORMAT;
    if (config->rounding > ANP_STOCHASTIC)
        return ANP_BAD_ROUNDING;
#ifndef ANP_ONE_RULE
    if (config->rule > ANP_LAST_RULE)
        return ANP_BAD_RULE;
    if (config->slope > ANP_SLOPE_MAX)
        return ANP_BAD_SLOPE;
#endif
    if (config->layers < 1 || config->layers > ANP_MAX_LAYERS)
        return ANP_BAD_SIZES;
    for (uint8_t l = 0; l <= config->layers; l++) {
        if (config->sizes[l] < 1 || config->sizes[l] > ANP_MAX_WIDTH)
            return ANP_BAD_SIZES;
    }
    if (config->loss == ANP_CROSS_ENTROPY && config->sizes[config->layers] < 2)
        return ANP_BAD_SIZES;
    if (config->decorrelate >> config->layers)
        return ANP_BAD_DECORRELATE;
    if (config->sigma < SIGMA_MIN || config->sigma > SIGMA_MAX)
        return ANP_BAD_SIGMA;
    if (!decorrelation_rate_ok(config, config->decorrelation_rate))
        return ANP_BAD_DECORRELATION_RATE;
    if (config->seed == 0)
        return ANP_BAD_SEED;
    bool antithetic = config->antithetic || anp_rule_of(config) == ANP_RULE_FEEDBACK;
    if (count_units(config) > ANP_MAX_UNITS || count_noisy(config) > (antithetic ? ANP_NOISE_BUFFER : ANP_NOISE_BUFFER / 2))
        return ANP_TOO_MANY_UNITS;
    return ANP_OK;
}

static uint16_t widest_decorrelated(const struct anp_config *config)
{
    uint16_t widest = 0;
    for (uint8_t l = 0; l < config->layers; l++) {
        if ((config->decorrelate >> l & 1) && config->sizes[l] > widest)
            widest = config->sizes[l];
    }
    return widest;
}

static uint8_t weight_bytes(const struct anp_config *config)
{
    return anp_is_wide(config) ? sizeof(int32_t) : sizeof(int16_t);
}

#ifndef ANP_ONE_RULE
uint32_t anp_feedback_bytes(const struct anp_config *config)
{
    if (config->rule != ANP_RULE_FEEDBACK)
        return 0;
    return (uint32_t)count_noisy(config) * config->sizes[config->layers] * (uint32_t)sizeof(int16_t);
}
#endif

uint32_t anp_blob_bytes(const struct anp_config *config)
{
    uint32_t bytes = anp_feedback_bytes(config);
    for (uint8_t l = 0; l < config->layers; l++) {
        uint32_t inputs = config->sizes[l];
        bytes += (inputs + 1) * config->sizes[l + 1] * weight_bytes(config);
        if (config->decorrelate >> l & 1)
            bytes += inputs * inputs * (uint32_t)sizeof(int16_t);
    }
    return bytes;
}

/* Counts what lay_out() hands out. */
uint32_t anp_arena_bytes(const struct anp_config *config)
{
    uint16_t widest = widest_decorrelated(config), values = (uint16_t)(3 * count_units(config));
    for (uint8_t l = 0; l < config->layers; l++) {
        if (config->decorrelate >> l & 1)
            values = (uint16_t)(values + config->sizes[l]);
    }
    return config->layers * (uint32_t)sizeof(struct anp_layer) + widest * (uint32_t)(sizeof(int32_t) + sizeof(int16_t)) +
           values * (uint32_t)sizeof(int16_t) + anp_blob_bytes(config);
}

static void *take(uint8_t **free, size_t bytes)
{
    void *piece = *free;
    *free += bytes;
    return piece;
}

/* First what holds pointers or int32 values and needs the arena's alignment.
 * This and anp_draw_weights() stay out of anp_configure(): in one function an AVR runs out of registers, and the code grows. */
__attribute__((noinline)) static void lay_out(struct anp_places *at, const struct anp_config *config, uint8_t *free)
{
    uint16_t widest = widest_decorrelated(config), units = count_units(config);
    uint8_t layers = config->layers;
    struct anp_layer *layer = at->layer = take(&free, layers * sizeof *at->layer);
    at->projection = take(&free, widest * sizeof(int32_t));
    at->weights = free;
    const uint16_t *sizes = config->sizes;
    for (uint8_t l = 0; l < layers; l++, layer++) {
        layer->inputs = *sizes++;
        layer->units = *sizes;
        layer->rows = take(&free, (layer->inputs + (size_t)1) * layer->units * weight_bytes(config));
    }
    at->weights_bytes = (size_t)(free - at->weights);
    at->matrices = free;
    uint8_t decorrelate = config->decorrelate;
    layer = at->layer;
    for (uint8_t l = 0; l < layers; l++, layer++, decorrelate >>= 1) {
        size_t n = layer->inputs;
        layer->matrix = decorrelate & 1 ? take(&free, n * n * sizeof(int16_t)) : NULL;
    }
    at->matrices_bytes = (size_t)(free - at->matrices);
#ifndef ANP_ONE_RULE
    at->feedback = take(&free, (size_t)anp_feedback_bytes(config));
#endif
    at->values = take(&free, 3 * units * sizeof(int16_t));
    at->decorrelated = take(&free, widest * sizeof(int16_t));
    int16_t *difference = at->values, *raw = NULL;
    layer = at->layer;
    for (uint8_t l = 0; l < layers; l++, layer++) {
        layer->difference = difference;
        layer->input = layer->matrix ? take(&free, layer->inputs * sizeof(int16_t)) : raw;
        raw = difference + 2 * units;
        difference += layer->units;
    }
}

uint32_t anp_random_next(uint32_t *state)
{
    return anp_random(state);
}

__attribute__((noinline)) uint32_t anp_draw_weights(const struct anp_network *net, void *rows, uint32_t seed)
{
    bool wide = anp_is_wide(&net->config);
    int16_t *row = rows;
    for (uint8_t l = 0; l < net->config.layers; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        int32_t limit = anp_isqrt(((uint32_t)3 << 24) / layer->inputs);
        for (uint16_t i = layer->units; i; i--) {
            for (uint16_t j = layer->inputs + 1u; j; j--) {
                int32_t w = j > 1 ? anp_round32((int16_t)(anp_random(&seed) >> 16) * limit, 15) : 0;
                if (wide) {
                    *(int32_t *)(void *)row = w * 65536;
                    row++;
                } else {
                    *row = (int16_t)w;
                }
                row++;
            }
        }
    }
    return seed;
}

#ifndef ANP_HAS_PREDICT
static void move_rows(struct anp_network *net, ptrdiff_t bytes)
{
    struct anp_layer *layer = net->at.layer;
    for (uint8_t l = net->config.layers; l; l--, layer++)
        layer->rows = (uint8_t *)layer->rows + bytes;
}

void anp_predict_with(struct anp_network *net, void *rows, const int16_t *x, int16_t *outputs)
{
    ptrdiff_t bytes = (uint8_t *)rows - net->at.weights;
    move_rows(net, bytes);
    anp_predict(net, x, outputs);
    move_rows(net, -bytes);
}
#endif

/* norm16 of 256 high + low. */
static struct anp_mantissa norm16_wide(uint32_t high, uint8_t low)
{
    uint8_t bits = high || low ? 40 : 0;
    for (; bits && !(high >> 31); bits--) {
        high = high << 1 | low >> 7;
        low = (uint8_t)(low << 1);
    }
    return (struct anp_mantissa){(uint16_t)(high >> 16), bits};
}

static void set_eta(struct anp_network *net)
{
    ANP_NEAR(net);
#ifdef ANP_ONE_RULE
    uint16_t units = net->units;
#else
    uint16_t units = net->noisy;
    struct anp_mantissa eta = anp_norm16(net->config.learning_rate);
    net->delta_mantissa = (int16_t)(net->config.rule == ANP_RULE_ANP ? 0 : -(eta.mantissa >> 1));
    net->delta_exponent = (int8_t)(eta.bits - 43 + (net->config.loss == ANP_SQUARED)); /* of 2e */
#endif
    uint32_t low = (net->config.learning_rate & 255u) * units;
    uint32_t high = (net->config.learning_rate >> 8) * units + (low >> 8);
    net->eta = norm16_wide(high, (uint8_t)low);
}

static void reset_matrices(struct anp_network *net)
{
    memset(net->at.matrices, 0, net->at.matrices_bytes);
    for (uint8_t l = 0; l < net->config.layers; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        int16_t *diagonal = layer->matrix;
        for (uint16_t i = layer->inputs; diagonal && i; i--, diagonal += layer->inputs + 1)
            *diagonal = 1 << ANP_MATRIX_BITS;
    }
}

enum anp_status anp_configure(struct anp_network *net, const struct anp_config *config, void *arena, uint32_t arena_bytes)
{
    enum anp_status status = anp_check(config);
    if (status != ANP_OK)
        return status;
    uint32_t needed = anp_arena_bytes(config);
    if (needed > arena_bytes)
        return ANP_TOO_LARGE;

    memset(net, 0, sizeof *net);
    net->config = *config;
    lay_out(&net->at, config, arena);
    net->at.used = (size_t)needed;
    net->units = count_units(config);
#ifndef ANP_ONE_RULE
    net->noisy = (uint8_t)count_noisy(config);
    if (config->slope == 0)
        net->config.slope = config->rule == ANP_RULE_ANP ? ANP_SLOPE : ANP_SLOPE_EXACT;
    memset(net->at.feedback, 0, (size_t)anp_feedback_bytes(config));
#endif
    set_eta(net);
    net->random_state = anp_draw_weights(net, net->at.weights, config->seed);
    reset_matrices(net);
    return ANP_OK;
}

enum anp_status anp_set_rates(struct anp_network *net, uint32_t learning_rate, uint32_t decorrelation_rate)
{
    if (!decorrelation_rate_ok(&net->config, decorrelation_rate))
        return ANP_BAD_DECORRELATION_RATE;
    net->config.learning_rate = learning_rate;
    net->config.decorrelation_rate = decorrelation_rate;
    set_eta(net);
    return ANP_OK;
}

uint16_t anp_target_count(const struct anp_network *net)
{
    return net->config.loss == ANP_CROSS_ENTROPY ? 1 : net->config.sizes[net->config.layers];
}
