#include "checkpoint.h"

#include <string.h>

#include "configure.h"
#include "crc32.h"
#include "device.h"
#include "fields.h"
#include "memory.h"
#include "messages.h"

#define SECOND 977                /* units of 1,024 us */
#define BYTES_A_TURN 8            /* looked at; those that are there already are not written */
#define ERASED 0xff

/* Offsets in a slot. */
#define AT_COMMIT offsetof(struct wire_checkpoint_record, commit)
#define AT_CRC offsetof(struct wire_checkpoint_record, crc)
#define AT_BODY offsetof(struct wire_checkpoint_record, generation)
#define AT_CONFIG offsetof(struct wire_checkpoint_record, loss)

_Static_assert(AT_COMMIT == 0 && AT_CRC == 2 && AT_BODY == 6 && AT_CONFIG == 10, "the phases write them in this order");

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
    FIELD(wire_checkpoint_record, crc, device, checkpoint.crc),
    FIELD(wire_checkpoint_record, generation, device, checkpoint.generation),
    FIELD(wire_checkpoint_record, noise_source, device, intake.source),
    FIELD(wire_checkpoint_record, random_state, device, net.random_state),
    FIELD(wire_checkpoint_record, steps, device, net.steps),
    FIELD(wire_checkpoint_record, skipped, device, net.skipped),
    FIELD(wire_checkpoint_record, saturations, device, net.saturations),
    FIELD(wire_checkpoint_record, noise_deviation, device, intake.noise.deviation),
    FIELD(wire_checkpoint_record, noise_position, device, checkpoint.noise_position),
    FIELD(wire_checkpoint_record, repetitions, device, intake.health.limits.repetitions),
    FIELD(wire_checkpoint_record, window, device, intake.health.limits.window),
    FIELD(wire_checkpoint_record, ones_min, device, intake.health.limits.ones_min),
    FIELD(wire_checkpoint_record, ones_max, device, intake.health.limits.ones_max),
    FIELD(wire_checkpoint_record, switches_min, device, intake.health.limits.switches_min),
    FIELD(wire_checkpoint_record, level_low, device, intake.health.level_low),
    FIELD(wire_checkpoint_record, level_high, device, intake.health.level_high),
    FIELD(wire_checkpoint_record, activity, device, autonomous.activity),
    FIELD(wire_checkpoint_record, task, device, autonomous.task),
    FIELD(wire_checkpoint_record, stop_steps, device, autonomous.stop_steps),
    FIELD(wire_checkpoint_record, stop_epochs, device, autonomous.stop_epochs),
    FIELD(wire_checkpoint_record, loss_target, device, autonomous.loss_target),
    FIELD(wire_checkpoint_record, halve_every, device, autonomous.halve_every),
    FIELD(wire_checkpoint_record, evaluate_every, device, autonomous.evaluate_every),
    FIELD(wire_checkpoint_record, checkpoint_interval, device, autonomous.checkpoint_interval),
    FIELD(wire_checkpoint_record, live_period, device, autonomous.live_period),
    FIELD(wire_checkpoint_record, order_state, device, autonomous.order.start),
    FIELD(wire_checkpoint_record, source, device, autonomous.source),
    FIELD(wire_checkpoint_record, epoch_steps, device, autonomous.epoch_steps),
    FIELD(wire_checkpoint_record, value_bytes, device, dataset.value_bytes),
    FIELD(wire_checkpoint_record, scale, device, dataset.scale),
    FIELD(wire_checkpoint_record, target_kind, device, dataset.target_kind),
    FIELD(wire_checkpoint_record, class_bits, device, dataset.class_bits),
    FIELD(wire_checkpoint_record, epoch, device, autonomous.epoch),
    FIELD(wire_checkpoint_record, position, device, autonomous.position),
};

#define ROWS(table) (uint8_t)(sizeof table / sizeof table[0])

/* --- reading --- */

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

enum slot_state { SLOT_EMPTY, SLOT_TORN, SLOT_FOREIGN, SLOT_COMPLETE };

/* What stands in a slot, and the network's configuration if that is complete. */
static enum slot_state examine(const struct device *device, uint8_t slot, struct anp_config *config)
{
    uint32_t crc = 0, stored;
    memset(config, 0, sizeof *config);
    read_fields(device, slot, config, config_fields, ROWS(config_fields));
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
    for (uint16_t offset = AT_BODY; offset < bytes; offset++) {
        uint8_t byte = slot_byte(device, slot, offset);
        crc = wire_crc32(crc, &byte, 1);
    }
    read_bytes(device, slot, AT_CRC, &stored, sizeof stored);
    return crc == stored ? SLOT_COMPLETE : SLOT_TORN;
}

static uint32_t generation_of(const struct device *device, uint8_t slot)
{
    uint32_t generation;
    read_bytes(device, slot, AT_BODY, &generation, sizeof generation);
    return generation;
}

/* The same of a slot that must have been committed. */
static enum slot_state examine_committed(const struct device *device, uint8_t slot, struct anp_config *config)
{
    WIRE_NEAR(config);
    uint16_t commit;
    uint32_t generation = generation_of(device, slot);
    read_bytes(device, slot, AT_COMMIT, &commit, sizeof commit);
    if (commit == CHECKPOINT_COMMIT)
        return (generation & 1u) == slot ? examine(device, slot, config) : SLOT_TORN;
    if ((commit & 0xff00u) == WIRE_CHECKPOINT_COMMIT)
        return SLOT_FOREIGN;
    return generation == UINT32_MAX && commit == UINT16_MAX ? SLOT_EMPTY : SLOT_TORN;
}

/* Beyond what a checksum says: an uploaded checkpoint may hold anything. */
static bool is_sane(const struct device *device)
{
    const struct autonomous *own = &device->autonomous;
    const struct intake *intake = &device->intake;
    return device->net.random_state != 0 && intake->source <= WIRE_NOISE_SOURCE_INJECTED && device->checkpoint.noise_position < ANP_NOISE_BUFFER &&
           intake->noise.deviation < (uint32_t)1 << 24 && own->activity <= WIRE_ACTIVITY_HALTED && own->task <= WIRE_TASK_LIVE &&
           blobs_valid(device);
}

/* Loads a complete slot. False: it does not fit this device, which then has no network. */
static bool load(struct device *device, uint8_t slot, const struct anp_config *config)
{
    struct anp_network *net = &device->net;
    device->configured = false;
    if (anp_configure(net, config, BOARD(device->board, arena), BOARD(device->board, arena_bytes)) != ANP_OK ||
        !configure_fits(config, device->session.max_payload))
        return false;
    uint16_t offset = (uint16_t)memory_checkpoint_bytes(config->layers, 0);
    read_bytes(device, slot, offset, net->at.weights, (uint16_t)net->at.weights_bytes);
    read_bytes(device, slot, (uint16_t)(offset + net->at.weights_bytes), net->at.matrices, (uint16_t)net->at.matrices_bytes);
    health_forget(&device->intake.health);
    uint32_t received = device->intake.noise.received, generation = device->checkpoint.generation;
    read_fields(device, slot, device, state_fields, ROWS(state_fields));
    if (!is_sane(device)) {
        device->checkpoint.generation = generation;
        return false;
    }
    struct anp_noise *noise = &device->intake.noise;
    anp_noise_restore(noise, config->sigma, noise->deviation, device->checkpoint.noise_position);
    noise->received = received;
    health_set_levels(&device->intake.health, device->intake.health.level_low, device->intake.health.level_high);
    device->intake.contiguous = 0;
    blobs_init(&device->blobs);
    device->configured = true;
    return true;
}

__attribute__((noinline)) void checkpoint_restore(struct device *device)
{
    struct checkpoint *checkpoint = &device->checkpoint;
    struct anp_config config;
    enum slot_state state[2];
    checkpoint->second = device_clock(device);
    if (BOARD(device->board, memory_bytes) == 0)
        return;
    bool touched = false, foreign = false;
    for (uint8_t slot = 0; slot < 2; slot++) {
        state[slot] = examine_committed(device, slot, &config);
        touched |= state[slot] == SLOT_TORN;
        foreign |= state[slot] == SLOT_FOREIGN;
    }
    uint32_t first = generation_of(device, 0), second = generation_of(device, 1);
    uint8_t newest = state[0] != SLOT_COMPLETE || (state[1] == SLOT_COMPLETE && (int32_t)(second - first) > 0);
    checkpoint->restored = foreign ? WIRE_RESTORED_UNFIT : touched ? WIRE_RESTORED_DAMAGED : WIRE_RESTORED_NOTHING;
    if (state[newest] != SLOT_COMPLETE)
        return;
    checkpoint->generation = newest ? second : first;
    examine(device, newest, &config);
    uint8_t found = touched ? WIRE_RESTORED_OLDER : WIRE_RESTORED_NEWEST;
    if (!load(device, newest, &config))
        found = WIRE_RESTORED_UNFIT;
    else if (!autonomous_resume(device))
        found = WIRE_RESTORED_NO_DATASET;
    checkpoint->restored = found;
}

uint16_t checkpoint_newest(const struct device *device, uint8_t *slot)
{
    const struct checkpoint *checkpoint = &device->checkpoint;
    struct anp_config config;
    if (checkpoint->generation == 0)
        return 0;
    *slot = (uint8_t)checkpoint->generation & 1u;
    if (examine_committed(device, *slot, &config) != SLOT_COMPLETE)
        return 0;
    return (uint16_t)memory_checkpoint_bytes(config.layers, (size_t)anp_blob_bytes(&config));
}

/* --- writing --- */

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

static uint8_t live_byte(const struct device *device, uint16_t offset)
{
    const struct anp_network *net = &device->net;
    if (offset < WIRE_SIZE_CHECKPOINT_RECORD) {
        uint8_t byte = field_byte(&net->config, config_fields, ROWS(config_fields), (uint8_t)offset, 0);
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

static void enter(struct checkpoint *checkpoint, enum checkpoint_phase phase, uint16_t offset)
{
    checkpoint->phase = (uint8_t)phase;
    checkpoint->offset = offset;
}

/* A board that erases blocks stands still meanwhile, so the host must. */
static void give_credit(struct device *device, uint16_t credit)
{
    if (BOARD(device->board, memory_block) <= 1)
        return;
    device->session.credit = credit;
    wire_session_acknowledge(&device->session);
}

static void begin(struct device *device)
{
    struct checkpoint *checkpoint = &device->checkpoint;
    WIRE_NEAR(checkpoint);
    checkpoint->wanted = false;
    if (!device->configured || device->blobs.damaged || checkpoint_missing(device))
        return;
    checkpoint->generation++;
    if (checkpoint->generation == 0)
        checkpoint->generation = 2;
    checkpoint->crc = 0;
    /* Codes go on to arrive. */
    checkpoint->noise_position = device->intake.noise.position;
    enter(checkpoint, CHECKPOINT_BEGIN, AT_COMMIT);
    give_credit(device, 0);
}

static void finish(struct device *device)
{
    struct checkpoint *checkpoint = &device->checkpoint;
    WIRE_NEAR(checkpoint);
    enter(checkpoint, CHECKPOINT_IDLE, 0);
    checkpoint->age = 0;
    checkpoint->dirty = false;
    give_credit(device, BOARD(device->board, receive_window));
}

/* What the byte at this place is to be. */
static uint8_t next_byte(const struct device *device)
{
    const struct checkpoint *checkpoint = &device->checkpoint;
    switch (checkpoint->phase) {
    case CHECKPOINT_BODY:
    case CHECKPOINT_CRC:
        return live_byte(device, checkpoint->offset);
    case CHECKPOINT_COMMIT_WORD:
        return (uint8_t)(checkpoint->offset ? CHECKPOINT_COMMIT >> 8 : CHECKPOINT_COMMIT & 0xff);
    default:
        return ERASED;
    }
}

static void written(struct device *device, uint8_t byte)
{
    struct checkpoint *checkpoint = &device->checkpoint;
    WIRE_NEAR(checkpoint);
    uint16_t offset = ++checkpoint->offset;
    switch (checkpoint->phase) {
    case CHECKPOINT_BEGIN:
        if (offset == AT_CRC)
            enter(checkpoint, CHECKPOINT_BODY, AT_BODY);
        break;
    case CHECKPOINT_BODY:
        checkpoint->crc = wire_crc32(checkpoint->crc, &byte, 1);
        if (offset == memory_bytes_of(&device->net))
            enter(checkpoint, CHECKPOINT_CRC, AT_CRC);
        break;
    case CHECKPOINT_CRC:
        if (offset == AT_BODY)
            enter(checkpoint, CHECKPOINT_COMMIT_WORD, AT_COMMIT);
        break;
    default:
        if (offset == (checkpoint->phase == CHECKPOINT_ERASE ? 2 * AT_CONFIG : AT_CRC)) {
            BOARD_DO(device->board, memory_flush);
            enter(checkpoint, CHECKPOINT_FLUSH, 0);
        }
    }
}

/* The erasure goes through the heads of both slots, one behind the other. */
static uint16_t next_place(const struct device *device)
{
    const struct checkpoint *checkpoint = &device->checkpoint;
    uint16_t offset = checkpoint->offset;
    if (checkpoint->phase != CHECKPOINT_ERASE)
        return memory_place(device->board, (uint8_t)checkpoint->generation & 1u, offset);
    return memory_place(device->board, offset >= AT_CONFIG, (uint16_t)(offset % AT_CONFIG));
}

static void work(struct device *device)
{
    struct checkpoint *checkpoint = &device->checkpoint;
    const BOARD_FLASH struct board *board = device->board;
    for (uint8_t left = BYTES_A_TURN; left; left--) {
        if (checkpoint->phase == CHECKPOINT_FLUSH) {
            if (BOARD_DO(board, memory_ready))
                finish(device);
            return;
        }
        uint8_t byte = next_byte(device);
        if (!memory_put(board, next_place(device), byte))
            return;
        written(device, byte);
    }
}

bool checkpoint_poll(struct device *device)
{
    struct checkpoint *checkpoint = &device->checkpoint;
    WIRE_NEAR(checkpoint);
    if (checkpoint->phase == CHECKPOINT_IDLE) {
        if ((uint16_t)(device_clock(device) - checkpoint->second) >= SECOND) {
            checkpoint->second = (uint16_t)(checkpoint->second + SECOND);
            if (checkpoint->age != UINT16_MAX)
                checkpoint->age++;
            uint16_t interval = device->autonomous.checkpoint_interval;
            if (checkpoint->dirty && interval && checkpoint->age >= interval)
                checkpoint->wanted = true;
        }
        /* An evaluation is not kept; the position would be its own. */
        if (!checkpoint->wanted || device->autonomous.activity == WIRE_ACTIVITY_EVALUATING)
            return false;
        begin(device);
    }
    if (checkpoint->phase != CHECKPOINT_IDLE)
        work(device);
    return true;
}

uint32_t checkpoint_missing(const struct device *device)
{
    ptrdiff_t room = memory_dataset_room(device->board, memory_bytes_of(&device->net));
    return room < 0 ? (uint32_t)-room : 0;
}

enum wire_result checkpoint_execute(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    struct checkpoint *checkpoint = &device->checkpoint;
    /* The second time that the same command comes here, its work is done. */
    if (device->waits) {
        device->waits = false;
        return WIRE_DONE;
    }
    if (*payload == WIRE_CHECKPOINT_ACTION_ERASE) {
        if (autonomous_learns(&device->autonomous))
            return device_refuse(device, WIRE_ERROR_BUSY, 0);
        checkpoint->generation = 0;
        enter(checkpoint, CHECKPOINT_ERASE, 0);
    } else if (*payload != WIRE_CHECKPOINT_ACTION_SAVE) {
        return device_out_of_range(device, 1);
    } else {
        uint32_t missing = checkpoint_missing(device);
        if (!device->configured)
            return device_refuse(device, WIRE_ERROR_NOT_CONFIGURED, 0);
        if (missing)
            return device_refuse(device, WIRE_ERROR_TOO_LARGE, missing);
        if (device->blobs.damaged)
            return device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
        checkpoint->wanted = true;
    }
    device->waits = true;
    return WIRE_LATER;
}

enum wire_result checkpoint_import(struct device *device)
{
    uint8_t slot = checkpoint_next_slot(&device->checkpoint);
    uint32_t generation = device->checkpoint.generation;
    struct anp_config config;
    if (examine(device, slot, &config) != SLOT_COMPLETE)
        return device_refuse(device, WIRE_ERROR_BAD_CHECKPOINT, WIRE_CHECKPOINT_FORMAT);
    ptrdiff_t room = memory_dataset_room(device->board, memory_checkpoint_bytes(config.layers, (size_t)anp_blob_bytes(&config)));
    uint32_t arena = anp_arena_bytes(&config);
    if (room < 0)
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, (uint32_t)-room);
    if (arena > BOARD(device->board, arena_bytes))
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, arena - BOARD(device->board, arena_bytes));
    if (!load(device, slot, &config)) {
        autonomous_forget(&device->autonomous);
        return device_refuse(device, WIRE_ERROR_BAD_CHECKPOINT, WIRE_CHECKPOINT_FORMAT);
    }
    device->checkpoint.generation = generation;
    device->checkpoint.wanted = true;
    autonomous_resume(device);
    return WIRE_DONE;
}
