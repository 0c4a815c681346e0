/* Learning on its own: tasks, stopping rules, schedule, evaluation and curve (shared/numerics.md, section 11). One training step or one
 * sample of an evaluation in each turn of the main loop, so that the line is served meanwhile. */
#ifndef AUTONOMOUS_H
#define AUTONOMOUS_H

#include <stdbool.h>
#include <stdint.h>

#include "curve.h"
#include "mean.h"
#include "messages.h"
#include "order.h"

struct device;

struct autonomous {
    uint8_t activity;             /* WIRE_ACTIVITY_... */
    uint8_t task;                 /* WIRE_TASK_... */
    uint8_t stop_reason;          /* WIRE_STOP_REASON_... */
    uint8_t evaluate_every;       /* epochs */
    bool paused;                  /* a host reads the weights */
    uint16_t paused_at;           /* units of 1,024 us, mod 2^16 */
    uint16_t epoch_steps;
    uint16_t position;            /* steps done of this epoch, or samples of the evaluation */
    uint16_t stop_epochs;
    uint16_t checkpoint_interval; /* s */
    uint16_t live_period;         /* ms */
    uint16_t correct;             /* in the last or running evaluation */
    uint32_t source;              /* CRC-32 of the dataset, or seed of the teacher */
    uint32_t epoch;               /* done */
    uint32_t stop_steps;
    uint32_t loss_target;
    uint32_t halve_every;
    uint32_t halve_left;          /* steps until the rate is halved; 0 without a schedule */
    uint32_t epoch_loss;
    uint32_t evaluated;           /* epochs done at the last evaluation */
    uint32_t evaluation_loss;
    struct mean sum;              /* of the losses of the epoch, or of the evaluation */
    union {
        struct order order;
        struct {
            uint32_t random[2];   /* as order's */
            uint32_t micros;      /* when the last sample was taken */
        } live;
    };
    struct curve curve;
};

/* No task, default interval of checkpoints. */
void autonomous_forget(struct autonomous *own);

static inline bool autonomous_learns(const struct autonomous *own)
{
    return own->activity == WIRE_ACTIVITY_LEARNING || own->activity == WIRE_ACTIVITY_EVALUATING;
}

/* Training steps since AUTONOMOUS. */
uint32_t autonomous_steps(const struct autonomous *own);

/* After a checkpoint was loaded: goes on where it was. False: its dataset is not there any more. */
bool autonomous_resume(struct device *device);

/* A host reads weights: no step until it has the last of them, or for half a second, so that what it reads belongs together. */
void autonomous_pause(struct device *device, bool more);

/* In each turn. True: there may be more to do at once. */
bool autonomous_poll(struct device *device);

#endif
