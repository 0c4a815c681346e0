/* Saves a checkpoint byte by byte. The seam calls checkpoint_poll() in every turn; commands and trainings ask for a save. */
#include "checkpoint.h"

#include "autonomous.h"
#include "blobs.h"
#include "crc32.h"
#include "device.h"
#include "handlers.h"
#include "memory_map.h"
#include "messages.h"
#include "slots.h"

#define SECOND 977                /* units of 1,024 us */
#define BYTES_A_TURN 8            /* looked at; those that are there already are not written */
#define ERASED 0xff

uint16_t checkpoint_newest(const struct device *device)
{
    const struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    struct anp_config config;
    if (checkpoint->generation == 0)
        return 0;
    if (slot_find(device, checkpoint_slot(checkpoint), &config) != SLOT_COMPLETE)
        return 0;
    return (uint16_t)memory_checkpoint_bytes(config.layers, (size_t)anp_blob_bytes(&config));
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
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    WIRE_NEAR(checkpoint);
    checkpoint->wanted = false;
    if (!device->configured || device->blobs.damaged || checkpoint_missing(device))
        return;
    checkpoint->generation++;
    if (checkpoint->generation == 0)
        checkpoint->generation = 2;
    checkpoint->crc = 0;
    /* Codes continue to arrive. */
    checkpoint->noise_position = device->intake.noise.position;
    enter(checkpoint, CHECKPOINT_BEGIN, SLOT_COMMIT);
    give_credit(device, 0);
}

static void finish(struct device *device)
{
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    WIRE_NEAR(checkpoint);
    enter(checkpoint, CHECKPOINT_IDLE, 0);
    /* An upload would continue in the other slot. */
    blobs_abandon_kind(&device->blobs, WIRE_BLOB_KIND_CHECKPOINT);
    checkpoint->age = 0;
    checkpoint->dirty = false;
    give_credit(device, BOARD(device->board, receive_window));
}

/* What the byte at this place is to be. */
static uint8_t next_byte(const struct device *device)
{
    const struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    switch (checkpoint->phase) {
    case CHECKPOINT_BODY:
    case CHECKPOINT_CRC:
        return slot_live_byte(device, checkpoint->offset);
    case CHECKPOINT_COMMIT_WORD:
        return (uint8_t)(checkpoint->offset ? SLOT_COMMITTED >> 8 : SLOT_COMMITTED & 0xff);
    default:
        return ERASED;
    }
}

static void written(struct device *device, uint8_t byte)
{
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    WIRE_NEAR(checkpoint);
    uint16_t offset = ++checkpoint->offset;
    switch (checkpoint->phase) {
    case CHECKPOINT_BEGIN:
        if (offset == SLOT_CRC)
            enter(checkpoint, CHECKPOINT_BODY, SLOT_BODY);
        break;
    case CHECKPOINT_BODY:
        checkpoint->crc = wire_crc32(checkpoint->crc, &byte, 1);
        if (offset == memory_bytes_of(&device->net))
            enter(checkpoint, CHECKPOINT_CRC, SLOT_CRC);
        break;
    case CHECKPOINT_CRC:
        if (offset == SLOT_BODY)
            enter(checkpoint, CHECKPOINT_COMMIT_WORD, SLOT_COMMIT);
        break;
    default:
        if (offset == (checkpoint->phase == CHECKPOINT_ERASE ? 2 * SLOT_CONFIG : SLOT_CRC)) {
            BOARD_DO(device->board, memory_flush);
            enter(checkpoint, CHECKPOINT_FLUSH, 0);
        }
    }
}

/* The erasure goes through the heads of both slots, one behind the other. */
static uint16_t next_place(const struct device *device)
{
    const struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    uint16_t offset = checkpoint->offset;
    if (checkpoint->phase != CHECKPOINT_ERASE)
        return memory_place(device->board, checkpoint_slot(checkpoint), offset);
    return memory_place(device->board, offset >= SLOT_CONFIG, (uint16_t)(offset % SLOT_CONFIG));
}

static void work(struct device *device)
{
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
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

bool checkpoint_poll(struct device *device, uint16_t now)
{
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    WIRE_NEAR(checkpoint);
    if (checkpoint->phase == CHECKPOINT_IDLE) {
        if ((uint16_t)(now - checkpoint->second) >= SECOND) {
            checkpoint->second = (uint16_t)(checkpoint->second + SECOND);
            if (checkpoint->age != UINT16_MAX)
                checkpoint->age++;
            uint16_t interval = device->autonomous.training.checkpoint_interval;
            if (checkpoint->dirty && interval && checkpoint->age >= interval)
                checkpoint->wanted = true;
        }
        /* An evaluation is not kept; the position would be its own. */
        if (!checkpoint->wanted || device->autonomous.training.activity == WIRE_ACTIVITY_EVALUATING)
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

enum wire_result checkpoint_wait(struct device *device)
{
    device->autonomous.checkpoint.wanted = true;
    device->autonomous.waits = true;
    return WIRE_LATER;
}

enum wire_result command_checkpoint(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    if (*payload == WIRE_CHECKPOINT_ACTION_ERASE) {
        if (autonomous_learns(device))
            return device_refuse(device, WIRE_ERROR_BUSY, 0);
        checkpoint->generation = 0;
        device->autonomous.dataset.complete = false;
        enter(checkpoint, CHECKPOINT_ERASE, 0);
        device->autonomous.waits = true;
        return WIRE_LATER;
    } else if (*payload != WIRE_CHECKPOINT_ACTION_SAVE) {
        return device_out_of_range(device, WIRE_FIELD_CHECKPOINT_ACTION);
    } else {
        uint32_t missing = checkpoint_missing(device);
        if (!device->configured)
            return device_refuse(device, WIRE_ERROR_NOT_CONFIGURED, 0);
        if (missing)
            return device_refuse(device, WIRE_ERROR_TOO_LARGE, missing);
        if (device->blobs.damaged)
            return device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
    }
    return checkpoint_wait(device);
}
