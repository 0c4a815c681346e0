/* An autonomous training: tasks, stopping rules, schedule, evaluation and curve (shared/numerics.md, section 11). In each turn of the main
 * loop one sample of an evaluation or a few training steps, TRAINING_STEPS or until a byte arrives, so that the line is served meanwhile. */
#ifndef TRAINING_H
#define TRAINING_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"
#include "state.h"

struct device;

/* Steps in one turn, at most. A board that has received bytes where they can be asked for (board_fixed.h) may make several: what a turn
 * costs besides is then shared by them. */
#ifndef TRAINING_STEPS
#define TRAINING_STEPS 1
#endif

static inline bool training_learns(const struct training *own)
{
    return own->activity == WIRE_ACTIVITY_LEARNING || own->activity == WIRE_ACTIVITY_EVALUATING;
}

/* Training steps since AUTONOMOUS. */
uint32_t training_steps(const struct training *own);

/* After a checkpoint was loaded: resumes where it was. False: its dataset is not there any more. */
bool training_resume(struct device *device);

/* A host reads weights: no step until it has the last of them, or for half a second, so that what it reads belongs together. */
void training_pause(struct device *device, bool more);

/* In each turn, with its device_clock(). True: there may be more to do at once. */
bool training_poll(struct device *device, uint16_t now);

#endif
