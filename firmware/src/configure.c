/* Checks a CONFIGURE field by field and lays the network out. The command table calls it; a checkpoint asks configure_fits(). */
#include "configure.h"

#include <string.h>

#include "autonomous.h"
#include "blobs.h"
#include "bounds.h"
#include "fields.h"
#include "flash.h"
#include "handlers.h"
#include "long_samples.h"
#include "messages.h"

_Static_assert(ANP_MAX_LAYERS == WIRE_MAX_LAYERS, "the protocol tells the host how many layers there can be");
_Static_assert((int)ANP_SQUARED == WIRE_LOSS_SQUARED && (int)ANP_CROSS_ENTROPY == WIRE_LOSS_CROSS_ENTROPY, "one set of values");
_Static_assert((int)ANP_INT16 == WIRE_WEIGHT_FORMAT_INT16 && (int)ANP_INT32 == WIRE_WEIGHT_FORMAT_INT32, "one set of values");
_Static_assert((int)ANP_RULE_EXACT == WIRE_RULE_ANP_EXACT && (int)ANP_RULE_FEEDBACK == WIRE_RULE_FEEDBACK, "one set of values");
_Static_assert((int)ANP_NEAREST == WIRE_ROUNDING_NEAREST && (int)ANP_STOCHASTIC == WIRE_ROUNDING_STOCHASTIC, "one set of values");

static const WIRE_FLASH uint8_t field_of[] = {
    [ANP_BAD_LOSS] = WIRE_FIELD_CONFIGURE_LOSS,
    [ANP_BAD_WEIGHT_FORMAT] = WIRE_FIELD_CONFIGURE_WEIGHT_FORMAT,
    [ANP_BAD_ROUNDING] = WIRE_FIELD_CONFIGURE_ROUNDING,
    [ANP_BAD_DECORRELATE] = WIRE_FIELD_CONFIGURE_DECORRELATE,
    [ANP_BAD_SIGMA] = WIRE_FIELD_CONFIGURE_SIGMA,
    [ANP_BAD_DECORRELATION_RATE] = WIRE_FIELD_CONFIGURE_DECORRELATION_RATE,
    [ANP_BAD_SEED] = WIRE_FIELD_CONFIGURE_SEED,
    [ANP_BAD_SIZES] = WIRE_FIELD_CONFIGURE_SIZES,
    [ANP_TOO_MANY_UNITS] = WIRE_FIELD_CONFIGURE_SIZES,
    [ANP_BAD_RULE] = WIRE_FIELD_CONFIGURE_RULE,
    [ANP_BAD_SLOPE] = WIRE_FIELD_CONFIGURE_SLOPE,
};

static const WIRE_FLASH struct field numbers[] = {
    FIELD(anp_config, sigma, wire_configure, sigma),
    FIELD(anp_config, noise_std, wire_configure, noise_std),
    FIELD(anp_config, learning_rate, wire_configure, learning_rate),
    FIELD(anp_config, decorrelation_rate, wire_configure, decorrelation_rate),
    FIELD(anp_config, seed, wire_configure, seed),
};

static void read_config(struct anp_config *config, const struct wire_configure *message, uint8_t size_count)
{
    config->loss = message->loss;
    config->weight_format = message->weight_format;
    config->rounding = message->rounding;
    config->normalised = (message->options & WIRE_OPTIONS_NORMALISED) != 0;
    config->antithetic = (message->options & WIRE_OPTIONS_ANTITHETIC) != 0;
    config->decorrelate = message->decorrelate;
#ifndef ANP_ONE_RULE
    config->rule = message->rule;
    config->slope = message->slope;
#endif
    FIELDS_COPY(config, message, numbers);
    config->layers = (uint8_t)(size_count - 1);
    memcpy(config->sizes, message + 1, size_count * sizeof config->sizes[0]);
}

/* The longest messages about one sample: an EVALUATE, and a PREDICTION. With parts an EVALUATE holds the targets alone. */
bool configure_fits(const struct anp_config *config, uint8_t max_payload)
{
    WIRE_NEAR(config);
    uint16_t targets = config->sizes[config->layers];
    if (config->loss == ANP_CROSS_ENTROPY) {
        if (targets > max_payload / 2u)
            return false;
        targets = 1;
    }
    uint16_t inputs = LONG_SAMPLES_FEATURES ? 0 : config->sizes[0];
    return inputs + targets <= (uint8_t)(max_payload - WIRE_SIZE_EVALUATE) / 2u;
}

uint32_t configure_arena_bytes(const struct anp_config *config, uint8_t max_payload)
{
    uint32_t needed = anp_arena_bytes(config);
    if (!LONG_SAMPLES_FEATURES)
        return needed;
    uint16_t inputs = config->sizes[0], targets = config->loss == ANP_CROSS_ENTROPY ? 1 : config->sizes[config->layers];
    bool is_long = inputs + targets > (uint8_t)(max_payload - WIRE_SIZE_EVALUATE) / 2u;
    return is_long ? bounds_with_sample(needed, inputs, targets) : needed;
}

enum wire_result command_configure(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    const BOARD_FLASH struct board *board = device->board;
    const struct wire_configure *message = (const void *)payload;
    uint8_t size_count = (uint8_t)((length - sizeof *message) / sizeof(uint16_t));
    if (size_count < 2 || size_count > ANP_MAX_LAYERS + 1)
        return device_out_of_range(device, WIRE_FIELD_CONFIGURE_SIZES);
    if (message->options & ~(WIRE_OPTIONS_NORMALISED | WIRE_OPTIONS_ANTITHETIC))
        return device_out_of_range(device, WIRE_FIELD_CONFIGURE_OPTIONS);
    if (message->noise_source > WIRE_NOISE_SOURCE_INJECTED)
        return device_out_of_range(device, WIRE_FIELD_CONFIGURE_NOISE_SOURCE);
#ifdef ANP_ONE_RULE
    if (message->rule)
        return device_out_of_range(device, WIRE_FIELD_CONFIGURE_RULE);
    if (message->slope && message->slope != ANP_SLOPE)
        return device_out_of_range(device, WIRE_FIELD_CONFIGURE_SLOPE);
#endif

    struct anp_config config;
    read_config(&config, message, size_count);
    enum anp_status status = anp_check(&config);
    if (status != ANP_OK)
        return device_out_of_range(device, field_of[status]);
    uint32_t needed = configure_arena_bytes(&config, device->session.max_payload);
    if (needed > BOARD(board, arena_bytes))
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, needed - BOARD(board, arena_bytes));
    if (!configure_fits(&config, device->session.max_payload))
        return device_out_of_range(device, WIRE_FIELD_CONFIGURE_SIZES);

    anp_configure(&device->net, &config, BOARD(board, arena), BOARD(board, arena_bytes));
    device->configured = true;
    blobs_init(&device->blobs);
    long_samples_forget(device);
    device->metrics = (struct wire_metrics){0};
    autonomous_configured(device);
    if (message->noise_source != device->intake.source)
        stream_stop(&device->stream);
    intake_choose(&device->intake, message->noise_source);
    anp_noise_forget(&device->intake.noise);
    health_forget(&device->intake.health);
    telemetry_start(&device->telemetry, board, device->telemetry.interval);
    return WIRE_DONE;
}
