/* Checkpoints: network, counters, calibration and task in one of two slots of the nonvolatile memory, in turn; the older one stays whole
 * while the other is written, byte by byte, in turns of the main loop. Nothing is learned meanwhile, so that a slot never mixes two steps
 * (a chip of 2 KB has no room for a copy). The word that makes a slot count is invalidated first and written last.
 *
 * A checkpoint is a CHECKPOINT_RECORD (shared/protocol.toml), the sizes, the weights and the matrices. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "state.h"

struct device;

/* In each turn, with its device_clock(): saves when it is time or wanted. True while it is at work. */
bool checkpoint_poll(struct device *device, uint16_t now);

static inline bool checkpoint_busy(const struct checkpoint *checkpoint)
{
    return checkpoint->phase != CHECKPOINT_IDLE || checkpoint->wanted;
}

/* The command that is executed has done its work, and waits for a checkpoint of it. */
enum wire_result checkpoint_wait(struct device *device);

/* Bytes of memory missing for two of them; 0: they fit. */
uint32_t checkpoint_missing(const struct device *device);

/* The slot of the newest checkpoint. */
static inline uint8_t checkpoint_slot(const struct checkpoint *checkpoint) { return (uint8_t)checkpoint->generation & 1u; }

/* Bytes of the newest complete checkpoint; 0: there is none. */
uint16_t checkpoint_newest(const struct device *device);

/* The slot that the next one goes to. */
static inline uint8_t checkpoint_next_slot(const struct checkpoint *checkpoint) { return (uint8_t)(checkpoint->generation + 1) & 1u; }

#endif
