/* Loads a checkpoint and lets the training in it continue. */
#include "restore.h"

#include "checkpoint.h"
#include "configure.h"
#include "device.h"
#include "memory_map.h"
#include "messages.h"
#include "slots.h"
#include "training.h"

__attribute__((noinline)) void checkpoint_restore(struct device *device)
{
    struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    struct anp_config config;
    enum slot_state state[2];
    checkpoint->second = device_clock(device);
    if (BOARD(device->board, memory_bytes) == 0)
        return;
    bool touched = false, foreign = false;
    for (uint8_t slot = 0; slot < 2; slot++) {
        state[slot] = slot_find(device, slot, &config);
        touched |= state[slot] == SLOT_TORN;
        foreign |= state[slot] == SLOT_FOREIGN;
    }
    uint32_t first = slot_generation(device, 0), second = slot_generation(device, 1);
    uint8_t newest = state[0] != SLOT_COMPLETE || (state[1] == SLOT_COMPLETE && (int32_t)(second - first) > 0);
    checkpoint->restored = foreign ? WIRE_RESTORED_UNFIT : touched ? WIRE_RESTORED_DAMAGED : WIRE_RESTORED_NOTHING;
    if (state[newest] != SLOT_COMPLETE)
        return;
    checkpoint->generation = newest ? second : first;
    slot_examine(device, newest, &config);
    uint8_t found = WIRE_RESTORED_UNFIT;
    if (slot_fits(device, newest, &config)) {
        slot_load(device, newest, &config);
        found = touched ? WIRE_RESTORED_OLDER : WIRE_RESTORED_NEWEST;
        if (!training_resume(device))
            found = WIRE_RESTORED_NO_DATASET;
    }
    checkpoint->restored = found;
}

enum wire_result checkpoint_import(struct device *device)
{
    uint8_t slot = checkpoint_next_slot(&device->autonomous.checkpoint);
    uint32_t generation = device->autonomous.checkpoint.generation;
    struct anp_config config;
    if (slot_examine(device, slot, &config) != SLOT_COMPLETE)
        return device_refuse(device, WIRE_ERROR_BAD_CHECKPOINT, WIRE_CHECKPOINT_FORMAT);
    ptrdiff_t room = memory_dataset_room(device->board, memory_checkpoint_bytes(config.layers, (size_t)anp_blob_bytes(&config)));
    uint32_t arena = configure_arena_bytes(&config, device->session.max_payload);
    if (room < 0)
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, (uint32_t)-room);
    if (arena > BOARD(device->board, arena_bytes))
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, arena - BOARD(device->board, arena_bytes));
    if (!slot_fits(device, slot, &config))
        return device_refuse(device, WIRE_ERROR_BAD_CHECKPOINT, WIRE_CHECKPOINT_FORMAT);
    slot_load(device, slot, &config);
    device->autonomous.checkpoint.generation = generation;
    training_resume(device);
    return checkpoint_wait(device);
}
