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

struct device;

enum checkpoint_phase { CHECKPOINT_IDLE, CHECKPOINT_BEGIN, CHECKPOINT_BODY, CHECKPOINT_CRC, CHECKPOINT_COMMIT_WORD, CHECKPOINT_ERASE, CHECKPOINT_FLUSH };

struct checkpoint {
    uint8_t phase;                /* enum checkpoint_phase */
    uint8_t restored;             /* WIRE_RESTORED_... */
    bool wanted;                  /* by HALT, SAVE or AUTONOMOUS */
    bool dirty;                   /* something was learned since the last save */
    uint8_t noise_position;       /* of the noise buffer, when the save began */
    uint16_t offset;              /* of the byte to write */
    uint16_t age;                 /* s, since the last save or the start */
    uint16_t second;              /* device_clock() when `age` last changed */
    uint32_t generation;          /* of the newest checkpoint, the one being written included */
    uint32_t crc;                 /* of the one being written */
};

/* At the start: loads the newest complete checkpoint, if there is one, into the device. */
void checkpoint_restore(struct device *device);

/* In each turn: saves when it is time or wanted, a byte a turn. True while it is at work. */
bool checkpoint_poll(struct device *device);

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

/* All bytes of an uploaded checkpoint stand in the next slot: loads it and saves it as the device's own. */
enum wire_result checkpoint_import(struct device *device);

#endif
