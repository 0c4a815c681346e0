/* An autonomous training: tasks, stopping rules, schedule, evaluation and curve (shared/numerics.md, section 11). One training step or one
 * sample of an evaluation in each turn of the main loop, so that the line is served meanwhile. */
#ifndef TRAINING_H
#define TRAINING_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"
#include "state.h"

struct device;

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

/* In each turn. True: there may be more to do at once. */
bool training_poll(struct device *device);

#endif
