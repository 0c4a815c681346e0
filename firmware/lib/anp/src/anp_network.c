/* Configuration, memory layout and initial weights. */
#include <string.h>

#include "anp_internal.h"

#define SIGMA_MIN 16
#define SIGMA_MAX 4095
#define DECORRELATION_RATE_MIN 128
#define DECORRELATION_RATE_MAX 4194304

static uint16_t count_units(const struct anp_config *config)
{
    uint16_t units = 0;
    for (uint8_t l = 1; l <= config->layers; l++)
        units = (uint16_t)(units + config->sizes[l]);
    return units;
}

static bool decorrelation_rate_ok(const struct anp_config *config, uint32_t rate)
{
    return !config->decorrelate || (rate >= DECORRELATION_RATE_MIN && rate <= DECORRELATION_RATE_MAX);
}

enum anp_status anp_check(const struct anp_config *config)
{
    if (config->loss > ANP_CROSS_ENTROPY)
        return ANP_BAD_LOSS;
    if (config->weight_format > ANP_INT32)
        return ANP_BAD_WEIGHT_FORMAT;
    if (config->rounding > ANP_STOCHASTIC)
        return ANP_BAD_ROUNDING;
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
    if (count_units(config) > (config->antithetic ? ANP_NOISE_BUFFER : ANP_NOISE_BUFFER / 2))
        return ANP_TOO_MANY_UNITS;
    return ANP_OK;
}

/* Hands out the arena piece by piece; with base NULL it only counts. */
struct allocator {
    uint8_t *base;
    uint32_t used;
};

static void *take(struct allocator *a, uint32_t bytes)
{
    void *piece = a->base ? a->base + a->used : NULL;
    a->used += bytes;
    return piece;
}

static int16_t *take16(struct allocator *a, uint32_t values)
{
    return take(a, values * (uint32_t)sizeof(int16_t));
}

/* First what holds pointers or int32 values and needs the arena's alignment. Layers are written only when there is an arena. */
static void lay_out(struct anp_places *at, const struct anp_config *config, struct allocator *a)
{
    uint32_t weight_bytes = config->weight_format == ANP_INT32 ? 4 : 2;
    uint16_t widest_output = 0, widest_decorrelated = 0;

    for (uint8_t l = 0; l < config->layers; l++) {
        if ((config->decorrelate >> l & 1) && config->sizes[l] > widest_decorrelated)
            widest_decorrelated = config->sizes[l];
        if (config->sizes[l + 1] > widest_output)
            widest_output = config->sizes[l + 1];
    }
    at->layer = take(a, config->layers * (uint32_t)sizeof *at->layer);
    at->projection = widest_decorrelated ? take(a, widest_decorrelated * (uint32_t)sizeof(int32_t)) : NULL;
    at->weights = take(a, 0);
    uint32_t weights_from = a->used;
    for (uint8_t l = 0; l < config->layers; l++) {
        void *rows = take(a, (config->sizes[l] + (uint32_t)1) * config->sizes[l + 1] * weight_bytes);
        if (at->layer)
            at->layer[l] = (struct anp_layer){.inputs = config->sizes[l], .units = config->sizes[l + 1], .rows = rows};
    }
    at->weights_bytes = a->used - weights_from;
    at->matrices = take(a, 0);
    uint32_t matrices_from = a->used;
    for (uint8_t l = 0; l < config->layers; l++) {
        if (!(config->decorrelate >> l & 1))
            continue;
        int16_t *matrix = take16(a, (uint32_t)config->sizes[l] * config->sizes[l]);
        if (at->layer)
            at->layer[l].matrix = matrix;
    }
    at->matrices_bytes = a->used - matrices_from;
    for (uint8_t l = 0; l < config->layers; l++) {
        bool keeps_input = l > 0 || (config->decorrelate & 1);
        int16_t *input = keeps_input ? take16(a, config->sizes[l]) : NULL;
        int16_t *activity = take16(a, config->sizes[l + 1]);
        if (at->layer) {
            at->layer[l].input = input;
            at->layer[l].activity = activity;
        }
    }
    at->scratch[0] = take16(a, widest_output);
    at->scratch[1] = take16(a, widest_output);
    at->decorrelated = widest_decorrelated ? take16(a, widest_decorrelated) : NULL;
    at->first_product = take16(a, config->sizes[1]);
    at->used = a->used;
}

uint32_t anp_arena_bytes(const struct anp_config *config)
{
    struct anp_places nowhere;
    struct allocator counter = {NULL, 0};
    lay_out(&nowhere, config, &counter);
    return counter.used;
}

static void draw_weights(struct anp_network *net)
{
    for (uint8_t l = 0; l < net->config.layers; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        int32_t limit = (int32_t)anp_isqrt(((uint32_t)3 << 24) / layer->inputs);
        uint32_t index = 0;
        for (uint16_t i = 0; i < layer->units; i++) {
            for (uint16_t j = 0; j <= layer->inputs; j++, index++) {
                int32_t w = 0;
                if (j < layer->inputs)
                    w = anp_round32((int16_t)(anp_random(&net->random_state) >> 16) * limit, 15);
                if (net->config.weight_format == ANP_INT32)
                    ((int32_t *)layer->rows)[index] = w * 65536;
                else
                    ((int16_t *)layer->rows)[index] = (int16_t)w;
            }
        }
    }
}

static void reset_matrices(struct anp_network *net)
{
    for (uint8_t l = 0; l < net->config.layers; l++) {
        const struct anp_layer *layer = &net->at.layer[l];
        if (!layer->matrix)
            continue;
        memset(layer->matrix, 0, sizeof(int16_t) * layer->inputs * layer->inputs);
        for (uint32_t i = 0; i < layer->inputs; i++)
            layer->matrix[i * layer->inputs + i] = 1 << ANP_MATRIX_BITS;
    }
}

enum anp_status anp_configure(struct anp_network *net, const struct anp_config *config, void *arena, uint32_t arena_bytes)
{
    enum anp_status status = anp_check(config);
    if (status != ANP_OK)
        return status;
    if (anp_arena_bytes(config) > arena_bytes)
        return ANP_TOO_LARGE;

    struct allocator arena_allocator = {arena, 0};
    net->config = *config;
    lay_out(&net->at, config, &arena_allocator);
    net->units = count_units(config);
    net->random_state = config->seed;
    net->eta_units = (uint64_t)config->learning_rate * net->units;
    net->loss_sum = 0;
    net->last_loss = 0;
    net->steps = 0;
    net->skipped = 0;
    net->saturations = 0;
    draw_weights(net);
    reset_matrices(net);
    return ANP_OK;
}

enum anp_status anp_set_rates(struct anp_network *net, uint32_t learning_rate, uint32_t decorrelation_rate)
{
    if (!decorrelation_rate_ok(&net->config, decorrelation_rate))
        return ANP_BAD_DECORRELATION_RATE;
    net->config.learning_rate = learning_rate;
    net->config.decorrelation_rate = decorrelation_rate;
    net->eta_units = (uint64_t)learning_rate * net->units;
    return ANP_OK;
}

uint16_t anp_target_count(const struct anp_network *net)
{
    return net->config.loss == ANP_CROSS_ENTROPY ? 1 : net->config.sizes[net->config.layers];
}
