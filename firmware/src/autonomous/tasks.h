/* What an autonomous device learns, sample by sample (shared/numerics.md, section 11). Sample and teacher lie in the arena behind the
 * network. */
#ifndef TASKS_H
#define TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages.h"

struct device;

/* A build that is short of flash leaves the teacher out. */
#ifdef DEVICE_NO_TEACHER
#define TASKS_HAVE_TEACHER false
#else
#define TASKS_HAVE_TEACHER true
#endif

static inline bool is_teacher(uint8_t task) { return TASKS_HAVE_TEACHER && task == WIRE_TASK_TEACHER; }

/* One sample, as anp_train() takes it. */
struct sample {
    int16_t *x;
    int16_t *target;
};

/* Bytes of arena that a task takes with the network. */
size_t task_arena_bytes(const struct device *device, uint8_t task);

/* Draws the teacher. */
void task_begin(struct device *device);

/* Begins an epoch: the order of its samples. */
void task_epoch(struct device *device);

/* Passes over a sample that was taken before a checkpoint. */
void task_skip(struct device *device);

/* The next sample to train on. */
struct sample task_sample(struct device *device);

/* Sample of an evaluation; index 0 begins it. */
struct sample task_evaluation(struct device *device, uint16_t index);

#endif
