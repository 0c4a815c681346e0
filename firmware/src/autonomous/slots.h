/* What stands in a slot of the nonvolatile memory, and what of the device it is: one table says what is saved and what is restored. */
#ifndef SLOTS_H
#define SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anp.h"
#include "messages.h"

struct device;

/* Offsets. The commit word comes first and is written last. */
#define SLOT_COMMIT offsetof(struct wire_checkpoint_record, commit)
#define SLOT_CRC offsetof(struct wire_checkpoint_record, crc)
#define SLOT_BODY offsetof(struct wire_checkpoint_record, generation)
#define SLOT_CONFIG offsetof(struct wire_checkpoint_record, loss)

_Static_assert(SLOT_COMMIT == 0 && SLOT_CRC == 2 && SLOT_BODY == 6 && SLOT_CONFIG == 10, "they are written in this order");

#define SLOT_COMMITTED (WIRE_CHECKPOINT_COMMIT | WIRE_CHECKPOINT_FORMAT)

/* Whether a commit word is that of a format which is read. */
static inline bool slot_is_committed(uint16_t commit)
{
    return (uint16_t)(SLOT_COMMITTED - commit) < WIRE_CHECKPOINT_FORMAT;
}

enum slot_state {
    SLOT_EMPTY,
    SLOT_TORN,
    SLOT_FOREIGN,                 /* of another format */
    SLOT_COMPLETE,
};

/* What stands in a slot, commit word apart, and the network's configuration if that is complete. */
enum slot_state slot_examine(const struct device *device, uint8_t slot, struct anp_config *config);

/* The same of a slot that must have been committed. */
enum slot_state slot_find(const struct device *device, uint8_t slot, struct anp_config *config);

uint32_t slot_generation(const struct device *device, uint8_t slot);

/* Whether a complete slot of this configuration holds what the device can load. Changes nothing. */
bool slot_fits(const struct device *device, uint8_t slot, struct anp_config *config);

/* Loads one that fits. */
void slot_load(struct device *device, uint8_t slot, const struct anp_config *config);

/* What the byte of a slot would be now, behind the commit word. */
uint8_t slot_live_byte(const struct device *device, uint16_t offset);

#endif
