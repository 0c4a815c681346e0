/* The table of what a checkpoint holds, read, checked and loaded. Saving (checkpoint.c) and loading (restore.c) call it. */
#include "slots.h"

#include <string.h>

#include "blobs.h"
#include "configure.h"
#include "crc32.h"
#include "device.h"
#include "fields.h"
#include "long_samples.h"
#include "memory_map.h"

static const WIRE_FLASH struct field config_fields[] = {
    FIELD(wire_checkpoint_record, loss, anp_config, loss),
    FIELD(wire_checkpoint_record, weight_format, anp_config, weight_format),
    FIELD(wire_checkpoint_record, rounding, anp_config, rounding),
    FIELD(wire_checkpoint_record, normalised, anp_config, normalised),
    FIELD(wire_checkpoint_record, antithetic, anp_config, antithetic),
    FIELD(wire_checkpoint_record, decorrelate, anp_config, decorrelate),
    FIELD(wire_checkpoint_record, layers, anp_config, layers),
    FIELD(wire_checkpoint_record, sigma, anp_config, sigma),
    FIELD(wire_checkpoint_record, noise_std, anp_config, noise_std),
    FIELD(wire_checkpoint_record, learning_rate, anp_config, learning_rate),
    FIELD(wire_checkpoint_record, decorrelation_rate, anp_config, decorrelation_rate),
    FIELD(wire_checkpoint_record, seed, anp_config, seed),
};

static const WIRE_FLASH struct field state_fields[] = {
    FIELD(wire_checkpoint_record, crc, device, autonomous.checkpoint.crc),
    FIELD(wire_checkpoint_record, generation, device, autonomous.checkpoint.generation),
    FIELD(wire_checkpoint_record, noise_source, device, intake.source),
    FIELD(wire_checkpoint_record, random_state, device, net.random_state),
    FIELD(wire_checkpoint_record, steps, device, net.steps),
    FIELD(wire_checkpoint_record, skipped, device, net.skipped),
    FIELD(wire_checkpoint_record, saturations, device, net.saturations),
    FIELD(wire_checkpoint_record, noise_deviation, device, intake.noise.deviation),
    FIELD(wire_checkpoint_record, noise_position, device, autonomous.checkpoint.noise_position),
    FIELD(wire_checkpoint_record, repetitions, device, intake.health.limits.repetitions),
    FIELD(wire_checkpoint_record, window, device, intake.health.limits.window),
    FIELD(wire_checkpoint_record, ones_min, device, intake.health.limits.ones_min),
    FIELD(wire_checkpoint_record, ones_max, device, intake.health.limits.ones_max),
    FIELD(wire_checkpoint_record, switches_min, device, intake.health.limits.switches_min),
    FIELD(wire_checkpoint_record, level_low, device, intake.health.level_low),
    FIELD(wire_checkpoint_record, level_high, device, intake.health.level_high),
    FIELD(wire_checkpoint_record, activity, device, autonomous.training.activity),
    FIELD(wire_checkpoint_record, task, device, autonomous.training.task),
    FIELD(wire_checkpoint_record, stop_steps, device, autonomous.training.stop_steps),
    FIELD(wire_checkpoint_record, stop_epochs, device, autonomous.training.stop_epochs),
    FIELD(wire_checkpoint_record, loss_target, device, autonomous.training.loss_target),
    FIELD(wire_checkpoint_record, halve_every, device, autonomous.training.halve_every),
    FIELD(wire_checkpoint_record, evaluate_every, device, autonomous.training.evaluate_every),
    FIELD(wire_checkpoint_record, checkpoint_interval, device, autonomous.training.checkpoint_interval),
    FIELD(wire_checkpoint_record, live_period, device, autonomous.training.live_period),
    FIELD(wire_checkpoint_record, order_state, device, autonomous.training.order.start),
    FIELD(wire_checkpoint_record, source, device, autonomous.training.source),
    FIELD(wire_checkpoint_record, epoch_steps, device, autonomous.training.epoch_steps),
    FIELD(wire_checkpoint_record, value_bytes, device, autonomous.dataset.value_bytes),
    FIELD(wire_checkpoint_record, scale, device, autonomous.dataset.scale),
    FIELD(wire_checkpoint_record, target_kind, device, autonomous.dataset.target_kind),
    FIELD(wire_checkpoint_record, class_bits, device, autonomous.dataset.class_bits),
    FIELD(wire_checkpoint_record, epoch, device, autonomous.training.epoch),
    FIELD(wire_checkpoint_record, position, device, autonomous.training.position),
};

#define ROWS(table) (uint8_t)(sizeof table / sizeof table[0])

static uint8_t slot_byte(const struct device *device, uint8_t slot, uint16_t offset)
{
    return memory_read(device->board, memory_place(device->board, slot, offset));
}

static void read_bytes(const struct device *device, uint8_t slot, uint16_t offset, void *to, uint16_t count)
{
    uint8_t *into = to;
    for (; count; count--)
        *into++ = slot_byte(device, slot, offset++);
}

static void read_fields(const struct device *device, uint8_t slot, void *to, const WIRE_FLASH struct field *row, uint8_t rows)
{
    for (; rows; rows--, row++)
        read_bytes(device, slot, row->to, (uint8_t *)to + row->from, row->bytes);
}

/* Whether the byte that was read there is one that a bool can have. */
static bool is_bool(const bool *flag)
{
    return *(const uint8_t *)flag <= 1;
}

#ifndef ANP_ONE_RULE
/* Rule and slope, which the record has in the bytes of two options. Format 1 has 0 there: ANP and 1/128. */
#define RULE_SHIFT 1
#define SLOPE_SHIFT 4

static void take_apart(struct anp_config *config)
{
    uint8_t normalised, antithetic;
    memcpy(&normalised, &config->normalised, sizeof normalised);
    memcpy(&antithetic, &config->antithetic, sizeof antithetic);
    config->slope = (uint8_t)(normalised >> SLOPE_SHIFT ^ ANP_SLOPE);
    config->rule = antithetic >> RULE_SHIFT;
    normalised &= (1u << SLOPE_SHIFT) - 1;
    antithetic &= (1u << RULE_SHIFT) - 1;
    memcpy(&config->normalised, &normalised, sizeof normalised);
    memcpy(&config->antithetic, &antithetic, sizeof antithetic);
}

static uint8_t with_rule(const struct anp_config *config, uint8_t byte, uint16_t offset)
{
    if (offset == offsetof(struct wire_checkpoint_record, normalised))
        return (uint8_t)(byte | (config->slope ^ ANP_SLOPE) << SLOPE_SHIFT);
    if (offset == offsetof(struct wire_checkpoint_record, antithetic))
        return (uint8_t)(byte | config->rule << RULE_SHIFT);
    return byte;
}
#else
static void take_apart(struct anp_config *config) { (void)config; }

static uint8_t with_rule(const struct anp_config *config, uint8_t byte, uint16_t offset)
{
    (void)config, (void)offset;
    return byte;
}
#endif

/* What stands in a slot, and the network's configuration if that is complete. */
enum slot_state slot_examine(const struct device *device, uint8_t slot, struct anp_config *config)
{
    uint32_t crc = 0, stored;
    memset(config, 0, sizeof *config);
    read_fields(device, slot, config, config_fields, ROWS(config_fields));
    take_apart(config);
    if (config->layers < 1 || config->layers > ANP_MAX_LAYERS || !is_bool(&config->normalised) || !is_bool(&config->antithetic))
        return SLOT_TORN;
    uint16_t sizes_bytes = (uint16_t)((config->layers + 1u) * sizeof config->sizes[0]);
    read_bytes(device, slot, WIRE_SIZE_CHECKPOINT_RECORD, config->sizes, sizes_bytes);
    if (anp_check(config) != ANP_OK)
        return SLOT_TORN;
    uint32_t blobs = anp_blob_bytes(config);
    if (blobs > BOARD(device->board, memory_bytes))
        return SLOT_TORN;
    size_t bytes = memory_checkpoint_bytes(config->layers, (size_t)blobs);
    if (bytes > BOARD(device->board, memory_bytes))
        return SLOT_TORN;
    for (uint16_t offset = SLOT_BODY; offset < bytes; offset++) {
        uint8_t byte = slot_byte(device, slot, offset);
        crc = wire_crc32(crc, &byte, 1);
    }
    read_bytes(device, slot, SLOT_CRC, &stored, sizeof stored);
    return crc == stored ? SLOT_COMPLETE : SLOT_TORN;
}

uint32_t slot_generation(const struct device *device, uint8_t slot)
{
    uint32_t generation;
    read_bytes(device, slot, SLOT_BODY, &generation, sizeof generation);
    return generation;
}

/* The same of a slot that must have been committed. */
enum slot_state slot_find(const struct device *device, uint8_t slot, struct anp_config *config)
{
    WIRE_NEAR(config);
    uint16_t commit;
    uint32_t generation = slot_generation(device, slot);
    read_bytes(device, slot, SLOT_COMMIT, &commit, sizeof commit);
    if (slot_is_committed(commit))
        return (generation & 1u) == slot ? slot_examine(device, slot, config) : SLOT_TORN;
    if ((commit & 0xff00u) == WIRE_CHECKPOINT_COMMIT)
        return SLOT_FOREIGN;
    return generation == UINT32_MAX && commit == UINT16_MAX ? SLOT_EMPTY : SLOT_TORN;
}

/* What a checksum says nothing of: an uploaded checkpoint may hold anything. */
struct doubtful {
    struct health_limits limits;
    uint16_t level_low;
    uint16_t level_high;
    uint32_t random_state;
    uint32_t noise_deviation;
    uint8_t noise_source;
    uint8_t noise_position;
    uint8_t activity;
    uint8_t task;
};

static const WIRE_FLASH struct field doubtful_fields[] = {
    {offsetof(struct doubtful, limits), offsetof(struct wire_checkpoint_record, repetitions), sizeof(struct health_limits)},
    FIELD(wire_checkpoint_record, level_low, doubtful, level_low),
    FIELD(wire_checkpoint_record, level_high, doubtful, level_high),
    FIELD(wire_checkpoint_record, random_state, doubtful, random_state),
    FIELD(wire_checkpoint_record, noise_deviation, doubtful, noise_deviation),
    FIELD(wire_checkpoint_record, noise_source, doubtful, noise_source),
    FIELD(wire_checkpoint_record, noise_position, doubtful, noise_position),
    FIELD(wire_checkpoint_record, activity, doubtful, activity),
    FIELD(wire_checkpoint_record, task, doubtful, task),
};

_Static_assert(sizeof(struct health_limits) ==
                   offsetof(struct wire_checkpoint_record, level_low) - offsetof(struct wire_checkpoint_record, repetitions),
               "the record has them in a row");

/* Whether codes could have given these levels and this deviation. */
static bool is_noise(const struct doubtful *found, uint16_t largest)
{
    uint16_t low = found->level_low, high = found->level_high;
    if (high && (high < 2 || low > high - 2 || high > largest))
        return false;
    if (found->noise_source != WIRE_NOISE_SOURCE_ADC)
        largest = UINT16_MAX;
    return found->noise_deviation <= (uint32_t)largest * (ANP_NOISE_BUFFER / 2);
}

static bool is_sane(const struct device *device, uint8_t slot)
{
    struct doubtful found;
    read_fields(device, slot, &found, doubtful_fields, ROWS(doubtful_fields));
    return found.random_state != 0 && found.noise_source <= WIRE_NOISE_SOURCE_INJECTED && found.noise_position < ANP_NOISE_BUFFER &&
           is_noise(&found, device->intake.health.full_scale) && health_unfit(&found.limits) == 0 && found.activity <= WIRE_ACTIVITY_HALTED &&
           found.task <= WIRE_TASK_LIVE;
}

bool slot_fits(const struct device *device, uint8_t slot, struct anp_config *config)
{
    uint8_t max_payload = device->session.max_payload;
    if (configure_arena_bytes(config, max_payload) > BOARD(device->board, arena_bytes) || !configure_fits(config, max_payload) ||
        !is_sane(device, slot))
        return false;
    uint8_t decorrelate = config->decorrelate, value[sizeof(int32_t)], value_bytes = anp_is_wide(config) ? sizeof(int32_t) : sizeof(int16_t);
    uint16_t offset = (uint16_t)memory_checkpoint_bytes(config->layers, 0), end = (uint16_t)(offset + anp_blob_bytes(config));
    config->decorrelate = 0;
    uint16_t matrices = (uint16_t)(offset + anp_blob_bytes(config) - anp_feedback_bytes(config));
    config->decorrelate = decorrelate;
    for (; offset < end; offset = (uint16_t)(offset + value_bytes)) {
        if (offset == matrices)
            value_bytes = sizeof(int16_t);
        /* Eva, of `make prove`, would mix the two sizes. */
        /*@ split value_bytes; */
        read_bytes(device, slot, offset, value, value_bytes);
        if (blobs_first_invalid(value, 0, value_bytes, value_bytes))
            return false;
    }
    return true;
}

void slot_load(struct device *device, uint8_t slot, const struct anp_config *config)
{
    struct anp_network *net = &device->net;
    anp_configure(net, config, BOARD(device->board, arena), BOARD(device->board, arena_bytes));
    uint16_t offset = (uint16_t)memory_checkpoint_bytes(config->layers, 0);
    read_bytes(device, slot, offset, net->at.weights, (uint16_t)net->at.weights_bytes);
    /* The feedback is behind the matrices here and there. */
    read_bytes(device, slot, (uint16_t)(offset + net->at.weights_bytes), net->at.matrices,
               (uint16_t)(net->at.matrices_bytes + anp_feedback_bytes(config)));
    health_forget(&device->intake.health);
    device->autonomous.dataset = (struct dataset){0};
    training_forget(&device->autonomous.training);
    uint32_t received = device->intake.noise.received;
    read_fields(device, slot, device, state_fields, ROWS(state_fields));
    struct anp_noise *noise = &device->intake.noise;
    anp_noise_restore(noise, config->sigma, noise->deviation, device->autonomous.checkpoint.noise_position);
    noise->received = received;
    health_set_levels(&device->intake.health, device->intake.health.level_low, device->intake.health.level_high);
    device->intake.contiguous = 0;
    blobs_init(&device->blobs);
    long_samples_forget(device);
    device->configured = true;
}

/* A byte of the record as it is now. */
static uint8_t field_byte(const void *from, const WIRE_FLASH struct field *row, uint8_t rows, uint8_t offset, uint8_t other)
{
    for (; rows; rows--, row++) {
        uint8_t within = (uint8_t)(offset - row->to);
        if (within < row->bytes)
            return ((const uint8_t *)from)[row->from + within];
    }
    return other;
}

uint8_t slot_live_byte(const struct device *device, uint16_t offset)
{
    const struct anp_network *net = &device->net;
    if (offset < WIRE_SIZE_CHECKPOINT_RECORD) {
        uint8_t byte = field_byte(&net->config, config_fields, ROWS(config_fields), (uint8_t)offset, 0);
        byte = with_rule(&net->config, byte, offset);
        return field_byte(device, state_fields, ROWS(state_fields), (uint8_t)offset, byte);
    }
    offset = (uint16_t)(offset - WIRE_SIZE_CHECKPOINT_RECORD);
    uint16_t sizes_bytes = (uint16_t)((net->config.layers + 1u) * sizeof net->config.sizes[0]);
    if (offset < sizes_bytes)
        return ((const uint8_t *)net->config.sizes)[offset];
    offset = (uint16_t)(offset - sizes_bytes);
    if (offset < net->at.weights_bytes)
        return net->at.weights[offset];
    return net->at.matrices[offset - net->at.weights_bytes];
}
